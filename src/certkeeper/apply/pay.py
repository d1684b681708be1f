"""After the switch: calling the operator's hook, making the next key; and what earlier runs left undone of that."""

from dataclasses import dataclass

from certkeeper.apply.effects import (
    Effect,
    FreeLineage,
    HoldLineage,
    MakeKey,
    ReadLineage,
    RunHook,
    SaveNextKey,
    WriteJournal,
    do,
)
from certkeeper.apply.ports import HookCall, Ports
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import HookCalled, Tell
from certkeeper.base.names import Alias
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import Settings
from certkeeper.lineage.layout import CERT, CHAIN, FULLCHAIN, PRIVKEY
from certkeeper.plan.actions import LineagePlan
from certkeeper.plan.recovery import DEPLOY_CERT


def call_deploy_cert(item: LineagePlan, settings: Settings, stamp: int, tell: Tell) -> Exchange[None]:
    """Tell the script of the live version, with dehydrated's arguments.

    Raises:
        CertkeeperError: it failed, and the call is still owed.
    """
    hook = item.hook
    if hook is None:
        return
    folder = settings.folder(item.spec)
    call = HookCall(
        script=hook.script,
        name=DEPLOY_CERT,
        arguments=(
            str(item.spec.identifiers[0]),
            *(f"{folder}/{name}" for name in (PRIVKEY, CERT, FULLCHAIN, CHAIN)),
            str(stamp),
        ),
        environment=(
            *hook_environment(settings),
            ("CHALLENGETYPE", item.spec.methods.preferred[0].value),
            ("KEY_ALGO", item.spec.key.algorithm.value),
            ("alias", str(item.alias)),
            ("altnames", " ".join(str(name) for name in item.spec.identifiers)),
        ),
    )
    said = yield from do(RunHook(call))
    tell(HookCalled(str(item.alias), hook.script, DEPLOY_CERT, said))


def hook_environment(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What every call of the operator's script finds in its environment, under dehydrated's names."""
    return (
        ("BASEDIR", settings.basedir),
        ("CERTDIR", settings.certdir),
        ("CONFIG", settings.config_file),
        ("COMMAND", "sign_domains"),
        ("CHALLENGETYPE", "dns-01"),
    )


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
