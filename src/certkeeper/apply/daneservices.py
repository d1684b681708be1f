"""Which services DANE is about, as their clients find them: MX and SRV records, then addresses, each with its proof."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from certkeeper.apply.daneports import Resolved, SecureLookup
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.value import dataclass, replace
from certkeeper.dane.facts import Trust
from certkeeper.dane.owner import TlsaOwner, Transport
from certkeeper.service.endpoint import SERVICES, Endpoint, Protocol, is_address

SRV_SERVICES = (
    "xmpp-client",
    "xmpps-client",
    "xmpp-server",
    "xmpps-server",
    "submission",
    "submissions",
    "imap",
    "imaps",
    "pop3",
    "pop3s",
    "sieve",
)
"""The labels of SRV records (RFC 6186, RFC 8314, RFC 6120, XEP-0368, RFC 5804), which are words of ours, too."""
NO_MX = "no MX"
"""The kind of a domain that takes its mail itself, as it has no MX record."""
_SMTP = 25
_OF_ITS_NAME = {"xmpp-client", "xmpps-client", "xmpp-server", "xmpps-server"}
"""Their servers tell domains apart, and not hosts."""


@dataclass(frozen=True, slots=True)
class DaneService:
    """One port of one host, as clients of `domain` come to it.

    `host` is where they connect and, as a rule, the TLSA base domain (RFC 7672 §2.2.2). `lead` is what led to it, the
    MX or the SRV RRset; None where it was named directly. `addresses` and `secured` are what was found of the host;
    `alias` is where a CNAME of the host's leads, whose records count before its own. `expected`: somebody relies on
    records there.
    """

    domain: DnsName
    endpoint: Endpoint
    host: DnsName
    kind: str = ""
    lead: Resolved | None = None
    addresses: tuple[str, ...] = ()
    secured: Resolved = Resolved()
    alias: DnsName | None = None
    expected: bool = False

    @property
    def owners(self) -> tuple[DnsName, ...]:
        """Where its records may be, those that count before others first."""
        hosts = ([self.alias] if self.alias is not None and self.secured.trust is Trust.SECURE else []) + [self.host]
        return tuple(TlsaOwner(self.endpoint.port, Transport.TCP, host).name for host in hosts)

    @property
    def is_mail_exchanger(self) -> bool:
        return self.endpoint.port == _SMTP

    def endpoint_at(self, owner: DnsName, address: str) -> Endpoint:
        """Where to shake hands: mail servers and others are asked for the base domain, XMPP servers for the domain."""
        name = self.domain if self.endpoint.word in _OF_ITS_NAME else owner.parent.parent
        return replace(self.endpoint, name=name.text, host=address)

    def names(self, owner: DnsName) -> tuple[DnsName, ...]:
        """What the certificate may be for, where names count: the base domain, and the domain that led there."""
        base = owner.parent.parent
        secure = self.lead is None or self.lead.trust is Trust.SECURE
        return tuple(dict.fromkeys((base, self.domain) if secure else (base,)))


@dataclass(frozen=True, slots=True)
class Unfound:
    """A domain whose services could not be found out."""

    domain: DnsName
    kind: str
    said: Resolved


def of_domains(domains: Collection[DnsName], lookup: SecureLookup) -> tuple[list[DaneService], list[Unfound]]:
    """The mail exchangers and the services with SRV records of these domains.

    A domain without MX records takes its mail itself (RFC 5321 §5.1); RFC 7505 says how one takes none.
    """
    srv = {(domain, word): domain.child(f"_{word}._tcp") for domain in domains for word in SRV_SERVICES}
    asked = [(domain, "MX") for domain in domains] + [(name, "SRV") for name in srv.values()]
    found = lookup.resolve(asked)
    services: list[DaneService] = []
    lost: list[Unfound] = []
    for domain in domains:
        said = found[domain, "MX"]
        if said.trouble or said.trust is Trust.BOGUS:
            lost.append(Unfound(domain, "MX", said))
        else:
            services += _exchangers(domain, said)
        for word in SRV_SERVICES:
            said = found[srv[domain, word], "SRV"]
            if said.trouble or said.trust is Trust.BOGUS:
                lost.append(Unfound(domain, f"SRV {word}", said))
            else:
                services += _targets(domain, word, said)
    return services, lost


def of_endpoint(endpoint: Endpoint) -> DaneService | None:
    """A service that was named; None where its name is an address, or has one label, which no TLSA record is for."""
    if endpoint.by_address:
        return None
    name = DnsName.parse(endpoint.name)
    # Where the connection goes to an address, the records are still those of the name.
    host = DnsName.parse(endpoint.host) if endpoint.host and not is_address(endpoint.host) else name
    return DaneService(name, endpoint, host, expected=True) if len(host.labels) > 1 else None


def with_addresses(services: Sequence[DaneService], lookup: SecureLookup) -> list[DaneService]:
    """The same, with the addresses of their hosts; both families have to be proven (RFC 7672 §2.2.2)."""
    questions = [(service.host, type_) for service in services for type_ in ("A", "AAAA")]
    found = lookup.resolve(tuple(dict.fromkeys(questions)))
    return [_addressed(service, found) for service in services]


def _addressed(service: DaneService, found: Mapping[tuple[DnsName, str], Resolved]) -> DaneService:
    said = [found[service.host, type_] for type_ in ("A", "AAAA")]
    worst = next((one for one in said if one.trouble or one.trust is Trust.BOGUS), None)
    worst = worst or next((one for one in said if one.trust is not Trust.SECURE), said[0])
    addresses = tuple(dict.fromkeys(text for one in said for text in one.texts))
    alias = next((one.alias for one in said if one.alias is not None), None)
    if service.endpoint.host and service.endpoint.host != service.host.text:
        # The operator says where to connect.
        addresses = (service.endpoint.host,)
    return replace(service, addresses=addresses, secured=worst, alias=alias)


def _exchangers(domain: DnsName, said: Resolved) -> Iterator[DaneService]:
    hosts = list(_hosts(said, 1)) if said.texts else [(domain, ["0", domain.text])]
    for host, _ in hosts:
        endpoint = Endpoint(host.text, _SMTP, Protocol.SMTP, word="smtp")
        yield DaneService(domain, endpoint, host, "MX" if said.texts else NO_MX, said)


def _targets(domain: DnsName, word: str, said: Resolved) -> Iterator[DaneService]:
    service = SERVICES[word]
    for host, words in _hosts(said, 3):
        name = domain if word in _OF_ITS_NAME else host
        endpoint = Endpoint(name.text, int(words[2]), service.protocol, host.text, service.alpn, word)
        yield DaneService(domain, endpoint, host, "SRV", said)


def _hosts(said: Resolved, at: int) -> Iterable[tuple[DnsName, list[str]]]:
    """Hosts in the order of preference; a single dot is none (RFC 7505, RFC 2782)."""
    for words in sorted((text.split() for text in said.texts), key=lambda words: (int(words[0]), words)):
        try:
            host = DnsName.parse(words[at])
        except (InvalidName, IndexError):
            continue
        if len(host.labels) > 1:
            yield host, words
