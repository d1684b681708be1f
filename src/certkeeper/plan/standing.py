"""Names that are proven by records that stand (dns-persist-01): may they be, and for how long?"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from certkeeper.acme.persist import Ability, Standing, StandingVerdict, judge_standing, ours_of, persist_owner, worst
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.names import DnsName, Identifier, IdentifierType
from certkeeper.base.times import iso
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.plan.actions import Rely
from certkeeper.plan.observed import Observed, Outlook, StandingLook

WARNING = timedelta(days=30)
"""How long before its end a record is warned about."""
_RUN_TAKES = timedelta(minutes=10)
"""A record has to outlast the run."""


class StandingMissing(CertkeeperError):
    """No record stands by which our account may prove the name."""

    label = "standing-record"
    fault = Fault.OPERATOR


def standing_verdict(identifier: Identifier, seen: Outlook) -> StandingVerdict:
    """What the records let us prove now, as the server sees it that shows the least: a CA may ask that one."""
    look = (seen.standing or {}).get(persist_owner(identifier.domain), StandingLook())
    if not seen.account:
        return StandingVerdict(Ability.MISSING)
    return worst(
        judge_standing(
            values,
            issuers=seen.identities,
            account=seen.account,
            wildcard=identifier.wildcard,
            at=_epoch(seen.now + _RUN_TAKES),
        )
        for values in look.served.values()
    )


def reliance(methods: Mapping[Identifier, ChallengeType], seen: Outlook) -> Iterable[Rely]:
    """One for each name that is proven by standing records: those of the account that every server shows."""
    for identifier, method in methods.items():
        if method is not ChallengeType.DNS_PERSIST_01:
            continue
        look = (seen.standing or {}).get(persist_owner(identifier.domain), StandingLook())
        shown = [set(ours_of(values, issuers=seen.identities, account=seen.account)) for values in look.served.values()]
        common = set[Standing]().union(*shown).intersection(*shown)
        lasting = _epoch(seen.now + _RUN_TAKES)
        fitting = [item for item in common if item.outlasts(lasting) and (item.wildcard or not identifier.wildcard)]
        yield Rely(identifier, tuple(sorted(fitting, key=str)))


def standing_error(methods: Mapping[Identifier, ChallengeType], seen: Outlook, ca: str) -> CertkeeperError | None:
    """Why the first name that has to be proven by a standing record cannot be; None before anybody looked.

    `ca` is what commands have to name, empty where it is the page's.
    """
    if seen.standing is None:
        return None
    for identifier, method in methods.items():
        if method is ChallengeType.DNS_PERSIST_01:
            verdict = standing_verdict(identifier, seen)
            if verdict.ability is not Ability.ALLOWS:
                wildcards = any(
                    other.wildcard and other.domain == identifier.domain and method is methods[other]
                    for other in methods
                )
                return _missing(identifier, verdict, seen, write_command(identifier.domain, ca, wildcard=wildcards))
    return None


def nobody_looked(identifier: Identifier, seen: Outlook) -> bool:
    """Whether it is not known what stands for the name: no server answered, or there is no account to look for."""
    look = (
        (seen.standing or {}).get(persist_owner(identifier.domain)) if identifier.type is IdentifierType.DNS else None
    )
    return look is None or bool(look.trouble) or not seen.account


def _missing(identifier: Identifier, verdict: StandingVerdict, seen: Outlook, command: str) -> CertkeeperError:
    owner = persist_owner(identifier.domain)
    if not seen.account:
        return StandingMissing(
            f"{identifier}: no record can stand for it before there is an account",
            hint="certkeeper account register --accept-terms makes one",
        )
    look = (seen.standing or {}).get(owner, StandingLook())
    if look.trouble:
        return StandingMissing(
            f"{identifier}: nobody says what stands at {owner}: {look.trouble}",
            hint="see that the name servers of the zone answer: certkeeper dns doctor",
        )
    lacking = [
        server
        for server, values in look.served.items()
        if not ours_of(values, issuers=seen.identities, account=seen.account)
    ]
    at = f" (missing at {', '.join(lacking)})" if 0 < len(lacking) < len(look.served) else ""
    return StandingMissing(f"{identifier}: {verdict_text(identifier, verdict)}{at}", hint=command)


def verdict_text(identifier: Identifier, verdict: StandingVerdict) -> str:
    """What stands for the name, in words."""
    owner, until = persist_owner(identifier.domain), verdict.standing.until if verdict.standing is not None else None
    match verdict.ability:
        case Ability.MISSING:
            return f"not every name server has a record at {owner} that names our account"
        case Ability.EXPIRED:
            return f"the record at {owner} is of no use after {_time_text(until)}"
        case Ability.NO_WILDCARD:
            return f"the record at {owner} is not for wildcards"
        case Ability.ALLOWS:
            return f"the record at {owner} allows it" + (f" until {_time_text(until)}" if until is not None else "")


def other_ca(ca: str, settings: Settings) -> str:
    """The CA as commands have to name it; empty where it is the page's, which they mean by themselves."""
    return "" if ca == settings.ca else ca


