"""From what runs keep to what is on the page."""

from datetime import timedelta

from builders.report import NOW
from certkeeper.base.names import Alias, DnsName
from certkeeper.cli.report.events import MOST, latest
from certkeeper.cli.report.gather import zones_of
from certkeeper.cli.report.model import Mood
from certkeeper.cli.report.owners import remembered
from certkeeper.config.findings import Finding, Severity
from certkeeper.dane.age import Standing, TlsaAge
from certkeeper.dane.tlsa import Tlsa
from certkeeper.plan.history import Happening, Kind
from certkeeper.plan.records import KnownKey, Records, TlsaMemory
from certkeeper.plan.tlsastands import TlsaStand, TlsaStands
from certkeeper.plan.zonehealth import Health, ServerHealth, ZoneHealth
from certkeeper.zone.behind import Behind

PLACE = DnsName("_25._tcp.mail.example.org")
RECORD = Tlsa.parse(f"3 1 1 {'ab' * 32}")
MAIL = Alias("mail.example.org")


def memory(since: timedelta = timedelta(days=-9), *, there: bool = True, behind: bool = False) -> TlsaMemory:
    standing = {RECORD: Standing(NOW + since, 3600)} if there else {}
    age = TlsaAge(NOW, frozenset({PLACE}), standing, {}, {3600: NOW}, frozenset({RECORD}))
    slow = {"192.0.2.2": Behind(7, NOW)} if behind else {}
    return TlsaMemory(PLACE, DnsName("example.org"), age, (KnownKey(MAIL, "k", NOW),), slow)


def stand(alias: str, sentence: str, trouble: str = "", owner: str = PLACE.text) -> TlsaStand:
    return TlsaStand(Alias(alias), owner, "steady", sentence, trouble=trouble)


def test_records_are_where_the_last_run_left_them() -> None:
    stands = TlsaStands(
        NOW, (stand("mail.example.org", "steady, nothing to do"), stand("b.example", "steady, nothing to do"))
    )
    [owner] = remembered(stands, Records(tlsa={PLACE: memory()}), NOW)
    assert (owner.name, owner.mood, owner.said) == (PLACE.text, Mood.GOOD, "steady, nothing to do")
    assert owner.certificates == ("mail.example.org", "b.example")
    assert owner.records == (str(RECORD),)


def test_what_is_in_the_way_of_records_comes_first() -> None:
    stands = TlsaStands(NOW, (stand("a.example", "steady"), stand("b.example", "held", "/etc/x/y: DNSSEC is bogus")))
    [owner] = remembered(stands, Records(), NOW)
    assert (owner.mood, owner.said) == (Mood.WRONG, "…/y: DNSSEC is bogus; steady")


def test_without_a_run_that_told_the_journal_counts() -> None:
    def seen(remembers: TlsaMemory) -> tuple[Mood, str]:
        [owner] = remembered(None, Records(tlsa={PLACE: remembers}), NOW)
        return owner.mood, owner.said

    assert seen(memory()) == (Mood.GOOD, "known to every cache")
    assert seen(memory(timedelta(hours=-1))) == (
        Mood.WAITS,
        "at every name server, known to every cache from 2026-12-01T06:40:00Z",
    )
    assert seen(memory(there=False))[0] is Mood.WRONG
    assert seen(memory(behind=True)) == (
        Mood.WRONG,
        "known to every cache; behind the others: 192.0.2.2 since 2026-12-01T04:40:00Z",
    )


def test_a_zone_s_findings_do_not_repeat_its_name() -> None:
    finding = Finding("silent", Severity.WARNING, "zone example.org: ns2 is silent", fix="see /etc/pdns/pdns.conf")
    server = ServerHealth("ns2", "no answer", trouble=True)
    [zone] = zones_of(Health({"example.org": ZoneHealth("example.org", NOW, "primary", (server,), (finding,))}))
    assert (zone.mood, zone.found[0].message, zone.found[0].fix) == (Mood.WRONG, "ns2 is silent", "see …/pdns.conf")
    assert (zone.servers[0].mood, zone.servers[0].said) == (Mood.WRONG, "no answer")
    [quiet] = zones_of(Health({"example.org": ZoneHealth("example.org", NOW, "primary")}))
    assert quiet.mood is Mood.GOOD


def test_the_newest_events_are_shown_and_no_path() -> None:
    names = ("a.example", "b.example", "c.example", "d.example", "e.example")
    failed = Happening(NOW, Kind.NOT_DEPLOYED, names, "/etc/nginx/x.conf: broken", "nginx")
    shown = list(latest([failed, *[Happening(NOW, Kind.ISSUED, ("a.example",), "valid")] * 100]))
    assert len(shown) == MOST
    assert (shown[0].mood, shown[0].what, shown[0].message) == (Mood.WRONG, "not deployed", "nginx: …/x.conf: broken")
    assert shown[0].subject == "a.example, b.example, c.example and 2 more"
    assert shown[1].mood is Mood.GOOD
