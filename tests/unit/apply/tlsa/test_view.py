"""A look at places: who is behind each, what is to be done there, and what is remembered of it."""

import ssl
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

import pytest

from builders.certificates import NOW, Wish, fullchain, new_key
from builders.fakedane import Hosts
from builders.fakelooks import FakeTlsaLookup, tlsa_look
from builders.fakes import FakeClock
from builders.plans import configuration, spec
from certkeeper.adapters.keys import public_key_of
from certkeeper.apply.daneports import Material
from certkeeper.apply.tlsa.gating import VersionsGate, gates_of
from certkeeper.apply.tlsa.view import Seat, View, Watch, World
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.base.value import replace
from certkeeper.config.settings import CertSpec
from certkeeper.config.tlsa import Publish, TlsaWish
from certkeeper.dane.age import LIVES
from certkeeper.dane.facts import MARGIN, Clocks, Trust
from certkeeper.dane.owner import TlsaOwner
from certkeeper.dane.tlsa import Tlsa, TlsaType
from certkeeper.lineage.model import Lineage
from certkeeper.lineage.pem import certificates
from certkeeper.plan.gates import Allowed, WaitsForDns
from certkeeper.plan.records import OrderIntent, Records, TlsaMemory, TlsaTurn, TurnKind
from certkeeper.zone.behind import ServedSoa

EE = TlsaType(3, 1, 1)
MAIL, MX = Alias("mail.example.org"), Alias("mx.example.org")
OWNER = TlsaOwner.parse("mail.example.org:25")
PLACE = OWNER.name
SAFE = LIVES * timedelta(hours=1) + MARGIN
FOREIGN = Tlsa(3, 1, 1, b"f" * 32)
KEYS = [new_key() for _ in range(5)]


def spki(key: KeyPair) -> bytes:
    return public_key_of(key.pem, "a test's")


def record(key: KeyPair) -> Tlsa:
    return Tlsa.of(EE, spki(key))


def chain(key: KeyPair, name: str = "mail.example.org") -> tuple[bytes, ...]:
    pem = fullchain(key, Wish(identifiers=(Identifier.parse(name),)))
    return tuple(ssl.PEM_cert_to_DER_cert(block.decode()) for block in certificates(pem))


CHAINS = [chain(key) for key in KEYS]
SIBLINGS: dict[str, tuple[bytes, ...]] = {}


@dataclass
class Cabinet:
    """Implements Materials: which key is live, which one comes next, and versions by their stamps."""

    live: dict[Alias, int] = field(default_factory=dict)
    following: dict[Alias, int] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    torn: set[Alias] = field(default_factory=set)
    earlier: dict[Alias, tuple[int, ...]] = field(default_factory=dict)
    unreadable: CertkeeperError | None = None

    def of(self, alias: Alias, _: Lineage) -> Material | None:
        if alias in self.torn:
            return Material((b"no certificate",))
        if alias not in self.live:
            return None
        coming = self.following.get(alias)
        return Material(CHAINS[self.live[alias]], spki(KEYS[coming]) if coming is not None else None)

    def key_ids(self, alias: Alias) -> frozenset[str]:
        return frozenset(sha256(spki(KEYS[number])).hexdigest() for number in self.earlier.get(alias, ()))

    def issuers(self, paths: Collection[str]) -> tuple[bytes, ...]:
        if self.unreadable is not None:
            raise self.unreadable
        return tuple(der for path in paths for der in SIBLINGS[path])

    def version(self, _: Alias, stamp: int) -> tuple[bytes, ...] | None:
        return CHAINS[self.versions[stamp]] if stamp in self.versions else None


