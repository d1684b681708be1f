"""Runs that are killed anywhere while keys roll: whatever they leave, no client meets a key without a record."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest

from bed.waiting import wait_until
from bed.world import World
from builders.page import environment
from integration.dane.clients import Clients
from integration.dane.conftest import MakePublished
from integration.dane.published import Published

pytestmark = [pytest.mark.real, pytest.mark.long]
KILLS = 25
LONGEST = 3.5
"""Seconds: a whole run takes a little less."""
LONGEST_ALONE = 6.0
"""And one that asks a name server that is not there."""
SPELLS = 5


def run_and_kill(page: Published, after: float) -> None:
    command = [sys.executable, "-m", "certkeeper", "run", "--config", str(page.config), "--force"]
    with subprocess.Popen(
        command, cwd=page.folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("seed", range(3))
def test_no_client_fails_where_runs_are_killed(page: Published, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    page.run()
    clients = Clients(page.unbound.dns, page.owner, page.port, page.zone)
    wait_until(lambda: page.current in clients.records(), "the cache has the records")
    with clients:
        for _ in range(KILLS):
            run_and_kill(page, dice.uniform(0.3, LONGEST))
        page.ready()
        assert len(page.records()) == 2
        assert page.records() == {page.current, page.next}
        wait_until(lambda: clients.records() == page.records(), "the cache has the records as they are now")
    assert (clients.failed, clients.trouble) == ([], [])
    assert len(clients.seen) > 1


@pytest.mark.parametrize("seed", range(2))
def test_no_client_fails_where_they_are_killed_while_a_secondary_comes_and_goes(
    make_world: Callable[..., World], make_published: MakePublished, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311
    page = make_published(world=make_world(zones=()), PDNS_WAIT="1")
    page.run()
    clients = Clients(page.unbound.dns, page.owner, page.port, page.zone)
    wait_until(lambda: page.current in clients.records(), "the cache has the records")
    with clients:
        for _ in range(SPELLS):
            # Sometimes the gate is open when it goes, and sometimes it is not.
            page.ready() if dice.random() < 0.5 else run_and_kill(page, dice.uniform(0.3, LONGEST))
            key = page.current
            with page.world.secondary.down():
                for _ in range(KILLS // SPELLS):
                    run_and_kill(page, dice.uniform(0.3, LONGEST_ALONE))
            assert page.current == key, "no key goes live while a name server is silent"
            for _ in range(KILLS // SPELLS):
                run_and_kill(page, dice.uniform(0.3, LONGEST))
        page.ready()
        done = page.run("--force")
        assert (done.code, done.err) == (0, ""), done.text
        page.ready()
        assert page.records() == {page.current, page.next}
        wait_until(lambda: clients.records() == page.records(), "the cache has the records as they are now")
        wait_until(lambda: page.current in clients.seen, "the client met the new key")
    assert (clients.failed, clients.trouble) == ([], [])
    assert len(clients.seen) > 1
