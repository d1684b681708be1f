"""Runs whose journal was restored from a backup: what it remembers of TLSA records is from before."""

import pytest

from builders.dnsworld import PRIMARY, SECONDARY, NameServer
from certkeeper.base.names import Alias
from world.danerun import PLACE, DaneRuns

MAIL = Alias("mail.example.org")
DAYS = [0.1, 0.6, 1.1, 3]


@pytest.mark.parametrize("after", DAYS)
@pytest.mark.parametrize("forced", [1, 2])
def test_what_is_remembered_from_before_a_roll_ends_no_wait(after: float, forced: int) -> None:
    world = DaneRuns(servers={PRIMARY: NameServer(), SECONDARY: NameServer(lag=0.7)})
    world.days(2)
    backup = dict(world.sim.journal.tlsa)
    for _ in range(forced):
        world.run(forced=[MAIL])
        world.days(after, every=2)
    rolled = world.keys(MAIL)
    world.sim.journal.tlsa.clear()
    world.sim.journal.tlsa.update(backup)
    seat = world.look().seats[PLACE.name]
    (note,) = (note for note in seat.decision.notes if "an older state was restored" in note)
    assert seat.decision.stages[0].order.value == "the current key"
    world.run(forced=[MAIL])
    assert world.keys(MAIL) == rolled, note
    world.days(3)
    world.run(forced=[MAIL])
    world.days(1)
    assert world.keys(MAIL) == rolled + 1, "it only takes time"
    assert len(world.dns.tlsa(PRIMARY, PLACE.name)[0]) == 2
    world.assert_never_wrong()