class Scene:
    """A host with a service, and the name servers of its zone."""

    def __init__(self, *specs: CertSpec) -> None:
        self.specs = specs or (wanting("mail.example.org"),)
        self.clock = FakeClock()
        self.hosts = Hosts(self.clock, {OWNER.host: {"A": "192.0.2.1", "AAAA": "2001:db8::1"}})
        self.tlsa = FakeTlsaLookup()
        self.cabinet = Cabinet({MAIL: 0}, {MAIL: 1})
        self.records = Records()
        self.heard: tuple[timedelta, ...] = ()
        for address in ("192.0.2.1", "2001:db8::1"):
            self.hosts.serve(address, CHAINS[0])

    def publish(self, *found: Tlsa, owner: DnsName = PLACE, place: DnsName | None = None) -> None:
        self.tlsa.looks[owner] = tlsa_look(owner, found, place=place)

    def look(self, *, after: timedelta = timedelta(), remember: bool = True) -> View:
        self.clock.advance(after.total_seconds())
        world = World(self.tlsa, self.hosts, self.hosts.probe, self.cabinet)
        lineages = {item.alias: Lineage(item.alias, stamp=1) for item in self.specs}
        view = Watch(configuration(*self.specs), self.records, lineages, world).look(self.clocks)
        if remember:
            self.records = replace(self.records, tlsa={name: seat.memory for name, seat in view.seats.items()})
        return view

    def seat(self, *, after: timedelta = timedelta(), place: DnsName = PLACE) -> Seat:
        return self.look(after=after).seats[place]

    @property
    def clocks(self) -> Clocks:
        now = self.clock.now()
        return Clocks(now, tuple(now + apart for apart in self.heard))

    def gate(self, view: View, *forced: Alias) -> VersionsGate:
        return VersionsGate(configuration(*self.specs), view, self.cabinet, frozenset(forced), self.clocks)

    @property
    def memory(self) -> TlsaMemory:
        return self.records.tlsa[PLACE]


def wanting(*names: str, owners: tuple[TlsaOwner, ...] = (OWNER,), publish: Publish = Publish.ZONE) -> CertSpec:
    return replace(spec(*names), tlsa=TlsaWish(derived=False, owners=owners, publish=publish))


def test_at_first_the_current_and_the_next_key_are_to_be_published_beside_strangers_records() -> None:
    scene = Scene()
    scene.publish(FOREIGN)
    seat = scene.seat()
    assert (seat.decision.add, seat.decision.remove) == (frozenset({record(KEYS[0]), record(KEYS[1])}), frozenset())
    assert FOREIGN not in seat.memory.age.ours
    assert (seat.ttl, seat.manual, seat.memory.zone) == (3600, False, PLACE.parent)


def test_two_certificates_behind_one_owner_are_one_wanted_set() -> None:
    scene = Scene(wanting("mail.example.org"), wanting("mx.example.org", publish=Publish.MANUAL))
    scene.cabinet.live[MX] = 2
    seat = scene.seat()
    assert seat.decision.add == {record(KEYS[number]) for number in (0, 1, 2)}
    assert seat.manual, "one that a person publishes is not written half"
    assert [item.alias for item in seat.memory.known] == [MAIL, MX]


def test_an_owner_that_is_a_cname_has_its_records_where_that_leads() -> None:
    scene = Scene()
    target = DnsName("_dane.example.org")
    scene.publish(place=target)
    (name,) = scene.look().seats
    assert name == target
    assert scene.records.tlsa[target].age.owners == {PLACE}


def test_records_of_the_key_before_are_known_as_such_once_another_one_is_live() -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.seat()
    scene.cabinet.live[MAIL], scene.cabinet.following[MAIL] = 1, 2
    began = scene.clock.now() + timedelta(hours=4)
    seat = scene.seat(after=timedelta(hours=4))
    (bearer,) = seat.decision.place.bearers
    assert (bearer.former, bearer.live_since) == (frozenset({record(KEYS[0])}), began)
    assert seat.decision.kept.endswith("shows another key")
    again = scene.seat(after=timedelta(hours=1))
    assert again.decision.place.bearers[0].live_since == began
    (known,) = again.memory.known
    assert (known.since, known.former) == (began, frozenset({record(KEYS[0])}))


def test_nobody_shakes_hands_where_nothing_changes() -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.seat()
    assert scene.hosts.probed == 0
    scene.cabinet.following[MAIL] = 2
    scene.seat(after=timedelta(hours=1))
    assert scene.hosts.probed == 1


