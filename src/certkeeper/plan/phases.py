"""What a person may make live: the staged version that is activated, the older one that is gone back to. Pure."""

from collections.abc import Collection
from datetime import datetime

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.lineage.goingback import PassedOver, is_present, newer, unfit, way_back
from certkeeper.lineage.model import Lineage, Version
from certkeeper.plan.actions import LineagePlan, Reason
from certkeeper.plan.holding import as_live, going, version_text
from certkeeper.plan.namefailure import settled
from certkeeper.plan.records import Held


class Refused(CertkeeperError):
    """A version that must not go live, or is not the one that somebody can have meant."""

    label = "usage"
    fault = Fault.OPERATOR
    local = True


def staged_one(
    spec: CertSpec, settings: Settings, lineage: Lineage, versions: Collection[Version], now: datetime
) -> Version | None:
    """The newest version that came after what is live and may go live; None where none came.

    Raises:
        Refused: each that came is of no use, or the newest that is has other names than the page.
    """
    passed_over = []
    for version in newer(lineage, versions):
        why = unfit(version, now)
        if why:
            passed_over.append(f"version {version.stamp} {why}")
            continue
        other = _other_names(spec, settings, lineage, version)
        if other:
            raise Refused(
                f"version {version.stamp} {other}",
                hint=f"certkeeper run {spec.alias} stages one with the page's names; to have this one all the same: "
                f"certkeeper activate {spec.alias} --version {version.stamp}",
            )
        return version
    if passed_over:
        raise Refused("; ".join(passed_over), hint=f"certkeeper run {spec.alias} stages another one")
    return None


def that_one(spec: CertSpec, lineage: Lineage, versions: Collection[Version], now: datetime, stamp: int) -> Version:
    """The version with that stamp, which came after what is live.

    Raises:
        Refused: there is none, it is live or older, or it must not go live.
    """
    version = next((item for item in versions if item.stamp == stamp), None)
    see = f"certkeeper versions {spec.alias}"
    if version is None:
        raise Refused(f"there is no version {stamp}", hint=see)
    if is_present(version, lineage):
        raise Refused(f"version {stamp} is live already", hint=see)
    if version not in newer(lineage, versions):
        raise Refused(
            f"version {stamp} is older than what is live", hint=f"certkeeper rollback {spec.alias} --to {stamp}"
        )
    if why := unfit(version, now):
        raise Refused(f"version {stamp} {why}", hint=see)
    return version


def earlier_one(
    spec: CertSpec, lineage: Lineage, versions: Collection[Version], now: datetime, stamp: int | None
) -> tuple[Version, tuple[PassedOver, ...]]:
    """Where one goes back to, and what was passed over on the way.

    Raises:
        Refused: there is no way back, or not to that version; it says what was refused, and why.
    """
    found = way_back(lineage, versions, now, stamp)
    if found.to is not None:
        return found.to, found.passed_over
    see = f"certkeeper versions {spec.alias}"
    if found.passed_over:
        raise Refused("; ".join(str(item) for item in found.passed_over), hint=see)
    if stamp is None:
        raise Refused("there is no version before what is live", hint=see)
    version = next((item for item in versions if item.stamp == stamp), None)
    if version is None:
        raise Refused(f"there is no version {stamp}", hint=see)
    if is_present(version, lineage):
        raise Refused(f"version {stamp} is live already", hint=see)
    raise Refused(
        f"version {stamp} is newer than what is live", hint=f"certkeeper activate {spec.alias} --version {stamp}"
    )


def switch_to(spec: CertSpec, settings: Settings, lineage: Lineage, version: Version, held: Held | None) -> LineagePlan:
    """What a run does to bring that version live; `held` is what was written down of the decision."""
    actions = going(spec, lineage, version, held, settings)
    return LineagePlan(spec, Reason.STAGED, version_text(version), actions, (spec, lineage))


def _other_names(spec: CertSpec, settings: Settings, lineage: Lineage, version: Version) -> str:
    names = version.leaf.identifiers if version.leaf is not None else frozenset()
    without = {item.name for item in settled(spec, as_live(version, lineage), settings)}
    wanted = frozenset(spec.identifiers)
    parts = (("lacks", wanted - names - without), ("has what the page has not:", names - wanted))
    return " and ".join(f"{word} {' '.join(str(name) for name in sorted(found))}" for word, found in parts if found)
