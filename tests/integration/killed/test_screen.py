"""A run as a person watches it: on terminals of several kinds, and on one that goes away."""

import json
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from bed.waiting import wait_until
from builders.page import assert_clean_dns
from builders.screen import Screen
from certkeeper.adapters.lock import LockFile
from integration.killed.held import Held
from integration.killed.mortal import Run

pytestmark = pytest.mark.real

MakeHeld = Callable[..., Held]
TERMINAL = {"TERM": "xterm-256color", "CERTKEEPER_PLAIN": "", "COLUMNS": "", "LINES": "", "NO_COLOR": ""}


@pytest.fixture
def held(make_held: MakeHeld, zone: str) -> Held:
    return make_held([zone], f"{zone} www.{zone}", f"mail.{zone}", "nowhere.invalid")


def watched(held: Held, screen: Screen, *words: str, env: Mapping[str, str] | None = None) -> Run:
    command = Run(
        held.page,
        *words,
        env={**TERMINAL, **(env or {})},
        prefix=("setsid", "--ctty"),
        terminal=screen.theirs,
    )
    screen.hand_over()
    return command


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 12)])
def test_what_is_under_way_is_drawn_below_what_ended(held: Held, zone: str, columns: int, lines: int) -> None:
    with Screen(columns, lines) as screen:
        with watched(held, screen) as run:
            held.await_published(zone)
            wait_until(lambda: any(row.endswith("waits for DNS") for row in screen.rows()), "the step is shown")
            (row,) = [row for row in screen.rows() if row.startswith(f"  {zone[: columns * 2 // 5 - 4]}")]
            assert len(row) <= columns
            held.let_go()
            ended = run.end()
        rows = screen.rows()
    assert ended.code == 1, screen.raw
    assert not any("waits for" in row or "waiting for" in row for row in rows), rows
    assert any(row.startswith(f"✓ {zone}: certificate valid") for row in rows), rows
    assert any(row.startswith("✗ nowhere.invalid:") for row in rows), rows
    assert "2 issued, 1 failed" in "\n".join(rows)
    assert all(len(row) <= columns or " " not in row.strip() for row in rows if row.startswith(("✓", "✗", "!", "    ")))
    assert "\x1b[31m" in screen.raw
    assert screen.raw.rfind("\x1b[?25h") > screen.raw.rfind("\x1b[?25l")


@pytest.mark.parametrize(
    ("words", "env"),
    [(["--plain"], {}), ([], {"CERTKEEPER_PLAIN": "1"}), ([], {"TERM": "dumb"}), (["--only-changes"], {})],
    ids=["option", "environment", "dumb", "changes"],
)
def test_where_nothing_may_be_drawn_anew_there_are_plain_lines(
    held: Held, zone: str, words: list[str], env: dict[str, str]
) -> None:
    held.let_go()
    with Screen(80, 24) as screen:
        with watched(held, screen, *words, env=env) as run:
            ended = run.end()
        assert ended.code == 1, screen.raw
        assert "\x1b" not in screen.raw
        assert f"{zone}: certificate valid until" in screen.raw
        assert "✓" not in screen.raw


def test_no_color_has_no_color_and_is_drawn_all_the_same(held: Held) -> None:
    held.let_go()
    with Screen(80, 24) as screen:
        with watched(held, screen, env={"NO_COLOR": "1"}) as run:
            run.end()
        assert "\x1b[31m" not in screen.raw
        assert "\x1b[2K" in screen.raw


def test_a_terminal_that_goes_away_while_a_run_waits_for_its_turn_ends_nothing(held: Held, zone: str) -> None:
    held.let_go()
    with ExitStack() as locked, Screen(80, 24) as screen:
        locked.enter_context(LockFile(str(held.page.folder / "lock"), datetime.now(UTC)))
        with watched(held, screen, "--wait-lock") as run:
            wait_until(lambda: "waiting" in screen.raw, "it waits")
            run.kill(signal.SIGHUP)
            assert run.goes_on(0.3)
            locked.close()
            ended = run.end()
    assert ended.code == 1, screen.raw
    assert zone in held.page.live()
    assert_clean_dns(held.world, zone)


def test_status_says_while_a_run_is_at_work_that_it_is_and_what_it_does(make_held: MakeHeld, zone: str) -> None:
    held = make_held([zone], zone)
    with Run(held.page) as run:
        held.await_published(zone)
        text = held.page.status().out
        assert text.startswith(f"at work now: certkeeper, process {run.pid}, since 20")
        assert "    under way: its order is open\n" in text
        found = json.loads(held.page.status("--json").out)
        assert (found["run"]["program"], found["run"]["pid"]) == ("certkeeper", run.pid)
        assert found["certificates"][0]["state"] == "missing"
        assert "certkeeper: error" not in held.page.status().err
        held.let_go()
        assert run.end().code == 0
    assert "at work" not in held.page.status().out
    assert json.loads(held.page.status("--json").out)["run"] is None
    # One that was killed is not at work, whatever its lock file says.
    (held.page.folder / "lock").write_text(f"certkeeper {2**22 - 1} 2026-11-30T00:00:00Z\n")
    assert "at work" not in held.page.status().out
    (held.page.folder / "lock").write_text("4711\n")
    assert "at work now: dehydrated since 20" in held.page.status().out


def test_only_changes_says_nothing_on_a_quiet_night(make_held: MakeHeld, zone: str) -> None:
    held = make_held([zone], zone)
    held.let_go()
    said = held.page.run("--only-changes")
    assert said.code == 0, said.text
    assert [line.split(" valid ")[0] for line in said.out.splitlines()[-2:-1]] == [f"{zone}: certificate"]
    assert said.out.splitlines()[-1].startswith("1 issued; next due")
    assert "challenge" not in said.out
    again = held.page.run("--only-changes")
    assert (again.code, again.text) == (0, "")
    assert held.page.run("--only-changes").text == ""