def test_a_host_without_an_address_is_not_seen() -> None:
    scene = Scene()
    scene.hosts.addresses = {}
    seat = scene.seat()
    assert [sight.endpoint for sight in seat.decision.place.sights] == ["mail.example.org, which has no address,"]
    assert seat.decision.add == frozenset()


def test_a_server_that_stays_behind_is_remembered_and_is_frozen_in_the_end() -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    look = scene.tlsa.looks[PLACE]
    first, second = (answer.server for answer in look.answers)
    scene.tlsa.looks[PLACE] = replace(look, soas=(ServedSoa(first, 9, 600, 60), ServedSoa(second, 8, 600, 60)))
    assert scene.seat().decision.holds == ()
    assert set(scene.memory.behind) == {second}
    (hold,) = scene.seat(after=timedelta(hours=1)).decision.holds
    assert hold.reason == f"{second} does not get the zone any more"


def test_the_gate_is_the_most_careful_one_of_all_places() -> None:
    other = TlsaOwner.parse("mail.example.org:465")
    scene = Scene(wanting("mail.example.org", owners=(OWNER, other)))
    both = (record(KEYS[0]), record(KEYS[1]))
    scene.publish(*both)
    scene.publish(*both, owner=other.name)
    page = configuration(*scene.specs)
    gate = gates_of(page, scene.look())[MAIL]
    assert (gate.allowed, gate.until) == (Allowed.CURRENT, NOW + SAFE)
    assert gates_of(page, scene.look(after=SAFE))[MAIL].allowed is Allowed.NEXT
    scene.publish(record(KEYS[0]), owner=other.name)
    behind = gates_of(page, scene.look(after=timedelta(hours=1)))[MAIL]
    assert behind.allowed is Allowed.CURRENT
    assert behind.reason.startswith("_465._tcp.mail.example.org")


def test_a_service_that_shows_somebody_else_s_key_and_has_no_records_binds_nobody() -> None:
    scene = Scene()
    scene.publish()
    page = configuration(*scene.specs)
    assert gates_of(page, scene.look())[MAIL].allowed is Allowed.CURRENT, "records are about to be published"
    for address in ("192.0.2.1", "2001:db8::1"):
        scene.hosts.serve(address, CHAINS[4])
    assert gates_of(page, scene.look())[MAIL].allowed is Allowed.ANY
    scene.publish(FOREIGN)
    assert gates_of(page, scene.look())[MAIL].allowed is Allowed.CURRENT


def test_a_hold_is_the_reason_of_the_gate_and_its_fix() -> None:
    scene = Scene()
    scene.tlsa.looks[PLACE] = tlsa_look(PLACE, [record(KEYS[0]), record(KEYS[1])], trust=Trust.UNPROVEN)
    gate = gates_of(configuration(*scene.specs), scene.look())[MAIL]
    assert (gate.allowed, gate.until) == (Allowed.CURRENT, None)
    assert "nobody who validates DNSSEC could be asked; run a validating resolver" in gate.reason


def test_a_version_with_a_key_that_no_record_is_of_does_not_go_live_and_one_with_the_same_key_does() -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.cabinet.versions = {5: 0, 6: 1, 7: 4}
    gate = scene.gate(scene.look())
    gate.check(MAIL, 5)
    gate.check(Alias("unknown.test"), 7)
    with pytest.raises(WaitsForDns, match="version 6 is there and does not go live yet") as early:
        gate.check(MAIL, 6)
    assert early.value.retry_at == NOW + SAFE
    with pytest.raises(WaitsForDns, match="version 7"):
        gate.check(MAIL, 7)
    scene.gate(scene.look(), MAIL).check(MAIL, 7)
    later = scene.gate(scene.look(after=SAFE))
    later.check(MAIL, 6)
    with pytest.raises(WaitsForDns):
        later.check(MAIL, 7)


