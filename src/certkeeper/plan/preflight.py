"""What would fail for sure, seen before an order is opened, so that no try at the CA is spent on it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from certkeeper.base.errors import CertkeeperError, Fault, Location
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy
from certkeeper.base.names import Alias, DnsName, Identifier
from certkeeper.base.times import duration_text
from certkeeper.config.authority import LETSENCRYPT, LETSENCRYPT_TEST
from certkeeper.config.findings import Finding, Severity, did_you_mean, zone_meant
from certkeeper.config.methods import ChallengeType
from certkeeper.config.providers import provider_for
from certkeeper.config.settings import CertSpec, Configuration
from certkeeper.lineage.model import KeyPlace, Lineage
from certkeeper.plan.actions import KeySource, LineagePlan, Serve
from certkeeper.plan.observed import Observed, Place, Zones
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.rrset import KNOWN_SOA_EDIT_API, Zone, ZoneKind

_REFUSED_KEYS = dict.fromkeys((LETSENCRYPT, LETSENCRYPT_TEST), frozenset({KeyAlgorithm.P521, KeyAlgorithm.ED25519}))

MOST_SKEW = timedelta(minutes=5)


class KeyRefused(CertkeeperError):
    """A private key that the operator copied in or asked for, and that cannot be used."""

    label = "key-or-chain"
    fault = Fault.OPERATOR


_REQUEST_COMPROMISED = KeyRefused(
    "the certificate request is for a key that is compromised: a certificate of it was revoked for that",
    hint="have the script make a request for another key",
)


def key_error(spec: CertSpec, lineage: Lineage, lineages: Mapping[Alias, Lineage]) -> CertkeeperError | None:
    """Why the present key cannot be reused, where it is to be."""
    if spec.request is not None:
        of_compromised = lineage.compromised and lineage.leaf is not None and lineage.leaf.key_id == spec.request.key_id
        return _REQUEST_COMPROMISED if of_compromised else None
    if spec.key.policy is KeyPolicy.ROLLOVER and lineage.next_key_trouble:
        return KeyRefused(lineage.next_key_trouble, hint="move the file away: then the present key is used once more")
    if spec.key.policy is KeyPolicy.NEW or lineage.key_place is KeyPlace.ABSENT:
        return None
    if lineage.key_trouble:
        return KeyRefused(
            lineage.key_trouble,
            hint="put the right key there, or move the file away: then a new key is made",
        )
    if lineage.compromised and lineage.key_place is KeyPlace.PLAIN:
        return KeyRefused(
            f"{spec.alias}/privkey.pem: a certificate of this key was revoked because the key is compromised",
            hint="put another key there, or move the file away: then a new key is made",
        )
    if lineage.key_place is KeyPlace.PLAIN:
        for other in lineages.values():
            if other.alias != spec.alias and other.key_id is not None and other.key_id == lineage.key_id:
                return KeyRefused(
                    f"{spec.alias}/privkey.pem: the same private key as {other.alias}/privkey.pem",
                    hint="one leak would break both: give each certificate a key of its own, "
                    "or list all names on one line of domains.txt",
                )
    return None


def kind_error(spec: CertSpec, source: KeySource) -> CertkeeperError | None:
    """Why the CA is going to refuse a new key, after all names were proven; None where nothing is known of it."""
    if source is not KeySource.NEW or spec.key.algorithm not in _REFUSED_KEYS.get(spec.ca, frozenset()):
        return None
    return KeyRefused(
        f"{spec.alias}: Let's Encrypt takes no {spec.key} keys",
        hint='write KEY_ALGO="prime256v1", secp384r1 or rsa',
    )


def zone_error(
    spec: CertSpec, places: Mapping[DnsName, Place | None], configuration: Configuration, observed: Observed
) -> CertkeeperError | None:
    """Why a name of this lineage cannot be proven through its DNS provider."""
    providers: dict[DnsName, str] = {}
    for owner in places:
        provider = provider_for(configuration.settings, owner, spec.provider)
        if not isinstance(provider, str):
            # No zone need be looked for to know that.
            return provider
        providers[owner] = provider
    if observed.zones is None:
        return None
    homeless: dict[str, list[DnsName]] = {}
    for owner, place in places.items():
        provider = providers[owner]
        zones = observed.zones[provider]
        error = zones.trouble or zones.errors.get(owner)
        if error is not None:
            return error
        if place is None:
            homeless.setdefault(zones.provider, []).append(owner)
    for provider, owners in homeless.items():
        names = [_host(owner).text for owner in owners]
        listed = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
        return ZoneError(
            f"no zone at {provider} holds {listed}",
            hint=_suggestion(names, spec, configuration, observed)
            or "correct the name in domains.txt, or create its zone on that server",
        )
    for place in places.values():
        if place is not None and not place.zone.kind.writable:
            asked = observed.zones.get(place.zone.provider)
            at = asked.provider if asked is not None else "its server"
            return ZoneError(
                f"zone {place.zone.name}, which holds {place.owner}, is a secondary at {at}: "
                "changes there would be lost",
                hint="point PDNS_HOST at the primary of that zone",
            )
    return None


def script_error(
    methods: Mapping[Identifier, ChallengeType], places: Mapping[DnsName, Place | None]
) -> CertkeeperError | None:
    """Why a script cannot prove a name: dehydrated's hooks are told of the name and the value of dns-01 alone."""
    scripted = {
        _host(owner) for owner, place in places.items() if place is not None and place.zone.kind is ZoneKind.SCRIPTED
    }
    for identifier, method in methods.items():
        if method is ChallengeType.DNS_ACCOUNT_01 and identifier.domain in scripted:
            return ZoneError(
                f"{identifier}: a script writes its challenges, and scripts know {ChallengeType.DNS_01} only, "
                f"not {method}",
                hint=f'write "{identifier}={ChallengeType.DNS_01}" into CHALLENGETYPE, or set DNS_PROVIDER',
            )
    return None


