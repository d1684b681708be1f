"""Answers about TLSA records from anybody: whatever comes back is read as far as it makes sense, or is none at all."""

import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.adapters.dnslines import Reply, ServerSilent
from certkeeper.adapters.dnsmessage import query
from certkeeper.adapters.tlsaserved import ServedTlsa, served_tlsa
from certkeeper.base.names import DnsName
from certkeeper.dane.tlsa import Tlsa

ZONE = DnsName("example.org")
OWNER = DnsName("_25._tcp.mail.example.org")
ASKED = query(OWNER, dns.rdatatype.TLSA, 7)

rdatas = st.lists(st.binary(max_size=80), min_size=1, max_size=5, unique=True)


def answer(octets: list[bytes], *, plain: bool = True) -> bytes:
    """With NS records beside them it is not plain, so dnspython reads it."""
    made = dns.message.make_response(dns.message.from_wire(ASKED.wire))
    made.flags |= dns.flags.AA
    rrset = dns.rrset.RRset(dns.name.from_text(OWNER.absolute), dns.rdataclass.IN, dns.rdatatype.TLSA)
    for item in octets:
        rrset.add(dns.rdata.GenericRdata(dns.rdataclass.IN, dns.rdatatype.TLSA, item), 60)
    made.answer.append(rrset)
    if not plain:
        made.authority.append(dns.rrset.from_text("example.org.", 60, "IN", "NS", "ns1.example.org."))
    return made.to_wire(max_size=65535)


def read(wire: bytes) -> ServedTlsa | None:
    try:
        return served_tlsa(ZONE, OWNER, Reply(ASKED, wire))
    except ServerSilent:
        return None


@given(rdatas)
def test_both_readers_see_the_same_records(octets: list[bytes]) -> None:
    wanted = frozenset(Tlsa.from_wire(item) for item in octets if len(item) >= 3)

    for plain in (True, False):
        found = read(answer(octets, plain=plain))
        assert found is not None
        assert (found.records, found.ttl, found.trouble) == (wanted, 60, "")


@given(octets=rdatas, plain=st.booleans(), data=st.data())
def test_an_answer_that_was_changed_on_the_way_raises_nothing(
    *, octets: list[bytes], plain: bool, data: st.DataObject
) -> None:
    wire = bytearray(answer(octets, plain=plain))
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(2, len(wire) - 1))] = data.draw(st.integers(0, 255))

    found = read(bytes(wire[: data.draw(st.integers(12, len(wire)))]))
    assert found is None or isinstance(found, ServedTlsa)


def test_as_many_records_as_a_message_holds_are_read() -> None:
    octets = [bytes((3, 1, 1)) + number.to_bytes(32, "big") for number in range(1300)]

    found = read(answer(octets))
    assert found is not None
    assert len(found.records) == 1300
