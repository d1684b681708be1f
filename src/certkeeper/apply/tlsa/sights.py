"""What services show: handshakes at every address of every host that TLSA records are about."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

from certkeeper.apply.daneports import SecureLookup
from certkeeper.apply.daneservices import DaneService, of_endpoint, with_addresses
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.dane.der import NotDer
from certkeeper.dane.face import chain_face
from certkeeper.dane.facts import Sight
from certkeeper.dane.owner import TlsaOwner, Transport
from certkeeper.dane.tlsa import Tlsa
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.handshake import Contact, Handshake, KeyFamily, Look

Probe: TypeAlias = Callable[[Sequence[Contact]], Sequence[Look]]
_FAMILIES = (KeyFamily.ANY, KeyFamily.RSA, KeyFamily.ECDSA)


def contacts_at(service: DaneService, owner: DnsName) -> Iterator[Contact]:
    """Every address, as any client and for each key algorithm."""
    for address in service.addresses:
        for family in _FAMILIES:
            yield Contact(service.endpoint_at(owner, address), family)


def contacts_of(owners: Collection[DnsName], lookup: SecureLookup) -> Iterator[Contact]:
    """The same for owners that no page names any more, and that still lead to somebody's records."""
    services = []
    for name in owners:
        try:
            owner = TlsaOwner.parse(name.text)
        except CertkeeperError:
            continue
        found = of_endpoint(parse_endpoint(f"{owner.host}:{owner.port}")) if owner.protocol is Transport.TCP else None
        if found is not None:
            services.append(found)
    for service in with_addresses(services, lookup) if services else ():
        # Nobody connects to a host without an address.
        yield from contacts_at(service, TlsaOwner(service.endpoint.port, Transport.TCP, service.host).name)


def shown(contacts: Sequence[Contact], hidden: Collection[str], probe: Probe) -> Iterator[Sight]:
    """What was seen; `hidden` are hosts that nobody can look at."""
    for look in probe(contacts) if contacts else ():
        where = f"{look.target.endpoint}" + (
            f" ({look.target.family.value})" if look.target.family is not KeyFamily.ANY else ""
        )
        if isinstance(look, Handshake):
            yield Sight(where, _matches(look.chain))
        elif look.target.family is KeyFamily.ANY:
            # Of two families a server may well have one.
            yield Sight(where, None)
    yield from (Sight(host, None) for host in hidden)


def _matches(chain: Sequence[bytes]) -> frozenset[Tlsa] | None:
    try:
        return chain_face(chain, ()).matches
    except NotDer:
        return None
