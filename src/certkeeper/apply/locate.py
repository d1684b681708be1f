"""Where challenge values are written: each name's zone, and where a CNAME at the name leads.

A challenge name may be an alias of one in another zone, at another provider (RFC 8555 §8.4 has the CA follow it). The
provider that holds the name tells so; for names that none of ours holds, their zone's own servers are asked.
Delegation by NS needs nothing of that: the zone that holds the name is found as any other one.
"""

from collections.abc import Collection, Mapping

from certkeeper.apply.ports import Dns, Nameservers
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.value import dataclass, field, replace
from certkeeper.config.findings import zone_meant
from certkeeper.config.providers import provider_for
from certkeeper.config.settings import Settings
from certkeeper.plan.observed import Place, Wanted, Zones
from certkeeper.zone.apex import Cut, ZoneError, ZonesUnknown
from certkeeper.zone.rrset import Zone

LONGEST_CHAIN = 8
"""CNAMEs in a row; what resolvers follow differs, and nobody needs more."""


@dataclass(slots=True)
class _Walk:
    """On the way from a challenge name to where its value is written. `at` is looked for at `provider`.

    `begun` is where PDNS_SUFFIX has the way begin.
    """

    asked: str
    owner: DnsName
    provider: str
    at: DnsName
    trail: list[DnsName] = field(default_factory=list)
    zone: Zone | None = None
    begun: DnsName | None = None
    error: CertkeeperError | None = None


@dataclass(slots=True)
class _Answers:
    """What was heard so far; nothing is asked twice."""

    zones: dict[tuple[str, DnsName], Zone | None] = field(default_factory=dict)
    troubles: dict[str, CertkeeperError] = field(default_factory=dict)
    errors: dict[tuple[str, DnsName], CertkeeperError] = field(default_factory=dict)


def locate(
    wanted: Mapping[str, Wanted], settings: Settings, providers: Mapping[str, Dns], nameservers: Nameservers
) -> dict[str, Zones]:
    """Ask each provider for what is wanted of it. An error of one name, or of one provider, is in what it returns."""
    answers = _Answers()
    for provider, what in wanted.items():
        _ask_zones(provider, (*what.zones, *_first(what, provider, settings)), providers, answers)
    walks = [_begin(provider, owner, settings) for provider, what in wanted.items() for owner in what.owners]
    going = [walk for walk in walks if walk.error is None]
    while going:
        going = _step(going, settings, providers, nameservers, answers)
    _look_at_suffixes(walks, nameservers)
    return {
        provider: Zones(
            provider=_called(provider, providers),
            places={walk.owner: Place(walk.zone, walk.at) for walk in _of(provider, walks) if walk.zone is not None},
            by_name={name: zone for name in what.zones if (zone := answers.zones.get((provider, name))) is not None},
            errors={walk.owner: walk.error for walk in _of(provider, walks) if walk.error is not None},
            trouble=answers.troubles.get(provider),
        )
        for provider, what in wanted.items()
    }


def _of(provider: str, walks: Collection[_Walk]) -> list[_Walk]:
    return [walk for walk in walks if walk.asked == provider]


def _first(what: Wanted, provider: str, settings: Settings) -> list[DnsName]:
    return [walk.at for owner in what.owners if (walk := _begin(provider, owner, settings)).error is None]


def _begin(provider: str, owner: DnsName, settings: Settings) -> _Walk:
    known = settings.provider(provider)
    if known is None or known.suffix is None:
        return _Walk(provider, owner, provider, owner)
    try:
        at = DnsName.parse(f"{owner}.{known.suffix}")
        return _Walk(provider, owner, provider, at, begun=at)
    except InvalidName as error:
        return _Walk(provider, owner, provider, owner, error=ZoneError(f"PDNS_SUFFIX: {error}"))


def _step(
    walks: list[_Walk],
    settings: Settings,
    providers: Mapping[str, Dns],
    nameservers: Nameservers,
    answers: _Answers,
) -> list[_Walk]:
    """One CNAME further; the walks that are not at their end."""
    for provider in dict.fromkeys(walk.provider for walk in walks):
        _ask_zones(provider, [walk.at for walk in walks if walk.provider == provider], providers, answers)
    for walk in walks:
        trouble = answers.troubles.get(walk.provider)
        walk.error = trouble if trouble is not None and walk.provider != walk.asked else None
        walk.error = walk.error or answers.errors.get((walk.provider, walk.at))
        walk.zone = answers.zones.get((walk.provider, walk.at))
    going = [walk for walk in walks if walk.provider not in answers.troubles and walk.error is None]
    aliases = _aliases(going, providers, nameservers, answers)
    further = []
    for walk in going:
        target = aliases.get((walk.provider, walk.at))
        if isinstance(target, Cut):
            walk.error = _delegated(walk, target)
            walk.zone = None
        elif target is not None and _follow(walk, target, settings):
            further.append(walk)
        elif target is None and walk.zone is None and walk.trail:
            walk.error = _homeless(walk, _called(walk.provider, providers), answers)
    return further


def _homeless(walk: _Walk, provider: str, answers: _Answers) -> ZoneError:
    """A CNAME that leads to no zone of ours; its target may be misspelled."""
    zones = {zone.name.text for zone in answers.zones.values() if zone is not None}
    meant = zone_meant(walk.at.text, zones)
    return ZoneError(
        f"{walk.owner} is delegated by CNAME to {walk.at}, which no zone at {provider} holds",
        hint=f"did you mean {meant}? correct the CNAME at {walk.trail[-1]}, or create the zone there"
        if meant
        else "create the zone there, or name its provider in a file of ZONES_D",
    )