def folder_error(serves: Iterable[Serve], observed: Observed) -> CertkeeperError | None:
    """Why challenge files cannot be put where somebody else's server reads them."""
    return next((observed.folders[item.folder] for item in serves if item.folder in observed.folders), None)


def label_findings(due: Sequence[LineagePlan], accounts: Collection[str]) -> Iterable[Finding]:
    """Where values go is not known to the letter while there is no account; `accounts` are the CAs that have one."""
    names = [
        name
        for item in due
        for name, method in item.methods.items()
        if method is ChallengeType.DNS_ACCOUNT_01 and item.spec.ca not in accounts
    ]
    if not names:
        return
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    yield Finding(
        code="account-label",
        severity=Severity.NOTE,
        message=f"{', '.join(str(name) for name in names[:10])}{more}: proven below a label of the account's, "
        "and there is no account yet",
        consequence="the label will stand before _acme-challenge; it is known once the account is registered",
        fix="certkeeper run --accept-terms registers it before anything else",
    )


def _host(owner: DnsName) -> DnsName:
    """The name that is proven at an owner name: hosts have no underscores."""
    while owner.text.startswith("_"):
        owner = owner.parent
    return owner


def zone_findings(providers: Iterable[Zones], now: datetime) -> Iterable[Finding]:
    """Zones whose changes would not reach their secondaries."""
    seen = (
        zone
        for zones in providers
        for zone in (*(place.zone for place in zones.places.values()), *zones.by_name.values())
    )
    for zone in dict.fromkeys(seen):
        if zone.kind is not ZoneKind.PRIMARY:
            continue
        if zone.soa_edit_api.upper() == "EPOCH" and zone.served_serial > now.timestamp():
            yield _serial_finding(
                zone,
                f"SOA-EDIT-API is EPOCH, but the serial {zone.served_serial} is larger than any epoch of today",
                "changes through the API take the serial back, so secondaries never fetch them",
            )
        elif not zone.raises_serial:
            value = zone.soa_edit_api
            known = value.upper() in KNOWN_SOA_EDIT_API
            yield _serial_finding(
                zone,
                (f"SOA-EDIT-API is {value}" if value else "SOA-EDIT-API is not set")
                + ("" if known else ", which PowerDNS does not know"),
                "changes through the API do not raise the serial, so secondaries never fetch them; "
                "certkeeper raises it for its own records",
            )


