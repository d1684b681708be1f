"""PREFERRED_CHAIN at a real CA that offers several chains."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page, openssl

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    options = {"alternate_roots": 2, "chain_length": 2}
    with World(tmp_path_factory.mktemp("world"), pebble=options, dnssec=False) as made:  # type: ignore[arg-type]
        yield made


@pytest.fixture
def page(tmp_path: Path, world: World) -> Page:
    return Page(tmp_path, world, world.new_zone().removesuffix("."))


def name_of(page: Page, number: int) -> str:
    """The common name of one of the CA's roots."""
    file = page.folder / f"root{number}.pem"
    file.write_text(page.world.pebble.root_pem(number), encoding="utf-8")
    return openssl("x509", "-in", file, "-noout", "-subject", "-nameopt", "sep_multiline,utf8").split("CN=")[1].strip()


def alias_of(page: Page) -> str:
    return page.domains.read_text().strip()


def downloads(page: Page) -> int:
    return sum(1 for _, path in page.world.pebble.requests() if path.startswith("/certZ/"))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_chain_to_each_of_the_cas_roots_can_be_had(page: Page, number: int) -> None:
    page.configure(PREFERRED_CHAIN=name_of(page, number))
    page.world.pebble.forget()
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert "PREFERRED_CHAIN" not in done.out
    alias = alias_of(page)
    assert page.verified_names(alias, root=number) == {alias}
    assert downloads(page) == number + 1


def test_without_it_the_default_is_all_that_is_downloaded(page: Page) -> None:
    page.world.pebble.forget()
    assert page.run().code == 0
    page.verified_names(alias_of(page), root=0)
    assert downloads(page) == 1


def test_a_chain_that_is_not_offered_is_said_with_what_is(page: Page) -> None:
    page.configure(PREFERRED_CHAIN="ISRG Root X1")
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    (note,) = [line for line in done.out.splitlines() if "PREFERRED_CHAIN" in line]
    assert "'ISRG Root X1'" in note
    for number in range(3):
        assert name_of(page, number) in note
    page.verified_names(alias_of(page), root=0)


def test_one_certificate_may_prefer_another_chain_and_a_change_renews_nothing(page: Page) -> None:
    alias = alias_of(page)
    other = f"www.{alias}"
    page.write_lines(alias, other)
    page.certificate_config(other, PREFERRED_CHAIN=name_of(page, 1))
    assert page.run().code == 0
    page.verified_names(alias, root=0)
    page.verified_names(other, root=1)
    page.configure(PREFERRED_CHAIN=name_of(page, 2))
    assert "nothing due" in page.run().out
    page.verified_names(alias, root=0)
    assert page.run("--force", alias).code == 0
    page.verified_names(alias, root=2)