def _delegated(walk: _Walk, cut: Cut) -> ZoneError:
    inside = walk.zone.name if walk.zone is not None else cut.at.parent
    servers = ", ".join(server.removesuffix(".") for server in cut.servers)
    subject = f"{walk.at}: " if walk.at != cut.at else ""
    return ZoneError(
        f"{subject}zone {inside} delegates {cut.at} to {servers}, so what is written there is not served",
        hint=f"if one of your servers holds {cut.at}, name it in a file of ZONES_D that is called {cut.at}; "
        f"else remove these NS records from {inside}",
    )


def _look_at_suffixes(walks: Collection[_Walk], nameservers: Nameservers) -> None:
    """The CNAMEs that PDNS_SUFFIX relies on: without them a CA never comes to the records."""
    going = {walk.owner: walk for walk in walks if walk.begun is not None and walk.error is None and walk.zone}
    at = {owner: owner for owner in going}
    for step in range(LONGEST_CHAIN):
        found = nameservers.alias_or_none(tuple(dict.fromkeys(at.values()))) if at else {}
        further = {}
        for owner, name in at.items():
            walk, target = going[owner], found.get(name)
            if name not in found or walk.begun is None or target == walk.begun:
                continue
            if target is not None:
                further[owner] = target
            else:
                walk.error = _no_alias(owner, walk.begun, name if step else None)
                walk.zone = None
        at = further
    for owner, name in at.items():
        # A circle, or more in a row than a CA follows.
        walk = going[owner]
        if walk.begun is not None:
            walk.error, walk.zone = _no_alias(owner, walk.begun, name), None


def _no_alias(owner: DnsName, wanted: DnsName, leads_to: DnsName | None) -> ZoneError:
    where = f"its CNAME leads to {leads_to}" if leads_to is not None else "there is no CNAME there"
    return ZoneError(
        f"{owner}: {where}, and PDNS_SUFFIX has its records written at {wanted}",
        hint=f"create the record: {owner.absolute} 3600 IN CNAME {wanted.absolute}",
    )


def _follow(walk: _Walk, target: DnsName, settings: Settings) -> bool:
    """Go where the alias leads; False where that comes to nothing."""
    walk.trail.append(walk.at)
    walk.zone = None
    path = " -> ".join(str(name) for name in (*walk.trail, target))
    if target in walk.trail:
        walk.error = ZoneError(f"{walk.owner}: its CNAMEs go round in a circle: {path}", hint="remove one of them")
    elif len(walk.trail) > LONGEST_CHAIN:
        walk.error = ZoneError(
            f"{walk.owner}: more than {LONGEST_CHAIN} CNAMEs in a row: {path}", hint="point the first at the last name"
        )
    if walk.error is not None:
        return False
    provider = provider_for(settings, target, walk.provider)
    if isinstance(provider, str):
        walk.at, walk.provider = target, provider
        return True
    walk.error = provider
    return False


def _ask_zones(provider: str, names: Collection[DnsName], providers: Mapping[str, Dns], answers: _Answers) -> None:
    unknown = [name for name in dict.fromkeys(names) if (provider, name) not in answers.zones]
    if not unknown or provider in answers.troubles:
        return
    dns = providers.get(provider)
    if dns is None:
        answers.troubles[provider] = ZoneError(f"{provider}: this DNS provider is not set up")
        return
    found: Mapping[DnsName, Zone]
    try:
        found = dns.zones(unknown)
    except ZonesUnknown as some:
        found = some.found
        answers.errors.update({(provider, name): error for name, error in some.errors.items()})
    except CertkeeperError as error:
        answers.troubles[provider] = error
        return
    for name in unknown:
        zone = found.get(name)
        answers.zones[provider, name] = replace(zone, provider=provider) if zone is not None else None


def _aliases(
    walks: Collection[_Walk], providers: Mapping[str, Dns], nameservers: Nameservers, answers: _Answers
) -> dict[tuple[str, DnsName], DnsName | Cut]:
    """The CNAMEs and cuts at the names where the walks are, as their provider has them, or as the world sees them."""
    held: dict[str, dict[Zone, dict[DnsName, None]]] = {}
    for walk in walks:
        if walk.zone is not None:
            held.setdefault(walk.provider, {}).setdefault(walk.zone, {})[walk.at] = None
    found: dict[tuple[str, DnsName], DnsName | Cut] = {}
    for provider, by_zone in held.items():
        try:
            aliases = providers[provider].aliases({zone: tuple(names) for zone, names in by_zone.items()})
        except CertkeeperError as error:
            answers.troubles[provider] = error
            continue
        found |= {(provider, name): target for name, target in aliases.items()}
    homeless = tuple(dict.fromkeys(walk.at for walk in walks if walk.zone is None))
    if homeless:
        outside = nameservers.aliases(homeless)
        found |= {(walk.provider, walk.at): outside[walk.at] for walk in walks if walk.at in outside and not walk.zone}
    return found


def _called(provider: str, providers: Mapping[str, Dns]) -> str:
    dns = providers.get(provider)
    return dns.describe() if dns is not None else provider