def test_the_first_certificate_waits_until_caches_know_it_where_records_are_there_already() -> None:
    scene = Scene()
    scene.cabinet.live, scene.cabinet.following, scene.cabinet.versions = {}, {}, {9: 3}
    scene.publish()
    scene.gate(scene.look()).check(MAIL, 9)
    scene.publish(FOREIGN)
    with pytest.raises(WaitsForDns, match="caches may hold a 3 1 1 record that it does not match"):
        scene.gate(scene.look()).check(MAIL, 9)
    order = OrderIntent(MAIL, "https://ca.test/1", "https://ca.test", (), "", must_staple=False, key="", stamp=9)
    scene.records = replace(scene.records, orders={MAIL: order})
    assert scene.seat().decision.add == {record(KEYS[3])}, "the version that waits is made known"
    scene.publish(FOREIGN, record(KEYS[3]))
    with pytest.raises(WaitsForDns):
        scene.gate(scene.look()).check(MAIL, 9)
    scene.gate(scene.look(after=SAFE)).check(MAIL, 9)


@pytest.mark.parametrize("apart", [timedelta(hours=-5), timedelta(hours=5)])
def test_a_clock_that_others_contradict_opens_no_gate_and_lets_no_other_key_live(apart: timedelta) -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.cabinet.versions = {5: 0, 6: 1}
    scene.look()
    view = scene.look(after=SAFE)
    scene.gate(view).check(MAIL, 6)
    scene.heard = (apart,)
    gate = scene.gate(view)
    gate.check(MAIL, 5)
    with pytest.raises(WaitsForDns, match=r"version 6 .* this machine's clock .* 5 h apart") as wrong:
        gate.check(MAIL, 6)
    assert wrong.value.hint == "set the clock: timedatectl"
    found = gates_of(configuration(*scene.specs), scene.look())[MAIL]
    assert found.allowed is Allowed.CURRENT
    assert "5 h apart; set the clock: timedatectl" in found.reason


@pytest.mark.parametrize("known_as", ["live", "next", "an earlier version"])
def test_a_memory_from_before_records_that_are_there_opens_no_gate(known_as: str) -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.look()
    scene.look(after=SAFE)
    backup = scene.records
    if known_as == "live":
        scene.cabinet.live[MAIL], scene.cabinet.following[MAIL] = 2, 1
    elif known_as == "next":
        scene.cabinet.following[MAIL] = 2
    else:
        scene.cabinet.earlier[MAIL] = (0, 2)
    scene.publish(record(KEYS[0]), record(KEYS[1]), record(KEYS[2]))
    scene.records = backup
    page = configuration(*scene.specs)
    seat = scene.seat(after=timedelta(hours=1))
    (note,) = (note for note in seat.decision.notes if "an older state was restored" in note)
    assert note.endswith("waits begin anew")
    assert gates_of(page, scene.look())[MAIL].allowed is Allowed.CURRENT
    later = scene.look(after=SAFE)
    assert not any("restored" in note for note in later.seats[PLACE].decision.notes), "said once"


def test_the_ttl_of_records_of_ours_becomes_the_wanted_one_and_the_longer_one_counts() -> None:
    scene = Scene()
    scene.tlsa.looks[PLACE] = tlsa_look(PLACE, [record(KEYS[0]), record(KEYS[1])], ttl=7200)
    seat = scene.seat()
    assert (seat.decision.add, seat.new_ttl, seat.changes) == (frozenset(), 3600, True)
    assert gates_of(configuration(*scene.specs), scene.look())[MAIL].until == NOW + LIVES * timedelta(hours=2) + MARGIN
    looks = scene.tlsa.looks[PLACE]
    new, old = (replace(answer, ttl=ttl) for answer, ttl in zip(looks.answers, (3600, 7200), strict=True))
    scene.tlsa.looks[PLACE] = replace(looks, answers=(new, old))
    assert scene.seat().new_ttl is None, "it is on its way"


