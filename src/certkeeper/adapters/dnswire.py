"""One conversation with one name server: TXT values, serial and signatures, straight from it and without recursion.

TCP and UDP are asked at once. A CA's resolver begins with UDP and comes back over TCP for what is cut short, so both
have to work; but a server answers both from the same zone, so what can differ is the way there, not the single name.
Everything is therefore asked over one TCP connection, pipelined, and only the serial and the first SAMPLE names over
UDP: a handful of datagrams, whether a zone has two names to prove or a thousand. Where TCP fails, UDP is asked for
all of them, few at a time.

The datagrams are sent before the connection is opened and read after it; nobody waits for them longer than it takes
to send a lost one once more.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import count

import dns.flags
import dns.rcode
import dns.rdatatype

from certkeeper.adapters.dnslines import TURNS, Replies, Reply, ServerSilent, TcpLine, UdpLine, lines, trouble
from certkeeper.adapters.dnsmessage import Query, query
from certkeeper.adapters.dnsreading import Found, found_serial, found_txt, refuse_errors
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, field
from certkeeper.zone.propagation import Answer, Question, Server

SAMPLE = 3
TCP, UDP = "tcp", "udp"


class _Ids:
    """Message ids, each used once in a conversation, from a start that nobody guesses."""

    def __init__(self) -> None:
        self._numbers = count(secrets.randbelow(65536))

    def query(self, name: DnsName, type_: dns.rdatatype.RdataType) -> Query:
        return query(name, type_, next(self._numbers) % 65536)


@dataclass(slots=True)
class _Talk:
    """What came over both ways, and why something did not."""

    tcp: Replies = field(default_factory=dict)
    udp: Replies = field(default_factory=dict)
    tcp_trouble: str = ""
    udp_trouble: str = ""


def ask(server: Server, question: Question, now: datetime) -> Answer:
    """What the server serves of this. Signatures are verified for names that have all their values.

    Raises:
        ServerSilent: no answer, an error answer, or one that is not authoritative.
    """
    with lines(server) as (tcp, udp):
        ids = _Ids()
        soa = ids.query(question.zone, dns.rdatatype.SOA)
        if not question.wanted:
            return _serial_only(question.zone, soa, tcp, udp)
        queries = {owner: ids.query(owner, dns.rdatatype.TXT) for owner in question.wanted}
        talk = _talk([soa, *queries.values()], tcp, udp)
        served, notes, over = _weigh(queries, question, talk, udp)
        serial, signed = _serial(question.zone, soa.id, talk)
        answer = Answer(
            {owner: found.values for owner, found in served.items()},
            serial,
            {owner: found.flaw for owner, found in served.items() if found.flaw},
            signed=signed or any(found.signed is not None for found in served.values()),
            over=over,
            notes=notes,
        )
        return _with_signatures(answer, served, question, ids, (tcp, udp), now)


def _serial_only(zone: DnsName, soa: Query, tcp: TcpLine, udp: UdpLine) -> Answer:
    """One datagram; where nothing comes back soon, one TCP connection; where that fails, datagrams again."""
    with suppress(OSError, ServerSilent):
        reply = udp.ask([soa], turns=1)[soa.id]
        refuse_errors(zone.text, reply)
        return _told(zone, reply)
    try:
        reply = tcp.ask([soa])[soa.id]
    except OSError:
        try:
            reply = udp.ask([soa])[soa.id]
        except OSError as error:
            raise ServerSilent(trouble(error)) from error
    refuse_errors(zone.text, reply)
    return _told(zone, reply)


def _told(zone: DnsName, reply: Reply) -> Answer:
    serial, signed = found_serial(zone, reply)
    return Answer({}, serial, signed=signed)


def _talk(queries: Sequence[Query], tcp: TcpLine, udp: UdpLine) -> _Talk:
    """All over TCP and the first ones over UDP, at once; all over UDP where TCP fails."""
    talk = _Talk()
    sample = queries[: SAMPLE + 1]
    try:
        udp.send(sample)
    except OSError as error:
        talk.udp_trouble = trouble(error)
    try:
        talk.tcp = tcp.ask(queries)
    except (OSError, ServerSilent) as error:
        talk.tcp_trouble = trouble(error)
    if not talk.udp_trouble:
        try:
            # Who has answered over TCP need not have us wait long.
            talk.udp = udp.collect(sample, TURNS if talk.tcp_trouble else TURNS - 1)
            if talk.tcp_trouble:
                talk.udp |= udp.ask(queries[SAMPLE + 1 :])
        except (OSError, ServerSilent) as error:
            talk.udp_trouble = trouble(error)
    if talk.tcp_trouble and talk.udp_trouble:
        same = talk.tcp_trouble == talk.udp_trouble
        raise ServerSilent(talk.tcp_trouble if same else f"{talk.tcp_trouble} over TCP, {talk.udp_trouble} over UDP")
    return talk


def _weigh(
    queries: Mapping[DnsName, Query], question: Question, talk: _Talk, udp: UdpLine
) -> tuple[dict[DnsName, Found], tuple[str, ...], tuple[str, ...]]:
    """Per owner the better one of both answers; in words, what one way brought and the other one did not; what worked.

    Raises:
        ServerSilent: neither way brought anything of use for some owner.
    """
    notes = []
    over_tcp, tcp_errors = _read(TCP, queries, {} if talk.tcp_trouble else talk.tcp)
    over_udp, udp_errors = _read(UDP, queries, {} if talk.udp_trouble else talk.udp)
    differing = [owner for owner in over_udp if owner in over_tcp and over_udp[owner].values != over_tcp[owner].values]
    if differing:
        # The zone may have changed between the two.
        over_udp |= _read_again([(owner, queries[owner]) for owner in differing], udp)
        differing = [owner for owner in differing if over_udp[owner].values != over_tcp[owner].values]
    found = {}
    for owner, values in question.wanted.items():
        either = [way[owner] for way in (over_tcp, over_udp) if owner in way]
        if not either:
            cut = f"cuts its answer for {owner} short, and TCP does not work: {talk.tcp_trouble or 'no answer'}"
            raise tcp_errors.get(owner) or udp_errors.get(owner) or ServerSilent(cut)
        found[owner] = next((item for item in either if values <= item.values), either[0])
    if differing:
        notes.append(f"answers differently over UDP and over TCP for {differing[0]}")
    tcp_words = talk.tcp_trouble or next(map(str, tcp_errors.values()), "")
    udp_words = talk.udp_trouble or next(map(str, udp_errors.values()), "")
    if tcp_words:
        notes.append(f"TCP does not work: {tcp_words}")
    if udp_words:
        notes.append(f"UDP does not work: {udp_words}")
    over = tuple(way for way, words in ((UDP, udp_words), (TCP, tcp_words)) if not words)
    return found, tuple(notes), over


def _read(
    over: str, queries: Mapping[DnsName, Query], replies: Replies
) -> tuple[dict[DnsName, Found], dict[DnsName, ServerSilent]]:
    """The usable answers, and what is wrong with others; nothing for what UDP cut short, as TCP is there for that."""
    found, errors = {}, {}
    for owner, asked in queries.items():
        reply = replies.get(asked.id)
        if reply is None:
            continue
        try:
            found[owner] = found_txt(owner, reply)
        except ServerSilent as error:
            message = reply.message
            if not (over == UDP and message.rcode() == dns.rcode.NOERROR and message.flags & dns.flags.TC):
                errors[owner] = error
    return found, errors


def _read_again(queries: Sequence[tuple[DnsName, Query]], udp: UdpLine) -> dict[DnsName, Found]:
    try:
        return _read(UDP, dict(queries), udp.ask([asked for _, asked in queries]))[0]
    except (OSError, ServerSilent):
        return {}


def _serial(zone: DnsName, id_: int, talk: _Talk) -> tuple[int | None, bool]:
    """From either way; a server that serves names and no SOA has no serial to show."""
    for replies in (talk.tcp, talk.udp):
        reply = replies.get(id_)
        if reply is not None and (reply.plain is not None or reply.message.rcode() == dns.rcode.NOERROR):
            serial, signed = found_serial(zone, reply)
            if serial is not None:
                return serial, signed
    return None, False


def _with_signatures(
    answer: Answer,
    served: Mapping[DnsName, Found],
    question: Question,
    ids: _Ids,
    ways: tuple[TcpLine, UdpLine],
    now: datetime,
) -> Answer:
    """Each RRset that has all its values is verified once, by the keys of the same server."""
    if question.ds is not None and not question.ds:
        return answer
    complete = {owner: served[owner] for owner, values in question.wanted.items() if values <= served[owner].values}
    unsigned = frozenset(owner for owner, found in complete.items() if found.signed is None)
    bogus: dict[DnsName, str] = {}
    if len(unsigned) < len(complete):
        from certkeeper.adapters.signatures import Keyring  # noqa: PLC0415 - cryptography, for signed zones only

        keys = ids.query(question.zone, dns.rdatatype.DNSKEY)
        ring = Keyring(question.zone, _one(keys, *ways).message, question.ds, now)
        for owner, found in complete.items():
            if found.signed is not None:
                words = ring.flaw(found.signed)
                if words:
                    bogus[owner] = words
    return Answer(
        answer.served,
        answer.serial,
        answer.flaws,
        bogus,
        unsigned,
        answer.signed,
        answer.over,
        answer.notes,
    )


def _one(asked: Query, tcp: TcpLine, udp: UdpLine) -> Reply:
    """One more answer: over TCP, since keys are large, and over UDP where that fails."""
    try:
        return tcp.ask([asked])[asked.id]
    except (OSError, ServerSilent):
        try:
            return udp.ask([asked])[asked.id]
        except OSError as error:
            raise ServerSilent(f"no answer for its DNSKEY ({trouble(error)})") from error
