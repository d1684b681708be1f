"""ACME_PROFILE and ACME_PROFILE_PREFERRED at a real CA that offers two."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.pebble import NINETY_DAYS
from bed.world import World
from builders.page import Page

pytestmark = pytest.mark.real
DAY = 86_400
PROFILES = {
    "long": {"description": "ninety days", "validityPeriod": NINETY_DAYS},
    "short": {"description": "six days", "validityPeriod": 6 * DAY},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), pebble={"profiles": PROFILES}, dnssec=False) as made:
        yield made


@pytest.fixture
def page(tmp_path: Path, world: World) -> Page:
    return Page(tmp_path, world, world.new_zone().removesuffix("."))


@pytest.mark.parametrize("variable", ["ACME_PROFILE", "ACME_PROFILE_PREFERRED"])
@pytest.mark.row("G11")
@pytest.mark.parametrize(("profile", "days"), [("short", 6), ("long", 90)])
def test_a_profile_that_is_offered_is_taken(page: Page, variable: str, profile: str, days: int) -> None:
    page.configure(**{variable: profile})
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert f"{days} days left" in page.status().out


def test_a_required_one_that_is_not_offered_costs_no_order(page: Page) -> None:
    page.configure(ACME_PROFILE="shrt")
    page.world.pebble.forget()
    done = page.run()
    assert done.code == 1
    assert "the CA offers long, short" in done.only_error()
    assert "did you mean short?" in done.hints[0]
    assert {method for method, _ in page.world.pebble.requests()} <= {"GET"}
    assert page.plan().code == 1


def test_a_preferred_one_that_is_not_offered_is_a_note_and_the_default_is_taken(page: Page) -> None:
    page.configure(ACME_PROFILE_PREFERRED="tlsserver")
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    (note,) = [line for line in done.out.splitlines() if "tlsserver" in line]
    assert note.startswith("note: ")
    assert "the CA offers long, short" in note
    zone = page.domains.read_text().strip()
    assert page.verified_names(zone) == {zone}
    assert "nothing due" in page.run().out
