"""Is a certificate to be issued, as dehydrated decides it, in its lines.

It knows three reasons: there is no certificate, its names differ, or RENEW_DAYS have come. We know more (`others`): a
set of files that do not belong together, a certificate that was revoked, an order that a run before did not finish.
What else our own planner would renew for, such as another kind of key or another CA, is no reason here.
"""

from datetime import datetime, timedelta

from certkeeper.base.names import Identifier
from certkeeper.base.value import dataclass
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import Leaf, Lineage
from certkeeper.plan.actions import Reason

OTHERS = frozenset({Reason.TORN, Reason.REVOKED, Reason.UNFINISHED, Reason.SUGGESTED})
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`lines` are what is said of it, on standard output; `note` is for standard error."""

    due: bool
    lines: tuple[str, ...] = ()
    note: str = ""


def judge(spec: CertSpec, lineage: Lineage, now: datetime, *, forced: bool, other: str = "") -> Verdict:
    """`other` is one of our own reasons to issue, in words."""
    leaf = lineage.leaf
    if leaf is None:
        unreadable = lineage.trouble and "a link to nothing" not in lineage.trouble
        return Verdict(True, note=f" ! Existing certificate is of no use: {lineage.trouble}" if unreadable else "")
    lines, changed = ([], False) if forced else _names(spec, leaf)
    if other and not changed:
        lines += [f" + Certificate has to be replaced: {other}", " + Forcing renew."]
    lines.append(" + Checking expire date of existing cert...")
    days = spec.renew.days
    valid = f" + Valid till {openssl_date(leaf.not_after)} "
    if leaf.not_after - now <= timedelta(days=days):
        return Verdict(True, (*lines, f"{valid}(Less than {days} days). Renewing!"))
    if forced or changed or other:
        return Verdict(True, (*lines, f"{valid}(Longer than {days} days). Ignoring because renew was forced!"))
    return Verdict(False, (*lines, f"{valid}(Longer than {days} days). Skipping renew!"))


def _names(spec: CertSpec, leaf: Leaf) -> tuple[list[str], bool]:
    checking = " + Checking domain name(s) of existing cert..."
    if leaf.identifiers == frozenset(spec.identifiers):
        return [f"{checking} unchanged."], False
    return [
        f"{checking} changed!",
        " + Domain name(s) are not matching!",
        f" + Names in old certificate: {_listed(leaf.identifiers)}",
        f" + Configured names: {_listed(spec.identifiers)}",
        " + Forcing renew.",
    ], True


def _listed(identifiers: "frozenset[Identifier] | tuple[Identifier, ...]") -> str:
    return " ".join(sorted({identifier.value for identifier in identifiers}))


def openssl_date(instant: datetime) -> str:
    """`Feb  1 17:37:30 2027 GMT`, whatever the locale."""
    return f"{_MONTHS[instant.month - 1]} {instant.day:2d} {instant:%H:%M:%S} {instant.year} GMT"


def processing(identifiers: tuple[Identifier, ...], alias: str) -> str:
    """The line that begins a certificate. With an alias there is a blank behind the names, as people know it."""
    first, *more = (str(identifier) for identifier in identifiers)
    if not more:
        return f"Processing {first}"
    return f"Processing {first} with alternative names: {' '.join(more)}{'' if alias == first else ' '}"
