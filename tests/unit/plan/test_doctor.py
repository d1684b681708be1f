"""Every finding about a zone, from facts that differ from a good day's in one thing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import CA, spec
from certkeeper.base.names import DnsName
from certkeeper.config.findings import Finding, Severity
from certkeeper.plan.delegation import described
from certkeeper.plan.doctor import LONGEST_NEGATIVE_TTL, Repair, examine, homeless_names, repair
from certkeeper.plan.observed import Caa
from certkeeper.plan.records import ChallengeIntent
from certkeeper.zone.caa import CaaAnswer, CaaRecord, Issuer
from certkeeper.zone.facts import Delegation, Ds, Kept, Served, ZoneFacts, newer
from certkeeper.zone.propagation import Server
from certkeeper.zone.rrset import RRset, Zone, ZoneKind

NAME = DnsName("example.org")
KEY = frozenset({Ds(7, 13, 2, "aa"), Ds(7, 13, 4, "bb")})
OTHER = frozenset({Ds(8, 13, 2, "cc")})
NS = frozenset({DnsName("ns1.example.org"), DnsName("ns2.example.org")})
FAR = NOW + timedelta(days=14)
ONE, TWO = Server("ns1.example.org", "192.0.2.1"), Server("ns2.example.org", "192.0.2.2")
CHALLENGE = DnsName("_acme-challenge.example.org")
TLSA = DnsName("_25._tcp.mail.example.org")


def kept(kind: ZoneKind = ZoneKind.PRIMARY, *, api: str = "DEFAULT", edit: str = "", **changes: object) -> Kept:
    zone = Zone(NAME, "example.org.", kind, 10, 10, api, edit)
    return replace(Kept(zone, signed=True, ds=KEY), **changes)  # type: ignore[arg-type]


def served(server: Server = ONE, **changes: object) -> Served:
    good = Served(server, serial=10, negative_ttl=300, signed_until=FAR, ns=NS, ds=KEY)
    return replace(good, **changes)  # type: ignore[arg-type]


def rrset(owner: DnsName, type_: str, *rdata: str, ttl: int = 60) -> RRset:
    return RRset(owner, type_, ttl, frozenset(rdata))


GOOD = ZoneFacts(NAME, kept(), (served(), served(TWO)), delegation=Delegation(DnsName("org"), NS, KEY))
UNSIGNED = ZoneFacts(
    NAME,
    kept(signed=False, ds=frozenset()),
    tuple(served(server, signed_until=None, ds=frozenset()) for server in (ONE, TWO)),
    delegation=Delegation(DnsName("org"), NS),
)


def with_kept(facts: ZoneFacts = GOOD, **changes: object) -> ZoneFacts:
    assert facts.kept is not None
    return replace(facts, kept=replace(facts.kept, **changes))  # type: ignore[arg-type]


def with_second(facts: ZoneFacts = GOOD, **changes: object) -> ZoneFacts:
    """The second server says something else."""
    return replace(facts, servers=(facts.servers[0], replace(facts.servers[1], **changes)))  # type: ignore[arg-type]


def with_parent(facts: ZoneFacts = GOOD, **changes: object) -> ZoneFacts:
    assert facts.delegation is not None
    return replace(facts, delegation=replace(facts.delegation, **changes))  # type: ignore[arg-type]


def only(facts: ZoneFacts) -> Finding:
    (finding,) = examine(facts, NOW)
    return finding


def test_a_good_zone_has_no_finding() -> None:
    assert examine(GOOD, NOW) == ()


CASES: list[tuple[str, Severity, ZoneFacts, str, str]] = [
    ("zone-secondary", Severity.ERROR, replace(GOOD, kept=kept(ZoneKind.SECONDARY)), "a secondary", "PDNS_HOST"),
    ("zone-native", Severity.NOTE, replace(GOOD, kept=kept(ZoneKind.NATIVE)), "of kind native", "set-kind"),
    ("zone-presigned", Severity.ERROR, with_kept(presigned=True), "PRESIGNED", "unset-presigned"),
    (
        "soa-edit-api",
        Severity.WARNING,
        replace(GOOD, kept=kept(api="INCEPTION-INCREMENT")),
        "SOA-EDIT-API is INCEPTION-INCREMENT, which PowerDNS does not know",
        "SOA-EDIT-API DEFAULT",
    ),
    ("soa-edit-api", Severity.WARNING, replace(GOOD, kept=kept(api="")), "is not set", "SOA-EDIT-API DEFAULT"),
    ("soa-edit", Severity.WARNING, replace(GOOD, kept=kept(edit="INCEPTION")), "SOA-EDIT is INCEPTION, which", ""),
    ("soa-edit", Severity.NOTE, replace(GOOD, kept=kept(edit="INCEPTION-INCREMENT")), "10 is served", ""),
    ("api-rectify", Severity.WARNING, with_kept(rectifies=False), "API-RECTIFY is off", "rectify-zone example.org"),
    ("unsigned", Severity.NOTE, UNSIGNED, "not signed", "secure-zone example.org"),
    ("ds-missing", Severity.WARNING, with_parent(ds=frozenset()), "has no DS", "give the registrar: 7 13 2 aa"),
    ("ds-mismatch", Severity.ERROR, with_parent(ds=OTHER), "none of its keys: 8 13 2 cc", "registrar: 7 13 2 aa"),
    ("ds-mismatch", Severity.ERROR, with_parent(UNSIGNED, ds=KEY), "not signed, and its parent has a DS", "removed"),
    ("rrsig-missing", Severity.ERROR, with_second(signed_until=None), "ns2.example.org (192.0.2.2) answers", ""),
    (
        "rrsig-expiring",
        Severity.WARNING,
        with_second(signed_until=NOW + timedelta(days=3)),
        "ns2.example.org (192.0.2.2) end 2",
        "increase-serial",
    ),
    ("rrsig-expiring", Severity.ERROR, with_second(signed_until=NOW - timedelta(days=1)), "ended", ""),
    (
        "ns-unresolved",
        Severity.WARNING,
        replace(GOOD, unresolved=(DnsName("ns2.example.org"),)),
        "name server ns2.example.org has no address",
        "A or AAAA record",
    ),
    (
        "delegation-unknown",
        Severity.NOTE,
        replace(GOOD, delegation=None, delegation_trouble="nobody answers"),
        "could not be looked at: nobody answers",
        "",
    ),
    (
        "not-delegated",
        Severity.ERROR,
        with_parent(exists=False, ns=frozenset(), ds=frozenset()),
        "its parent org has no such name",
        "register",
    ),
    (
        "ns-differ",
        Severity.WARNING,
        with_parent(ns=NS | {DnsName("ns9.test")}),
        "its parent org are not those of the zone; only the parent names: ns9.test",
        "the same",
    ),
    (
        "ns-differ",
        Severity.WARNING,
        with_parent(ns=frozenset({DnsName("ns1.example.org")})),
        "only the zone names: ns2.example.org",
        "the same",
    ),
    (
        "servers-unknown",
        Severity.WARNING,
        replace(GOOD, servers=(), servers_trouble="no NS record"),
        "no NS record",
        "NAMESERVERS",
    ),
    ("server-silent", Severity.WARNING, with_second(trouble="answers REFUSED"), "(192.0.2.2): answers REFUSED", "NS"),
    ("server-lagging", Severity.WARNING, with_second(serial=9), "has serial 9, the newest is 10", "notify example.org"),
    ("server-ahead", Severity.WARNING, with_second(serial=11), "has serial 11, and its primary 10", "larger than 11"),
    (
        "ttl-txt",
        Severity.WARNING,
        with_kept(records=(rrset(DnsName("_acme-challenge.a.example.org"), "TXT", '"x"', ttl=7200),)),
        "_acme-challenge.a.example.org TXT has a TTL of 7200 s",
        "3600",
    ),
    (
        "ttl-tlsa",
        Severity.WARNING,
        with_kept(records=(rrset(TLSA, "TLSA", "3 1 1 aa", ttl=86400),)),
        "_25._tcp.mail.example.org TLSA has a TTL of 86400 s",
        "3600",
    ),
    ("negative-ttl", Severity.NOTE, with_second(negative_ttl=3600), "3600 s", "SOA 300"),
    (
        "tlsa-unsigned",
        Severity.WARNING,
        with_kept(UNSIGNED, records=(rrset(TLSA, "TLSA", "3 1 1 aa"),)),
        "TLSA at _25._tcp.mail.example.org, and the zone is not secure",
        "sign the zone",
    ),
    (
        "tlsa-unsigned",
        Severity.WARNING,
        with_kept(with_parent(ds=frozenset()), records=(rrset(TLSA, "TLSA", "3 1 1 aa"),)),
        "the zone is not secure",
        "DS published",
    ),
    (
        "challenge-left",
        Severity.NOTE,
        with_kept(records=(rrset(CHALLENGE, "TXT", '"value"'),)),
        '_acme-challenge.example.org TXT "value" is there',
        "by hand",
    ),
]


@pytest.mark.parametrize(("code", "severity", "facts", "said", "fix"), CASES, ids=[case[0] for case in CASES])
def test_each_trouble_is_found(code: str, severity: Severity, facts: ZoneFacts, said: str, fix: str) -> None:
    found = [finding for finding in examine(facts, NOW) if finding.code == code]
    assert len(found) == 1
    assert found[0].severity is severity
    assert said in found[0].message
    assert fix in found[0].fix
    assert found[0].consequence


ALONE = frozenset({"tlsa-unsigned", "ttl-txt"})
"""Troubles that do not come alone: they presuppose another one."""


@pytest.mark.parametrize(
    "facts",
    [case[2] for case in CASES if case[0] not in ALONE],
    ids=[case[0] for case in CASES if case[0] not in ALONE],
)
def test_one_trouble_is_one_finding(facts: ZoneFacts) -> None:
    assert len(examine(facts, NOW)) == 1


def test_a_zone_that_is_not_there_is_found() -> None:
    finding = only(replace(GOOD, kept=None, homeless=True))
    assert (finding.code, finding.severity) == ("zone-missing", Severity.ERROR)
    assert homeless_names([DnsName("a.test"), DnsName("b.test")]).message.endswith("holds a.test, b.test")


def test_a_digest_of_another_type_is_told_by_tag_and_algorithm() -> None:
    assert examine(with_parent(ds=frozenset({Ds(7, 13, 1, "zz")})), NOW) == ()
    assert only(with_parent(ds=frozenset({Ds(7, 13, 2, "zz")}))).code == "ds-mismatch"
    # One of two is enough: the other may be announced already.
    assert examine(with_parent(ds=KEY | OTHER), NOW) == ()


def test_what_is_served_counts_and_not_what_the_server_has() -> None:
    facts = replace(GOOD, servers=tuple(served(server, ds=OTHER) for server in (ONE, TWO)))
    assert only(facts).code == "ds-mismatch"
    # Where no key is served, those that the server has are told.
    facts = replace(GOOD, servers=tuple(served(server, ds=frozenset()) for server in (ONE, TWO)))
    assert examine(facts, NOW) == ()


@pytest.mark.parametrize(
    ("serial", "other", "expected"),
    [(2, 1, True), (1, 2, False), (1, 1, False), (0, 2**32 - 1, True), (2**31, 0, False), (5, 2**31 + 6, True)],
)
def test_serials_are_compared_as_secondaries_do(serial: int, other: int, expected: bool) -> None:  # noqa: FBT001
    assert newer(serial, other) is expected


def test_without_a_primary_the_largest_serial_is_the_newest() -> None:
    facts = with_second(replace(GOOD, kept=kept(ZoneKind.SECONDARY)), serial=12)
    (lag,) = [item for item in examine(facts, NOW) if item.code.startswith("server")]
    assert (lag.code, "has serial 10, the newest is 12" in lag.message) == ("server-lagging", True)


def test_the_zone_of_a_server_that_shows_the_inception_gets_the_pair_that_works() -> None:
    facts = kept(api="INCEPTION-INCREMENT", edit="INCEPTION-INCREMENT")
    found = {item.code: item for item in examine(replace(GOOD, kept=facts), NOW)}
    assert found["soa-edit-api"].fix.endswith("SOA-EDIT-API SOA-EDIT-INCREASE")
    assert repair(facts, NOW) == Repair(facts.zone, "SOA-EDIT-INCREASE")


@pytest.mark.parametrize(
    ("facts", "soa_edit_api", "rectify"),
    [
        (kept(), None, False),
        (kept(api=""), "DEFAULT", False),
        (kept(api="EPOCH"), None, False),
        (kept(rectifies=False), None, True),
        (kept(api="SOA-EDIT", rectifies=False), "DEFAULT", True),
        (kept(ZoneKind.SECONDARY, api="", rectifies=False), None, False),
        (kept(ZoneKind.NATIVE, api=""), None, False),
        (kept(rectifies=False, signed=False), None, False),
    ],
)
def test_what_can_be_mended_without_touching_a_record(
    facts: Kept,
    soa_edit_api: str | None,
    rectify: bool,  # noqa: FBT001 - a table
) -> None:
    found = repair(facts, NOW)
    if soa_edit_api is None and not rectify:
        assert found is None
        return
    assert found == Repair(facts.zone, soa_edit_api, rectify)
    assert len(found.texts) == (soa_edit_api is not None) + rectify


def test_a_record_that_the_journal_knows_is_ours_to_clean_up() -> None:
    facts = with_kept(records=(rrset(CHALLENGE, "TXT", '"mine"', '"theirs"'),))
    owed = [ChallengeIntent(NAME, CHALLENGE, '"mine"', "run")]
    mine, theirs = examine(facts, NOW, owed=owed)
    assert (mine.fix, "earlier run" in mine.message) == ("certkeeper dns cleanup", True)
    assert "by hand" in theirs.fix


def test_a_zone_too_large_to_be_read_is_judged_without_its_records() -> None:
    assert examine(with_kept(records=None), NOW) == ()


def caa(*records: CaaRecord, trouble: str = "") -> dict[str, Caa]:
    return {CA: Caa(Issuer(("ca.test",)), {NAME: CaaAnswer(records, trouble)})}


def test_caa_that_forbids_is_found_once_per_record_and_kind_of_name() -> None:
    specs = [spec("example.org", "*.example.org"), spec("example.org", alias="again")]
    found = examine(GOOD, NOW, specs=specs, caa=caa(CaaRecord(0, "issue", "other.test")))
    assert [(item.code, item.severity) for item in found] == [("caa-forbids", Severity.ERROR)] * 2
    assert [item.message.partition(":")[0] for item in found] == ["example.org", "*.example.org"]
    assert examine(GOOD, NOW, specs=specs, caa=caa(CaaRecord(0, "issue", "ca.test"))) == ()


def test_caa_that_cannot_be_looked_up_is_found() -> None:
    (finding,) = examine(GOOD, NOW, specs=[spec("example.org")], caa=caa(trouble="SERVFAIL"))
    assert finding.code == "caa-unanswered"


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (served(signed_until=None), "ns1.example.org (192.0.2.1): serial 10"),
        (served(trouble="no answer"), "ns1.example.org (192.0.2.1): no answer"),
    ],
)
def test_a_server_is_described_in_a_line(item: Served, line: str) -> None:
    assert described(item) == line
    assert "signatures until 2" in described(served())


@pytest.mark.parametrize(("days", "found"), [(6, 0), (5, 1)])
def test_signatures_are_near_their_end_from_five_days_on(days: int, found: int) -> None:
    assert len(examine(with_second(signed_until=NOW + timedelta(days=days)), NOW)) == found


def test_commands_of_powerdns_are_proposed_for_its_zones_only() -> None:
    servers = (
        Served(Server("ns1", "192.0.2.1"), serial=5, negative_ttl=LONGEST_NEGATIVE_TTL + 1),
        Served(Server("ns2", "192.0.2.2"), serial=4),
    )
    elsewhere = ZoneFacts(DnsName("example.org"), servers=servers)
    found = examine(elsewhere, NOW)
    assert {item.code for item in found} >= {"negative-ttl", "server-lagging", "unsigned"}
    assert not [item.fix for item in found if "pdns" in item.fix]
