"""After the first week, at a real CA: a name that fails, a line that was taken out, and who is told."""

import json
from pathlib import Path

import pytest

from bed.world import World
from builders.page import Done, Page, certkeeper
from certkeeper.lineage.leaf import parse_leaf

pytestmark = pytest.mark.real


@pytest.fixture
def page(tmp_path: Path, shared_world: World, zone: str) -> Page:
    page = Page(tmp_path / "page", shared_world, f"{zone} www.{zone} bad.{zone}")
    well_known = tmp_path / "well-known"
    well_known.mkdir()
    script = tmp_path / "told"
    script.write_text(f"#!/bin/sh\ncat >> {tmp_path}/messages\n")
    script.chmod(0o755)
    page.configure(WELLKNOWN=str(well_known), ALERT_COMMAND=str(script))
    return page


def messages(page: Page) -> list[dict[str, object]]:
    """What the command was told, since the last look."""
    path = page.folder.parent / "messages"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def retire(page: Page, *arguments: str) -> Done:
    return certkeeper("retire", "--config", page.config, *arguments, cwd=page.folder)


def state(page: Page, part: str = "certificates") -> str:
    (item,) = json.loads(page.status("--json").out)[part]
    return str(item["state"])


def test_a_name_that_fails_is_dropped_in_the_same_run_and_comes_back_when_it_is_proven_otherwise(
    page: Page, zone: str
) -> None:
    # Nobody serves that name's file to the CA.
    page.configure(CHALLENGETYPE=f"dns-01 bad.{zone}=http-01")
    assert page.run().code == 1
    assert page.live() == set()
    assert state(page) == "failed"
    (told,) = messages(page)
    assert [item["subject"] for item in told["troubles"]] == [zone]  # type: ignore[attr-defined]
    page.configure(ON_NAME_FAILURE="drop")
    done = page.run()
    assert done.code == 0, done.text
    assert page.verified_names(zone) == {zone, f"www.{zone}"}
    again = page.run("--quiet")
    assert again.code == 0
    assert f"warning: {page.domains}:1: {zone}: the certificate is live without bad.{zone}" in again.out
    assert len(page.stamps(zone)) == 1
    assert state(page) == "incomplete"
    page.configure(CHALLENGETYPE="dns-01")
    assert page.run().code == 0
    assert page.verified_names(zone) == {zone, f"www.{zone}", f"bad.{zone}"}
    assert state(page) == "ok"
    assert messages(page)[-1]["recovered"] == [zone]


def test_a_certificate_that_is_not_listed_any_more_is_retired_and_revoked(page: Page, zone: str) -> None:
    assert page.run().code == 0
    assert retire(page, zone, "--yes").code == 2
    cert = (page.place(zone) / "cert.pem").read_bytes()
    page.write_lines(f"www.{zone} {zone}")
    assert f"fix: to go on with that folder, write: www.{zone} {zone} > {zone}" in page.plan().out
    assert state(page, "orphaned") == "orphaned"
    assert retire(page, zone).code == 1
    assert page.place(zone).exists()
    done = retire(page, zone, "--yes", "--revoke")
    assert (done.code, done.err) == (0, ""), done.text
    assert not page.place(zone).exists()
    (archived,) = (page.folder / "archive").iterdir()
    assert (archived / "cert.pem").read_bytes() == cert
    serial = parse_leaf(cert).serial
    pebble = page.world.pebble
    assert json.loads(pebble.fetch(f"{pebble.management_url}/cert-status-by-serial/{serial}"))["Status"] == "Revoked"
    assert json.loads(page.status("--json").out)["orphaned"] == []


def test_a_line_with_an_alias_goes_on_with_the_folder(page: Page, zone: str) -> None:
    assert page.run().code == 0
    page.write_lines(f"www.{zone} {zone} bad.{zone} > {zone}")
    done = page.run()
    assert "nothing due" in done.out
    assert page.live() == {zone}


def test_a_revoked_certificate_is_told_once_and_its_end_too(page: Page, zone: str) -> None:
    page.write_lines(zone)
    assert page.run().code == 0
    assert messages(page) == []
    assert page.revoke(zone, "--yes", "--reason", "superseded").code == 0
    assert page.run().code == 0
    (told,) = messages(page)
    assert [(item["subject"], item["kind"]) for item in told["troubles"]] == [(zone, "revoked")]  # type: ignore[attr-defined]
    assert "another one is live since this run" in str(told["troubles"])
    assert page.run().code == 0
    (told,) = messages(page)
    assert (told["troubles"], told["recovered"]) == ([], [f"{zone} (revoked)"])
    assert page.run().code == 0
    assert messages(page) == []
