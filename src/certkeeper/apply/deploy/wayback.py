"""The way back where a service did not take a version: to which one, and the switch to it."""

from collections.abc import Sequence
from datetime import datetime

from certkeeper.apply.deploy.effects import SwitchCopies, SwitchToOlderCopy
from certkeeper.apply.deploy.looking import look_until_seen
from certkeeper.apply.deploy.parts import Part, Shared
from certkeeper.apply.effects import ActivateVersion, WriteJournal, do
from certkeeper.apply.pay import call_deploy_cert
from certkeeper.apply.refused import ReadClock
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Noted, VersionActivated
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass, replace
from certkeeper.base.wire import Exchange
from certkeeper.lineage.goingback import unfit, way_back
from certkeeper.lineage.model import Leaf, Version
from certkeeper.plan.actions import LineagePlan
from certkeeper.plan.backoff import STEPS
from certkeeper.plan.phases import switch_to
from certkeeper.plan.records import Held, HookDebt, Record
from certkeeper.plan.recovery import DEPLOY_CERT
from certkeeper.plan.showing import Family, Looks, Showing, Sight
from certkeeper.service.target import Target


@dataclass(slots=True, eq=False)
class Return:
    """One part on its way back. `to` is None where it stays, and `why` says so; `gone` once the switch was made."""

    part: Part
    to: int | None
    why: str
    gone: bool = False
    trouble: str = ""

    @property
    def told(self) -> str:
        """To go on with after what is wrong."""
        if self.gone and self.to == self.part.stamp:
            return "went back to what it had of it before"
        if self.gone:
            return f"went back to version {self.to}"
        return f"stays with version {self.part.stamp}: {self.trouble or self.why}"


def retry_at(failures: int, now: datetime) -> datetime:
    """When a version that a service did not take is tried again, after that many failures in a row."""
    return now + STEPS[min(failures, len(STEPS)) - 1]


def ways_back(parts: Sequence[Part], looks: Looks, now: datetime, shared: Shared) -> list[Return]:
    """In place it is the version that the service showed before, or the newest one that is older; of copies it is what
    was there. It is never expired, revoked or torn. What somebody else had put there nobody can judge, so it may come
    back.
    """
    return [Return(part, *_way_back(part, looks, now, shared)) for part in parts]


def go_back(returns: Sequence[Return], target: Target, shared: Shared) -> Exchange[None]:
    """Make the switches, each by itself; those that cannot be made are noted in `trouble`."""
    message = f"{target.name} did not take it"
    now = yield from do(ReadClock())
    for item in returns:
        if item.to is None:
            continue
        try:
            if item.part.placement is not None and item.to == item.part.stamp:
                yield from do(SwitchToOlderCopy(item.part.placement, item.to))
            elif item.part.placement is not None:
                yield from do(SwitchCopies(item.part.placement, item.to))
            else:
                yield from _revive(item.part, item.to, message, now, shared)
            item.gone = True
        except CertkeeperError as error:
            item.trouble = str(error)


def go_forward(returns: Sequence[Return], shared: Shared) -> Exchange[None]:
    """Undo it: the version was not what is wrong."""
    for item in returns:
        if not item.gone or item.to is None:
            continue
        try:
            if item.part.placement is not None:
                yield from do(SwitchCopies(item.part.placement, item.part.stamp))
            else:
                yield from _advance(item.part, item.to, shared)
            item.gone = False
        except CertkeeperError as error:
            item.trouble = str(error)


def tell_scripts(returns: Sequence[Return], shared: Shared) -> Exchange[None]:
    """deploy_cert for lineages whose older version is live again. A failure leaves the call owed."""
    for item in returns:
        part = item.part
        if part.placement is not None or not item.gone or item.to is None or not part.due.spec.deployer:
            continue
        try:
            yield from call_deploy_cert(_switching(part, item.to, shared), shared.settings, item.to, shared.tell)
            yield from do(WriteJournal(drop=(HookDebt(part.due.spec.entry, DEPLOY_CERT, item.to),)))
        except CertkeeperError as error:
            shared.tell(Noted(str(part.alias), str(error)))


def look_back(returns: Sequence[Return], before: Looks, shared: Shared) -> Exchange[str]:
    """What is still wrong at those that went back; empty where nothing is."""
    now = yield from do(ReadClock())
    watched = []
    for item in returns:
        part = item.part
        version = next((found for found in part.versions if found.stamp == item.to), None)
        if item.gone and version is not None and version.leaf is not None and not unfit(version, now):
            watched.append(replace(part.watched, family=Family(version.leaf, (part.leaf,), shared.page)))
    showings: tuple[Showing, ...] = (yield from look_until_seen(watched, before)) if watched else ()
    return "; ".join(text for showing in showings for text in showing.failed[:1])


