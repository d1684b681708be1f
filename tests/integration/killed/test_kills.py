"""SIGKILL at many moments of first issues, renewals and adoptions, while somebody reads what is live all the time.

A failing test's output has its seed and what was done; $CERTKEEPER_SEED repeats it, as far as timing lets it.
"""

import os
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from builders.page import Page
from integration.killed.looks import Journal
from integration.killed.mortal import (
    AtHook,
    AtOperation,
    AtRequest,
    AtTime,
    Blow,
    Ended,
    Figures,
    Hook,
    Means,
    Run,
    Tripwire,
)
from integration.killed.stage import HOOK, KEEP, Stage

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
MakeStage = Callable[[], Stage]
PER_PAGE = 30
"""Kills on one page; then comes a new one, whose first run makes the account and the journal."""


Moments = Callable[[int, random.Random, Figures], list[Blow]]


def spread(number: int, dice: random.Random) -> list[float]:
    """Parts of a whole, one from each of as many equal pieces."""
    return [(piece + dice.random()) / number for piece in range(number)]


def at_times(number: int, dice: random.Random, figures: Figures) -> list[Blow]:
    return [AtTime(part * figures.seconds) for part in spread(number, dice)]


def at_requests(number: int, dice: random.Random, figures: Figures) -> list[Blow]:
    return [AtRequest(1 + int(part * figures.requests), dice.random() < 0.5) for part in spread(number, dice)]


def at_operations(number: int, dice: random.Random, figures: Figures) -> list[Blow]:
    return [AtOperation(1 + int(part * len(figures.operations))) for part in spread(number, dice)]


def at_hooks(number: int, _dice: random.Random, _figures: Figures) -> list[Blow]:
    occasions = ("deploy_cert", "sync_cert")
    return [AtHook(occasions[part // 2 % 2], "end" if part % 2 else "begin") for part in range(number)]


def kill(stage: Stage, blows: Sequence[Blow], dice: random.Random) -> None:
    """Rounds of one to three kills in a row, each followed by an undisturbed run, which may not be hurried."""
    left = deque(blows)
    while left:
        stage.new_round()
        for position in range(dice.choice((1, 1, 2, 3))):
            if left:
                stage.strike(left.popleft(), forced=position == 0 or dice.random() < 0.5)
        stage.settle()


@pytest.mark.parametrize(
    ("moments", "number"),
    [
        pytest.param(at_times, 3, id="times", marks=pytest.mark.long),
        pytest.param(at_requests, 4, id="requests", marks=pytest.mark.long),
        pytest.param(at_operations, 4, id="operations"),
        pytest.param(at_hooks, 4, id="hooks"),
        pytest.param(at_times, 140, id="many-times", marks=pytest.mark.long),
        pytest.param(at_requests, 110, id="many-requests", marks=pytest.mark.long),
        pytest.param(at_operations, 130, id="many-operations", marks=pytest.mark.long),
    ],
)
def test_a_run_that_is_killed_is_finished_by_the_next_one(
    make_stage: MakeStage, figures: Figures, moments: Moments, number: int
) -> None:
    seed = int(os.environ.get("CERTKEEPER_SEED", number))
    dice = random.Random(seed)  # noqa: S311 - moments, not secrets
    print(f"seed {seed}")  # noqa: T201
    blows = moments(number, dice, figures)
    dice.shuffle(blows)
    print(figures)  # noqa: T201
    for begin in range(0, number, PER_PAGE):
        began = time.monotonic()
        stage = make_stage()
        kill(stage, blows[begin : begin + PER_PAGE], dice)
        report = stage.finish()
        print(f"{time.monotonic() - began:.0f} s: {stage.tally}, {report}")  # noqa: T201
        assert (report.mixed, report.missing) == (0, 0), report.troubles
        assert report.rate > 20
        assert report.keys[KEEP] == 1
        assert report.keys[HOOK] > 1
        # A run may be over before a time that was measured on a busier machine.
        assert stage.tally.kills >= (1 if moments is at_times else stage.tally.missed)
        stage.stop()


def test_what_is_forced_after_a_kill_is_renewed_and_not_only_shown_again(make_stage: MakeStage) -> None:
    stage = make_stage()
    stage.new_round()
    assert stage.strike(AtHook("deploy_cert", "end"), forced=False).killed
    first = stage.live_stamp(HOOK)
    assert first is not None
    stage.settle(forced=True)
    assert stage.live_stamp(HOOK) != first
    # Once before the kill, and once since nobody knows that it came to its end.
    assert stage.calls()[first] == 2


@pytest.mark.long
@pytest.mark.parametrize("renew", ["no", "yes"])
def test_a_first_switch_may_be_killed_between_any_two_links(
    tmp_path: Path, make_page: MakePage, zone: str, renew: str
) -> None:
    page = make_page()
    means = Means(page, Tripwire(), Hook(tmp_path / "hook"), tmp_path / "operations")

    def first_run(name: str, die_at: int) -> Ended:
        page.write_lines(name)
        page.certificate_config(name, PRIVATE_KEY_RENEW=renew)
        return AtOperation(die_at).strike(means) if die_at else Run(page, env=means.counted()).end()

    assert first_run(f"account.{zone}", 0).code == 0
    assert first_run(f"undisturbed.{zone}", 0).code == 0
    operations = means.operations.read_text(encoding="ascii")
    # The links are made, and renamed to the names that services use.
    moments = [2 + index for index, letter in enumerate(operations) if letter == "s"]
    assert len(moments) == 6
    for moment in (*moments, moments[-1] + 1):
        name = f"n{moment}.{zone}"
        killed = first_run(name, moment)
        assert killed.killed, killed.text
        done = page.run()
        assert done.code == 0, f"killed before operation {moment} of {operations}\n{done.text}"
        assert page.verified_names(name) == {name}
        assert Journal.read(page.folder / "state") == Journal()
