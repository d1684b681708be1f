"""Runs that find nothing to do, at a real CA: whom they ask, what they touch, and the index that makes them quick."""

import re
from collections.abc import Callable

import pytest

from bed.waiting import wait_until
from builders.page import Page, certkeeper, tree_hash

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]


def issued(page: Page) -> str:
    """A run that ends well; its output."""
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    return done.out


def test_a_run_with_nothing_due_asks_nobody(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    issued(page)
    # This one asks the CA when it wants the new certificate renewed.
    issued(page)

    def known() -> bool:
        issued(page)
        index = page.folder / "state" / "index.json"
        calm = (page.folder / "state" / "calm").exists()
        return calm and all(f"{folder}/" in index.read_text("utf-8") for folder in ("accounts", "certs"))

    # What was written a moment ago is not remembered.
    wait_until(known, "the index has it", deadline=10)
    before = tree_hash(page.folder)
    page.world.pebble.forget()
    page.world.primary.recorder.forget()
    assert re.fullmatch(r"1 certificate, nothing due; next due \S+Z\n", issued(page))
    assert page.world.pebble.requests() == []
    assert page.world.primary.recorder.requests() == []
    assert tree_hash(page.folder) == before


@pytest.mark.parametrize("command", ["run", "dehydrated"])
def test_an_index_that_is_damaged_is_told_of_once_and_written_anew(
    make_page: MakePage, zone: str, command: str
) -> None:
    page = make_page(zone)
    issued(page)
    index = page.folder / "state" / "index.json"
    index.write_text("certkeeper", encoding="utf-8")
    index.chmod(0o600)
    words = ("dehydrated", "--cron") if command == "dehydrated" else ("run",)
    told = certkeeper(words[0], "--config", page.config, *words[1:], cwd=page.folder)
    assert (told.code, str(index) in told.text, "every certificate" in told.text) == (0, True, True), told.text
    again = certkeeper(words[0], "--config", page.config, *words[1:], cwd=page.folder)
    assert (again.code, str(index) in again.text) == (0, False), again.text