def _way_back(part: Part, looks: Looks, now: datetime, shared: Shared) -> tuple[int | None, str]:
    if part.placement is None:
        return _in_place(part, looks, now, shared)
    if part.rewritten:
        # The certificate is the one that the service has: what is new is its OCSP response.
        return part.stamp, ""
    before = part.back
    if part.unchanged and part.placed is not None:
        # A run that was killed had switched already, and knew more than can be known now.
        before = part.placed.kept[0] if part.placed.kept else None
    if before is None:
        return None, "there was no other before"
    version = next((item for item in part.versions if item.stamp == before), None)
    if version is None:
        ours = part.placed is not None and part.placed.stamp == before
        return (None, f"version {before} is not there any more") if ours else (before, "")
    why = unfit(version, now)
    return (None, f"version {before} {why}") if why else (before, "")


def _in_place(part: Part, looks: Looks, now: datetime, shared: Shared) -> tuple[int | None, str]:
    if shared.settings.left_to_root:
        return None, f"its folder is that of user {shared.settings.user}, who can go back: certkeeper rollback"
    held = shared.records.held.get(part.due.spec.entry)
    came_back = held is not None and held.until is not None and held.stamp != part.stamp
    if part.alias in shared.gone_back or came_back:
        return None, "it is what was gone back to"
    shown = _shown_before(part, looks)
    if shown is not None and not unfit(shown, now):
        return shown.stamp, ""
    if shown is None and _shows(part, looks, part.leaf):
        # A new OCSP response, or a run that was killed after the reload.
        return None, "the service had that version before"
    way = way_back(part.lineage, part.versions, now)
    if way.to is not None:
        return way.to.stamp, ""
    passed = "; ".join(str(item) for item in way.passed_over)
    return None, passed or "there was no other before"


def _shown_before(part: Part, looks: Looks) -> Version | None:
    for version in part.versions:
        if version.leaf is None or version.stamp == part.stamp:
            continue
        if _shows(part, looks, version.leaf):
            return version
    return None


def _shows(part: Part, looks: Looks, leaf: Leaf) -> bool:
    """Whether a place of the service showed that certificate."""
    found = (look for contact in part.watched.contacts for look in looks.get(contact, ()))
    return any(Family(leaf).sight(look, leaf.not_before)[0] is Sight.LIVE for look in found)


def _revive(part: Part, stamp: int, message: str, now: datetime, shared: Shared) -> Exchange[None]:
    """Make an older version live again. What holds the newer one back is written down first, with the script's call;
    a person's hold stays what it is.

    Raises:
        CertkeeperError: the newer one still is live.
    """
    spec = part.due.spec
    put: list[Record] = [HookDebt(spec.entry, DEPLOY_CERT, stamp)] if spec.deployer else []
    if not _by_person(part, shared):
        put.append(Held(spec.entry, part.stamp, retry_at(part.failures + 1, now), message))
    yield from do(WriteJournal(put=tuple(put)))
    yield from do(ActivateVersion(part.alias, stamp))
    version = next(item for item in part.versions if item.stamp == stamp)
    not_after = iso(version.leaf.not_after) if version.leaf is not None else "?"
    shared.tell(VersionActivated(str(part.alias), not_after, stamp, part.stamp))
    shared.gone_back.add(part.alias)


def _advance(part: Part, stamp: int, shared: Shared) -> Exchange[None]:
    spec = part.due.spec
    yield from do(ActivateVersion(part.alias, part.stamp))
    shared.tell(VersionActivated(str(part.alias), iso(part.leaf.not_after), part.stamp, stamp))
    shared.gone_back.discard(part.alias)
    held = shared.records.held.get(spec.entry)
    put = (held,) if held is not None else ()
    drop: list[Record] = [HookDebt(spec.entry, DEPLOY_CERT, stamp)] if spec.deployer else []
    if held is None:
        drop.append(Held(spec.entry, part.stamp, None, ""))
    yield from do(WriteJournal(put, tuple(drop)))


def _by_person(part: Part, shared: Shared) -> bool:
    held = shared.records.held.get(part.due.spec.entry)
    return held is not None and held.until is None


def _switching(part: Part, stamp: int, shared: Shared) -> LineagePlan:
    version = next(item for item in part.versions if item.stamp == stamp)
    return switch_to(part.due.spec, shared.settings, part.lineage, version, None)
