"""What DANE needs to see of the world, as ports: TLSA records where everybody looks for them, and services by name."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import dataclass, field, replace
from certkeeper.dane.facts import Answer, Trust
from certkeeper.lineage.model import Lineage
from certkeeper.zone.behind import ServedSoa


@dataclass(frozen=True, slots=True)
class TlsaLook:
    """What was seen of one owner. `place` is where its CNAMEs end, the owner itself where it has none.

    `answers` has one for every address of every name server of the place's zone, `soas` one for each of them that
    showed its SOA record. `trust` is about the RRset, or about its absence, at the owner: CNAMEs on the way count.
    `ttls` are the other times, in seconds, for which caches keep what they know here: CNAMEs' and the negative TTL.
    `trouble` is why nothing could be seen, empty otherwise; `flaw` why validation failed, empty where it did not.
    `troubles` are servers whose answer does not count, with the reason.
    """

    owner: DnsName
    place: DnsName
    zone: DnsName | None = None
    answers: tuple[Answer, ...] = ()
    trust: Trust = Trust.UNPROVEN
    ttls: tuple[int, ...] = ()
    soas: tuple[ServedSoa, ...] = ()
    trouble: str = ""
    flaw: str = ""
    troubles: Mapping[str, str] = field(default_factory=dict)

    def with_frozen(self, servers: Collection[str]) -> "TlsaLook":
        """The same, knowing which servers are frozen (zone/behind.py)."""
        answers = tuple(replace(item, frozen=True) if item.server in servers else item for item in self.answers)
        return replace(self, answers=answers)


class TlsaLookup(Protocol):
    """A look at TLSA records: at every authoritative address first, then by whoever validates."""

    def look(self, owners: Collection[DnsName], now: datetime) -> Mapping[DnsName, TlsaLook]:
        """One look for each owner; bounded in time, raises nothing. `now` is what signatures are compared with."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a recursive resolver says of a name: the records as text, and whether DNSSEC proves them, or their absence.

    `alias` is where CNAMEs led, None where there were none. `trouble` is why nothing is known.
    """

    texts: tuple[str, ...] = ()
    trust: Trust = Trust.UNPROVEN
    flaw: str = ""
    alias: DnsName | None = None
    trouble: str = ""


class SecureLookup(Protocol):
    """What clients of services find out before they look for TLSA records."""

    def resolve(self, questions: Collection[tuple[DnsName, str]]) -> Mapping[tuple[DnsName, str], Resolved]:
        """Each name with a type, such as MX or AAAA. Raises nothing."""


class ServiceLookup(Protocol):
    """Where DNS says that services are. None where nobody could be asked, nothing where there is none."""

    def mail_exchangers(self, domains: Collection[DnsName]) -> Mapping[DnsName, tuple[DnsName, ...] | None]:
        """MX hosts, the preferred first; nothing where a domain takes no mail (RFC 7505) or has no MX record."""

    def services(self, names: Collection[DnsName]) -> Mapping[DnsName, tuple[tuple[DnsName, int], ...] | None]:
        """Targets and ports of SRV records at names such as `_xmpp-client._tcp.example.org`, the preferred first."""


@dataclass(frozen=True, slots=True)
class Material:
    """What records are made of: the live chain in DER, the leaf first, and the next key's SubjectPublicKeyInfo."""

    chain: tuple[bytes, ...]
    next_key: bytes | None = None


class Materials(Protocol):
    """Certificates and keys on disk. No private key is given out."""

    def of(self, alias: Alias, lineage: Lineage) -> Material | None:
        """None where nothing is live. Raises CertkeeperError or ValueError where it cannot be read."""

    def key_ids(self, alias: Alias) -> frozenset[str]:
        """Those of all versions that are there; nothing where they cannot be listed."""

    def issuers(self, paths: Collection[str]) -> tuple[bytes, ...]:
        """The certificates of CAs in these files, in DER. Raises CertkeeperError where one is none."""

    def version(self, alias: Alias, stamp: int) -> tuple[bytes, ...] | None:
        """The chain of a version; None where it is not there, or not whole."""


class VersionGate(Protocol):
    """Whether a version may go live, whatever DNS caches hold."""

    def check(self, alias: Alias, stamp: int) -> None:
        """Raises CertkeeperError with the reason, and the time where it is known."""
