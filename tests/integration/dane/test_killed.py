"""Runs that are killed anywhere while keys roll: whatever they leave, no client meets a key without a record."""

import random
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from bed.waiting import wait_until
from builders.page import environment
from integration.dane.clients import Clients
from integration.dane.published import Published

pytestmark = [pytest.mark.real, pytest.mark.long]
KILLS = 25
LONGEST = 3.5
"""Seconds: a whole run takes a little less."""


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
