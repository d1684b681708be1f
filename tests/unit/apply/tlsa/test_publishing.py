"""Records written: one change per zone, what is remembered before it, and a wait that ends."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.dnsworld import PRIMARY, SECONDARY, NameServer
from builders.fakedane import CachedDns, ServedTlsa
from builders.fakejournal import FakeJournal
from builders.fakeports import fake_ports
from builders.fakes import FakeClock, SeededExecutor, through
from builders.plans import settings, zone
from certkeeper.apply.effects import ChangeZone, WriteJournal
from certkeeper.apply.tlsa.publishing import LookAtServers, Publishing, ZoneRecords, change_of, lines_to_publish
from certkeeper.apply.tlsa.view import Seat
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Event
from certkeeper.base.names import DnsName
from certkeeper.base.value import replace
from certkeeper.dane.age import TlsaAge
from certkeeper.dane.facts import Place, Trust
from certkeeper.dane.rollover import Decision
from certkeeper.dane.tlsa import BadTlsa, Tlsa
from certkeeper.plan.records import TlsaMemory
from certkeeper.zone.apex import ZoneError

ORG, NET = zone("example.org"), zone("example.net")
OLD, NEW, FOREIGN = Tlsa(3, 1, 1, b"o" * 32), Tlsa(3, 1, 1, b"n" * 32), Tlsa(3, 1, 1, b"f" * 32)
BOUND = timedelta(seconds=60)


def seat(owner: str, *add: Tlsa, remove: tuple[Tlsa, ...] = (), ttl: int = 3600) -> Seat:
    name = DnsName(owner)
    age = TlsaAge(NOW, frozenset({name}), {}, {}, {}, frozenset(add))
    place = Place(name, frozenset({name}), frozenset(), (), (), Trust.SECURE)
    decision = Decision(place, age, frozenset(add), frozenset(remove), (), ())
    return Seat(decision, TlsaMemory(name, name.parent.parent.parent, age), ttl, manual=False, by="")


class Bed:
    """Two zones at two name servers; the second one lags."""

    def __init__(self, lag: float = 5.0) -> None:
        self.clock = FakeClock()
        self.dns = CachedDns(self.clock, [ORG, NET], {PRIMARY: NameServer(), SECONDARY: NameServer(lag=lag)})
        ports = fake_ports(self.clock, self.dns)
        self.ports = replace(ports, tlsa=ServedTlsa(self.dns))
        self.journal = ports.journal
        assert isinstance(self.journal, FakeJournal)
        self.executor = SeededExecutor(through(self.ports), self.clock)
        self.told: list[Event] = []

    def publish(self, *tasks: ZoneRecords) -> Mapping[DnsName, CertkeeperError]:
        page = settings(propagation=BOUND)
        tasks_ = tuple(tasks)
        return Publishing(tasks_, page, executor=self.executor, clock=self.clock, tell=self.told.append).run()

    def at(self, owner: str) -> frozenset[Tlsa]:
        return self.dns.tlsa(PRIMARY, DnsName(owner))[0]


MAIL, WEB, OTHER = "_25._tcp.mail.example.org", "_443._tcp.www.example.org", "_25._tcp.mail.example.net"


def test_all_places_of_a_zone_are_one_change_and_zones_go_side_by_side() -> None:
    bed = Bed()
    own = seat(MAIL, OLD, NEW), seat(WEB, NEW, ttl=300)
    assert bed.publish(ZoneRecords(ORG, own), ZoneRecords(NET, (seat(OTHER, OLD),))) == {}
    assert sorted(done.zone for done in bed.dns.done) == ["example.net", "example.org"]
    assert (bed.at(MAIL), bed.at(WEB), bed.at(OTHER)) == (frozenset({OLD, NEW}), frozenset({NEW}), frozenset({OLD}))
    assert bed.dns.tlsa(PRIMARY, DnsName(WEB))[1] == 300
    assert bed.clock.monotonic() < 15, "the second zone does not wait for the first one"


def test_what_is_remembered_is_written_first() -> None:
    bed = Bed()
    bed.publish(ZoneRecords(ORG, (seat(MAIL, NEW), seat(WEB, NEW))))
    kinds = [type(step) for step in bed.executor.performed]
    assert kinds.index(WriteJournal) < kinds.index(ChangeZone) < kinds.index(LookAtServers)
    assert set(bed.journal.records().tlsa) == {DnsName(MAIL), DnsName(WEB)}


def test_a_journal_that_cannot_be_written_to_leaves_the_zone_alone() -> None:
    bed = Bed()
    assert isinstance(bed.journal, FakeJournal)
    bed.journal.broken = CertkeeperError("no space left")
    assert set(bed.publish(ZoneRecords(ORG, (seat(MAIL, NEW),)))) == {ORG.name}
    assert bed.dns.tried == []


def test_strangers_records_stay_and_old_ones_go() -> None:
    bed = Bed()
    bed.publish(ZoneRecords(ORG, (seat(MAIL, OLD, FOREIGN),)))
    bed.publish(ZoneRecords(ORG, (seat(MAIL, NEW, remove=(OLD,)),)))
    assert bed.at(MAIL) == {FOREIGN, NEW}


def test_it_waits_until_every_server_has_them_and_no_longer() -> None:
    bed = Bed(lag=20)
    bed.publish(ZoneRecords(ORG, (seat(MAIL, NEW),)))
    assert 20 <= bed.clock.monotonic() < 27
    assert len(bed.told) == 1


def test_a_wait_that_is_too_long_is_no_failure_and_is_told() -> None:
    bed = Bed(lag=10_000)
    assert bed.publish(ZoneRecords(ORG, (seat(MAIL, NEW), seat(WEB, NEW)))) == {}
    assert 60 <= bed.clock.monotonic() < 70
    said = bed.told[-1].text
    assert "2 sets of TLSA records are not served everywhere yet" in said


def test_a_server_that_is_silent_does_not_have_them() -> None:
    bed = Bed()
    bed.dns.servers[SECONDARY].silent = True
    bed.publish(ZoneRecords(ORG, (seat(MAIL, NEW),)))
    assert bed.clock.monotonic() >= 60


def test_what_is_only_taken_away_is_waited_for_by_nobody() -> None:
    bed = Bed(lag=10_000)
    bed.publish(ZoneRecords(ORG, (seat(MAIL, remove=(OLD,)),)))
    assert bed.clock.monotonic() < 1


def test_a_zone_that_fails_fails_alone() -> None:
    bed = Bed()
    bed.dns.refused["example.org"] = ZoneError("example.org: HTTP 422")
    errors = bed.publish(ZoneRecords(ORG, (seat(MAIL, NEW),)), ZoneRecords(NET, (seat(OTHER, NEW),)))
    assert {name: str(error) for name, error in errors.items()} == {ORG.name: "example.org: HTTP 422"}
    assert bed.at(OTHER) == {NEW}


def test_a_record_that_would_do_harm_is_never_sent() -> None:
    bed = Bed()
    empty = Tlsa(3, 1, 1, bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
    harmful = seat(MAIL, empty)
    with pytest.raises(BadTlsa):
        change_of(harmful)
    assert isinstance(bed.publish(ZoneRecords(ORG, (harmful,)))[ORG.name], BadTlsa)
    assert bed.dns.tried == []
    assert bed.journal.records().tlsa == {}


def test_the_lines_that_a_person_publishes() -> None:
    lines = lines_to_publish([seat(MAIL, NEW, remove=(OLD,), ttl=600)])
    assert lines == [
        f"_25._tcp.mail.example.org. 600 IN TLSA 3 1 1 {'6e' * 32}",
        f"; remove: _25._tcp.mail.example.org. IN TLSA 3 1 1 {'6f' * 32}",
    ]
