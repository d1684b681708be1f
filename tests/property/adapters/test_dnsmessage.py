"""The reader of plain DNS messages against dnspython: it has the same opinion, or none."""

from contextlib import suppress
from dataclasses import replace

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from dns.dnssectypes import Algorithm
from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NOW
from certkeeper.adapters.dnslines import Reply, ServerSilent
from certkeeper.adapters.dnsmessage import DO, Query, query, read_plain
from certkeeper.adapters.dnsreading import Found, found_serial, found_txt, read_txt
from certkeeper.adapters.signatures import Keyring
from certkeeper.base.names import DnsName, InvalidName

ZONE = DnsName("example.org")
OWNER = DnsName("_acme-challenge.a.example.org")
OTHER = "b.example.org."
DAY = 86400
KEY: EllipticCurvePrivateKey = generate_private_key(SECP256R1())
APEX = dns.name.from_text(ZONE.absolute)
DNSKEY = dns.dnssec.make_dnskey(KEY.public_key(), Algorithm.ECDSAP256SHA256)

labels = st.from_regex(r"\A[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")
names = st.lists(labels, max_size=6).map(".".join).filter(lambda text: len(text) <= 253).map(DnsName)
values = st.lists(st.sampled_from(["one", "two", "x" * 300, "ä", ""]), min_size=1, max_size=3, unique=True)
rcodes = st.sampled_from([dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL])
flags = st.sampled_from([0, int(dns.flags.AA), int(dns.flags.AA), int(dns.flags.AA | dns.flags.TC)])


def txt(owner: str, texts: list[str], ttl: int = 60) -> dns.rrset.RRset:
    made = dns.rrset.RRset(dns.name.from_text(owner), dns.rdataclass.IN, dns.rdatatype.TXT)
    for text in texts:
        octets = text.encode()
        strings = b"".join(bytes((len(part),)) + part for part in (octets[:255], octets[255:]) if part) or b"\x00"
        made.add(dns.rdata.from_wire(made.rdclass, made.rdtype, strings, 0, len(strings)), ttl)
    return made


def signatures_of(rrset: dns.rrset.RRset, since: int = -DAY) -> dns.rrset.RRset:
    begin = NOW.timestamp() + since
    signature = dns.dnssec.sign(rrset, KEY, APEX, DNSKEY, inception=begin, lifetime=2 * DAY)
    made = dns.rrset.RRset(rrset.name, rrset.rdclass, dns.rdatatype.RRSIG, rrset.rdtype)
    made.add(signature, rrset.ttl)
    return made


SOA = dns.rrset.from_text(ZONE.absolute, 60, "IN", "SOA", "ns1.example.org. host.example.org. 7 1 1 1 1")
ALIAS = dns.rrset.from_text(OWNER.absolute, 60, "IN", "CNAME", OTHER)
NS = dns.rrset.from_text(ZONE.absolute, 60, "IN", "NS", "ns1.example.org.")


@st.composite
def answers(draw: st.DrawFn, asked: Query) -> bytes:
    """Anything a server may say to that, mostly what an honest one says."""
    message = dns.message.make_response(
        dns.message.from_wire(asked.wire), our_payload=draw(st.sampled_from([1232, 4096]))
    )
    message.flags |= draw(flags)
    message.set_rcode(draw(rcodes))
    right = txt(OWNER.absolute, draw(values)) if asked.type == dns.rdatatype.TXT else SOA
    kind = draw(st.sampled_from(["values", "values", "nothing", "alias", "others", "none of it"]))
    if kind in {"values", "others"}:
        message.answer.append(right)
        if draw(st.booleans()):
            message.answer.append(signatures_of(right))
    if kind == "alias":
        message.answer += [ALIAS, txt(OTHER, ["one"])]
    if kind == "others":
        message.answer.append(txt(OTHER, ["two"]))
    if kind == "nothing" or draw(st.booleans()):
        message.authority.append(draw(st.sampled_from([SOA, NS])))
        if draw(st.booleans()):
            message.authority.append(signatures_of(message.authority[-1]))
    if draw(st.booleans()):
        message.additional.append(dns.rrset.from_text(OTHER, 60, "IN", "A", "192.0.2.1"))
    # dnspython would put the records in a random order.
    return message.to_wire(want_shuffle=False)


@st.composite
def damaged(draw: st.DrawFn, asked: Query) -> bytes:
    wire = bytearray(draw(answers(asked)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(wire) - 1))
        how = draw(st.sampled_from(["change", "drop", "put", "cut"]))
        if how == "change":
            wire[at] = draw(st.integers(0, 255))
        elif how == "drop" and len(wire) > 1:
            del wire[at]
        elif how == "put":
            wire.insert(at, draw(st.integers(0, 255)))
        else:
            del wire[max(at, 1) :]
    return bytes(wire)


