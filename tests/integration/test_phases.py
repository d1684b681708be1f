"""Two phases at a real CA: what is ordered waits until a person activates it, and a person may go back."""

import json
from pathlib import Path

import pytest

from bed.world import World
from builders.page import Done, Page, certkeeper, tree_hash
from integration.hooks.logged import Logged

pytestmark = pytest.mark.real


@pytest.fixture
def script(tmp_path: Path) -> Logged:
    return Logged(tmp_path, name="hook")


@pytest.fixture
def page(tmp_path: Path, shared_world: World, zone: str, script: Logged) -> Page:
    return Page(tmp_path / "page", shared_world, f"{zone} www.{zone}", DNS_PROVIDER="powerdns", HOOK=str(script.path))


def typed(page: Page, command: str, *arguments: str) -> Done:
    return certkeeper(command, "--config", page.config, *arguments, cwd=page.folder)


def live(page: Page, zone: str) -> int:
    return int((page.place(zone) / ".live").readlink().name)


def told(script: Logged) -> list[str]:
    """The calls about files of a certificate, since the last look."""
    found = [name for name, *_ in script.calls() if name in {"sync_cert", "deploy_cert"}]
    script.forget()
    return found


def standings(page: Page, zone: str) -> dict[int, str]:
    (item,) = json.loads(typed(page, "versions", zone, "--json").out)["certificates"]
    return {row["stamp"]: row["standing"] for row in item["versions"]}


def state(page: Page) -> dict[str, object]:
    (item,) = json.loads(page.status("--json").out)["certificates"]
    assert isinstance(item, dict)
    return item


def test_what_is_ordered_waits_goes_live_and_is_gone_back_from(page: Page, zone: str, script: Logged) -> None:
    assert page.run().code == 0
    assert told(script) == ["sync_cert", "deploy_cert"]
    first = live(page, zone)
    assert typed(page, "hold", zone).code == 0

    done = page.run("--force")
    assert done.code == 0, done.text
    assert "1 staged" in done.out
    assert (live(page, zone), told(script)) == (first, [])
    (second,) = page.stamps(zone) - {first}
    assert standings(page, zone) == {second: "staged", first: "live"}
    assert (state(page)["state"], state(page)["held"]["staged"]) == ("held", second)  # type: ignore[index]
    assert f"held: staged version {second} waits for certkeeper activate {zone}" in page.status().out
    assert "1 held" in page.run().out
    assert page.stamps(zone) == {first, second}

    done = typed(page, "activate", zone)
    assert (done.code, done.err) == (0, ""), done.text
    assert f"version {second}, valid until" in done.out
    assert (live(page, zone), told(script)) == (second, ["sync_cert", "deploy_cert"])
    assert page.verified_names(zone) == {zone, f"www.{zone}"}
    assert state(page)["held"] is None

    done = typed(page, "rollback", zone)
    assert (done.code, done.err) == (0, ""), done.text
    assert f"to go forward again: certkeeper activate {zone}" in done.out
    assert (live(page, zone), told(script)) == (first, ["deploy_cert"])
    assert page.verified_names(zone) == {zone, f"www.{zone}"}
    assert page.run().code == 0
    assert (live(page, zone), page.stamps(zone)) == (first, {first, second})
    assert standings(page, zone) == {second: "staged", first: "live"}

    refused = typed(page, "rollback", zone)
    assert (refused.code, live(page, zone)) == (1, first)
    assert "there is no version before what is live" in refused.err
    assert typed(page, "activate", zone).code == 0
    assert (live(page, zone), state(page)["state"]) == (second, "ok")


@pytest.mark.long
def test_what_must_not_be_served_is_refused_with_the_reason_and_nothing_is_changed(
    page: Page, zone: str, script: Logged
) -> None:
    assert page.run().code == 0
    first = live(page, zone)
    assert page.run("--force").code == 0
    second = live(page, zone)
    script.forget()
    (page.place(zone) / ".versions" / str(first) / "chain.pem").unlink()
    before = tree_hash(page.place(zone))
    done = typed(page, "rollback", zone)
    assert done.code == 1
    assert f"version {first} is not whole: lacks chain.pem" in done.err
    assert "for nothing: it is not whole: lacks chain.pem" in typed(page, "versions", zone).out
    assert typed(page, "rollback", zone, "--to", str(second)).code == 1
    assert typed(page, "activate", zone, "--version", "7").code == 1
    assert typed(page, "activate", "nobody.example").code == 2
    assert (tree_hash(page.place(zone)), told(script)) == (before, [])
    # Nothing was decided either: the next version goes live by itself.
    assert page.run("--force").code == 0
    assert live(page, zone) not in {first, second}


@pytest.mark.long
def test_a_staged_version_with_other_names_than_the_page_is_activated_only_by_its_number(page: Page, zone: str) -> None:
    assert page.run().code == 0
    first = live(page, zone)
    assert typed(page, "hold", zone).code == 0
    assert page.run("--force").code == 0
    (second,) = page.stamps(zone) - {first}
    page.write_lines(f"{zone} mail.{zone}")
    refused = typed(page, "activate", zone)
    assert (refused.code, live(page, zone)) == (1, first)
    assert f"version {second} lacks mail.{zone} and has what the page has not: www.{zone}" in refused.err
    assert typed(page, "activate", zone, "--version", str(second)).code == 0
    assert live(page, zone) == second


@pytest.mark.long
def test_dehydrated_s_command_prune_and_retire_leave_what_waits(page: Page, zone: str, script: Logged) -> None:
    page.configure(KEEP_VERSIONS="1", KEEP_DAYS="0")
    assert page.run().code == 0
    first = live(page, zone)
    assert typed(page, "hold", zone).code == 0
    assert page.run("--force").code == 0
    (second,) = page.stamps(zone) - {first}
    script.forget()
    for command in (("dehydrated", "--cron"), ("dehydrated", "--cleanup"), ("prune",)):
        done = typed(page, command[0], *command[1:])
        assert done.code == 0, done.text
        assert (live(page, zone), page.stamps(zone)) == (first, {first, second}), command
    assert told(script) == []

    page.write_lines(f"other.{zone}")
    done = typed(page, "retire", zone, "--yes")
    assert done.code == 0, done.text
    (kept,) = (page.folder / "archive").glob(f"{zone}-*")
    assert {path.name for path in (kept / ".versions").iterdir()} == {str(first), str(second)}
    # Once more on the page, it is issued anew, and waits for nobody.
    page.write_lines(f"{zone} www.{zone}")
    done = page.run()
    assert done.code == 0, done.text
    assert live(page, zone) not in {first, second}
