"""One conversation with a recursive resolver, played by a small server on loopback."""

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from builders.liars import Contents, LyingServer, Message, Twist, cut_short, garbage, honest, rcode
from certkeeper.adapters.dnslines import ServerSilent
from certkeeper.adapters.vantage import ask_resolver
from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import Answer, Question

A, B = DnsName("_acme-challenge.example.org"), DnsName("_acme-challenge.b.example.org")
WANTED = {A: frozenset({"one", "two"}), B: frozenset({"three"})}
CONTENTS = Contents(txt={A.text: {"one", "two"}, B.text: {"three"}})
TXT, SOA = dns.rdatatype.TXT, dns.rdatatype.SOA


def validated(*types: dns.rdatatype.RdataType) -> Twist:
    """AD in answers of these types."""

    def twist(query: Message, answer: Message, _transport: str) -> Message:
        assert query.flags & dns.flags.RD
        if query.question[0].rdtype in types:
            answer.flags |= dns.flags.AD
        return answer

    return twist


def talk(contents: Contents, twist: Twist = honest, deaf: tuple[str, ...] = ()) -> Answer:
    with LyingServer(contents, twist, deaf=deaf) as server:
        return ask_resolver(server.server, Question(DnsName("example.org"), WANTED))


def test_values_come_over_one_connection() -> None:
    with LyingServer(CONTENTS) as server:
        answer = ask_resolver(server.server, Question(DnsName("example.org"), WANTED))
        assert server.connections == 1
        assert server.asked == {("tcp", "SOA"): 1, ("tcp", "TXT"): 2}
    assert (dict(answer.served), dict(answer.flaws), answer.signed) == (WANTED, {}, False)


def test_a_resolver_that_speaks_udp_only() -> None:
    assert dict(talk(CONTENTS, deaf=("tcp",)).served) == WANTED


def test_what_validates_is_validated_whole() -> None:
    answer = talk(CONTENTS, validated(TXT, SOA))
    assert answer.signed
    assert not answer.flaws


def test_values_without_ad_do_not_count_where_the_zone_is_secure() -> None:
    answer = talk(CONTENTS, validated(SOA))
    assert dict(answer.flaws) == dict.fromkeys(WANTED, "answers without AD although the zone is secure")


def test_where_nothing_is_secure_ad_is_not_asked_for() -> None:
    assert not talk(CONTENTS, validated(TXT)).flaws


def test_names_that_are_not_there() -> None:
    answer = talk(Contents(txt={A.text: {"one"}}))
    assert dict(answer.served) == {A: {"one"}, B: frozenset()}
    assert dict(answer.flaws) == {B: "answers NXDOMAIN"}


def test_a_bogus_zone_with_the_resolvers_reason() -> None:
    def twist(query: Message, answer: Message, transport: str) -> Message:
        said = rcode("SERVFAIL")(query, answer, transport)
        assert isinstance(said, Message)
        said.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS, "signature\x1b[31m expired")])
        return said

    (words,) = set(talk(CONTENTS, twist).flaws.values())
    assert words.startswith("answers SERVFAIL (EDE 6")


@pytest.mark.parametrize(
    ("twist", "deaf", "words"),
    [
        (honest, ("udp", "tcp"), "connection refused"),
        (garbage, (), "answers with something that is no DNS message"),
        (cut_short("tcp", "udp"), (), "cuts its answer"),
    ],
)
def test_no_answer(twist: Twist, deaf: tuple[str, ...], words: str) -> None:
    with pytest.raises(ServerSilent, match=words):
        talk(CONTENTS, twist, deaf)
