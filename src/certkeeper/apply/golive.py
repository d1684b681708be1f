"""The switch from one version to another (step 13), and what follows from it; for one that was just issued, and for one
that was there: a staged one that a person activates or whose time has come, or an older one that is gone back to.
"""

from certkeeper.apply.effects import ActivateVersion, Effect, FreeLineage, HoldLineage, ReadVersion, WriteJournal, do
from certkeeper.apply.hookcalls import sync_cert
from certkeeper.apply.hooks import ShowVersion, call
from certkeeper.apply.pay import call_deploy_cert, drop_next_key, make_next_key
from certkeeper.apply.ports import Ports
from certkeeper.apply.result import Issued
from certkeeper.apply.scheduler import shield
from certkeeper.apply.staplebefore import staple_before
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.events import Event, Noted, Tell, VersionActivated
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass, replace
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import Settings
from certkeeper.lineage.integrity import check
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import BadChain, Leaf
from certkeeper.plan.actions import GoLive, LineagePlan, Way
from certkeeper.plan.records import HookDebt, Record
from certkeeper.plan.recovery import DEPLOY_CERT


class ChangedMeanwhile(CertkeeperError):
    """Somebody else worked on the lineage between the plan and its turn."""

    label = "changed-meanwhile"
    fault = Fault.OPERATOR
    local = True


class VersionGone(CertkeeperError):
    """A version that was to go live is not there any more, or not whole."""

    label = "changed-meanwhile"
    fault = Fault.OPERATOR
    local = True


def go_live(item: LineagePlan, settings: Settings, tell: Tell, user_agent: str) -> Exchange[Issued]:
    """Make a version live that is there.

    Raises:
        CertkeeperError: what was live still is, and what is planned stays planned.
    """
    going = item.goes
    if going is None:
        raise TypeError(f"{item.alias}: nothing goes live in its plan")
    lineage = yield from do(HoldLineage(item.alias))
    try:
        if lineage.stamp not in (going.present, going.stamp):
            raise ChangedMeanwhile("somebody else changed it since the plan was made", hint="run again: certkeeper run")
        leaf = yield from _sound(item, going)
        yield from do(CheckGate(item.alias, going.stamp))
        asked = yield from staple_before(item, going.stamp, leaf, user_agent, tell)
        yield from shield()
        if item.hook is not None and item.spec.deploy_hook and going.way is Way.FORWARD:
            yield from show_to_script(item, going.stamp, settings, tell)
        told = VersionActivated(str(item.alias), iso(leaf.not_after), going.stamp, going.present)
        yield from switch_over(item, going.stamp, told, tell)
        put, drop = _after(going)
        unpaid = yield from settle(item, going.stamp, settings, tell, put=put, drop=drop)
    except CertkeeperError:
        yield from do(FreeLineage(item.alias))
        raise
    yield from do(FreeLineage(item.alias))
    return Issued(going.stamp, leaf, unpaid, asked)


def _sound(item: LineagePlan, going: GoLive) -> Exchange[Leaf]:
    """The leaf of the version, looked at once more as a CA's chain is: key, order, validity."""
    files, at = yield from do(ReadVersion(item.alias, going.stamp))
    if files is None:
        raise VersionGone(f"version {going.stamp} is not there, or not whole", hint=f"certkeeper versions {item.alias}")
    try:
        leaf = parse_leaf(files.cert)
        return check(files.fullchain, key_id=leaf.key_id, identifiers=leaf.identifiers, now=at)
    except BadChain as error:
        raise BadChain(error.mismatches, name=f"version {going.stamp}", hint=error.hint) from error


def _after(going: GoLive) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """What becomes of the hold: a person's stays, one that was about this version is over."""
    held = going.held
    if held is None:
        return (), ()
    return ((replace(held, stamp=0),), ()) if held.until is None else ((), (held,))


@dataclass(frozen=True, slots=True)
class CheckGate(Effect[None]):
    """TLSA records in caches are matched by what is about to go live."""

    alias: Alias
    stamp: int

    def perform(self, ports: Ports) -> None:
        if ports.gate is not None:
            ports.gate.check(self.alias, self.stamp)


def show_to_script(item: LineagePlan, stamp: int, settings: Settings, tell: Tell) -> Exchange[None]:
    """sync_cert: the script sees the version before it is live.

    Raises:
        CertkeeperError: the script failed.
    """
    shown = yield from do(ShowVersion(item.alias, stamp))
    yield from call(sync_cert(settings, item.spec, shown), str(item.alias), tell)


def switch_over(item: LineagePlan, stamp: int, told: Event, tell: Tell) -> Exchange[None]:
    """The one rename. What is owed then is written down before it, in one transaction.

    Raises:
        CertkeeperError: the version that was live still is.
    """
    owes: tuple[Record, ...] = (_debt(item, stamp),) if item.hook is not None else ()
    if item.spec.targets:
        from certkeeper.plan.deploy import owed  # noqa: PLC0415 - most certificates are not deployed

        owes += owed(item.spec, stamp, item.deployments)
    if owes:
        yield from do(WriteJournal(put=owes))
    yield from do(ActivateVersion(item.alias, stamp))
    tell(told)


def settle(
    item: LineagePlan,
    stamp: int,
    settings: Settings,
    tell: Tell,
    *,
    put: tuple[Record, ...] = (),
    drop: tuple[Record, ...] = (),
) -> Exchange[CertkeeperError | None]:
    """What follows from the switch: hook, next key, and the journal's end of it. Nothing of it undoes the switch.

    Returns:
        Why the hook is still owed a call; None where it is not.
    """

    def note(message: str) -> None:
        tell(Noted(str(item.alias), message))

    unpaid: CertkeeperError | None = None
    if item.hook is not None:
        try:
            yield from call_deploy_cert(item, settings, stamp, tell)
            drop = (*drop, _debt(item, stamp))
        except CertkeeperError as error:
            unpaid = error
    if item.next_key is not None:
        try:
            yield from make_next_key(item)
        except CertkeeperError as error:
            # The next run sees that it is missing.
            note(f"the next key was not made: {error}")
    try:
        yield from drop_next_key(item)
    except CertkeeperError as error:
        note(f"the key that was made ahead was not removed: {error}")
    try:
        yield from do(WriteJournal(put, drop))
    except CertkeeperError as error:
        # The certificate is live. What is not dropped is found out of date by the next run, or done again.
        note(f"the end was not written down: {error}")
    return unpaid


def _debt(item: LineagePlan, stamp: int) -> HookDebt:
    return HookDebt(item.spec.entry, DEPLOY_CERT, stamp)
