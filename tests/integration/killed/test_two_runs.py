"""Two runs at once on one page: with LOCKFILE one of them ends at once, without it each lets the other one work."""

import random
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.faults import Asked, FaultyPebble
from bed.waiting import wait_until
from bed.world import World
from builders.page import Page, assert_clean_dns
from integration.killed.held import Held
from integration.killed.looks import Journal
from integration.killed.mortal import Ended, Figures, Run

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
MakeHeld = Callable[..., Held]
BUSY = "another certkeeper is working on it"
CHANGED = "somebody else changed it since the plan was made"


def test_the_second_run_names_the_process_that_has_the_lock(
    make_held: MakeHeld, shared_world: World, zone: str
) -> None:
    held = make_held([zone], zone)
    with Run(held.page) as first:
        held.await_published()
        second = held.page.run()
        assert second.code == 3
        assert f"process {first.pid}," in second.only_error()
        assert second.out == ""
        held.let_go()
        ended = first.end()
    assert ended.code == 0, ended.text
    assert held.page.run().code == 0
    assert_clean_dns(shared_world, zone)


def test_dehydrateds_lock_ends_a_run_and_stays(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    lock = page.folder / "lock"
    lock.write_text("Tue Nov 24 00:00:00 UTC 2026\n", encoding="utf-8")
    page.world.pebble.forget()
    done = page.run()
    assert done.code == 3
    assert "dehydrated" in done.only_error()
    assert lock.exists()
    assert page.world.pebble.requests() == []
    lock.unlink()
    assert page.run().code == 0


@pytest.mark.parametrize("selected", ["the same", "another"])
def test_without_a_lock_the_records_of_a_run_that_goes_on_stay(
    make_held: MakeHeld, shared_world: World, zone: str, selected: str
) -> None:
    held = make_held([zone], zone, f"mail.{zone}", LOCKFILE="")
    owner = f"_acme-challenge.{zone}"
    shared_world.pebble.forget()
    with Run(held.page, zone) as first:
        held.await_published()
        there, journal = shared_world.primary.txt(owner), Journal.read(held.state)
        second = held.page.run(*([f"mail.{zone}"] if selected == "another" else []))
        if selected == "another":
            assert second.code == 0, second.text
        else:
            assert second.code != 0
            assert BUSY in second.only_error()
        assert held.page.live() == {f"mail.{zone}"}
        assert first.goes_on()
        assert shared_world.primary.txt(owner) == there
        assert Journal.read(held.state) == journal
        held.let_go()
        ended = first.end()
    assert ended.code == 0, ended.text
    assert shared_world.pebble.counts()["POST", "/order-plz"] == 2
    done = held.page.run()
    assert (done.code, Journal.read(held.state)) == (0, Journal()), done.text
    assert "nothing due" in done.out
    assert held.page.live() == {zone, f"mail.{zone}"}
    assert_clean_dns(shared_world, zone)


def test_without_a_lock_a_killed_runs_records_go_and_a_live_ones_stay(
    make_held: MakeHeld, shared_world: World, zone: str
) -> None:
    names = [f"a.{zone}", f"b.{zone}"]
    held = make_held(names, *names, f"c.{zone}", f"first.{zone}", LOCKFILE="")
    owners = [f"_acme-challenge.{name}" for name in names]
    # The account first: two runs that make one at the same time are the next test's.
    assert held.page.run(f"first.{zone}").code == 0
    with Run(held.page, names[0]) as killed, Run(held.page, names[1]) as living:
        held.await_published()
        killed.kill()
        killed.end()
        there = shared_world.primary.txt(owners[1])
        third = held.page.run(f"c.{zone}")
        assert third.code == 0, third.text
        assert shared_world.primary.txt(owners[0]) == frozenset()
        assert shared_world.primary.txt(owners[1]) == there != frozenset()
        held.let_go()
        ended = living.end()
    assert ended.code == 0, ended.text
    assert held.page.run().code == 0
    assert held.page.live() == {*names, f"c.{zone}", f"first.{zone}"}
    assert Journal.read(held.state) == Journal()
    assert_clean_dns(shared_world, zone)


def test_without_a_lock_two_first_runs_register_one_account(
    tmp_path: Path, make_page: MakePage, shared_world: World, zone: str
) -> None:
    """The first one stands still in its registration until the second one has come as far."""
    names = [f"a.{zone}", f"b.{zone}"]
    second_is_there = threading.Event()

    def rule(asked: Asked) -> None:
        if asked.kind == "/sign-me-up" and not second_is_there.is_set():
            begun.set()
            second_is_there.wait(30)

    begun = threading.Event()
    with FaultyPebble(shared_world.pebble, rule, tmp_path / "proxy") as ca:
        page = make_page(*names, LOCKFILE="", CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        with Run(page, names[0]) as first:
            assert begun.wait(30)
            with Run(page, names[1]) as second:
                wait_until(lambda: "setting its account up" in second.said() or not second.goes_on(), "it waits")
                second_is_there.set()
                ended = [run.end() for run in (first, second)]
        registrations = [asked for asked in ca.requests() if asked.kind == "/sign-me-up"]
    explain = "\n--\n".join(each.text for each in ended)
    assert [each.code for each in ended] == [0, 0], explain
    assert len(registrations) == 1, explain
    assert explain.count("account registered as") == 1, explain
    assert page.live() == set(names)
    assert_clean_dns(shared_world, zone)


@pytest.mark.parametrize("rounds", [pytest.param(1, id="few"), pytest.param(20, id="many", marks=pytest.mark.long)])
def test_without_a_lock_an_account_is_registered_once_whenever_two_runs_begin(
    make_page: MakePage, shared_world: World, zone: str, figures: Figures, rounds: int
) -> None:
    dice = random.Random(rounds)  # noqa: S311 - moments, not secrets
    for count in range(rounds):
        names = [f"{label}{count}.{zone}" for label in "ab"]
        page = make_page(*names, LOCKFILE="")
        shared_world.pebble.forget()
        with Run(page, names[0]) as first:
            first.goes_on(dice.choice((0.0, 0.05, 0.5 * dice.random() * figures.seconds)))
            with Run(page, names[1]) as second:
                ended = [run.end() for run in (first, second)]
        explain = "\n--\n".join(each.text for each in ended)
        assert [each.code for each in ended] == [0, 0], explain
        assert shared_world.pebble.counts()["POST", "/sign-me-up"] == 1, explain
        assert explain.count("account registered as") == 1, explain
        assert page.live() == set(names)
        assert_clean_dns(shared_world, zone)


@pytest.mark.parametrize("rounds", [pytest.param(1, id="few"), pytest.param(30, id="many", marks=pytest.mark.long)])
def test_without_a_lock_nothing_is_ordered_twice_at_the_same_time(
    make_page: MakePage, shared_world: World, zone: str, figures: Figures, rounds: int
) -> None:
    dice = random.Random(rounds)  # noqa: S311 - moments, not secrets
    page = make_page(f"first.{zone}", LOCKFILE="")
    assert page.run().code == 0
    for count in range(rounds):
        names = [f"{label}{count}.{zone}" for label in "abcd"]
        page.write_lines(*names)
        shared_world.pebble.forget()
        with Run(page) as first:
            # Some begin together, some one after the other; no moment is better than another one.
            first.goes_on(dice.choice((0.0, 0.05, dice.random() * figures.seconds)))
            with Run(page) as second:
                ended = [run.end() for run in (first, second)]
        explain = "\n--\n".join(each.text for each in ended)
        assert all(each.code in {0, 1} for each in ended), explain
        for each in ended:
            assert_only_the_other_one_was_in_the_way(each)
        orders = [re.findall(r"^(\S+): order opened", each.text, re.MULTILINE) for each in ended]
        assert sorted(orders[0] + orders[1]) == sorted(names), explain
        assert shared_world.pebble.counts()["POST", "/order-plz"] == len(names), explain
        wait_until(lambda: Journal.read(page.folder / "state") == Journal(), "the journal is empty")
        assert_clean_dns(shared_world, zone)
        done = page.run()
        assert done.code == 0, f"{explain}\n--\n{done.text}"
        assert "nothing due" in done.out
    assert list((page.folder / "state" / "locks").glob("run-*")) == []
    assert page.live() >= set(page.domains.read_text(encoding="utf-8").split())


def assert_only_the_other_one_was_in_the_way(ended: Ended) -> None:
    assert "Traceback" not in ended.text, ended.text
    for line in ended.text.splitlines():
        if "error: " in line:
            assert BUSY in line or CHANGED in line, ended.text
