"""Questions as octets, and answers read as far as they are plain. A proof makes and reads tens of thousands of these.

A *plain* answer is authoritative and whole, and has nothing but the records asked for, at the name asked for, and
their signatures, or none of them. What is not plain, for whatever reason, is left to dnspython, so this reader has no
opinion on anything unusual; and where it finds values, dnspython finds the same ones.
"""

import struct

from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.value import dataclass, field

_HEADER, _RECORD, _SIGNATURE = struct.Struct("!6H"), struct.Struct("!HHIH"), struct.Struct("!HBBIIIH")
_PAYLOAD = 1232
"""Octets; what fits every path unfragmented (DNS flag day 2020)."""
_TXT, _SOA, _OPT, _RRSIG = 16, 6, 41, 46
_TLSA = 52
OPAQUE_TLSA = 65332
"""For private use (RFC 6895 §3.1): nobody looks into records of that type."""
_IN = 1
_NXDOMAIN = 3
_QR, _AA = 0x8000, 0x0400
_DECIDING = 0xFE0F
"""QR, opcode, AA, TC and RCODE."""
DO = 0x8000
"""Flag of EDNS: a zone that is signed shows it, and one that is not answers as ever (RFC 3225)."""
_LONGEST_NAME, _LONGEST_LABEL = 255, 63
_POINTER = 0xC0
_TO_QUESTION = b"\xc0\x0c"


@dataclass(frozen=True, slots=True)
class Query:
    """One question. `question` is the question section, the name in lower case."""

    id: int
    type: int
    question: bytes = field(repr=False)
    wire: bytes = field(repr=False)


def query(name: DnsName, type_: int, id_: int, flags: int = 0, edns_flags: int = DO) -> Query:
    """Raises InvalidName: it is longer than a name can be, which DnsName.child does not look at."""
    question = wire_name(name) + struct.pack("!HH", type_, _IN)
    edns = b"\x00" + _RECORD.pack(_OPT, _PAYLOAD, edns_flags, 0)
    return Query(id_, type_, question, _HEADER.pack(id_, flags, 1, 0, 0, 1) + question + edns)


def wire_name(name: DnsName) -> bytes:
    labels = [label.encode("ascii") for label in name.labels]
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\x00"
    if len(wire) > _LONGEST_NAME or any(not 0 < len(label) <= _LONGEST_LABEL for label in labels):
        raise InvalidName(f"{name.text[:80]}: longer than a DNS name can be")
    return wire


@dataclass(frozen=True, slots=True)
class Plain:
    """The RDATA of the records asked for, and of the RRSIGs that cover them, with their TTLs.

    `exists` is False where the server says NXDOMAIN.
    """

    records: tuple[tuple[int, bytes], ...] = ()
    signatures: tuple[tuple[int, bytes], ...] = ()
    exists: bool = True

    def texts(self) -> frozenset[str]:
        """Of TXT records, the strings of each joined."""
        return frozenset(b"".join(_strings(rdata) or ()).decode("utf-8", "replace") for _, rdata in self.records)

    def serial(self) -> int | None:
        """Of the SOA record."""
        return int.from_bytes(self.records[0][1][-20:-16], "big") if self.records else None


class _UnusualError(Exception):
    """It is left to dnspython."""


def read_plain(asked: Query, wire: bytes) -> Plain | None:
    """The answer to a question for TXT, SOA or TLSA; None where it is not plain, or to another question."""
    try:
        _insist(asked.type in {_TXT, _SOA, _TLSA})
        return _read(asked, wire)
    except (_UnusualError, struct.error, IndexError):
        return None


def _read(asked: Query, wire: bytes) -> Plain:
    id_, flags, *counts = _HEADER.unpack_from(wire)
    at = _HEADER.size + len(asked.question)
    _insist(id_ == asked.id and flags & _DECIDING & ~_NXDOMAIN == _QR | _AA and flags & 0xF in (0, _NXDOMAIN))
    _insist(counts[0] == 1 and wire[_HEADER.size : at].lower() == asked.question)
    records: list[tuple[int, bytes]] = []
    signatures: list[tuple[int, bytes]] = []
    for _ in range(counts[1]):
        at = _past_owner(asked, wire, at)
        type_, class_, ttl, size = _RECORD.unpack_from(wire, at)
        at += _RECORD.size + size
        rdata = wire[at - size : at]
        _insist(class_ == _IN and len(rdata) == size)
        if type_ == asked.type:
            _insist(_is_sound(asked.type, rdata, wire, at) and (type_ != _SOA or not records))
            records.append((ttl, rdata))
        else:
            _insist(type_ == _RRSIG and _covers(rdata, asked.type))
            signatures.append((ttl, rdata))
    _insist(not counts[2] or not counts[1])
    for _ in range(counts[2]):
        # Why there is none: nobody looks at it.
        at = _past_name(wire, at)
        at += _RECORD.size + _RECORD.unpack_from(wire, at)[3]
    _insist(counts[3] <= 1 and _is_end(wire, at, counts[3]) and (records or not signatures))
    return Plain(tuple(records), tuple(signatures), flags & 0xF != _NXDOMAIN)


