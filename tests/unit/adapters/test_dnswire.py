"""One conversation with one server, over real sockets on loopback, with servers that lie in every way we know of."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import dns.message
import pytest

from builders.certificates import NOW
from builders.liars import (
    DAY,
    Contents,
    LyingServer,
    Twist,
    another_question,
    another_zones_records,
    closing_after,
    cut_short,
    garbage,
    honest,
    losing,
    not_authoritative,
    other_values_over,
    rcode,
    without_keys,
    without_signatures,
)
from certkeeper.adapters.dnslines import ServerSilent
from certkeeper.adapters.dnswire import SAMPLE, ask
from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import Answer, Evidence, NotServing, Question, Server, judge

A, B = "_acme-challenge.example.org", "_acme-challenge.b.example.org"
TXT = {A: {"one", "two"}, B: {"three"}}


def question(txt: Mapping[str, set[str]], ds: frozenset[str] | None = None) -> Question:
    wanted = {DnsName(owner): frozenset(values) for owner, values in txt.items()}
    return Question(DnsName("example.org"), wanted, ds)


def talk(
    contents: Contents, twist: Twist = honest, *, deaf: tuple[str, ...] = (), asked: Question | None = None
) -> Answer:
    with LyingServer(contents, twist, deaf=deaf) as server:
        return ask(server.server, asked or question(TXT), NOW)


def confirmed(answer: Answer, asked: Question) -> bool:
    server = Server("ns1", "192.0.2.1")
    return judge([server], asked.wanted, {server: Evidence().heard(answer)}, ds=asked.ds).proven


def owners(txt: Mapping[str, set[str]]) -> dict[DnsName, frozenset[str]]:
    return dict(question(txt).wanted)


class TestHonest:
    def test_values_and_serial_come_in_one_conversation_over_both_ways(self) -> None:
        with LyingServer(Contents(txt=TXT)) as server:
            answer = ask(server.server, question(TXT), NOW)
            assert server.connections == 1
            assert server.asked == {("tcp", "SOA"): 1, ("tcp", "TXT"): 2, ("udp", "SOA"): 1, ("udp", "TXT"): 2}
        assert dict(answer.served) == owners(TXT)
        assert (answer.serial, answer.over, answer.notes, answer.signed) == (7, ("udp", "tcp"), (), False)

    def test_the_serial_alone_is_one_datagram(self) -> None:
        with LyingServer(Contents(txt=TXT)) as server:
            answer = ask(server.server, question({}), NOW)
            assert server.asked == {("udp", "SOA"): 1}
        assert answer.serial == 7

    def test_the_serial_alone_comes_over_tcp_where_udp_is_closed(self) -> None:
        assert talk(Contents(), deaf=("udp",), asked=question({})).serial == 7

    def test_a_thousand_names_are_one_connection_and_a_handful_of_datagrams(self) -> None:
        txt = {f"_acme-challenge.n{at}.example.org": {f"v{at}", f"w{at}"} for at in range(1000)}
        with LyingServer(Contents(txt=txt)) as server:
            answer = ask(server.server, question(txt), NOW)
            assert server.connections == 1
            assert server.asked["tcp", "TXT"] == 1000
            assert server.asked["udp", "TXT"] == SAMPLE
        assert dict(answer.served) == owners(txt)

    def test_a_server_that_closes_its_connections_early_is_asked_on(self) -> None:
        txt = {f"_acme-challenge.n{at}.example.org": {"v"} for at in range(300)}
        with LyingServer(Contents(txt=txt), closing_after(100)) as server:
            answer = ask(server.server, question(txt), NOW)
            assert server.connections > 2
        assert dict(answer.served) == owners(txt)
        assert answer.notes == ()

    def test_names_without_values_are_empty(self) -> None:
        answer = talk(Contents(txt={A: {"one"}}))
        assert dict(answer.served) == {DnsName(A): {"one"}, DnsName(B): frozenset()}

    def test_an_alias_is_followed_as_far_as_the_answer_goes(self) -> None:
        contents = Contents(txt={"x.example.org": {"three"}, A: TXT[A]}, aliases={B: "x.example.org"})
        assert dict(talk(contents).served) == owners(TXT)


class TestWays:
    def test_tcp_closed(self) -> None:
        answer = talk(Contents(txt=TXT), deaf=("tcp",))
        assert dict(answer.served) == owners(TXT)
        assert (answer.over, answer.notes) == (("udp",), ("TCP does not work: connection refused",))
        assert answer.serial == 7

    def test_tcp_closed_and_many_names(self) -> None:
        txt = {f"_acme-challenge.n{at}.example.org": {"v"} for at in range(200)}
        assert dict(talk(Contents(txt=txt), deaf=("tcp",), asked=question(txt)).served) == owners(txt)

    def test_udp_closed(self) -> None:
        answer = talk(Contents(txt=TXT), deaf=("udp",))
        assert dict(answer.served) == owners(TXT)
        assert (answer.over, answer.notes) == (("tcp",), ("UDP does not work: connection refused",))

    def test_both_closed(self) -> None:
        with pytest.raises(ServerSilent, match=r"^connection refused$"):
            talk(Contents(txt=TXT), deaf=("udp", "tcp"))

    def test_what_udp_cuts_short_tcp_has(self) -> None:
        answer = talk(Contents(txt=TXT), cut_short("udp"))
        assert dict(answer.served) == owners(TXT)
        assert (answer.over, answer.notes) == (("udp", "tcp"), ())

    def test_lost_datagrams_are_sent_again(self) -> None:
        answer = talk(Contents(txt=TXT), losing("udp", 2))
        assert answer.notes == ()
        assert answer.over == ("udp", "tcp")

    def test_refused_over_tcp_only(self) -> None:
        def twist(query: dns.message.Message, answer: dns.message.Message, over: str) -> dns.message.Message:
            said = rcode("REFUSED")(query, answer, over) if over == "tcp" else answer
            assert isinstance(said, dns.message.Message)
            return said

        answer = talk(Contents(txt=TXT), twist)
        assert dict(answer.served) == owners(TXT)
        assert answer.over == ("udp",)
        assert answer.notes == (f"TCP does not work: answers REFUSED for {A}",)

    @pytest.mark.parametrize("behind", ["udp", "tcp"])
    def test_values_over_one_way_count_and_the_difference_is_told(self, behind: str) -> None:
        answer = talk(Contents(txt=TXT), other_values_over(behind, Contents(txt={A: {"old"}, B: {"three"}})))
        assert dict(answer.served) == owners(TXT)
        assert answer.notes == (f"answers differently over UDP and over TCP for {A}",)


@pytest.mark.parametrize(
    ("twist", "words"),
    [
        (rcode("REFUSED"), f"answers REFUSED for {A}"),
        (rcode("SERVFAIL"), f"answers SERVFAIL for {A}"),
        (rcode("FORMERR"), f"answers FORMERR for {A}"),
        (garbage, "answers with something that is no DNS message"),
        (cut_short("udp", "tcp"), f"cuts its answer for {A} short"),
        (not_authoritative, f"is not authoritative for {A}"),
        (another_question, "answers another question than the one asked"),
    ],
)
def test_what_is_no_answer_is_one_clear_line(twist: Twist, words: str) -> None:
    with pytest.raises(ServerSilent) as caught:
        talk(Contents(txt=TXT), twist)
    assert str(caught.value) == words
    # Such a server is there, and says that it does not serve the zone.
    said = ("answers REFUSED", "answers SERVFAIL", "answers FORMERR", "is not authoritative")
    assert isinstance(caught.value, NotServing) is words.startswith(said)


def test_garbage_is_silence_for_the_serial_too() -> None:
    with pytest.raises(ServerSilent):
        talk(Contents(), garbage, asked=question({}))


def test_cut_short_without_tcp() -> None:
    with pytest.raises(ServerSilent, match=f"cuts its answer for {A} short, and TCP does not work: connection refused"):
        talk(Contents(txt=TXT), cut_short("udp"), deaf=("tcp",))


def test_records_of_other_names_do_not_count() -> None:
    answer = talk(Contents(txt=TXT), another_zones_records)
    assert set(answer.served.values()) == {frozenset()}
    assert answer.serial is None


@pytest.mark.parametrize(
    ("aliases", "words"),
    [
        ({A: "x.example.org", "x.example.org": A}, "as an alias that leads back to itself"),
        ({A: A}, "as an alias that leads back to itself"),
        ({A: "x.example.net"}, "as an alias of x.example.net, without its values"),
        (
            {A: "0.x.org", **{f"{at}.x.org": f"{at + 1}.x.org" for at in range(30)}},
            "as an alias of an alias without end",
        ),
    ],
)
def test_aliases_that_lead_nowhere(aliases: dict[str, str], words: str) -> None:
    answer = talk(Contents(txt=TXT, aliases=aliases))
    assert dict(answer.flaws) == {DnsName(A): words}
    assert not confirmed(answer, question(TXT))


class TestSigned:
    def test_valid_signatures(self) -> None:
        contents = Contents.signed(txt=TXT)
        with LyingServer(contents) as server:
            answer = ask(server.server, question(TXT, contents.ds), NOW)
            assert (server.asked["tcp", "DNSKEY"], server.asked["udp", "DNSKEY"], server.connections) == (1, 0, 1)
        assert (answer.signed, dict(answer.bogus), answer.unsigned) == (True, {}, frozenset())
        assert confirmed(answer, question(TXT, contents.ds))

    def test_an_unsigned_zone_costs_no_further_question(self) -> None:
        with LyingServer(Contents(txt=TXT)) as server:
            ask(server.server, question(TXT), NOW)
            assert not any(kind == "DNSKEY" for _, kind in server.asked)

    def test_neither_does_one_whose_parent_has_no_ds(self) -> None:
        contents = Contents.signed(txt=TXT, expiration=NOW - DAY, inception=NOW - 2 * DAY)
        with LyingServer(contents) as server:
            answer = ask(server.server, question(TXT, frozenset()), NOW)
            assert not any(kind == "DNSKEY" for _, kind in server.asked)
        assert confirmed(answer, question(TXT, frozenset()))

    def test_keys_are_not_asked_for_while_values_are_missing(self) -> None:
        with LyingServer(Contents.signed(txt={})) as server:
            answer = ask(server.server, question(TXT), NOW)
            assert not any(kind == "DNSKEY" for _, kind in server.asked)
        assert answer.signed

    def test_over_udp_where_tcp_is_closed(self) -> None:
        contents = Contents.signed(txt=TXT)
        assert confirmed(talk(contents, deaf=("tcp",)), question(TXT))

    @pytest.mark.parametrize(
        ("contents", "words"),
        [
            ({"expiration": NOW - timedelta(hours=1)}, "with a signature that expired 2026-"),
            ({"inception": NOW + timedelta(hours=1)}, "with a signature that is not valid before 2026-"),
        ],
    )
    def test_signatures_of_another_time(self, contents: dict[str, object], words: str) -> None:
        signed = Contents.signed(txt=TXT, **contents)
        answer = talk(signed)
        assert words in answer.bogus[DnsName(A)]
        assert not confirmed(answer, question(TXT))

    def test_signatures_of_another_key(self) -> None:
        liar, keys = Contents.signed(txt=TXT), Contents.signed()
        answer = talk(liar, with_keys_of(keys))
        assert dict(answer.bogus) == dict.fromkeys(answer.served, "with a signature that does not verify")

    def test_values_that_were_not_signed(self) -> None:
        contents = Contents.signed(txt=TXT)

        def twist(query: dns.message.Message, answer: dns.message.Message, over: str) -> dns.message.Message:
            assert over
            # Another zone of the same key: questions over UDP and TCP are answered side by side.
            other = replace(contents, txt={A: {"one"}}).answer(query)
            for at, rrset in enumerate(answer.answer):
                if rrset.covers and other.answer and query.question[0].name.to_text() == f"{A}.":
                    answer.answer[at] = other.answer[at]
            return answer

        answer = talk(contents, twist)
        assert dict(answer.bogus) == {DnsName(A): "with a signature that does not verify"}

    def test_no_signatures_at_all(self) -> None:
        answer = talk(Contents.signed(txt=TXT), without_signatures)
        assert answer.unsigned == {DnsName(A), DnsName(B)}
        assert not answer.signed

    def test_no_keys(self) -> None:
        answer = talk(Contents.signed(txt=TXT), without_keys)
        assert answer.bogus[DnsName(A)] == "signed, without the zone's DNSKEY"

    def test_keys_that_the_parent_does_not_name(self) -> None:
        asked = question(TXT, Contents.signed().ds)
        answer = talk(Contents.signed(txt=TXT), asked=asked)
        assert answer.bogus[DnsName(A)] == "signed, with a DNSKEY that the parent's DS does not name"

    def test_a_digest_that_we_do_not_know_is_no_objection(self) -> None:
        asked = question(TXT, frozenset({"1 13 250 abcd"}))
        assert confirmed(talk(Contents.signed(txt=TXT), asked=asked), asked)


def with_keys_of(keys: Contents) -> Twist:
    """The DNSKEY set of somebody else's."""

    def twist(query: dns.message.Message, answer: dns.message.Message, _over: str) -> dns.message.Message:
        return keys.answer(query) if query.question[0].rdtype == 48 else answer

    return twist