def test_a_ttl_that_is_not_ours_to_change_stays() -> None:
    foreign = Scene()
    foreign.tlsa.looks[PLACE] = tlsa_look(PLACE, [FOREIGN], ttl=7200)
    foreign.hosts.serve("192.0.2.1", CHAINS[4])
    assert foreign.seat().new_ttl is None
    both = [record(KEYS[0]), record(KEYS[1])]
    manual = Scene(wanting("mail.example.org", publish=Publish.MANUAL))
    manual.tlsa.looks[PLACE] = tlsa_look(PLACE, both, ttl=7200)
    assert manual.seat().new_ttl is None
    unsigned = Scene()
    unsigned.tlsa.looks[PLACE] = tlsa_look(PLACE, both, ttl=7200, trust=Trust.UNSIGNED)
    assert unsigned.seat().new_ttl is None


def test_records_that_a_person_published_as_they_were_printed_are_known() -> None:
    scene = Scene(wanting("mail.example.org", publish=Publish.MANUAL))
    scene.publish()
    scene.look()
    scene.publish(record(KEYS[0]), record(KEYS[1]), FOREIGN)
    assert scene.seat(after=timedelta(hours=1)).decision.notes == ()


def test_what_cannot_be_read_lets_no_version_live() -> None:
    scene = Scene()
    scene.cabinet.torn = {MAIL}
    scene.cabinet.versions = {5: 0}
    view = scene.look()
    assert set(view.unread) == {MAIL}
    with pytest.raises(WaitsForDns):
        scene.gate(view).check(MAIL, 5)


def test_a_version_that_waits_is_among_what_is_wanted() -> None:
    scene = Scene()
    scene.cabinet.versions = {9: 3}
    order = OrderIntent(MAIL, "https://ca.test/1", "https://ca.test", (), "", must_staple=False, key="", stamp=9)
    scene.records = Records(orders={MAIL: order})
    assert record(KEYS[3]) in scene.seat().decision.add


def test_a_retired_certificate_wants_nothing() -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.seat()
    scene.records = replace(scene.records, turns={MAIL: TlsaTurn(MAIL, TurnKind.RETIRE, "", NOW)})
    seat = scene.seat(after=timedelta(hours=1))
    assert seat.decision.remove == {record(KEYS[0]), record(KEYS[1])}
    assert not seat.over


@pytest.mark.parametrize("how", ["not on the page", "torn", "no certificate"])
def test_records_of_a_certificate_that_nothing_is_known_of_stay(how: str) -> None:
    both = wanting("mail.example.org"), wanting("mx.example.org")
    scene = Scene(*both)
    scene.cabinet.live[MX] = 2
    ours = {record(KEYS[number]) for number in (0, 1, 2)}
    scene.publish(*ours)
    scene.seat()
    if how == "not on the page":
        scene.specs = both[:1]
    elif how == "torn":
        scene.cabinet.torn = {MX}
    else:
        del scene.cabinet.live[MX]
    scene.cabinet.live[MAIL], scene.cabinet.following[MAIL] = 1, 3
    for address in scene.hosts.shown:
        scene.hosts.serve(address, CHAINS[1])
    for _ in range(3):
        seat = scene.seat(after=timedelta(days=1))
        assert seat.decision.remove == frozenset()
        assert seat.memory.age.ours >= ours
        assert {item.alias for item in seat.memory.known} == {MAIL, MX}
        assert all(bearer.former == frozenset() for bearer in seat.decision.place.bearers)
        assert "certkeeper tlsa retire mx.example.org" in seat.decision.notes[-1]
    scene.specs, scene.cabinet.torn, scene.cabinet.live[MX] = both, set(), 2
    assert scene.seat(after=timedelta(hours=1)).decision.remove == {record(KEYS[0])}


def test_one_whose_records_are_all_gone_is_forgotten() -> None:
    both = wanting("mail.example.org"), wanting("mx.example.org")
    scene = Scene(*both)
    scene.cabinet.live[MX] = 2
    scene.publish(record(KEYS[0]), record(KEYS[1]), record(KEYS[2]))
    scene.seat()
    scene.specs = both[:1]
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.seat(after=timedelta(days=1))
    assert [item.alias for item in scene.memory.known] == [MAIL]
