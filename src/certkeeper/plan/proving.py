"""How each name of a certificate is proven: the first of its methods that can."""

from collections.abc import Iterable, Mapping

from certkeeper.acme.accountlabel import dns_account01_owner
from certkeeper.acme.persist import Ability, persist_owner
from certkeeper.base.names import DnsName, Identifier, IdentifierType
from certkeeper.config.methods import ChallengeType
from certkeeper.config.providers import provider_for
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.plan.actions import Prove, Rely, Serve
from certkeeper.plan.observed import Observed, Outlook, Place
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.plan.standing import reliance, standing_verdict
from certkeeper.zone.rrset import Zone


def challenge_name(identifier: Identifier) -> DnsName:
    """Where its dns-01 value goes; a name and its wildcard share one (RFC 8555 §8.4)."""
    return identifier.domain.child(CHALLENGE_LABEL)


def names_of(spec: CertSpec) -> tuple[DnsName, ...]:
    """The challenge names of the lineage's names, each once, however these are proven."""
    return tuple(dict.fromkeys(challenge_name(item) for item in spec.identifiers if item.type is IdentifierType.DNS))


def owner_of(identifier: Identifier, method: ChallengeType, account: str) -> DnsName:
    """Where the CA looks for the value of a method that publishes one.

    Until there is an account, nobody knows its label; the zone is found without it as well.
    """
    if method is ChallengeType.DNS_ACCOUNT_01 and account:
        return dns_account01_owner(identifier.domain, account)
    return challenge_name(identifier)


def owners_of(spec: CertSpec, account: str = "") -> tuple[DnsName, ...]:
    """Where values may be published for the lineage's names, each once."""
    return tuple(
        dict.fromkeys(
            owner_of(item, method, account)
            for item in spec.identifiers
            for method in spec.methods.of(item)
            if method.published
        )
    )


def owners_needed(spec: CertSpec) -> tuple[DnsName, ...]:
    """The challenge names of those that nothing but published records can prove."""
    return tuple(
        dict.fromkeys(
            challenge_name(item)
            for item in spec.identifiers
            if all(method.published for method in spec.methods.of(item))
        )
    )


def standing_owners(spec: CertSpec) -> tuple[DnsName, ...]:
    """Where records may stand that prove the lineage's names, each once."""
    return tuple(
        dict.fromkeys(
            persist_owner(item.domain)
            for item in spec.identifiers
            if ChallengeType.DNS_PERSIST_01 in spec.methods.of(item)
        )
    )


def standing_places(specs: Iterable[CertSpec], settings: Settings, observed: Observed) -> dict[DnsName, Place | None]:
    """The owner names of the records that may stand for these certificates, with what their providers said of them."""
    places: dict[DnsName, Place | None] = {}
    for spec in specs:
        for owner in standing_owners(spec):
            provider = provider_for(settings, owner, spec.provider)
            zones = (observed.zones or {}).get(provider) if isinstance(provider, str) else None
            places[owner] = zones.places.get(owner) if zones is not None else None
    return places


def needs_account(spec: CertSpec) -> bool:
    """Whether it is only known with the account's URL how the names can be proven."""
    bound = {ChallengeType.DNS_ACCOUNT_01, ChallengeType.DNS_PERSIST_01}
    return any(method in bound for item in spec.identifiers for method in spec.methods.of(item))


def proven(
    spec: CertSpec, settings: Settings, observed: Observed
) -> tuple[dict[Identifier, ChallengeType], dict[DnsName, Place | None]]:
    """The method of each name, and where the values go that are published."""
    seen = observed.at(spec.ca)
    places = _places(spec, settings, seen)
    methods = _methods(spec, settings, seen, places)
    used = {owner_of(identifier, method, seen.account) for identifier, method in methods.items() if method.published}
    return methods, {owner: place for owner, place in places.items() if owner in used}


def _places(spec: CertSpec, settings: Settings, seen: Outlook) -> dict[DnsName, Place | None]:
    """Where the value of each challenge name goes; None where no provider has it, or nobody was asked yet."""
    places: dict[DnsName, Place | None] = {}
    for owner in owners_of(spec, seen.account):
        provider = provider_for(settings, owner, spec.provider)
        zones = (seen.zones or {}).get(provider) if isinstance(provider, str) else None
        places[owner] = zones.places.get(owner) if zones is not None else None
    return places


def _methods(
    spec: CertSpec, settings: Settings, seen: Outlook, places: Mapping[DnsName, Place | None]
) -> dict[Identifier, ChallengeType]:
    """The method of each name: the first that is not sure to fail, else the first.

    One that publishes gives way where the provider is sure to have no zone, one by a standing record where there is
    no such record. Names that nothing can prove are left out.
    """
    chosen: dict[Identifier, ChallengeType] = {}
    for identifier in spec.identifiers:
        order = spec.methods.of(identifier)
        able = [method for method in order if _may_prove(identifier, method, spec, settings, seen, places)]
        if order:
            chosen[identifier] = (able or order)[0]
    return chosen


def _may_prove(
    identifier: Identifier,
    method: ChallengeType,
    spec: CertSpec,
    settings: Settings,
    seen: Outlook,
    places: Mapping[DnsName, Place | None],
) -> bool:
    if method is ChallengeType.DNS_PERSIST_01:
        return seen.standing is None or standing_verdict(identifier, seen).ability is Ability.ALLOWS
    owner = owner_of(identifier, method, seen.account)
    return not (method.published and _homeless(spec, settings, seen, places, owner))


def ways(
    spec: CertSpec,
    settings: Settings,
    observed: Observed,
    methods: Mapping[Identifier, ChallengeType],
    places: Mapping[DnsName, Place | None],
) -> Iterable[Prove | Rely | Serve]:
    """What a run does to prove the names."""
    yield from proofs(places)
    yield from reliance(methods, observed.at(spec.ca))
    yield from serves(spec, settings, methods)


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
    spec: CertSpec, settings: Settings, seen: Outlook, places: Mapping[DnsName, Place | None], owner: DnsName
) -> bool:
    """Whether the provider said that it has no zone for it. One that could not be asked, or failed, said nothing."""
    provider = provider_for(settings, owner, spec.provider)
    if seen.zones is None or not isinstance(provider, str):
        return False
    zones = seen.zones.get(provider)
    if zones is None or zones.trouble is not None or owner in zones.errors:
        return False
    return places.get(owner) is None
