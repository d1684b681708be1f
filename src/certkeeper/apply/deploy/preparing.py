"""Before anything is touched: what each certificate is to be at a service, and whether it could be."""

from collections.abc import Mapping

from certkeeper.apply.deploy.effects import CheckPair, CheckPlacement, LookAtCopies, ReadVersions
from certkeeper.apply.deploy.parts import Part, Shared
from certkeeper.apply.deploy.result import Deployed, End
from certkeeper.apply.effects import ReadVersion, do
from certkeeper.apply.placements import contents, filled, placement
from certkeeper.apply.refused import ReadClock
from certkeeper.base.errors import CertkeeperError, Fault, Interrupted
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange
from certkeeper.lineage.model import Leaf, Lineage, Version
from certkeeper.plan.deploy import Due, TargetPlan, unfit
from certkeeper.plan.showing import Family, Watched, wishes
from certkeeper.service.target import Target


class Gone(CertkeeperError):
    """A version that is not there any more, or not whole."""

    label = "service-failed"
    fault = Fault.OPERATOR
    local = True


def prepare(
    item: TargetPlan, lineages: Mapping[Alias, Lineage], shared: Shared
) -> Exchange[tuple[list[Part], dict[Alias, CertkeeperError], list[Deployed]]]:
    """The parts that can go on, why others cannot, and those that need nothing. `lineages` are those that we hold.

    Nothing was changed by it.
    """
    parts: list[Part] = []
    failed: dict[Alias, CertkeeperError] = {}
    left: list[Deployed] = []
    now = yield from do(ReadClock())
    for due in item.due:
        lineage = lineages[due.alias]
        leaf, stamp = lineage.leaf, lineage.stamp
        reason = unfit(lineage, now)
        if leaf is None or stamp is None or reason:
            message = reason or "its files are not ours any more"
            left.append(Deployed(item.target.name, due.alias, End.LEFT, message))
            continue
        try:
            parts.append((yield from _part(due, item.target, lineage, leaf, stamp, shared)))
        except Interrupted:
            raise
        except CertkeeperError as error:
            failed[due.alias] = error
    return parts, failed, left


def _part(due: Due, target: Target, lineage: Lineage, leaf: Leaf, stamp: int, shared: Shared) -> Exchange[Part]:
    """Raises CertkeeperError: the service cannot be given it."""
    versions = yield from do(ReadVersions(due.alias))
    files, _ = yield from do(ReadVersion(due.alias, stamp))
    if files is None:
        raise Gone(f"version {stamp} is not there, or not whole", hint=f"certkeeper versions {due.alias}")
    yield from do(CheckPair(due.alias, files))
    watched = yield from _watched(due, target, leaf, versions, shared)
    part = Part(due, lineage, leaf, stamp, versions, watched)
    if target.in_place:
        return part
    wanted = placement(due.spec, target)
    held = contents(files, set(wanted.files.values()))
    place = filled(wanted, held)
    yield from do(CheckPlacement(place))
    found = yield from do(LookAtCopies(place))
    return replace(part, placement=place, placed=found, contents=held)


def _watched(due: Due, target: Target, leaf: Leaf, versions: tuple[Version, ...], shared: Shared) -> Exchange[Watched]:
    others = tuple(
        version.leaf for version in versions if version.leaf is not None and version.leaf.serial != leaf.serial
    )
    family = Family(leaf, others, shared.page)
    contacts = yield from shared.addresses.contacts(wishes(due.spec, target), family.keys)
    asked = frozenset(contact for contact, wish in contacts.items() if wish.asked)
    return Watched(family, tuple(contacts), asked)