ASKED, SERIAL = query(OWNER, dns.rdatatype.TXT, 4711), query(ZONE, dns.rdatatype.SOA, 4711)


def by_dnspython(wire: bytes) -> Found | None:
    """None where that has no answer of use in it."""
    try:
        message = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return None
    usable = message.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN} and message.flags & dns.flags.AA
    if not dns.message.from_wire(ASKED.wire).is_response(message) or not usable or message.flags & dns.flags.TC:
        return None
    return read_txt(OWNER, message)


@given(
    names,
    st.sampled_from([1, 6, 16, 48]),
    st.integers(0, 65535),
    st.sampled_from([0, 0x100, 0x120]),
    st.sampled_from([0, DO]),
)
def test_a_question_is_what_dnspython_would_ask(name: DnsName, type_: int, id_: int, flags_: int, edns: int) -> None:
    read = dns.message.from_wire(query(name, type_, id_, flags_, edns).wire)
    made = dns.message.make_query(
        name.absolute, dns.rdatatype.RdataType(type_), use_edns=0, want_dnssec=bool(edns), payload=1232, id=id_
    )
    made.flags = dns.flags.Flag(flags_)
    assert read == made
    assert (read.id, read.flags, read.edns, read.payload, read.ednsflags) == (id_, flags_, 0, 1232, edns)
    assert read.to_wire() == query(name, type_, id_, flags_, edns).wire


@given(answers(ASKED))
def test_an_answer_is_read_as_dnspython_reads_it(wire: bytes) -> None:
    plain = read_plain(ASKED, wire)
    if plain is not None:
        theirs = by_dnspython(wire)
        assert theirs is not None
        assert plain.texts() == theirs.values
        assert bool(plain.signatures) == (theirs.signed is not None)
        assert not theirs.flaw


@given(damaged(ASKED))
def test_of_a_damaged_answer_no_value_counts_that_dnspython_does_not_see(wire: bytes) -> None:
    plain = read_plain(ASKED, wire)
    if plain is not None and plain.records:
        theirs = by_dnspython(wire)
        assert theirs is not None
        assert plain.texts() == theirs.values
        assert bool(plain.signatures) == (theirs.signed is not None)


@given(st.binary(max_size=80), st.one_of(st.just(ASKED.wire[:4]), st.just(b"")))
def test_noise_breaks_nothing(wire: bytes, start: bytes) -> None:
    assert read_plain(ASKED, start + wire) is None
    with suppress(ServerSilent):
        Reply(ASKED, start + wire)


@given(answers(SERIAL))
def test_a_serial_is_read_as_dnspython_reads_it(wire: bytes) -> None:
    if read_plain(SERIAL, wire) is not None:
        reply = Reply(SERIAL, wire)
        read = found_serial(ZONE, reply)
        reply.plain = None
        assert read == found_serial(ZONE, reply)


def test_what_honest_servers_say_is_plain() -> None:
    right, none = (dns.message.make_response(dns.message.from_wire(ASKED.wire)) for _ in range(2))
    for message in (right, none):
        message.flags |= dns.flags.AA
    rrset = txt(OWNER.absolute, ["one", "two"])
    right.answer += [rrset, signatures_of(rrset)]
    none.authority += [SOA, signatures_of(SOA)]
    none.set_rcode(dns.rcode.NXDOMAIN)
    assert [read.texts() for wire in (right, none) if (read := read_plain(ASKED, wire.to_wire()))] == [
        {"one", "two"},
        set(),
    ]
    serial = dns.message.make_response(dns.message.from_wire(SERIAL.wire))
    serial.flags |= dns.flags.AA
    serial.answer += [SOA, signatures_of(SOA)]
    read = read_plain(SERIAL, serial.to_wire())
    assert read is not None
    assert read.serial() == 7


def ring() -> Keyring:
    message = dns.message.make_response(dns.message.make_query(ZONE.absolute, "DNSKEY"))
    keys = dns.rrset.RRset(APEX, dns.rdataclass.IN, dns.rdatatype.DNSKEY)
    keys.add(DNSKEY, 60)
    message.answer += [keys, signatures_of(keys)]
    return Keyring(ZONE, dns.message.from_wire(message.to_wire()), None, NOW)


