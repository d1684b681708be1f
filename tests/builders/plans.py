"""What the planner looks at: specs, lineages, zones, and a world to observe. Every default is that of a good day."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from builders.certificates import NOW
from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.config.findings import Finding
from certkeeper.config.methods import ChallengeType, Methods
from certkeeper.config.settings import (
    CertSpec,
    Configuration,
    ExternalAccount,
    Provider,
    Purpose,
    RenewPolicy,
    ServerAddress,
    Settings,
    ZoneRule,
)
from certkeeper.lineage.model import KeyPlace, Leaf, Lineage, Origin
from certkeeper.plan.advice import Advice
from certkeeper.plan.observed import Observed, Place, Zones
from certkeeper.plan.planner import plan
from certkeeper.zone.apex import ZoneSearch, find_zones
from certkeeper.zone.rrset import Zone, ZoneKind

CA = "https://ca.test/directory"
PROVIDER = "PowerDNS at http://127.0.0.1:8081"
P256 = KeySpec(KeyAlgorithm.P256)
REUSE = KeySpec(KeyAlgorithm.P256, policy=KeyPolicy.REUSE)


DNS_ONLY = Methods((ChallengeType.DNS_01,))


def names(*texts: str) -> tuple[Identifier, ...]:
    return tuple(Identifier.parse(text) for text in texts)


def settings(
    *,
    propagation: timedelta = timedelta(seconds=60),
    providers: tuple[Provider, ...] = (),
    zone_rules: tuple[ZoneRule, ...] = (),
    external_account: ExternalAccount | None = None,
    http_listen: tuple[ServerAddress, ...] = (),
    tls_alpn_listen: tuple[ServerAddress, ...] = (),
) -> Settings:
    return Settings(
        config_file="/etc/dehydrated/config",
        basedir="/etc/dehydrated",
        domains_txt="/etc/dehydrated/domains.txt",
        certdir="/etc/dehydrated/certs",
        test_certdir="/etc/dehydrated/certs-test",
        accountdir="/etc/dehydrated/accounts",
        statedir="/var/lib/certkeeper",
        lockfile=None,
        ca=CA,
        account_key=P256,
        propagation=propagation,
        providers=providers,
        zone_rules=zone_rules,
        external_account=external_account,
        alpn_certdir="/etc/dehydrated/alpn-certs",
        http_listen=http_listen,
        tls_alpn_listen=tls_alpn_listen,
    )


def spec(
    *texts: str,
    alias: str = "",
    key: KeySpec = P256,
    days: int = 32,
    wished: bool = False,
    must_staple: bool = False,
    profile: str = "",
    preferred_profile: str = "",
    line: int = 1,
    ca: str = CA,
    purpose: Purpose = Purpose.SERVE,
    wished_key: str = "",
    hook: str = "",
    methods: Methods = DNS_ONLY,
) -> CertSpec:
    """One line of domains.txt."""
    return CertSpec(
        alias=Alias(alias or texts[0]),
        identifiers=names(*texts),
        where=Location("/etc/dehydrated/domains.txt", line),
        ca=ca,
        key=key,
        renew=RenewPolicy(days, wished),
        must_staple=must_staple,
        profile=profile,
        preferred_profile=preferred_profile,
        purpose=purpose,
        wished_key=wished_key,
        hook=hook,
        methods=methods,
    )


def configuration(*specs: CertSpec, settings_: Settings | None = None) -> Configuration:
    return Configuration(settings_ or settings(), specs)


def leaf(
    *texts: str,
    left: timedelta = timedelta(days=60),
    life: timedelta = timedelta(days=90),
    key_id: str = "aa",
    ocsp: bool = False,
    serial: str = "1",
    authority_key_id: str = "",
    issuer: str = "CN=Test Intermediate",
    must_staple: bool = False,
    key_kind: str = "prime256v1",
) -> Leaf:
    """A leaf with that much of its life left at NOW."""
    return Leaf(
        key_id=key_id,
        identifiers=frozenset(names(*texts)),
        not_before=NOW + left - life,
        not_after=NOW + left,
        serial=serial,
        issuer=issuer,
        must_staple=must_staple,
        key_kind=key_kind,
        ocsp_url="http://ocsp.test/" if ocsp else None,
        authority_key_id=authority_key_id,
    )


def lineage(
    alias: str,
    leaf_: Leaf | None = None,
    *,
    key_place: KeyPlace = KeyPlace.LINK,
    key_id: str | None = None,
    trouble: str = "",
    key_trouble: str = "",
    disagreement: str = "",
    origin: Origin | None = None,
) -> Lineage:
    """A folder with that certificate and its own key; without a certificate the folder is empty."""
    present = leaf_.key_id if leaf_ is not None else None
    return Lineage(
        alias=Alias(alias),
        leaf=leaf_,
        trouble=trouble,
        key_place=key_place if leaf_ is not None or key_id or key_trouble else KeyPlace.ABSENT,
        key_id=None if key_trouble else key_id or present,
        key_trouble=key_trouble,
        disagreement=disagreement,
        origin=origin,
    )


def zone(name: str, kind: ZoneKind = ZoneKind.PRIMARY, *, serial: int = 1, soa_edit_api: str = "DEFAULT") -> Zone:
    return Zone(DnsName(name), f"{name}.", kind, serial, served_serial=serial, soa_edit_api=soa_edit_api)


def zones_of(owners: Iterable[DnsName], held: Collection[Zone]) -> dict[DnsName, Zone]:
    """What a provider with these zones answers."""
    by_name = {item.name: item for item in held}
    search: ZoneSearch[Zone] = find_zones(owners)
    answer: Mapping[DnsName, Zone] | None = None
    try:
        while True:
            asked = next(search) if answer is None else search.send(answer)
            answer = {name: by_name[name] for name in asked if name in by_name}
    except StopIteration as stop:
        found: dict[DnsName, Zone] = stop.value
        return found


def held_zones(owners: Iterable[DnsName], held: Collection[Zone]) -> Zones:
    """What is known of a provider with these zones, where there is no CNAME."""
    places = {owner: Place(zone, owner) for owner, zone in zones_of(owners, held).items()}
    return Zones(PROVIDER, places, {item.name: item for item in held})


def observed(
    *lineages: Lineage,
    specs: Collection[CertSpec] = (),
    zones: Collection[Zone] | None = None,
    trouble: CertkeeperError | None = None,
    registered: bool = True,
    folders: tuple[str, ...] = (),
    now: datetime = NOW,
    advice: Mapping[Alias, Advice] | None = None,
) -> Observed:
    """The world; lineages of `specs` that are not given are empty folders. `zones` are what the provider holds."""
    there = {item.alias: item for item in lineages}
    found = None
    if trouble is not None:
        found = {"": Zones(PROVIDER, trouble=trouble)}
    elif zones is not None:
        owners = {identifier.domain.child("_acme-challenge"): None for item in specs for identifier in item.identifiers}
        found = {"": held_zones(owners, zones)}
    return Observed(
        now=now,
        lineages={item.alias: there.get(item.alias, Lineage(item.alias)) for item in specs} | there,
        registered=frozenset(item.ca for item in specs) | {CA} if registered else frozenset(),
        config_folders=folders,
        zones=found,
        advice=advice or {},
    )


def plan_findings(*held: Zone, page: Configuration | None = None, world: Observed | None = None) -> list[Finding]:
    """What a plan finds on a page of one new certificate, where the provider holds these zones."""
    page = page or configuration(spec("example.org"))
    return list(plan(page, world or observed(specs=page.certificates, zones=held)).findings)
