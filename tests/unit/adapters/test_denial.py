"""What NSEC and NSEC3 records prove of a name without DS records, and what they do not."""

import dns.dnssec
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from certkeeper.adapters.denial import Denied, denied
from certkeeper.adapters.dnsreading import Signed
from certkeeper.base.names import DnsName

ZONE = DnsName("example.org")
NAME = DnsName("child.example.org")
SIGNATURE = "{} 13 3 3600 20360101000000 20260101000000 1 example.org. AAAA"


def answer(*records: tuple[str, str, str], signed: bool = True) -> dns.message.Message:
    """Owner, type and data of each record in the authority section."""
    made = dns.message.make_response(dns.message.make_query(NAME.absolute, "DS"))
    for owner, type_, data in records:
        made.authority.append(dns.rrset.from_text(owner, 3600, "IN", type_, data))
        if signed:
            made.authority.append(dns.rrset.from_text(owner, 3600, "IN", "RRSIG", SIGNATURE.format(type_)))
    return dns.message.from_wire(made.to_wire())


def good(_signed: Signed) -> str:
    return ""


def nsec(owner: str, after: str, types: str) -> tuple[str, str, str]:
    return f"{owner}.", "NSEC", f"{after}. {types} RRSIG NSEC"


def nsec3(
    name: str, types: str = "", *, before: int = 0, after: int = 1, flags: int = 0, iterations: int = 0
) -> tuple[str, str, str]:
    """An NSEC3 record from so many steps before the hash of the name to so many after it."""
    text = dns.dnssec.nsec3_hash(name, b"", iterations, "SHA1")
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
    number = int("".join(f"{alphabet.index(letter):05b}" for letter in text), 2)

    def hashed(value: int) -> str:
        return "".join(alphabet[(value >> shift) & 31] for shift in range(155, -1, -5))

    return (
        f"{hashed(number - before)}.example.org.",
        "NSEC3",
        f"1 {flags} {iterations} - {hashed(number + after)} {types}",
    )


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (nsec("child.example.org", "d.example.org", "NS"), Denied.INSECURE),
        (nsec("child.example.org", "d.example.org", "A TXT"), Denied.NO_CUT),
        (nsec("child.example.org", "d.example.org", "NS DS"), Denied.NOTHING),
        (nsec("child.example.org", "example.org", "NS SOA"), Denied.NOTHING),
        (nsec("a.example.org", "d.example.org", "A"), Denied.NO_CUT),
        (nsec("a.example.org", "b.example.org", "NS"), Denied.NOTHING),
        (nsec("b.example.org", "example.org", "A"), Denied.NO_CUT),
        (nsec("d.example.org", "example.org", "A"), Denied.NOTHING),
        (nsec3("child.example.org", "NS"), Denied.INSECURE),
        (nsec3("child.example.org", "A"), Denied.NO_CUT),
        (nsec3("child.example.org", "NS DS"), Denied.NOTHING),
        (nsec3("child.example.org", "NS", before=1), Denied.NO_CUT),
        (nsec3("child.example.org", "NS", before=1, flags=1), Denied.INSECURE),
        (nsec3("child.example.org", "NS", before=2, after=-1, flags=1), Denied.NOTHING),
        (nsec3("child.example.org", "NS", iterations=1000), Denied.NOTHING),
        (("child.example.org.", "SOA", "ns. hostmaster. 1 2 3 4 5"), Denied.NOTHING),
    ],
)
def test_what_one_record_proves(record: tuple[str, str, str], found: Denied) -> None:
    assert denied(ZONE, NAME, answer(record), good) is found


def test_a_record_without_a_good_signature_proves_nothing() -> None:
    record = nsec("child.example.org", "d.example.org", "NS")

    assert denied(ZONE, NAME, answer(record, signed=False), good) is Denied.NOTHING
    assert denied(ZONE, NAME, answer(record), lambda _signed: "bad") is Denied.NOTHING


def test_of_several_records_the_one_about_the_name_counts() -> None:
    records = [nsec("example.org", "a.example.org", "SOA NS"), nsec("child.example.org", "d.example.org", "NS")]

    assert denied(ZONE, NAME, answer(*records), good) is Denied.INSECURE


def test_another_zones_hashes_prove_nothing() -> None:
    owner, type_, data = nsec3("child.example.org", "NS")
    elsewhere = owner.replace("example.org", "sub.example.org")

    assert denied(ZONE, NAME, answer((elsewhere, type_, data)), good) is Denied.NOTHING
