"""Runs of many certificates: fair between zones, and with a word on how far they have come."""

from datetime import timedelta

import pytest

from builders.dnsworld import PRIMARY, SECONDARY, NameServer
from builders.plans import spec, zone
from certkeeper.apply.berths import IN_ZONE
from certkeeper.base.events import CertificateIssued, Event
from certkeeper.base.progress import Advanced
from certkeeper.zone.rrset import Zone
from world.simulation import Simulation, issued

SLOW, QUICK = zone("slow.org"), zone("quick.org")
LAG = 40.0
MORE = IN_ZONE + 30
SEEDS = range(3)


def names(zone_: Zone, number: int) -> list[str]:
    return [f"n{each}.{zone_.name.text}" for each in range(number)]


class Timed(Simulation):
    """When each certificate was issued, in seconds from the start of the run."""

    def timed(self) -> dict[str, float]:
        began, at = self.clock.monotonic(), dict[str, float]()

        class Listener(list[Event]):
            def append(_self, event: Event) -> None:  # noqa: N805 - the simulation is self
                if isinstance(event, CertificateIssued):
                    at[event.lineage] = self.clock.monotonic() - began
                super().append(event)

        self.events = Listener()
        assert issued(self.run()) == {each.alias.text for each in self.configuration.certificates}
        return at


@pytest.mark.parametrize("seed", SEEDS)
def test_a_zone_whose_servers_are_slow_holds_up_nobody_but_its_own(seed: int) -> None:
    """They come first in the list, and there are more of them than may be under way."""
    slow, quick = names(SLOW, MORE), names(QUICK, 40)
    world = Timed([spec(name) for name in (*slow, *quick)], [SLOW, QUICK], seed=seed, bound=timedelta(seconds=90))
    world.dns.slow[SLOW.name.text, SECONDARY] = LAG
    at = world.timed()
    assert max(at[name] for name in quick) < LAG / 2
    assert min(at[name] for name in slow) >= LAG


def test_a_long_run_says_how_far_it_has_come() -> None:
    servers = {PRIMARY: NameServer(), SECONDARY: NameServer(lag=3.0)}
    aliases = names(SLOW, 2 * IN_ZONE)
    world = Simulation([spec(name) for name in aliases], [SLOW], servers=servers)
    world.run()
    told = [event for event in world.events if isinstance(event, Advanced)]
    assert len(told) >= 2
    assert all(event.total == len(aliases) for event in told)
    counts = [event.issued for event in told]
    assert counts == sorted(counts)
    assert 0 < counts[-1] < len(aliases)
    assert told[-1].left is not None
