"""SIGTERM, SIGINT and SIGHUP in the middle of a run of the real program, and a terminal that goes away."""

import os
import pty
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.faults import Asked, FaultyPowerDns, Late
from bed.waiting import stays_false, wait_until
from bed.world import World
from builders.page import Page, assert_clean_dns
from integration.killed.held import Held
from integration.killed.looks import Journal
from integration.killed.mortal import AtTime, Figures, Run
from integration.killed.stage import Stage

pytestmark = pytest.mark.real

MakeStage = Callable[[], Stage]
MakeHeld = Callable[..., Held]
STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.fixture
def held(make_held: MakeHeld, zone: str) -> Held:
    return make_held([zone], f"{zone} www.{zone}", f"mail.{zone}")


@pytest.mark.parametrize(("number", "code"), STOPS)
def test_what_is_stopped_is_finished_by_the_next_run(held: Held, zone: str, number: signal.Signals, code: int) -> None:
    with Run(held.page) as run:
        held.await_published()
        run.send(number)
        ended = run.end()
    assert ended.code == code, ended.text
    assert "Traceback" not in ended.text
    assert_clean_dns(held.world, zone)
    journal = Journal.read(held.state)
    assert journal == Journal(orders=journal.orders)
    assert set(journal.orders) == {zone, f"mail.{zone}"}
    assert list((held.state / "locks").glob("run-*")) == []
    assert not (held.page.folder / "lock").exists()
    held.let_go()
    held.world.pebble.forget()
    done = held.page.run()
    assert done.code == 0, done.text
    assert held.world.pebble.counts()["POST", "/order-plz"] == 0
    assert held.page.verified_names(zone) == {zone, f"www.{zone}"}
    assert Journal.read(held.state) == Journal()
    assert_clean_dns(held.world, zone)


@pytest.mark.parametrize("number", [pytest.param(3, id="few"), pytest.param(60, id="many", marks=pytest.mark.long)])
def test_whenever_a_run_is_stopped_it_leaves_nothing_in_dns(
    make_stage: MakeStage, figures: Figures, number: int
) -> None:
    dice = random.Random(number)  # noqa: S311 - moments, not secrets
    stage = make_stage()
    # Before that the interpreter is starting.
    moments = [0.3 + 0.7 * (part + dice.random()) / number for part in range(number)]
    dice.shuffle(moments)
    for count, part in enumerate(moments):
        if count % 2 == 0:
            stage.new_round()
        stage.strike(AtTime(part * figures.seconds, dice.choice((signal.SIGINT, signal.SIGTERM))), forced=True)
        if count % 2:
            stage.settle()
    report = stage.finish()
    print(stage.tally, report)  # noqa: T201
    assert (report.mixed, report.missing) == (0, 0), report.troubles
    assert stage.tally.stopped


@pytest.mark.parametrize(("number", "code"), STOPS)
def test_the_second_signal_ends_it_at_once(
    make_held: MakeHeld, shared_world: World, zone: str, number: signal.Signals, code: int
) -> None:
    def slow(asked: Asked) -> Late | None:
        return Late(30) if asked.method == "PATCH" and asked.nth == 2 else None

    held = make_held([zone], zone)
    with FaultyPowerDns(shared_world.primary, slow) as api:
        held.page.configure(PDNS_HOST=api.url)
        with Run(held.page) as run:
            held.await_published()
            run.send(number)
            wait_until(
                lambda: [asked.method for asked in api.requests()].count("PATCH") == 2, "the withdrawal is under way"
            )
            assert stays_false(lambda: not run.goes_on(), during=0.5)
            run.send(number)
            ended = run.end(deadline=3)
        assert ended.code == code, ended.text
        assert Journal.read(held.state).challenges
        assert shared_world.primary.txt(f"_acme-challenge.{zone}")
        held.let_go()
        done = held.page.run()
    assert done.code == 0, done.text
    assert Journal.read(held.state) == Journal()
    assert_clean_dns(shared_world, zone)


def test_a_hangup_is_no_reason_to_stop(held: Held, zone: str) -> None:
    with Run(held.page) as run:
        held.await_published()
        for _ in range(3):
            run.kill(signal.SIGHUP)
            assert run.goes_on(0.1)
        held.let_go()
        ended = run.end()
    assert ended.code == 0, ended.text
    assert held.page.live() == {zone, f"mail.{zone}"}
    assert Journal.read(held.state) == Journal()
    assert_clean_dns(held.world, zone)


@pytest.mark.skipif(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, reason="whoever started this ignores SIGHUP")
def test_what_a_hook_starts_can_be_hung_up(tmp_path: Path, shared_world: World, zone: str) -> None:
    said = tmp_path / "ignored"
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\nexec grep SigIgn: /proc/self/status >'{said}'\n", encoding="utf-8")
    hook.chmod(0o755)
    page = Page(tmp_path / "page", shared_world, zone, HOOK=str(hook), DNS_PROVIDER="powerdns")
    done = page.run()
    assert done.code == 0, done.text
    ignored = int(said.read_text(encoding="utf-8").split()[1], 16)
    assert not ignored & 1 << signal.SIGHUP - 1


def test_a_terminal_that_goes_away_is_no_reason_to_stop(held: Held, zone: str) -> None:
    ours, theirs = pty.openpty()
    shown = bytearray()

    def watch() -> None:
        try:
            while part := os.read(ours, 4096):
                shown.extend(part)
        except OSError:
            return

    watcher = threading.Thread(target=watch)
    watcher.start()
    with Run(held.page, prefix=("setsid", "--ctty"), terminal=theirs) as run:
        os.close(theirs)
        held.await_published()
        wait_until(lambda: zone.encode() in shown, "the display shows something")
        os.close(ours)
        held.let_go()
        ended = run.end()
    watcher.join(timeout=10)
    # What was said last could not be shown, which is all that may have failed.
    assert ended.code in {0, 1}, shown.decode()
    assert held.page.live() == {zone, f"mail.{zone}"}
    assert Journal.read(held.state) == Journal()
    assert not (held.page.folder / "lock").exists()
    assert_clean_dns(held.world, zone)
