"""Which services a certificate is behind, where TLSA records are about them: named ones, its targets', MX and SRV."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from certkeeper.apply.daneports import SecureLookup
from certkeeper.apply.daneservices import NO_MX, DaneService, of_domains, of_endpoint, with_addresses
from certkeeper.base.names import Alias, DnsName, Identifier, IdentifierType
from certkeeper.base.value import replace
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.dane.owner import TlsaOwner, Transport
from certkeeper.dane.policy import Use, use_of
from certkeeper.plan.showing import wishes
from certkeeper.service.endpoint import parse_endpoint


def services_of(
    specs: Collection[CertSpec], settings: Settings, lookup: SecureLookup
) -> Mapping[Alias, tuple[DaneService, ...]]:
    """The services of each certificate whose page wants TLSA records, with the addresses of their hosts.

    What MX and SRV records lead to counts where the certificate is for it; whether the service really shows it is seen
    before anything is published.
    """
    derived = [spec for spec in specs if spec.tlsa is not None and spec.tlsa.derived]
    domains = dict.fromkeys(domain for spec in derived for domain in _domains(spec))
    # Where there is no MX record, hosts with certificates would all be taken for mail servers.
    found = [item for item in of_domains(tuple(domains), lookup)[0] if item.kind != NO_MX] if domains else []
    services: dict[Alias, list[DaneService]] = {}
    for spec in specs:
        own = [*_named(spec)]
        if spec in derived:
            own += [*_of_targets(spec, settings), *(item for item in found if _is_for(spec.identifiers, item))]
        services[spec.alias] = own
    everything = tuple(dict.fromkeys(item for own in services.values() for item in own))
    addressed = dict(zip(everything, with_addresses(everything, lookup), strict=True))
    return {alias: tuple(_once(addressed[item] for item in own)) for alias, own in services.items()}


def owner_of(service: DaneService) -> TlsaOwner:
    """Where its records are published: at the host's own name, which is in a zone of the operator's."""
    return TlsaOwner(service.endpoint.port, Transport.TCP, service.host)


def _named(spec: CertSpec) -> Iterator[DaneService]:
    for owner in spec.tlsa.owners if spec.tlsa is not None else ():
        endpoint = parse_endpoint(f"{owner.host}:{owner.port}")
        if use_of(owner.port) is Use.XMPP:
            # Its servers tell domains apart, and not hosts.
            domains = [name for name in _domains(spec) if owner.host.is_within(name) and _is_named(spec, name)]
            endpoint = replace(endpoint, name=(domains or [owner.host])[-1].text, host=owner.host.text)
        service = of_endpoint(endpoint)
        if service is not None:
            yield service


def _of_targets(spec: CertSpec, settings: Settings) -> Iterator[DaneService]:
    for name in spec.targets:
        for wish in wishes(spec, settings.targets[name]):
            service = of_endpoint(wish.endpoint)
            if service is not None:
                yield service


def _domains(spec: CertSpec) -> Iterator[DnsName]:
    """The names, and those above them: a mail server's certificate is for mail.example.org, and example.org has the MX
    record.
    """
    for item in spec.identifiers:
        if item.type is IdentifierType.DNS:
            name = DnsName.parse(item.value.removeprefix("*."))
            while len(name.labels) > 1:
                yield name
                name = name.parent


def _is_named(spec: CertSpec, name: DnsName) -> bool:
    return any(item.value == name.text for item in spec.identifiers)


def _is_for(identifiers: Sequence[Identifier], service: DaneService) -> bool:
    """XMPP servers have to show a certificate for the domain, all others one for the host."""
    name = DnsName.parse(service.endpoint.name)
    return any(
        item.type is IdentifierType.DNS
        and (item.value == name.text or (item.value.startswith("*.") and name.parent.text == item.value[2:]))
        for item in identifiers
    )


def _once(services: Iterable[DaneService]) -> Iterator[DaneService]:
    """One for each port of a host and name that is asked for there: MX, SRV and a target may mean the same."""
    seen = set()
    for service in services:
        key = (service.host, service.endpoint.port, service.endpoint.name, service.addresses)
        if key not in seen:
            seen.add(key)
            yield service
