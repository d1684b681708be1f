"""What somebody is told beside failures: certificates that end soon and were not renewed, and revoked ones."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from certkeeper.base.names import Alias
from certkeeper.base.times import duration_text, iso
from certkeeper.config.settings import CertSpec, Purpose
from certkeeper.lineage.model import Leaf, Lineage
from certkeeper.plan.actions import LineagePlan, Reason
from certkeeper.plan.alerts import Kind, Trouble

_PART = 6
"""Of short lives only that part counts as soon: certificates of six days are always within a fortnight of their end."""


def soon(leaf: Leaf, margin: timedelta) -> datetime:
    """From when on it ends soon."""
    return leaf.not_after - min(margin, (leaf.not_after - leaf.not_before) / _PART)


def expiring(
    specs: Iterable[CertSpec], lineages: Mapping[Alias, Lineage], margin: timedelta, now: datetime
) -> Iterator[Trouble]:
    """Certificates that services read and that end soon, or have ended."""
    for spec in specs:
        leaf = lineages[spec.alias].leaf
        if leaf is None or spec.purpose is Purpose.REHEARSE or now < soon(leaf, margin):
            continue
        over = now >= leaf.not_after
        ends = f"ended on {iso(leaf.not_after)}" if over else f"ends on {iso(leaf.not_after)}"
        left = "" if over else f", in {duration_text(leaf.not_after - now)}"
        yield Trouble(
            spec.alias.text, f"the certificate {ends}{left}", f"certkeeper why {spec.alias} says why", Kind.EXPIRING
        )


def revoked(planned: Iterable[LineagePlan], replaced: Collection[Alias]) -> Iterator[Trouble]:
    """Certificates that this run found revoked; `replaced` have another one since."""
    for item in planned:
        if item.reason is Reason.REVOKED and item.spec.purpose is not Purpose.REHEARSE:
            new = "; another one is live since this run" if item.alias in replaced else ""
            hint = "" if item.alias in replaced else f"certkeeper why {item.alias} says what it waits for"
            yield Trouble(item.alias.text, f"the certificate was revoked: {item.detail}{new}", hint, Kind.REVOKED)