def write_command(domain: DnsName, ca: str, *, wildcard: bool) -> str:
    """What makes a record stand for the name; `ca` is empty where it is the page's."""
    plain = all(letter.isalnum() or letter in ":/.-_" for letter in ca)
    at = f" --ca {ca if plain else repr(printable(ca))}" if ca else ""
    return f"certkeeper dns persist {domain} --write{' --wildcard' if wildcard else ''}{at}"


def ends_seen(specs: Iterable[CertSpec], observed: Observed) -> dict[str, dict[DnsName, int | None]]:
    """When the records end that were looked at just now: by CA, the earliest end at each owner name, None for none."""
    found: dict[str, dict[DnsName, int | None]] = {}
    for spec in specs:
        seen = observed.at(spec.ca)
        for identifier in spec.identifiers:
            owner = persist_owner(identifier.domain)
            look = (seen.standing or {}).get(owner)
            if ChallengeType.DNS_PERSIST_01 not in spec.methods.of(identifier) or look is None or look.trouble:
                continue
            ends = found.setdefault(spec.ca, {})
            standing = standing_verdict(identifier, seen).standing
            here = [standing.until] if standing is not None and standing.until is not None else []
            before = ends.get(owner)
            ends[owner] = min([*here, *([before] if before is not None else [])], default=None)
    return found


def standing_findings(
    lineages: Iterable[tuple[CertSpec, datetime | None]],
    ends: Mapping[str, Mapping[DnsName, int | None]],
    now: datetime,
    settings: Settings,
) -> Iterable[Finding]:
    """Records that end soon, or before the renewal that needs them next. With each spec comes when that will be.

    `ends` are by CA.
    """
    told: set[tuple[str, DnsName]] = set()
    for spec, renewal in lineages:
        limit = _epoch(max(now + WARNING, renewal or now))
        for identifier in spec.identifiers:
            owner = persist_owner(identifier.domain)
            until = ends.get(spec.ca, {}).get(owner)
            if ChallengeType.DNS_PERSIST_01 not in spec.methods.of(identifier) or (spec.ca, owner) in told:
                continue
            if until is not None and until < limit:
                told.add((spec.ca, owner))
                wildcard = any(item.wildcard for item in spec.identifiers if item.domain == identifier.domain)
                yield ending_finding(identifier.domain, other_ca(spec.ca, settings), until, now, wildcard=wildcard)


def ending_finding(domain: DnsName, ca: str, until: int, now: datetime, *, wildcard: bool) -> Finding:
    """One record that ends, or has ended; `ca` is empty where it is the page's."""
    ended = until < _epoch(now)
    return Finding(
        code="standing-record",
        severity=Severity.WARNING,
        message=f"the record at {persist_owner(domain)} {'ended' if ended else 'ends'} {_time_text(until)}",
        consequence=f"after that {domain} cannot be proven by it",
        fix=f"{write_command(domain, ca, wildcard=wildcard)} puts one there that stands for good",
    )


def _epoch(at: datetime) -> int:
    return int(at.timestamp())


def _time_text(until: int | None) -> str:
    """A time of a stranger's; those that no calendar has are shown as they stand there."""
    try:
        return iso(datetime.fromtimestamp(until or 0, UTC))
    except (OverflowError, ValueError, OSError):
        return f"second {until}"
