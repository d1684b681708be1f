"""`certkeeper history` after what really happened, at a real CA and a real PowerDNS."""

import json
from pathlib import Path

import pytest

from bed.world import World
from builders.page import Done, Page, certkeeper

pytestmark = pytest.mark.real


@pytest.fixture
def page(tmp_path: Path, shared_world: World, zone: str) -> Page:
    return Page(tmp_path / "page", shared_world, f"{zone} www.{zone}", "nowhere.invalid", DNS_PROVIDER="powerdns")


def history(page: Page, *arguments: str) -> Done:
    return certkeeper("history", "--config", page.config, *arguments, cwd=page.folder)


def kinds(page: Page, name: str) -> list[str]:
    done = history(page, name, "--json")
    assert (done.code, done.err) == (0, ""), done.text
    return [item["kind"] for item in json.loads(done.out)["happenings"]]


def test_it_tells_the_story_of_a_certificate(page: Page, zone: str) -> None:
    assert history(page).out == "nothing is known of what happened\n"
    assert page.run().code == 1
    assert kinds(page, zone) == ["issued", "ordered"]
    assert kinds(page, "nowhere.invalid") == ["failed"]
    (failed,) = json.loads(history(page, "nowhere.invalid", "--json").out)["happenings"]
    assert failed["problem"]
    assert failed["hint"]

    assert page.run("--force", zone).code == 0
    assert certkeeper("rollback", "--config", page.config, zone, cwd=page.folder).code == 0
    assert kinds(page, zone) == ["went-back", "issued", "ordered", "issued", "ordered"]
    text = history(page, zone).out
    assert text.splitlines()[0].split()[2] == "went-back"
    assert f"{zone}:" not in text
    assert f"{zone}: " in history(page).out
    assert len(history(page, zone, "-n", "2").out.splitlines()) == 2

    # Where the record is lost, the versions that are there still tell when they were made.
    (page.folder / "state" / "history.jsonl").unlink()
    assert kinds(page, zone) == ["issued", "issued"]
    assert history(page, "other.example").code == 2