def _serial_finding(zone: Zone, what: str, consequence: str) -> Finding:
    return Finding(
        code="soa-edit-api",
        severity=Severity.WARNING,
        message=f"zone {zone.name}: {what}",
        consequence=consequence,
        fix=f"pdnsutil set-meta {zone.name} SOA-EDIT-API {zone.raising_soa_edit_api}",
    )


def clock_findings(behind: Mapping[str, timedelta]) -> Iterable[Finding]:
    """A clock that is wrong lets new certificates look invalid, and old ones valid. `behind` is by CA."""
    for ca, skew in behind.items():
        if abs(skew) > MOST_SKEW:
            yield Finding(
                code="clock",
                severity=Severity.WARNING,
                message=f"this machine's clock is {duration_text(abs(skew))} "
                f"{'behind' if skew > timedelta(0) else 'ahead of'} that of {ca}",
                consequence="certificates are renewed at the wrong time, or look expired or not valid yet",
                fix="set the clock: timedatectl",
            )


def silent_findings(silent: Mapping[str, CertkeeperError]) -> Iterable[Finding]:
    """CAs that could not be asked, each with the reason."""
    for ca, error in silent.items():
        yield Finding(
            code="ca-unreachable",
            severity=Severity.WARNING,
            message=str(error) if str(error).startswith(ca) else f"{ca}: cannot be asked: {error}",
            consequence="a run would fail here",
            fix=error.hint,
        )


def hook_findings(due: Iterable[CertSpec], scripts: Mapping[str, CertkeeperError]) -> Iterable[Finding]:
    """Scripts for deploy_cert that cannot be called. The certificate is worth having all the same."""
    for script in dict.fromkeys(spec.deploy_hook for spec in due if spec.deploy_hook in scripts):
        yield Finding(
            code="hook-missing",
            severity=Severity.WARNING,
            message=str(scripts[script]),
            consequence="certificates go live without it, and the run fails then; each later run calls it again",
            fix=scripts[script].hint,
        )


def journal_finding(error: CertkeeperError, consequence: str) -> Finding:
    """The journal cannot be understood; the work goes on without it."""
    return Finding(
        code="journal",
        severity=Severity.WARNING,
        message=str(error),
        consequence=f"{consequence}; what an earlier run published, or a hook call that it owed, is not known any more",
        fix="look for challenge records in your zones, if a run was killed lately; and at the disk: dmesg",
    )


def index_finding(trouble: str) -> Finding:
    """The index does not count. It is a cache: the run is what it would have been."""
    return Finding(
        code="index",
        severity=Severity.WARNING,
        message=trouble,
        consequence="every certificate was opened and looked at, and a new index takes its place",
        fix="see who can write there, and look at the disk if nobody else can: dmesg",
    )


def no_certificates(domains_txt: str) -> Finding:
    """A list without a line, which is more likely a mistake than a wish."""
    return Finding(
        code="no-certificates",
        severity=Severity.WARNING,
        message="the file lists no certificate",
        consequence="there is nothing to do",
        fix="put a line there for each certificate: example.org www.example.org",
        where=Location(domains_txt),
    )


def _suggestion(names: Sequence[str], spec: CertSpec, configuration: Configuration, observed: Observed) -> str:
    """A likely correction: a folder with a config first, since somebody prepared it; then other names of the page."""
    others = [
        identifier.domain.text
        for other in configuration.certificates
        if other.alias != spec.alias
        for identifier in other.identifiers
    ]
    for name in names:
        folder = did_you_mean(name, [item for item in observed.config_folders if item != name])
        if folder:
            return f"did you mean {folder}, which has a config folder? correct {spec.where}"
        other_name = did_you_mean(name, [item for item in others if item not in names])
        if other_name:
            return f"did you mean {other_name}? correct {spec.where}"
    zones = {place.zone.name.text for seen in (observed.zones or {}).values() for place in seen.places.values()}
    meant = next(filter(None, (zone_meant(name, zones) for name in names)), None)
    if meant:
        return f"did you mean {meant}? correct {spec.where}, or create its zone on that server"
    return ""
