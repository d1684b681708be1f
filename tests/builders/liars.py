"""A small DNS server on loopback that serves one zone, signed or not, and lies in whatever way a test wants."""

import contextlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec

from bed import ports
from builders.certificates import NOW
from certkeeper.zone.propagation import Server

ADDRESS = "127.0.0.1"
DAY = timedelta(days=1)
Message = dns.message.Message
Twist = Callable[[Message, Message, str], "Message | bytes | None"]
"""Query, honest answer and transport (udp, tcp) -> what to send; None: nothing, and over TCP the connection ends."""


def honest(_query: Message, answer: Message, _transport: str) -> Message:
    return answer


@dataclass(slots=True)
class Contents:
    """A zone: TXT values per owner, CNAMEs, and a serial; with a key it is signed, with signatures of these times.

    `more` are other records, by owner and type.
    """

    zone: str = "example.org"
    serial: int = 7
    txt: dict[str, set[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    key: ec.EllipticCurvePrivateKey | None = None
    inception: datetime = NOW - DAY
    expiration: datetime = NOW + 10 * DAY
    more: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @classmethod
    def signed(cls, **more: object) -> Self:
        return cls(key=ec.generate_private_key(ec.SECP256R1()), **more)  # type: ignore[arg-type]

    @property
    def dnskey(self) -> dns.rdata.Rdata:
        assert self.key is not None
        return dns.dnssec.make_dnskey(self.key.public_key(), "ECDSAP256SHA256", flags=257)

    @property
    def ds(self) -> frozenset[str]:
        made = dns.dnssec.make_ds(dns.name.from_text(self.zone), self.dnskey, "SHA256")
        return frozenset({made.to_text()})

    def answer(self, query: Message) -> Message:
        """The honest one."""
        reply = dns.message.make_response(query)
        asked = query.question[0]
        reply.flags |= dns.flags.AA
        name = asked.name
        for _ in range(20):
            alias = self.aliases.get(name.to_text(omit_final_dot=True))
            if alias is None:
                break
            self._put(reply, name, "CNAME", [f"{alias}."], want=bool(query.ednsflags & dns.flags.DO))
            name = dns.name.from_text(alias)
        contents = self._contents(name, dns.rdatatype.to_text(asked.rdtype))
        if contents and name.to_text(omit_final_dot=True) not in self.aliases:
            self._put(reply, name, dns.rdatatype.to_text(asked.rdtype), contents, want=bool(query.ednsflags))
        elif not reply.answer and name.to_text(omit_final_dot=True) not in self._names:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply

    @property
    def _names(self) -> set[str]:
        """Those with records, and those above them."""
        held = {self.zone, *self.txt, *self.aliases, *(owner for owner, _ in self.more)}
        return held | {owner.split(".", at)[at] for owner in held for at in range(1, owner.count("."))}

    def _contents(self, name: dns.name.Name, kind: str) -> list[str]:
        text = name.to_text(omit_final_dot=True)
        apex = text == self.zone
        if kind == "SOA" and apex:
            return [f"ns1.{self.zone}. hostmaster.{self.zone}. {self.serial} 10800 3600 604800 3600"]
        if kind == "DNSKEY" and apex and self.key is not None:
            return [self.dnskey.to_text()]
        if (text, kind) in self.more:
            return self.more[text, kind]
        return [f'"{value}"' for value in sorted(self.txt.get(text, ()))] if kind == "TXT" else []

    def _put(self, reply: Message, name: dns.name.Name, kind: str, contents: Iterable[str], *, want: bool) -> None:
        rrset = dns.rrset.from_text_list(name, 60, "IN", kind, list(contents))
        reply.answer.append(rrset)
        if self.key is not None and want:
            reply.answer.append(dns.rrset.from_rdata(name, 60, self._signature(rrset)))

    def _signature(self, rrset: dns.rrset.RRset) -> dns.rdata.Rdata:
        return dns.dnssec.sign(
            rrset,
            self.key,  # type: ignore[arg-type]
            dns.name.from_text(self.zone),
            self.dnskey,  # type: ignore[arg-type]
            inception=self.inception,
            expiration=self.expiration,
        )


@dataclass(slots=True)
class Mirror(Contents):
    """Whatever another server says at that moment."""

    upstream: tuple[str, int] = (ADDRESS, 53)

    def answer(self, query: Message) -> Message:
        return dns.query.tcp(query, self.upstream[0], port=self.upstream[1], timeout=5)


class LyingServer:
    """Listens over UDP and TCP on a port of its own, but for what `deaf` names. `asked` counts (transport, type)."""

    def __init__(self, contents: Contents, twist: Twist = honest, *, deaf: Iterable[str] = ()) -> None:
        self.contents = contents
        self.twist = twist
        self.asked: Counter[tuple[str, str]] = Counter()
        self.connections = 0
        self.port = ports.reserve(ADDRESS)
        self._open: list[socket.socket] = []
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if "udp" not in deaf:
            self._udp.bind((ADDRESS, self.port))
            threading.Thread(target=self._serve_udp, daemon=True).start()
        if "tcp" not in deaf:
            self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._tcp.bind((ADDRESS, self.port))
            self._tcp.listen()
            threading.Thread(target=self._accept, daemon=True).start()

    @property
    def server(self) -> Server:
        return Server(f"{ADDRESS}:{self.port}", ADDRESS, self.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._udp, self._tcp, *self._open):
            # A thread that waits in a call is woken by the shutdown, not by the close.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        ports.release(self.port)

    def _reply(self, wire: bytes, transport: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        self.asked[transport, dns.rdatatype.to_text(query.question[0].rdtype)] += 1
        said = self.twist(query, self.contents.answer(query), transport)
        return said.to_wire(max_size=65535) if isinstance(said, Message) else said

    def _serve_udp(self) -> None:
        while True:
            try:
                wire, source = self._udp.recvfrom(4096)
                if not wire:
                    return
                said = self._reply(wire, "udp")
                if said is not None:
                    self._udp.sendto(said, source)
            except OSError:
                return

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve_tcp, args=(connection,), daemon=True).start()

    def _serve_tcp(self, connection: socket.socket) -> None:
        stream = connection.makefile("rwb")
        try:
            while head := stream.read(2):
                said = self._reply(stream.read(struct.unpack("!H", head)[0]), "tcp")
                if said is None:
                    break
                stream.write(struct.pack("!H", len(said)) + said)
                stream.flush()
            connection.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            return


def rcode(code: str) -> Twist:
    def twist(_query: Message, answer: Message, _transport: str) -> Message:
        answer.answer.clear()
        answer.set_rcode(dns.rcode.from_text(code))
        return answer

    return twist


def garbage(_query: Message, _answer: Message, _transport: str) -> bytes:
    return b"\xff" * 40


def cut_short(*transports: str) -> Twist:
    """TC, and nothing in the answer."""

    def twist(_query: Message, answer: Message, transport: str) -> Message:
        if transport in transports:
            answer.answer.clear()
            answer.flags |= dns.flags.TC
        return answer

    return twist


def not_authoritative(_query: Message, answer: Message, _transport: str) -> Message:
    answer.flags &= ~dns.flags.AA
    return answer


def another_question(_query: Message, answer: Message, _transport: str) -> Message:
    answer.question[0].name = dns.name.from_text("www.example.com")
    return answer


def another_zones_records(_query: Message, answer: Message, _transport: str) -> Message:
    """The values, at names that nobody asked for."""
    for rrset in answer.answer:
        rrset.name = dns.name.from_text("_acme-challenge.example.com")
    return answer


def without_signatures(_query: Message, answer: Message, _transport: str) -> Message:
    answer.answer[:] = [rrset for rrset in answer.answer if rrset.rdtype != dns.rdatatype.RRSIG]
    return answer


def expired(when: datetime) -> Twist:
    """Signatures that say they ended then."""

    def twist(_query: Message, answer: Message, _transport: str) -> Message:
        for rrset in answer.answer:
            if rrset.rdtype == dns.rdatatype.RRSIG:
                for item in list(rrset):
                    rrset.items.pop(item)
                    rrset.add(item.replace(expiration=int(when.timestamp())))
        return answer

    return twist


def without_keys(query: Message, answer: Message, _transport: str) -> Message:
    if query.question[0].rdtype == dns.rdatatype.DNSKEY:
        answer.answer.clear()
    return answer


def other_values_over(transport: str, contents: Contents) -> Twist:
    """One transport serves another state of the zone."""

    def twist(query: Message, answer: Message, over: str) -> Message:
        return contents.answer(query) if over == transport else answer

    return twist


def losing(transport: str, number: int) -> Twist:
    """The first questions get no answer."""
    left = {"count": number}

    def twist(_query: Message, answer: Message, over: str) -> Message | None:
        if over == transport and left["count"]:
            left["count"] -= 1
            return None
        return answer

    return twist


def closing_after(number: int) -> Twist:
    """Each TCP connection ends after so many answers."""
    given = {"count": 0}

    def twist(_query: Message, answer: Message, over: str) -> Message | None:
        if over == "tcp":
            given["count"] += 1
            if given["count"] % (number + 1) == 0:
                return None
        return answer

    return twist