def _is_sound(type_: int, rdata: bytes, wire: bytes, end: int) -> bool:
    """TLSA records are what they are: odd ones are told as that."""
    if type_ == _SOA:
        return _is_soa(wire, end - len(rdata), end)
    return type_ == _TLSA or _is_txt(rdata)


def _insist(usual: object) -> None:
    if not usual:
        raise _UnusualError


def _past_owner(asked: Query, wire: bytes, at: int) -> int:
    """It has to be the name in the question, pointed to or written out."""
    if wire[at : at + 2] == _TO_QUESTION:
        return at + 2
    name = asked.question[:-4]
    _insist(wire[at : at + len(name)].lower() == name)
    return at + len(name)


def _past_name(wire: bytes, at: int) -> int:
    start = at
    while size := wire[at]:
        if size >= _POINTER:
            _insist((size & ~_POINTER) * 256 + wire[at + 1] < start)
            return at + 2
        _insist(size <= _LONGEST_LABEL and at - start < _LONGEST_NAME)
        at += 1 + size
    return at + 1


def _is_end(wire: bytes, at: int, opts: int) -> bool:
    """Nothing but, at most, an OPT record without RCODE, version and options."""
    if not opts:
        return at == len(wire)
    type_, _, ttl, size = _RECORD.unpack_from(wire, at + 1)
    return wire[at] == 0 and type_ == _OPT and ttl >> 16 == 0 and size == 0 and at + 1 + _RECORD.size == len(wire)


def _strings(rdata: bytes) -> list[bytes] | None:
    """The character strings (RFC 1035 §3.3.14); None where they do not fill it."""
    found, at = [], 0
    while at < len(rdata):
        end = at + 1 + rdata[at]
        found.append(rdata[at + 1 : end])
        at = end
    return found if found and at == len(rdata) else None


def _is_txt(rdata: bytes) -> bool:
    return _strings(rdata) is not None


def _is_soa(wire: bytes, start: int, end: int) -> bool:
    return _past_name(wire, _past_name(wire, start)) + 20 == end


def _covers(rdata: bytes, type_: int) -> bool:
    """An RRSIG of that type whose signer's name is written out (RFC 4034 §3.1.7)."""
    if len(rdata) <= _SIGNATURE.size or int.from_bytes(rdata[:2], "big") != type_:
        return False
    at = _SIGNATURE.size
    while size := rdata[at]:
        if size > _LONGEST_LABEL:
            return False
        at += 1 + size
    return at + 1 - _SIGNATURE.size <= _LONGEST_NAME


def with_opaque_tlsa(wire: bytes) -> bytes | None:
    """The same message with TLSA records under a number that says nothing of them; None where there is none.

    dnspython takes a message with a TLSA record of an odd length for none at all, but servers serve such records.
    """
    found, at = bytearray(wire), _HEADER.size
    try:
        _, _, questions, *counts = _HEADER.unpack_from(wire)
        for _ in range(questions):
            at = _past_name(wire, at) + 4
        for _ in range(sum(counts)):
            at = _past_name(wire, at)
            type_, _, _, size = _RECORD.unpack_from(wire, at)
            if type_ == _TLSA:
                struct.pack_into("!H", found, at, OPAQUE_TLSA)
            at += _RECORD.size + size
    except (_UnusualError, struct.error, IndexError):
        return None
    return bytes(found) if found != wire else None


@dataclass(frozen=True, slots=True)
class Signature:
    """An RRSIG of a plain answer, and the octets that it is about (RFC 4034 §3.1.8.1)."""

    algorithm: int
    key_tag: int
    inception: int
    expiration: int
    signer: bytes
    value: bytes
    data: bytes


def read_signature(owner: DnsName, plain: Plain, number: int) -> Signature | None:
    """None where the records come from a wildcard."""
    rdata = plain.signatures[number][1]
    type_, algorithm, labels, ttl, expiration, inception, key_tag = _SIGNATURE.unpack_from(rdata)
    if labels != len(owner.labels):
        return None
    end = _past_name(rdata, _SIGNATURE.size)
    signer = rdata[_SIGNATURE.size : end].lower()
    head = wire_name(owner) + struct.pack("!HHI", type_, _IN, ttl)
    records = (head + len(record).to_bytes(2, "big") + record for record in sorted({item for _, item in plain.records}))
    data = rdata[: _SIGNATURE.size] + signer + b"".join(records)
    return Signature(algorithm, key_tag, inception, expiration, signer, rdata[end:], data)
