"""Clocks that are wrong or jump, and time zones."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bed.clock import Clock
from builders.page import Done
from integration.resources.scene import Fault, Scene, interrupted_ca

pytestmark = pytest.mark.real

WRONG = Fault(("not valid before", "not yet valid", "expired", "clock", "valid"))
# Rules rather than names, so that no database of zones is needed: New York, Berlin, Kathmandu, and the farthest ones,
# under a name that POSIX takes and no place has.
ZONES = (
    "UTC0",
    "EST5EDT,M3.2.0,M11.1.0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "NPT-5:45",
    "XXX-14",
    "XXX+12",
    "nonsense",
    ":/nowhere",
)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


def stepped(scene: Scene, clock: Clock, tmp_path: Path, kind: str, to: str) -> Done:
    """A run whose clock is stepped just before the CA gets its first request of a kind, and one with the true time."""
    with interrupted_ca(scene.page, tmp_path, kind, lambda: clock.step(to)):
        done = scene.page.run(prefix=clock.prefix)
        scene.assert_let_down(done, WRONG)
        scene.assert_next_run_finishes()
    return done


@pytest.mark.parametrize("to", ["-26h", "+20y"])
def test_a_clock_that_is_stepped_while_names_are_proven(scene: Scene, clock: Clock, tmp_path: Path, to: str) -> None:
    stepped(scene, clock, tmp_path, "/chalZ", to)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["/nonce-plz", "/order-plz", "/authZ", "/chalZ", "/finalize-order", "/certZ"])
@pytest.mark.parametrize("to", ["-26h", "+26h", "-2h", "+2h", "-20y", "+20y", "-40d", "+40d"])
def test_a_clock_that_is_stepped_at_any_time(scene: Scene, clock: Clock, tmp_path: Path, to: str, kind: str) -> None:
    stepped(scene, clock, tmp_path, kind, to)


@pytest.mark.long
@pytest.mark.parametrize("to", ["-3y", "-2h", "+2h", "+3y"])
def test_a_clock_that_is_wrong_all_the_time(scene: Scene, clock: Clock, to: str) -> None:
    clock.step(to)
    scene.assert_let_down(scene.page.run(prefix=clock.prefix), WRONG)
    scene.assert_next_run_finishes()


@pytest.mark.parametrize("to", ["-60y", "+60y"])
def test_looking_with_a_wrong_clock_breaks_nothing(scene: Scene, clock: Clock, to: str) -> None:
    clock.step(to)
    for command in ("plan", "status"):
        done = scene.page._command(command, prefix=clock.prefix)
        assert "Traceback" not in done.text
        assert done.code == 0, done.text
    assert scene.renewed() == set()


# --- time zones -------------------------------------------------------------------------------------------------------


def in_zone(zone: str, clock: Sequence[str] = ("env",)) -> list[str]:
    return [*clock, f"TZ={zone}"]


@pytest.mark.parametrize("zones", [ZONES[::3], pytest.param(ZONES, marks=pytest.mark.long)], ids=["three", "all"])
def test_a_plan_is_the_same_in_every_time_zone(scene: Scene, zones: Sequence[str]) -> None:
    plans = {zone: scene.page._command("plan", "--json", prefix=in_zone(zone)) for zone in zones}
    assert {done.code for done in plans.values()} == {0}
    assert len({done.out for done in plans.values()}) == 1, plans


@pytest.mark.long
def test_what_one_time_zone_issued_is_not_due_in_another(scene: Scene) -> None:
    done = scene.page.run(prefix=in_zone(ZONES[4]))
    assert (done.code, done.err) == (0, ""), done.text
    for other in ZONES:
        again = scene.page.run(prefix=in_zone(other))
        assert (again.code, again.err) == (0, ""), again.text
        assert "nothing due" in again.out
    assert all(len(scene.page.stamps(alias)) == 2 for alias in scene.aliases)


@pytest.mark.parametrize("zones", [ZONES[4:6], pytest.param(ZONES, marks=pytest.mark.long)], ids=["two", "all"])
def test_a_certificate_becomes_due_at_one_instant_everywhere(scene: Scene, clock: Clock, zones: Sequence[str]) -> None:
    page = scene.page
    page.write_lines(*scene.aliases)
    try:
        due = datetime.fromisoformat(json.loads(page.plan("--json").out)["wake_at"])
        for name in zones:
            for offset, expected in ((-60, False), (60, True)):
                clock.set(due + timedelta(seconds=offset))
                done = page._command("plan", "--json", prefix=in_zone(name, clock.prefix))
                planned = json.loads(done.out)["certificates"]
                assert any(certificate["actions"] for certificate in planned) == expected, (name, offset, done.text)
    finally:
        scene.list_more_names()


@pytest.mark.long
@pytest.mark.parametrize("change", ["2026-10-25T01:00:00+00:00", "2027-03-28T01:00:00+00:00"])
def test_a_change_to_or_from_summer_time_changes_no_plan(scene: Scene, clock: Clock, change: str) -> None:
    moment = datetime.fromisoformat(change)
    for offset in (-3600, -60, 60, 3600):
        plans = set()
        for name in ("UTC0", ZONES[2]):
            clock.set(moment + timedelta(seconds=offset))
            done = scene.page._command("plan", "--json", prefix=in_zone(name, clock.prefix))
            assert done.code == 0, done.text
            plans.add(done.out)
        assert len(plans) == 1
