"""DNS as DANE sees it, in memory."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from certkeeper.apply.daneports import Resolved, TlsaLook
from certkeeper.base.names import DnsName
from certkeeper.dane.facts import Answer, Trust
from certkeeper.dane.tlsa import Tlsa
from certkeeper.zone.behind import ServedSoa

SERVERS = ("ns1.test (192.0.2.1)", "ns2.test (192.0.2.2)")


def tlsa_look(
    owner: DnsName,
    records: Iterable[Tlsa] = (),
    *,
    trust: Trust = Trust.SECURE,
    ttl: int = 3600,
    signed_until: datetime | None = None,
    place: DnsName | None = None,
    servers: Collection[str] = SERVERS,
) -> TlsaLook:
    """Every server serves the same."""
    served = frozenset(records)
    return TlsaLook(
        owner,
        place or owner,
        (place or owner).parent,
        tuple(Answer(server, served, ttl if served else 0, signed_until if served else None) for server in servers),
        trust,
        (3600,),
        tuple(ServedSoa(server, 1, 10800, 3600) for server in servers),
    )


@dataclass(slots=True)
class FakeTlsaLookup:
    """Implements the port TlsaLookup: `looks` are what is there; an owner without one has no records anywhere.

    `asked` are the owners of each call.
    """

    looks: dict[DnsName, TlsaLook] = field(default_factory=dict)
    asked: list[tuple[DnsName, ...]] = field(default_factory=list)

    def look(self, owners: Collection[DnsName], now: datetime) -> Mapping[DnsName, TlsaLook]:
        assert now.tzinfo is not None
        self.asked.append(tuple(owners))
        return {owner: self.looks.get(owner) or tlsa_look(owner) for owner in owners}


@dataclass(slots=True)
class FakeServiceLookup:
    """Implements the port ServiceLookup: what is not named here is not there; None where nobody answers."""

    exchangers: dict[DnsName, tuple[DnsName, ...] | None] = field(default_factory=dict)
    targets: dict[DnsName, tuple[tuple[DnsName, int], ...] | None] = field(default_factory=dict)

    def mail_exchangers(self, domains: Collection[DnsName]) -> Mapping[DnsName, tuple[DnsName, ...] | None]:
        return {domain: self.exchangers.get(domain, ()) for domain in domains}

    def services(self, names: Collection[DnsName]) -> Mapping[DnsName, tuple[tuple[DnsName, int], ...] | None]:
        return {name: self.targets.get(name, ()) for name in names}


@dataclass(slots=True)
class FakeSecureLookup:
    """Implements the port SecureLookup: what is not named here is proven not to be there."""

    said: dict[tuple[DnsName, str], Resolved] = field(default_factory=dict)

    def put(self, name: str, kind: str, *texts: str, trust: Trust = Trust.SECURE, flaw: str = "") -> None:
        self.said[DnsName(name), kind] = Resolved(texts, trust, flaw)

    def resolve(self, questions: Collection[tuple[DnsName, str]]) -> Mapping[tuple[DnsName, str], Resolved]:
        return {question: self.said.get(question, Resolved(trust=Trust.SECURE)) for question in questions}
