"""Versions that caches would refuse stay staged: what is said of them is what becomes of them."""

import re

from certkeeper.base.events import Noted
from world.danerun import DaneRuns
from world.test_dane_runs import MAIL, TWO, Ungated

GOES = re.compile(r"version (\d+), which an earlier run completed, goes live")


def test_that_it_goes_live_is_said_by_the_run_in_which_it_does() -> None:
    world = DaneRuns(servers=dict(TWO))
    world.make = Ungated
    world.run()
    before, waited = world.sim.store.live[MAIL].stamp, 0
    while world.sim.store.live[MAIL].stamp == before:
        assert waited < 9
        seen = len(world.sim.events)
        result = world.run(forced=[MAIL])
        said = [event.message for event in world.sim.events[seen:] if isinstance(event, Noted)]
        waits = any("does not go live yet" in str(outcome.error) for outcome in result.outcomes)
        assert waits != any(map(GOES.fullmatch, said))
        waited += waits
        world.rest(1)
    assert waited > 1
