"""How each name of a certificate is proven: the first of its methods that can."""

from collections.abc import Iterable, Mapping

from certkeeper.base.names import DnsName, Identifier, IdentifierType
from certkeeper.config.methods import ChallengeType
from certkeeper.config.providers import provider_for
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.plan.actions import Prove, Serve
from certkeeper.plan.observed import Observed, Place
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.zone.rrset import Zone


def challenge_name(identifier: Identifier) -> DnsName:
    """Where its dns-01 value goes; a name and its wildcard share one (RFC 8555 §8.4)."""
    return identifier.domain.child(CHALLENGE_LABEL)


def names_of(spec: CertSpec) -> tuple[DnsName, ...]:
    """The challenge names of the lineage's names, each once, however these are proven."""
    return tuple(dict.fromkeys(challenge_name(item) for item in spec.identifiers if item.type is IdentifierType.DNS))


def owners_of(spec: CertSpec) -> tuple[DnsName, ...]:
    """The challenge names of those that may be proven through DNS, each once."""
    return tuple(
        dict.fromkeys(
            challenge_name(item)
            for item in spec.identifiers
            if any(method.through_dns for method in spec.methods.of(item))
        )
    )


def owners_needed(spec: CertSpec) -> tuple[DnsName, ...]:
    """The challenge names of those that nothing but DNS can prove."""
    return tuple(
        dict.fromkeys(
            challenge_name(item)
            for item in spec.identifiers
            if all(method.through_dns for method in spec.methods.of(item))
        )
    )


def proven(
    spec: CertSpec, settings: Settings, observed: Observed
) -> tuple[dict[Identifier, ChallengeType], dict[DnsName, Place | None]]:
    """The method of each name, and where the values of those go that are proven through DNS."""
    places = _places(spec, settings, observed)
    methods = _methods(spec, settings, observed, places)
    used = {challenge_name(identifier) for identifier, method in methods.items() if method.through_dns}
    return methods, {owner: place for owner, place in places.items() if owner in used}


def _places(spec: CertSpec, settings: Settings, observed: Observed) -> dict[DnsName, Place | None]:
    """Where the value of each challenge name goes; None where no provider has it, or nobody was asked yet."""
    places: dict[DnsName, Place | None] = {}
    for owner in owners_of(spec):
        provider = provider_for(settings, owner, spec.provider)
        zones = (observed.zones or {}).get(provider) if isinstance(provider, str) else None
        places[owner] = zones.places.get(owner) if zones is not None else None
    return places


def _methods(
    spec: CertSpec, settings: Settings, observed: Observed, places: Mapping[DnsName, Place | None]
) -> dict[Identifier, ChallengeType]:
    """The method of each name. One through DNS gives way to the next where its provider is sure to have no zone.

    Names that nothing can prove are left out.
    """
    chosen: dict[Identifier, ChallengeType] = {}
    for identifier in spec.identifiers:
        order = spec.methods.of(identifier)
        homeless = any(method.through_dns for method in order) and _homeless(
            spec, settings, observed, places, challenge_name(identifier)
        )
        able = [method for method in order if not (method.through_dns and homeless)] or order
        if able:
            chosen[identifier] = able[0]
    return chosen


def proofs(places: Mapping[DnsName, Place | None]) -> Iterable[Prove]:
    """One per zone."""
    grouped: dict[Zone, dict[DnsName, DnsName]] = {}
    for owner, place in places.items():
        if place is not None:
            grouped.setdefault(place.zone, {})[owner] = place.owner
    for zone, owners in grouped.items():
        aliases = tuple((owner, written) for owner, written in owners.items() if owner != written)
        yield Prove(zone, tuple(dict.fromkeys(owners.values())), aliases)


def serves(spec: CertSpec, settings: Settings, methods: Mapping[Identifier, ChallengeType]) -> Iterable[Serve]:
    """One per method that is not through DNS: by our own listener, where the page says so, else by files."""
    for method in dict.fromkeys(methods.values()):
        mine = tuple(identifier for identifier, used in methods.items() if used is method)
        match method:
            case ChallengeType.HTTP_01:
                yield Serve(method, mine, spec.wellknown, settings.http_listen)
            case ChallengeType.TLS_ALPN_01:
                yield Serve(method, mine, settings.alpn_certdir, settings.tls_alpn_listen)


def _homeless(
    spec: CertSpec, settings: Settings, observed: Observed, places: Mapping[DnsName, Place | None], owner: DnsName
) -> bool:
    """Whether the provider said that it has no zone for it. One that could not be asked, or failed, said nothing."""
    provider = provider_for(settings, owner, spec.provider)
    if observed.zones is None or not isinstance(provider, str):
        return False
    zones = observed.zones.get(provider)
    if zones is None or zones.trouble is not None or owner in zones.errors:
        return False
    return places.get(owner) is None
