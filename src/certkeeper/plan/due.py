"""Is a lineage due, and why? The renewal rules, and nothing else."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from certkeeper.base.names import Alias, Identifier
from certkeeper.base.times import duration_text, iso
from certkeeper.base.value import dataclass
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec, RenewPolicy
from certkeeper.lineage.model import Leaf, Lineage
from certkeeper.plan.actions import Reason
from certkeeper.plan.advice import Suggestion, last_chance
from certkeeper.plan.drift import drift
from certkeeper.plan.spread import earlier

_SHORT_LIFE = timedelta(days=10)
_COMPROMISED = ", and its key counts as compromised"
_NO_ORDER = frozenset({Reason.CURRENT, Reason.HELD, Reason.STAGED})
_NEXT_RUN = timedelta(hours=1)
"""How soon a timer starts the next run, at the earliest that people set it to."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`renew_at` is when the present certificate becomes due; None where there is none to wait for."""

    reason: Reason
    detail: str
    renew_at: datetime | None = None

    @property
    def due(self) -> bool:
        """A certificate has to be ordered."""
        return self.reason not in _NO_ORDER


def renew_before(leaf: Leaf, policy: RenewPolicy) -> timedelta:
    """How long before its end a certificate is renewed.

    RENEW_DAYS as configured; where that is more than half of the certificate's life it would renew too often, or on
    every run. Then it is a third of the life, or half of it under ten days.
    """
    life = leaf.not_after - leaf.not_before
    wanted = timedelta(days=policy.days)
    if wanted <= life / 2:
        return wanted
    return life / 2 if life < _SHORT_LIFE else life / 3


def usual_time(alias: Alias, leaf: Leaf, policy: RenewPolicy) -> datetime:
    """When a certificate is renewed whose CA suggests nothing."""
    return leaf.not_after - renew_before(leaf, policy) - earlier(alias, leaf, policy.spread)


def renew_findings(specs: Iterable[CertSpec], lineages: Mapping[Alias, Lineage]) -> Iterable[Finding]:
    """Certificates whose RENEW_DAYS an operator set, and that live too short for it."""
    for spec in specs:
        leaf = lineages[spec.alias].leaf
        if leaf is None or not spec.renew.wished or renew_before(leaf, spec.renew) == timedelta(days=spec.renew.days):
            continue
        life, before = leaf.not_after - leaf.not_before, renew_before(leaf, spec.renew)
        yield Finding(
            code="renew-days",
            severity=Severity.NOTE,
            message=f"{spec.alias}: RENEW_DAYS is {spec.renew.days}, and the certificate is valid for "
            f"{duration_text(life)}",
            consequence=f"it is renewed {duration_text(before)} before its end, or it would be on every other run",
            fix=f"nothing, or set RENEW_DAYS to {(life / 2).days} or less for it",
            where=spec.where,
        )


def decide(
    spec: CertSpec,
    lineage: Lineage,
    now: datetime,
    suggestion: Suggestion | None = None,
    *,
    can_staple: bool = False,
    settled: Collection[Identifier] = (),
) -> Decision:
    """The first reason that applies counts; names that are only in another order are no change.

    The CA's suggestion counts in the place of RENEW_DAYS's default. Where the operator set RENEW_DAYS, the earlier of
    the two counts. What is renewed at no CA's time is spread. `can_staple`: the CA runs an OCSP responder. `settled`
    are names that the live certificate is on purpose without.
    """
    leaf = lineage.leaf
    wrong = unusable(spec, lineage)
    if wrong is not None or leaf is None:
        return wrong or Decision(Reason.MISSING, "no certificate yet")
    wanted = frozenset(spec.identifiers)
    missing = wanted - leaf.identifiers
    if leaf.identifiers - wanted or missing - frozenset(settled):
        return Decision(Reason.NAMES_CHANGED, _names_detail(wanted, leaf.identifiers))
    for reason, detail in drift(spec, lineage, can_staple=can_staple):
        return Decision(reason, detail)
    before = renew_before(leaf, spec.renew)
    if suggestion is not None and not spec.renew.wished:
        before = min(before, last_chance(leaf))
    latest = leaf.not_after - before
    left = leaf.not_after - now
    if left <= timedelta(0):
        return Decision(Reason.EXPIRED, f"expired {duration_text(-left)} ago", latest)
    if suggestion is not None and suggestion.renew_at <= max(now, latest):
        return _suggested(leaf, suggestion, now)
    if suggestion is None or spec.renew.wished:
        before += earlier(spec.alias, leaf, spec.renew.spread)
    renew_at = leaf.not_after - before
    if left <= before:
        return Decision(
            Reason.EXPIRING, f"{duration_text(left)} left, renewed {duration_text(before)} before", renew_at
        )
    without = f", without {' '.join(str(name) for name in sorted(missing))}" if missing else ""
    return Decision(
        Reason.CURRENT, f"valid until {iso(leaf.not_after)}, renewed from {iso(renew_at)}{without}", renew_at
    )


def unusable(spec: CertSpec, lineage: Lineage) -> Decision | None:
    """What is wrong with the certificate itself, whatever is wanted; None where it is in order, or where none is.

    A certificate for the key of the request that is to be signed needs no key here, whoever had it made.
    """
    leaf = lineage.leaf
    if leaf is None:
        if lineage.trouble:
            return Decision(Reason.UNREADABLE, lineage.trouble)
        return None
    elsewhere = lineage.key_elsewhere or (spec.request is not None and spec.request.key_id == leaf.key_id)
    if lineage.key_id is None and not elsewhere:
        return Decision(Reason.TORN, lineage.key_trouble or "privkey.pem is missing")
    if lineage.disagreement or (lineage.torn and not elsewhere):
        return Decision(Reason.TORN, lineage.disagreement or "privkey.pem does not belong to cert.pem")
    if lineage.revoked is not None:
        return Decision(Reason.REVOKED, "it was revoked" + (_COMPROMISED if lineage.compromised else ""))
    if lineage.compromised:
        return Decision(Reason.REVOKED, f"another certificate was revoked{_COMPROMISED}")
    return None


def _suggested(leaf: Leaf, suggestion: Suggestion, now: datetime) -> Decision:
    """The CA's time counts. What its choice was made from is told, since people plan around it."""
    window = f"the CA suggests {iso(suggestion.window.start)} to {iso(suggestion.window.end)}"
    why = f"{window}: {suggestion.explanation}" if suggestion.explanation else window
    if _time_has_come(suggestion, now):
        return Decision(Reason.SUGGESTED, f"{duration_text(leaf.not_after - now)} left, {why}", suggestion.renew_at)
    detail = f"valid until {iso(leaf.not_after)}, renewed from {iso(suggestion.renew_at)} ({why})"
    return Decision(Reason.CURRENT, detail, suggestion.renew_at)


def _time_has_come(suggestion: Suggestion, now: datetime) -> bool:
    """The chosen time, or the last run before it that is inside the window.

    CAs lift their limits inside the window only, which is three hours wide for a certificate of six days.
    """
    inside = suggestion.window.start <= now < suggestion.window.end
    return suggestion.renew_at <= (now + _NEXT_RUN if inside else now)


def _names_detail(wanted: frozenset[Identifier], present: frozenset[Identifier]) -> str:
    added = ", ".join(str(name) for name in sorted(wanted - present))
    gone = ", ".join(str(name) for name in sorted(present - wanted))
    return "; ".join(
        part for part in (f"to add: {added}" if added else "", f"no longer listed: {gone}" if gone else "") if part
    )
