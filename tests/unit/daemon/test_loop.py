"""When the daemon starts runs, and how it ends, in a world whose time is the test's."""

import pytest

from builders.fakedaemon import FakeNotify, FakeWorld, Run
from certkeeper.daemon.loop import Asked, Loop

HOUR = 3600.0


def play(world: FakeWorld, hours: float, every: float = 6, silence: float | None = None) -> FakeNotify:
    """That many hours of it; then somebody ends it."""
    notify = FakeNotify()
    world.signal(hours * HOUR, Asked.STOP)
    Loop(world, notify, every=every * HOUR, silence=silence).run()
    return notify


def hours(world: FakeWorld) -> list[float]:
    return [round(at / HOUR, 2) for at in world.starts]


def test_a_run_starts_at_once_and_then_every_few_hours() -> None:
    world = FakeWorld()
    play(world, 20)
    assert hours(world) == [0, 6, 12, 18]


def test_a_run_starts_when_the_last_one_said_that_something_is_due() -> None:
    world = FakeWorld(Run(due=2 * HOUR), Run(due=100 * HOUR), Run())
    play(world, 9)
    assert hours(world) == [0, 2, 8]


def test_a_run_that_fails_says_when_the_next_one_is_to_try() -> None:
    world = FakeWorld(Run(code=1, due=600), Run(due=None))
    play(world, 2)
    assert world.starts == [0, 603]


@pytest.mark.parametrize("code", [137, 134, 3, 127])
def test_a_run_that_ends_in_no_usual_way_is_tried_again_soon(code: int) -> None:
    world = FakeWorld(Run(code=code), Run())
    play(world, 2)
    assert world.starts == [0, 603]


def test_a_broken_page_waits_for_a_person() -> None:
    world = FakeWorld(Run(code=2))
    play(world, 5)
    assert world.starts == [0]


def test_what_is_due_at_once_for_ever_keeps_no_machine_busy() -> None:
    world = FakeWorld(Run(seconds=1, due=0))
    play(world, 24)
    pauses = [later - earlier for earlier, later in zip(world.starts, world.starts[1:], strict=False)]
    assert pauses[:6] == [121, 241, 481, 961, 1921, 3601]
    assert set(pauses[6:]) == {3601}


def test_a_change_of_the_page_is_seen_within_a_minute_and_once_it_is_complete() -> None:
    world = FakeWorld()
    world.at(HOUR, lambda: world.page.update({"domains.txt": 2}))
    # The editor is not done yet.
    world.at(HOUR + 1, lambda: world.page.update({"domains.txt": 3}))
    play(world, 5)
    assert len(world.starts) == 2
    assert HOUR + 1 < world.starts[1] <= HOUR + 60
    assert [text for _, text in world.logged if "changed" in text] == ["domains.txt changed: a run looks at it"]
    # Which files there are is found out anew.
    assert world.reads == 2


def test_a_change_during_a_run_is_seen_after_it() -> None:
    world = FakeWorld(Run(seconds=600), Run())
    world.at(300, lambda: world.page.update({"config": 2}))
    play(world, 5)
    assert len(world.starts) == 2
    assert 600 <= world.starts[1] <= 660


def test_somebody_may_ask_for_a_run_also_during_one() -> None:
    world = FakeWorld(Run(seconds=100), Run())
    world.signal(50, Asked.RUN)
    world.signal(HOUR, Asked.RUN)
    play(world, 3)
    assert world.starts == [0, 100, HOUR]


def test_a_reload_reads_the_page_and_starts_a_run() -> None:
    world = FakeWorld()
    world.signal(HOUR, Asked.RELOAD)
    notify = play(world, 3)
    assert world.starts == [0, HOUR]
    assert world.reads == 2
    at = notify.told.index("reloading at 4600")
    assert notify.told[at + 1].startswith("ready: waiting until ")


@pytest.mark.parametrize("seconds", [-5 * HOUR, 300 * 86400.0])
def test_a_clock_that_is_set_starts_a_run(seconds: float) -> None:
    world = FakeWorld()

    def jump() -> None:
        world.wall += seconds

    world.at(2 * HOUR, jump)
    play(world, 5)
    assert len(world.starts) == 2
    assert 2 * HOUR <= world.starts[1] <= 2 * HOUR + 30


def test_a_clock_that_is_slewed_is_as_good() -> None:
    world = FakeWorld()
    for minute in range(300):
        world.at(minute * 60.0, lambda: setattr(world, "wall", world.wall + 0.1))
    play(world, 5)
    assert world.starts == [0]


def test_it_ends_while_it_waits() -> None:
    world = FakeWorld()
    notify = play(world, 1)
    assert world.starts == [0]
    assert world.steady == 1000 + HOUR
    assert notify.told[0] == "ready: starting"
    assert notify.told[-1] == "stopping: stopped"


def test_it_ends_a_run_under_way_in_order() -> None:
    world = FakeWorld(Run(seconds=1000))
    world.signal(100, Asked.STOP)
    play(world, 5)
    assert world.logged == [(0, "run"), (100, "SIGTERM")]
    assert world.steady == 1105


def test_a_run_that_does_not_end_is_killed() -> None:
    world = FakeWorld(Run(seconds=10_000, heeds=False))
    world.signal(100, Asked.STOP)
    play(world, 5)
    assert [text for _, text in world.logged] == ["run", "SIGTERM", "SIGKILL"]
    assert world.logged[-1][0] - 100 <= 90 + 30


def test_a_second_signal_ends_a_run_at_once() -> None:
    world = FakeWorld(Run(seconds=10_000, heeds=False))
    world.signal(100, Asked.STOP)
    world.signal(110, Asked.STOP)
    play(world, 5)
    assert world.logged == [(0, "run"), (100, "SIGTERM"), (110, "SIGKILL")]


def test_a_run_that_hangs_is_ended_and_the_daemon_goes_on() -> None:
    world = FakeWorld(Run(seconds=10**9), Run())
    play(world, 13)
    assert [text for _, text in world.logged][:3] == ["run", "SIGTERM", "run"]
    assert hours(world)[1] == pytest.approx(12, abs=0.1)


def test_the_watchdog_hears_of_it_often_enough() -> None:
    world = FakeWorld(Run(seconds=100))
    notify = FakeNotify()
    world.signal(200, Asked.STOP)
    Loop(world, notify, every=6 * HOUR, silence=10).run()
    # At least every five seconds, in a run and between two.
    assert world.waits >= 200 / 5


def test_what_it_does_is_told() -> None:
    world = FakeWorld(Run(due=2 * HOUR))
    notify = play(world, 1)
    assert "running: started" in notify.told
    assert "waiting until 2027-01-15T10:00:03Z" in notify.told
