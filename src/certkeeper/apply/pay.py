"""After the switch: calling the operator's hook, making the next key; and what earlier runs left undone of that."""

from certkeeper.apply.effects import (
    Effect,
    FreeLineage,
    HoldLineage,
    MakeKey,
    ReadLineage,
    SaveNextKey,
    WriteJournal,
    do,
)
from certkeeper.apply.hookcalls import deploy_cert, deploy_ocsp
from certkeeper.apply.hooks import call
from certkeeper.apply.ports import Ports
from certkeeper.apply.stapleeffects import ReadStaples
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import Settings
from certkeeper.plan.actions import LineagePlan


def call_deploy_cert(item: LineagePlan, settings: Settings, stamp: int, tell: Tell) -> Exchange[None]:
    """Tell the script of the live version, with dehydrated's arguments.

    Raises:
        CertkeeperError: it failed, and the call is still owed.
    """
    if item.hook is not None:
        yield from call(deploy_cert(settings, item.spec, stamp), str(item.alias), tell)
        yield from _call_deploy_ocsp(item, settings, stamp, tell)


def _call_deploy_ocsp(item: LineagePlan, settings: Settings, stamp: int, tell: Tell) -> Exchange[None]:
    """The response that went live with the version, where one did. It is a part of what is owed."""
    if item.spec.ocsp_fetch and item.spec.deploy_hook:
        files, _ = yield from do(ReadStaples(item.alias))
        if files is not None and files.staple is not None:
            yield from call(deploy_ocsp(settings, item.spec, stamp), str(item.alias), tell)


@dataclass(frozen=True, slots=True)
class RemoveNextKey(Effect[None]):
    alias: Alias

    def perform(self, ports: Ports) -> None:
        ports.store.remove_next_key(self.alias)


def drop_next_key(item: LineagePlan) -> Exchange[None]:
    """Remove the key that was made ahead, where none is to be any more.

    Raises:
        CertkeeperError: it could not be removed.
    """
    if item.drop_key is not None:
        yield from do(RemoveNextKey(item.alias))


def make_next_key(item: LineagePlan) -> Exchange[None]:
    """The key of the next certificate, where there is none that is not in use (step 16).

    Raises:
        CertkeeperError: it could not be made or written.
    """
    if item.next_key is None:
        return
    lineage = yield from do(ReadLineage(item.alias))
    if lineage.next_key_id is None or lineage.next_key_used:
        key = yield from do(MakeKey(item.next_key.spec))
        yield from do(SaveNextKey(item.alias, key))


def pay(item: LineagePlan, settings: Settings, tell: Tell) -> Exchange[None]:
    """What an earlier run owes to a lineage that needs no certificate: a call of the hook, the next key.

    Raises:
        CertkeeperError: it failed again, and is still owed.
    """
    lineage = yield from do(HoldLineage(item.alias))
    try:
        debt = item.hook.debt if item.hook is not None else None
        if debt is not None:
            # Another run may have paid it meanwhile together with a newer version.
            if lineage.stamp == debt.stamp:
                yield from call_deploy_cert(item, settings, debt.stamp, tell)
            yield from do(WriteJournal(drop=(debt,)))
        yield from make_next_key(item)
    except CertkeeperError:
        yield from do(FreeLineage(item.alias))
        raise
    yield from do(FreeLineage(item.alias))
