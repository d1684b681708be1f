"""TLSA records as servers show them that lie, lag, refer, loop or say nothing of use."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from builders import liars
from builders.certificates import NOW
from builders.liars import Contents, LyingServer, Twist
from certkeeper.adapters.resolver import Named, SystemNameservers
from certkeeper.adapters.tlsalooks import TlsaLooks, host_of
from certkeeper.adapters.tlsatrust import Validation
from certkeeper.apply.daneports import TlsaLook
from certkeeper.base.names import DnsName
from certkeeper.config.settings import NameserverOverride, ServerAddress
from certkeeper.dane.facts import Trust
from certkeeper.dane.tlsa import Tlsa
from certkeeper.zone.apex import ZoneError

ZONE = DnsName("example.org")
OWNER = DnsName("_25._tcp.mail.example.org")
RECORD = f"3 1 1 {'ab' * 32}"
RECORDS = frozenset({Tlsa.parse(RECORD)})

Serve = Callable[..., LyingServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def make(contents: Contents, twist: Twist = liars.honest) -> LyingServer:
            return stack.enter_context(LyingServer(contents, twist))

        yield make


def holding(contents: Contents | None = None, *records: str) -> Contents:
    found = contents or Contents.signed()
    found.more[OWNER.text, "TLSA"] = list(records or (RECORD,))
    return found


def look(
    servers: Mapping[str, list[LyingServer]], owner: DnsName = OWNER, *, anchor: Contents | None = None
) -> TlsaLook:
    named = [
        NameserverOverride(
            DnsName.parse(zone), tuple(ServerAddress(one.server.address, one.server.port) for one in serving)
        )
        for zone, serving in servers.items()
    ]

    def homes(names: object) -> dict[DnsName, DnsName]:
        assert isinstance(names, tuple)
        return {name: ZONE for name in names if name.is_within(ZONE)}

    validation = Validation(anchors={DnsName.parse(anchor.zone): anchor.ds} if anchor else {})
    return TlsaLooks(SystemNameservers(Named(instead=named)), homes, validation).look([owner], NOW)[owner]


def test_what_two_servers_with_one_zone_show(serve: Serve) -> None:
    contents = holding()
    seen = look({"example.org": [serve(contents), serve(contents)]}, anchor=contents)

    assert (seen.trust, seen.flaw, dict(seen.troubles)) == (Trust.SECURE, "", {})
    assert [answer.records for answer in seen.answers] == [RECORDS, RECORDS]
    assert [answer.signed_until for answer in seen.answers] == [contents.expiration] * 2


@pytest.mark.parametrize(
    ("twist", "trouble"),
    [
        (liars.garbage, "answers with something that is no DNS message"),
        (liars.rcode("REFUSED"), "answers REFUSED"),
        (liars.rcode("SERVFAIL"), "answers SERVFAIL"),
        (liars.not_authoritative, f"is not authoritative for {OWNER}"),
        (liars.another_question, "answers another question than the one asked"),
        (liars.cut_short("tcp", "udp"), "cuts its answer short"),
        (liars.without_signatures, "answers signed, with a DNSKEY that is not signed itself"),
        (liars.without_keys, "answers signed, without the zone's DNSKEY"),
    ],
)
def test_a_server_without_a_usable_answer(serve: Serve, twist: Twist, trouble: str) -> None:
    contents = holding()
    bad = serve(contents, twist)
    seen = look({"example.org": [serve(contents), bad]}, anchor=contents)

    assert seen.trust is Trust.SECURE
    assert [answer.records for answer in seen.answers] == [RECORDS, None]
    assert dict(seen.troubles) == {str(bad.server): trouble}


def test_keys_of_somebody_else_are_bogus(serve: Serve) -> None:
    right, wrong = Contents.signed(), holding()
    seen = look({"example.org": [serve(wrong)]}, anchor=right)

    assert seen.trust is Trust.BOGUS
    assert [answer.records for answer in seen.answers] == [None]


def test_a_signature_that_ended_is_told_by_its_end(serve: Serve) -> None:
    contents = holding()
    late = holding(Contents(key=contents.key, expiration=NOW - liars.DAY, inception=NOW - 9 * liars.DAY))

    def tlsa_is_late(query: liars.Message, answer: liars.Message, _transport: str) -> liars.Message:
        return late.answer(query) if query.question[0].rdtype == dns.rdatatype.TLSA else answer

    seen = look({"example.org": [serve(contents), serve(contents, tlsa_is_late)]}, anchor=contents)

    assert seen.trust is Trust.SECURE
    assert [answer.records for answer in seen.answers] == [RECORDS, RECORDS]
    assert [answer.signed_until for answer in seen.answers] == [contents.expiration, NOW - liars.DAY]


def test_where_the_last_signature_ended_everything_is_bogus(serve: Serve) -> None:
    contents = holding(Contents.signed(expiration=NOW - liars.DAY, inception=NOW - 9 * liars.DAY))

    assert look({"example.org": [serve(contents)]}, anchor=contents).trust is Trust.BOGUS


def test_records_at_other_names_do_not_count(serve: Serve) -> None:
    contents = holding()
    seen = look({"example.org": [serve(contents, liars.another_zones_records)]})

    assert [answer.records for answer in seen.answers] == [frozenset()]


def test_cnames_that_go_round_in_a_circle(serve: Serve) -> None:
    contents = Contents.signed(aliases={"_25._tcp.mail.example.org": "a.example.org", "a.example.org": OWNER.text})
    seen = look({"example.org": [serve(contents)]}, anchor=contents)

    circle = f"{OWNER} -> a.example.org -> {OWNER}"
    assert seen.trouble == f"its CNAMEs go round in a circle: {circle}"
    assert seen.answers == ()


def test_cnames_without_end(serve: Serve) -> None:
    def further(query: liars.Message, answer: liars.Message, _transport: str) -> liars.Message:
        name = query.question[0].name
        if query.question[0].rdtype == dns.rdatatype.TLSA:
            answer.answer[:] = [dns.rrset.from_text(name, 60, "IN", "CNAME", f"x{name.to_text()}")]
        return answer

    seen = look({"example.org": [serve(Contents(), further)]})

    assert seen.trouble == "more CNAMEs and delegations in a row than clients follow"


def test_a_cname_to_a_name_that_nobody_can_have(serve: Serve) -> None:
    def odd(query: liars.Message, answer: liars.Message, _transport: str) -> liars.Message:
        if query.question[0].rdtype == dns.rdatatype.TLSA:
            name = query.question[0].name
            answer.answer[:] = [dns.rrset.from_text(name, 60, "IN", "CNAME", r"a\000b.example.org.")]
        return answer

    seen = look({"example.org": [serve(Contents(), odd)]})

    assert [answer.records for answer in seen.answers] == [None]
    assert next(iter(seen.troubles.values())).startswith("has a CNAME to a name that nobody can have")


def test_a_server_on_the_way_that_lacks_the_cname_stands_against_the_place(serve: Serve) -> None:
    with_alias = Contents.signed(aliases={OWNER.text: "tlsa._dane.example.org"})
    with_alias.more["tlsa._dane.example.org", "TLSA"] = [RECORD]
    without = Contents(key=with_alias.key, more=dict(with_alias.more))
    behind = serve(without)
    seen = look({"example.org": [serve(with_alias), behind]}, anchor=with_alias)

    assert seen.place == DnsName("tlsa._dane.example.org")
    assert [answer.records for answer in seen.answers] == [RECORDS, frozenset()]
    assert dict(seen.troubles) == {str(behind.server): "leads elsewhere than to tlsa._dane.example.org"}


def test_a_delegation_below_the_host_is_followed(serve: Serve) -> None:
    child = holding(Contents(zone="_tcp.mail.example.org"))

    def refer(query: liars.Message, answer: liars.Message, _transport: str) -> liars.Message:
        cut = dns.name.from_text(child.zone)
        if query.question[0].name.is_subdomain(cut):
            answer.flags &= ~dns.flags.AA
            answer.set_rcode(dns.rcode.NOERROR)
            answer.answer.clear()
            answer.authority.append(dns.rrset.from_text(cut, 60, "IN", "NS", "ns.example.net."))
        return answer

    seen = look({"example.org": [serve(Contents(), refer)], child.zone: [serve(child)]})

    assert seen.zone == DnsName(child.zone)
    assert [answer.records for answer in seen.answers] == [RECORDS]


def test_a_referral_upwards_is_no_answer(serve: Serve) -> None:
    def up(_query: liars.Message, answer: liars.Message, _transport: str) -> liars.Message:
        answer.flags &= ~dns.flags.AA
        answer.answer.clear()
        answer.authority.append(dns.rrset.from_text("org.", 60, "IN", "NS", "ns.example.net."))
        return answer

    seen = look({"example.org": [serve(Contents(), up)]})

    assert [answer.records for answer in seen.answers] == [None]


def test_a_zone_that_shows_no_signature_is_told_without_anybody_who_validates(serve: Serve) -> None:
    seen = look({"example.org": [serve(holding(Contents()))]})

    assert (seen.trust, seen.flaw) == (Trust.UNSIGNED, "zone example.org is not signed")
    assert [answer.signed_until for answer in seen.answers] == [None]


def test_an_odd_record_costs_no_other_owner_its_answer(serve: Serve) -> None:
    contents = holding(Contents(), RECORD)

    def too_short(query: liars.Message, answer: liars.Message, _transport: str) -> bytes | liars.Message:
        if query.question[0].name.to_text().startswith("_26."):
            return liars.garbage(query, answer, "")
        return answer

    server = serve(contents, too_short)
    named = [NameserverOverride(ZONE, (ServerAddress(server.server.address, server.server.port),))]
    lookup = TlsaLooks(SystemNameservers(Named(instead=named)), lambda names: dict.fromkeys(names, ZONE), Validation())
    other = DnsName("_26._tcp.mail.example.org")
    seen = lookup.look([OWNER, other], NOW)

    assert [answer.records for answer in seen[OWNER].answers] == [RECORDS]
    assert [answer.records for answer in seen[other].answers] == [None]


def test_an_owner_whose_zone_nobody_knows_is_told_as_such() -> None:
    def lost(_names: object) -> dict[DnsName, DnsName]:
        raise ZoneError("this host's resolver gets no answer")

    lookup = TlsaLooks(SystemNameservers(Named()), lost, Validation())
    seen = lookup.look([OWNER], NOW)[OWNER]

    assert (seen.trouble, seen.trust) == ("this host's resolver gets no answer", Trust.UNPROVEN)


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("_25._tcp.mail.example.org", "mail.example.org"),
        ("tlsa._dane.example.org", "example.org"),
        ("mail.example.org", "mail.example.org"),
        ("_tcp", ""),
    ],
)
def test_what_a_resolver_may_be_asked_for_before_anything_is_published(name: str, host: str) -> None:
    assert host_of(DnsName(name)) == DnsName(host)