@given(values, st.integers(1, 600), st.sampled_from([-3 * DAY, -2 * DAY, -DAY, 1]), st.data())
def test_a_signature_is_judged_as_dnspython_judges_it(
    texts: list[str], ttl: int, since: int, data: st.DataObject
) -> None:
    rrset = txt(OWNER.absolute, texts, ttl)
    signed = signatures_of(rrset, since)
    message = dns.message.make_response(dns.message.from_wire(ASKED.wire))
    message.flags |= dns.flags.AA
    message.answer += [rrset, signed]
    wire = bytearray(message.to_wire(want_shuffle=False))
    if data.draw(st.booleans()):
        at = data.draw(st.integers(len(ASKED.question) + 12, len(wire) - 1))
        wire[at] ^= data.draw(st.sampled_from([1, 0x20, 0x80, 0xFF]))
    plain = read_plain(ASKED, bytes(wire))
    if plain is None or not plain.signatures:
        return
    mine = found_txt(OWNER, Reply(ASKED, bytes(wire))).signed
    theirs = read_txt(OWNER, dns.message.from_wire(bytes(wire))).signed
    assert mine is not None
    assert theirs is not None
    assert theirs.plain is None
    assert ring().flaw(mine) == ring().flaw(theirs)


def test_an_honest_signature_holds_without_dnspython() -> None:
    def refuse() -> tuple[dns.rrset.RRset, dns.rrset.RRset]:
        raise AssertionError("dnspython is asked")

    rrset = txt(OWNER.absolute, ["one", "two"])
    message = dns.message.make_response(dns.message.from_wire(ASKED.wire))
    message.flags |= dns.flags.AA
    message.answer += [rrset, signatures_of(rrset)]
    signed = found_txt(OWNER, Reply(ASKED, message.to_wire())).signed
    assert signed is not None
    assert ring().flaw(replace(signed, rrsets=refuse)) == ""


RECORD = b"\x00\x10\x00\x01\x00\x00\x00\x3c"
OWN_NAME = ASKED.question[:-4]
OTHER_NAME = OWN_NAME.replace(b"\x01a\x07", b"\x01b\x07")


def hand_made(records: bytes, answers: int = 1, authority: int = 0) -> bytes:
    """An authoritative answer to ASKED without EDNS."""
    head = ASKED.wire[:2] + b"\x84\x00\x00\x01" + bytes((0, answers, 0, authority, 0, 0))
    return head + ASKED.question + records


@pytest.mark.parametrize(
    ("wire", "plain"),
    [
        (hand_made(b"\xc0\x0c" + RECORD + b"\x00\x03\x02ab"), True),
        (hand_made(OWN_NAME + RECORD + b"\x00\x03\x02ab"), True),
        (hand_made(OWN_NAME.upper().replace(b"\x07EXAMPLE", b"\x07eXample") + RECORD + b"\x00\x03\x02ab"), True),
        (hand_made(OTHER_NAME + RECORD + b"\x00\x03\x02ab"), False),
        (hand_made(b"\xc0\x0d" + RECORD + b"\x00\x03\x02ab"), False),
        (hand_made(b"\xc0\x0c" + RECORD + b"\x00\x03\x03ab"), False),
        (hand_made(b"\xc0\x0c" + RECORD + b"\x00\x03\x01ab"), False),
        (hand_made(b"\xc0\x0c" + RECORD + b"\x00\x00"), False),
        (hand_made(b"\xc0\x0c" + RECORD + b"\x00\x03\x02ab!"), False),
        (hand_made(b"\xc0\x0c" + RECORD + b"\x00\x04\x02ab"), False),
        (hand_made(b"\xc0\x0c" + RECORD + b"\x00\x03\x02ab", 2), False),
        (hand_made(2 * (b"\xc0\x0c" + RECORD + b"\x00\x03\x02ab"), 1, 1), False),
    ],
)
def test_what_is_unusual_is_left_to_dnspython(wire: bytes, plain: bool) -> None:  # noqa: FBT001 - what is expected
    read = read_plain(ASKED, wire)
    assert (read is not None) == plain
    if read is not None:
        theirs = by_dnspython(wire)
        assert theirs is not None
        assert read.texts() == theirs.values == {"ab"}


def test_a_signature_of_a_wildcard_holds() -> None:
    wildcard = txt("*." + ZONE.absolute, ["one"])
    signed = signatures_of(wildcard)
    message = dns.message.make_response(dns.message.from_wire(ASKED.wire))
    message.flags |= dns.flags.AA
    own = txt(OWNER.absolute, ["one"])
    signed.name = own.name
    message.answer += [own, signed]
    found = found_txt(OWNER, Reply(ASKED, message.to_wire()))
    assert found.signed is not None
    assert found.signed.plain is not None
    assert ring().flaw(found.signed) == ""


def test_a_name_that_is_too_long_is_not_asked_for() -> None:
    with pytest.raises(InvalidName):
        query(DnsName(".".join(["a" * 60] * 5)), dns.rdatatype.TXT, 1)
