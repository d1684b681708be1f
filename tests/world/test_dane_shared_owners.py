"""Whole runs where certificates share owners of TLSA records and one of them wants none any more."""

from builders.dnsworld import PRIMARY, SECONDARY, NameServer
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import replace
from certkeeper.dane.face import chain_face
from certkeeper.dane.owner import TlsaOwner, Transport
from certkeeper.dane.tlsa import Tlsa
from world.danerun import EE, PLACE, DaneRuns, mailed

MAIL, MX = Alias("mail.example.org"), Alias("mx.example.org")
TWO = {PRIMARY: NameServer(), SECONDARY: NameServer(lag=0.7)}


def shared() -> DaneRuns:
    """Both at one port; each of them is what one of its addresses shows."""
    world = DaneRuns(mailed("mail.example.org"), mailed("mx.example.org"), servers=dict(TWO))
    first, second = world.addresses[MAIL]
    world.addresses = {MAIL: (first,), MX: (second,)}
    world.days(2)
    assert len(records(world)) == 4
    return world


def records(world: DaneRuns) -> frozenset[Tlsa]:
    return world.dns.tlsa(PRIMARY, PLACE.name)[0]


def wants_none(world: DaneRuns) -> None:
    """The second certificate's page says TLSA="no"."""
    page = world.sim.configuration
    first, second = page.certificates
    world.use(replace(page, certificates=(first, replace(second, tlsa=None))))


def test_one_that_is_still_served_there_keeps_its_record_and_the_other_s_key_rolls() -> None:
    world = shared()
    wants_none(world)
    world.run(forced=[MAIL])
    world.days(2)
    assert world.keys(MAIL) == 2
    world.run(forced=[MAIL])
    world.days(2)
    assert world.keys(MAIL) == 3, "nobody has to remove anything"
    assert chain_face(world.chain(MX), [EE]).records <= records(world)
    assert len(records(world)) == 4
    (note,) = world.look().seats[PLACE.name].decision.notes
    assert note.startswith(f"{MX} wants no records, and is served here")
    world.assert_never_wrong()


def test_its_own_key_waits_for_caches_as_before() -> None:
    world = shared()
    wants_none(world)
    for _ in range(4):
        world.run(forced=[MX])
        world.rest(0.2)
    world.days(2)
    world.run(forced=[MX])
    world.days(1)
    world.assert_never_wrong()


def test_once_no_service_shows_it_its_record_goes_and_its_key_is_free() -> None:
    world = shared()
    world.addresses = {MAIL: (*world.addresses[MAIL], *world.addresses[MX])}
    wants_none(world)
    world.days(3)
    assert len(records(world)) == 2
    (memory,) = world.sim.journal.tlsa.values()
    assert [item.alias for item in memory.known] == [MAIL]
    world.run(forced=[MAIL])
    world.days(1)
    world.run(forced=[MX])
    assert (world.keys(MAIL), world.keys(MX)) == (2, 2)
    world.assert_never_wrong()


def test_a_service_that_cannot_be_seen_is_waited_for() -> None:
    world = shared()
    wants_none(world)
    world.hosts.down = set(world.addresses[MX])
    world.days(3)
    assert len(records(world)) == 4
    world.hosts.down = set()
    world.run(forced=[MAIL])
    world.days(2)
    world.assert_never_wrong()


def test_a_host_that_no_page_names_any_more_is_looked_at_while_its_cname_leads_here() -> None:
    other = DnsName("mx.example.org")
    world = DaneRuns(mailed("mail.example.org"), mailed("mx.example.org", host=other), servers=dict(TWO))
    place = DnsName("_dane.example.org")
    world.tlsa.aliases = {PLACE.name: place, TlsaOwner(25, Transport.TCP, other).name: place}
    world.days(2)
    page = world.sim.configuration
    wants_none(world)
    world.days(1)
    world.run(forced=[MAIL])
    world.days(1)
    assert world.keys(MAIL) == 2
    assert chain_face(world.chain(MX), [EE]).records <= world.dns.tlsa(PRIMARY, place)[0]
    world.tlsa.aliases.pop(TlsaOwner(25, Transport.TCP, other).name)
    world.days(2)
    assert len(world.dns.tlsa(PRIMARY, place)[0]) == 2, "nobody is led there any more"
    world.tlsa.aliases[TlsaOwner(25, Transport.TCP, other).name] = place
    world.use(page)
