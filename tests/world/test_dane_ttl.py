"""Runs of a page whose TLSA_TTL is changed: no cache may hold a set for longer than a new key waits."""

import pytest

from builders.dnsworld import PRIMARY, SECONDARY, NameServer
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.config.tlsa import TlsaWish
from world.danerun import PLACE, DaneRuns

MAIL = Alias("mail.example.org")


def wants(world: DaneRuns, ttl: int) -> None:
    page = world.sim.configuration
    (one,) = page.certificates
    assert isinstance(one.tlsa, TlsaWish)
    world.use(replace(page, certificates=(replace(one, tlsa=replace(one.tlsa, ttl=ttl)),)))


@pytest.mark.parametrize("ttls", [(3600, 300), (300, 86400), (86400, 60)])
def test_whatever_it_becomes_keys_roll_and_are_never_wrong(ttls: tuple[int, int]) -> None:
    world = DaneRuns(servers={PRIMARY: NameServer(), SECONDARY: NameServer(lag=900.0)})
    wants(world, ttls[0])
    world.days(5)
    wants(world, ttls[1])
    for hours in (0.1, 0.5, 3, 12):
        world.run(forced=[MAIL])
        world.rest(hours)
    assert {world.dns.tlsa(server, PLACE.name)[1] for server in (PRIMARY, SECONDARY)} == {ttls[1]}
    assert len([done for done in world.dns.done if done.changes.changes[0].new_ttl is not None]) == 1
    before = world.keys(MAIL)
    world.days(6)
    world.run(forced=[MAIL])
    world.days(6)
    assert world.keys(MAIL) == before + 1
    world.assert_never_wrong()
