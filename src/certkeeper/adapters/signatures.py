"""Are a server's signatures valid now (RFC 4035 §5.3)? Loaded only where a zone shows any."""

from collections.abc import Callable
from datetime import datetime

import dns.dnssec
import dns.exception
import dns.message
import dns.name
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
from cryptography.exceptions import InvalidSignature
from dns.dnssecalgs import get_algorithm_cls_from_dnskey
from dns.dnssecalgs.base import GenericPublicKey
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.RRSIG import RRSIG
from dns.rdtypes.dnskeybase import Flag

from certkeeper.adapters.dnsmessage import Plain, read_signature, wire_name
from certkeeper.adapters.dnsreading import Signed
from certkeeper.base.names import DnsName
from certkeeper.base.times import from_epoch, iso

_DIGESTS = {"1": "SHA1", "2": "SHA256", "4": "SHA384"}
_MOST_SIGNATURES = 4
"""Per RRset; more would be work that a stranger gives us."""
_MOST_KEYS = 8
_DNSSEC = 3
_MOST_FAILURES = 10
"""After so many the rest of an answer is taken to be as bad."""


class Keyring:
    """One server's DNSKEY set, and what it thinks of that server's signatures.

    The set has to be signed by one of its own keys, and where the parent has DS records, by one that they name.
    """

    def __init__(self, zone: DnsName, answer: dns.message.Message, ds: frozenset[str] | None, now: datetime) -> None:
        self._apex = dns.name.from_text(zone.absolute)
        self._now = now
        self._failures = 0
        rrset = answer.get_rrset(dns.message.ANSWER, self._apex, dns.rdataclass.IN, dns.rdatatype.DNSKEY)
        signatures = answer.get_rrset(
            dns.message.ANSWER, self._apex, dns.rdataclass.IN, dns.rdatatype.RRSIG, dns.rdatatype.DNSKEY
        )
        self._keys: dict[dns.name.Name, dns.rdataset.Rdataset] = {} if rrset is None else {self._apex: rrset}
        self._flaw = ""
        if rrset is None:
            self._flaw = "signed, without the zone's DNSKEY"
        elif signatures is None:
            self._flaw = "signed, with a DNSKEY that is not signed itself"
        else:
            entry = rrset if ds is None else _named_by(rrset, ds, self._apex)
            if not entry:
                self._flaw = "signed, with a DNSKEY that the parent's DS does not name"
            else:
                words = _verify(rrset, signatures, {self._apex: entry}, now)
                self._flaw = f"signed, and its DNSKEY {words}" if words else ""
        self._signer = wire_name(zone)
        self._ready = {} if rrset is None or self._flaw else _ready(rrset)

    @property
    def trouble(self) -> str:
        """Why none of its signatures counts; empty where they may."""
        return self._flaw

    def flaw(self, signed: Signed) -> str:
        """What is wrong with these signatures; empty where one of them holds."""
        if self._flaw or self._failures >= _MOST_FAILURES:
            return self._flaw or "with a signature like those that do not verify"
        if signed.plain is not None and self._holds(signed.owner, signed.plain):
            return ""
        rrset, signatures = signed.rrsets()
        if not rrset.name.is_subdomain(self._apex):
            return ""  # behind an alias: another zone's keys would be needed
        words = _verify(rrset, signatures, self._keys, self._now)
        self._failures += bool(words)
        return words

    def _holds(self, owner: DnsName, plain: Plain) -> bool:
        """Whether a signature holds, found out in half the time; what does not hold here is left to dnspython."""
        now = self._now.timestamp()
        for number in range(min(len(plain.signatures), _MOST_SIGNATURES)):
            made = read_signature(owner, plain, number)
            if made is None or made.signer != self._signer or not made.inception <= now <= made.expiration:
                continue
            for key in self._ready.get((made.algorithm, made.key_tag), ()):
                try:
                    key.verify(made.value, made.data)
                except (InvalidSignature, dns.exception.DNSException, ValueError):
                    continue
                return True
        return False


def _ready(rrset: dns.rrset.RRset) -> dict[tuple[int, int], list[GenericPublicKey]]:
    """Keys that may sign records (RFC 4034 §2.1), by algorithm and tag, ready for use."""
    ready: dict[tuple[int, int], list[GenericPublicKey]] = {}
    for key in [item for item in rrset if isinstance(item, DNSKEY)][:_MOST_KEYS]:
        if key.flags & (Flag.ZONE | Flag.REVOKE) == Flag.ZONE and key.protocol == _DNSSEC:
            try:
                made = get_algorithm_cls_from_dnskey(key).public_cls.from_dnskey(key)
            except (dns.exception.DNSException, ValueError):
                continue
            ready.setdefault((key.algorithm, dns.dnssec.key_id(key)), []).append(made)
    return ready


def _named_by(rrset: dns.rrset.RRset, ds: frozenset[str], apex: dns.name.Name) -> dns.rdataset.Rdataset | None:
    """The keys that DS records name; all of them where no digest is known to us."""
    known = [text.split() for text in ds if len(text.split()) >= 4 and text.split()[2] in _DIGESTS]
    if not known:
        return rrset
    named = dns.rdataset.Rdataset(rrset.rdclass, rrset.rdtype, ttl=rrset.ttl)
    for key in rrset:
        if not isinstance(key, DNSKEY):
            continue
        for words in known:
            if int(words[0]) != dns.dnssec.key_id(key):
                continue
            made = dns.dnssec.make_ds(apex, key, _DIGESTS[words[2]], policy=dns.dnssec.allow_all_policy)
            if made.digest.hex() == "".join(words[3:]).lower():
                named.add(key)
    return named or None


def _verify(
    rrset: dns.rrset.RRset,
    signatures: dns.rrset.RRset,
    keys: dict[dns.name.Name, dns.rdataset.Rdataset],
    now: datetime,
) -> str:
    """Empty where one signature holds, or where none is of a kind that we can judge; else the best one's words."""
    troubles = []
    for signature in [item for item in signatures if isinstance(item, RRSIG)][:_MOST_SIGNATURES]:
        if signature.expiration < now.timestamp():
            troubles.append(f"with a signature that expired {iso(from_epoch(signature.expiration))}")
        elif signature.inception > now.timestamp():
            troubles.append(f"with a signature that is not valid before {iso(from_epoch(signature.inception))}")
        else:
            try:
                _validate(rrset, signature, keys, now.timestamp())
            except dns.exception.ValidationFailure:
                troubles.append("with a signature that does not verify")
            except dns.exception.DNSException:
                return ""  # an algorithm that we do not know: to a validator, the zone is insecure (RFC 4035 §5.2)
            else:
                return ""
    return troubles[0] if troubles else "without a signature"


def _validate(
    rrset: dns.rrset.RRset, signature: RRSIG, keys: dict[dns.name.Name, dns.rdataset.Rdataset], now: float
) -> None:
    validate: Callable[..., None] = dns.dnssec.validate_rrsig
    validate(rrset, signature, keys, None, now, dns.dnssec.allow_all_policy)
