"""What the CA advises on renewals (RFC 9773): which to ask about, what to keep of an answer, what to tell."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from certkeeper.acme.body import MalformedBody
from certkeeper.acme.renewal_info import (
    LATEST,
    SOONEST,
    WITHOUT_RETRY_AFTER,
    Window,
    ask_again_after,
    cert_id,
    read_renewal_info,
)
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.times import duration_text, iso
from certkeeper.base.value import dataclass, replace
from certkeeper.base.wire import Response
from certkeeper.config.findings import Finding, Severity
from certkeeper.lineage.model import Leaf, Lineage

_TRY_LATER = frozenset({408, 429})
_MOST_DOUBLINGS = 9


@dataclass(frozen=True, slots=True)
class Suggestion:
    """When the CA wants a certificate renewed. `renew_at` was chosen in the window, and stays while that does.

    `hurried`: the CA named a later window before.
    """

    window: Window
    renew_at: datetime
    explanation: str = ""
    hurried: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """What the CA with that directory URL said of one certificate, and when it may be asked again.

    `suggestion` is None where it suggests nothing. `failures` counts tries in a row that got no answer at all; an
    earlier suggestion stays meanwhile.
    """

    ca: str
    cert_id: str
    ask_at: datetime
    suggestion: Suggestion | None = None
    failures: int = 0


def id_of(leaf: Leaf) -> str:
    """The certificate's name in RFC 9773; empty where it has none."""
    return cert_id(bytes.fromhex(leaf.authority_key_id), int(leaf.serial, 16))


def of_live(
    kept: Mapping[Alias, Advice], lineages: Mapping[Alias, Lineage], cas: Mapping[Alias, str]
) -> dict[Alias, Advice]:
    """The advice that is about certificates that are live, by the CA of each."""
    found: dict[Alias, Advice] = {}
    for alias, advice in kept.items():
        leaf = lineages[alias].leaf if alias in lineages else None
        if advice.ca == cas.get(alias) and leaf is not None and advice.cert_id == id_of(leaf):
            found[alias] = advice
    return found


def questions(
    aliases: Iterable[Alias], lineages: Mapping[Alias, Lineage], kept: Mapping[Alias, Advice], ca: str, now: datetime
) -> dict[Alias, Advice]:
    """What to ask this CA about: the advice so far. Left out are certificates that expired, those asked about lately,
    and those that are known to be another CA's.
    """
    asked: dict[Alias, Advice] = {}
    for alias in aliases:
        leaf, origin = lineages[alias].leaf, lineages[alias].origin
        if origin is not None and origin.ca != ca:
            continue
        advice = kept.get(alias)
        # A time beyond the longest wait was written by a clock that was wrong.
        if leaf is None or leaf.not_after <= now or (advice is not None and now < advice.ask_at <= now + LATEST):
            continue
        id_ = id_of(leaf)
        if id_:
            asked[alias] = advice or Advice(ca, id_, now)
    return asked


def heard(alias: Alias, before: Advice, response: Response) -> Advice:
    """After an answer. One that is no RenewalInfo suggests nothing; one that says "later" changes nothing."""
    if says_later(response):
        waiting = unheard(before, response.at)
        asked_for = response.at + ask_again_after(response) if response.header("retry-after") else waiting.ask_at
        return replace(waiting, ask_at=max(waiting.ask_at, asked_for))
    ask_at = response.at + ask_again_after(response)
    nothing = Advice(before.ca, before.cert_id, ask_at)
    if response.status != 200:
        return nothing
    try:
        info = read_renewal_info(response)
    except MalformedBody:
        return nothing
    old = before.suggestion
    if old is not None and old.window == info.window:
        return replace(nothing, suggestion=replace(old, explanation=info.explanation))
    hurried = old is not None and info.window.start < old.window.start
    chosen = info.window.choose(str(alias))
    return replace(nothing, suggestion=Suggestion(info.window, chosen, info.explanation, hurried))


def unheard(before: Advice, now: datetime) -> Advice:
    """After a try that got no answer: from a minute on, each wait is twice as long as the one before, to six hours."""
    wait = min(SOONEST * 2 ** min(before.failures, _MOST_DOUBLINGS), WITHOUT_RETRY_AFTER)
    return replace(before, ask_at=now + wait, failures=before.failures + 1)


def unoffered(before: Advice, now: datetime) -> Advice:
    """The CA's directory has no renewalInfo."""
    return Advice(before.ca, before.cert_id, now + WITHOUT_RETRY_AFTER)


def says_later(response: Response) -> bool:
    """The CA is busy or out of order: more questions would not help it."""
    return response.status in _TRY_LATER or response.status >= 500


def urgent(leaf: Leaf, suggestion: Suggestion, now: datetime) -> bool:
    """The window is over, and not because nobody was here while it was open: it was moved, or came far too early."""
    middle = leaf.not_after - (leaf.not_after - leaf.not_before) / 2
    return suggestion.window.end <= now and (suggestion.hurried or suggestion.window.end < middle)


def urgent_findings(
    aliases: Collection[Alias], lineages: Mapping[Alias, Lineage], kept: Mapping[Alias, Advice], now: datetime
) -> Iterable[Finding]:
    """Certificates that the CA wants replaced at once, as it does before it revokes them."""
    for alias in aliases:
        leaf, advice = lineages[alias].leaf, kept.get(alias)
        suggestion = advice.suggestion if advice is not None else None
        if leaf is None or suggestion is None or not urgent(leaf, suggestion, now):
            continue
        end = suggestion.window.end
        yield Finding(
            code="replace-now",
            severity=Severity.WARNING,
            message=f"{alias}: the CA wants this certificate replaced at once: the time for it ended "
            f"{duration_text(now - end)} ago, at {iso(end)}",
            consequence="it is revoked already, or will be soon"
            + (f"; the CA explains: {suggestion.explanation}" if suggestion.explanation else ""),
            fix="nothing, if this run replaces it; clients that got the old one need the new one now",
        )


def advice_finding(error: CertkeeperError) -> Finding:
    """The advice cannot be written down; the work goes on with it."""
    return Finding(
        code="advice",
        severity=Severity.WARNING,
        message=f"what the CA advises on renewals cannot be kept: {error}",
        consequence="every run asks it again",
        fix=error.hint,
    )


LAST_CHANCE = 20
"""With less than that part of its life left, a certificate is renewed whatever the CA advises."""


def last_chance(leaf: Leaf) -> timedelta:
    return (leaf.not_after - leaf.not_before) / LAST_CHANCE
