"""Trust anchors: a file with DS or DNSKEY records, such as Debian's /usr/share/dns/root.key or unbound's root.key."""

import dns.dnssec
import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS
from dns.rdtypes.dnskeybase import Flag

from certkeeper.adapters.files import FileMissing, read_file
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.names import DnsName, InvalidName

_HINT = "write DS or DNSKEY records, one in a line, as in /usr/share/dns/root.key (package dns-root-data)"
_KINDS = {"DS": dns.rdatatype.DS, "DNSKEY": dns.rdatatype.DNSKEY}

Anchors = dict[DnsName, frozenset[str]]
"""DS records by zone, as text."""


class BadAnchors(CertkeeperError):
    """A file that holds no trust anchors."""

    label = "configuration"
    fault = Fault.OPERATOR


def read_anchors(path: str) -> Anchors:
    """The anchors of a file. Comments, classes, TTLs and unbound's remarks are passed over.

    Raises:
        CertkeeperError: it cannot be read, or a line is no such record.
    """
    try:
        text = read_file(path).decode("utf-8", "replace")
    except FileMissing as error:
        raise BadAnchors(f"TRUST_ANCHOR: {path} is not there", hint=_HINT) from error
    found: dict[DnsName, set[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition(";")[0].partition("#")[0].split()
        if words:
            zone, ds = _record(words, f"{path}:{number}")
            found.setdefault(zone, set()).update(ds)
    anchors = {zone: frozenset(ds) for zone, ds in found.items() if ds}
    if not anchors:
        raise BadAnchors(f"TRUST_ANCHOR: {path} holds no trust anchor", hint=_HINT)
    return anchors


def _record(words: list[str], where: str) -> tuple[DnsName, set[str]]:
    at = next((index for index, word in enumerate(words) if word.upper() in _KINDS), 0)
    if not at:
        raise BadAnchors(f"{where}: neither a DS nor a DNSKEY record", hint=_HINT)
    try:
        zone = DnsName.parse(words[0])
        rdata = dns.rdata.from_text(dns.rdataclass.IN, _KINDS[words[at].upper()], " ".join(words[at + 1 :]))
        return zone, _ds(zone, rdata)
    except (dns.exception.DNSException, InvalidName, ValueError) as error:
        raise BadAnchors(f"{where}: {printable(str(error) or 'cannot be read', 120)}", hint=_HINT) from error


def _ds(zone: DnsName, rdata: dns.rdata.Rdata) -> set[str]:
    """None for a key that was revoked (RFC 5011 §2.1)."""
    if isinstance(rdata, DS):
        return {rdata.to_text()}
    if not isinstance(rdata, DNSKEY) or rdata.flags & Flag.REVOKE:
        return set()
    made = dns.dnssec.make_ds(dns.name.from_text(zone.absolute), rdata, "SHA256", policy=dns.dnssec.allow_all_policy)
    return {made.to_text()}
