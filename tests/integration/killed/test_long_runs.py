"""A run of many certificates that ends in the middle: the next one goes on where it was, and the CA sees it."""

import signal
from collections import Counter
from pathlib import Path

import pytest

from bed.waiting import wait_until
from bed.world import World
from builders.page import Page, assert_clean_dns
from certkeeper.adapters.pool import WIDTH
from integration.killed.looks import Journal
from integration.killed.mortal import Run

pytestmark = pytest.mark.real

MANY = 150
"""More than are under way at the same time, so that at the end some were never begun."""
SOME = 25


@pytest.mark.parametrize(
    ("number", "most_lost"),
    [
        pytest.param(signal.SIGTERM, 0, id="SIGTERM"),
        # Of an order that the CA opens while its run is killed nobody hears; so many requests are under way.
        pytest.param(signal.SIGKILL, WIDTH, id="SIGKILL"),
    ],
)
def test_no_work_is_done_again(
    tmp_path: Path, shared_world: World, zone: str, number: signal.Signals, most_lost: int
) -> None:
    names = [f"n{each}.{zone}" for each in range(MANY)]
    page = Page(tmp_path / "page", shared_world, *names)
    shared_world.pebble.forget()
    with Run(page) as run:
        wait_until(lambda: run.said().count(" is live in ") >= SOME, "some are issued", deadline=60)
        run.send(number)
        ended = run.end()
    assert ended.code in {143, -signal.SIGKILL}, ended.text
    first = _asked(shared_world)
    live = page.live()
    stamps = {name: (page.place(name) / ".live").readlink() for name in live}
    assert SOME <= len(live) < MANY - SOME, ended.text
    shared_world.pebble.forget()
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert page.live() == set(names)
    second = _asked(shared_world)
    # What was live stays, what was opened is gone on with, and each certificate is asked for once.
    assert {name: (page.place(name) / ".live").readlink() for name in live} == stamps
    # One that was killed in the middle of its switch is only mended.
    assert done.out.count(" is live in ") <= MANY - len(live)
    assert MANY <= first["orders"] + second["orders"] <= MANY + most_lost
    assert first["requests"] + second["requests"] == MANY
    assert Journal.read(page.folder / "state") == Journal()
    assert_clean_dns(shared_world, zone)


def _asked(world: World) -> Counter[str]:
    counts = world.pebble.counts()
    return Counter(orders=counts["POST", "/order-plz"], requests=counts["POST", "/finalize-order"])
