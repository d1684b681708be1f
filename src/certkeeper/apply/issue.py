"""One lineage from order to live files. Steps are numbered as in ARCHITECTURE.md, "one run, step by step"."""

from contextlib import suppress

from certkeeper.acme.order import OrderFailed
from certkeeper.acme.problem import Problem
from certkeeper.apply.attempt import Attempt, Issuance, may_go_on
from certkeeper.apply.effects import (
    DiscardVersion,
    FreeLineage,
    HoldLineage,
    ReadVersion,
    RecordFailure,
    StageVersion,
    WriteJournal,
    do,
)
from certkeeper.apply.golive import ChangedMeanwhile, CheckGate, settle, show_to_script, switch_over
from certkeeper.apply.hooks import mention_refusal
from certkeeper.apply.manner import Proofs
from certkeeper.apply.names import blamed
from certkeeper.apply.obtain import obtain
from certkeeper.apply.pay import call_deploy_cert
from certkeeper.apply.refused import ReadClock
from certkeeper.apply.result import Issued, Staged
from certkeeper.apply.scheduler import shield
from certkeeper.apply.staplebefore import staple_before
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import CertificateIssued, CertificateStaged
from certkeeper.base.times import iso
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import OnNameFailure
from certkeeper.lineage.integrity import check
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import BadChain, Leaf
from certkeeper.plan.actions import Activate, LineagePlan, Order
from certkeeper.plan.backoff import backoff_inputs, name_inputs, next_name_backoff, proven_name
from certkeeper.plan.fingerprint import fingerprint
from certkeeper.plan.namefailure import may_drop
from certkeeper.plan.records import NameBackoff, OrderIntent, Record


def issue(item: LineagePlan, shared: Issuance) -> Exchange[Issued | Staged]:
    """Carry out the actions of one lineage.

    Raises:
        CertkeeperError: the live files are as they were. What the next run can go on with is on disk and in the
            journal; nothing else of the attempt is left but what waves withdraw.
    """
    wanted = item.order
    if wanted is None:
        raise TypeError(f"{item.alias}: no order in its plan")
    attempt = Attempt(item, shared)
    try:
        shared.limits.check(wanted.identifiers)
        yield from _claim(item, wanted)
        try:
            issued = yield from _issue(attempt, wanted)
        except CertkeeperError as error:
            yield from mention_refusal(error, shared.settings, item.spec, shared.tell)
            yield from _clear(attempt, error)
            yield from do(FreeLineage(item.alias))
            raise
        yield from do(FreeLineage(item.alias))
    finally:
        shared.waves.release(item.alias)
        shared.served.release(item.alias)
    return issued


def _claim(item: LineagePlan, wanted: Order) -> Exchange[None]:
    """Nobody else works on the lineage, and it still is what the plan was made for."""
    lineage = yield from do(HoldLineage(item.alias))
    if fingerprint(item.spec, lineage, wanted.must_staple) != item.fingerprint:
        yield from do(FreeLineage(item.alias))
        raise ChangedMeanwhile("somebody else changed it since the plan was made", hint="run again: certkeeper run")


def _issue(attempt: Attempt, wanted: Order) -> Exchange[Issued | Staged]:
    item = attempt.item
    yield from _pay_before(attempt)
    left = wanted.resume if attempt.shared.manner.proofs is Proofs.COUNT else None
    ready = (yield from _staged(attempt, left, wanted)) if left is not None else None
    if ready is None:
        key = item.key
        if key is None:
            raise TypeError(f"{item.alias}: no key in its plan")
        obtained = yield from obtain(attempt, wanted, key.source)
        # A version that can be complete is completed: the CA counts it in any case.
        yield from shield()
        yield from do(StageVersion(obtained.draft, obtained.files))
        attempt.draft = None
        ready = obtained.draft.stamp, obtained.leaf
        earlier = ""
    else:
        earlier = f"version {ready[0]}, which an earlier run completed"
    stamp, leaf = ready
    if item.stays_staged:
        yield from shield()
        return (yield from _leave_staged(attempt, stamp, leaf, earlier))
    return (yield from _switch(attempt, stamp, leaf, earlier))


def _pay_before(attempt: Attempt) -> Exchange[None]:
    """A call that is owed for the version that is live now; a new one is coming, so a failure stops nothing."""
    hook = attempt.item.hook
    if hook is None or hook.debt is None:
        return
    try:
        yield from call_deploy_cert(attempt.item, attempt.shared.settings, hook.debt.stamp, attempt.shared.tell)
        yield from do(WriteJournal(drop=(hook.debt,)))
    except CertkeeperError as error:
        attempt.note(str(error))


def _staged(attempt: Attempt, intent: OrderIntent, wanted: Order) -> Exchange[tuple[int, Leaf] | None]:
    """The version that an earlier run completed and did not bring live."""
    files, at = yield from do(ReadVersion(attempt.alias, intent.stamp))
    if files is None:
        return None
    try:
        key_id = parse_leaf(files.cert).key_id
        leaf = check(files.fullchain, key_id=key_id, identifiers=wanted.identifiers, now=at)
    except BadChain as error:
        attempt.note(f"version {intent.stamp}, which an earlier run left, is of no use: {error}")
        return None
    attempt.intent = intent
    attempt.shared.waves.pass_by(attempt.alias)
    return intent.stamp, leaf


def _switch(attempt: Attempt, stamp: int, leaf: Leaf, earlier: str) -> Exchange[Issued]:
    """Step 13. The hook's debt is written down before the switch, and dropped after the hook ended well. `earlier` is
    what a version is called that is not of this run.
    """
    item, shared = attempt.item, attempt.shared
    # Where it may not go live yet the version stays, and a later run goes on from here.
    yield from do(CheckGate(item.alias, stamp))
    asked = yield from staple_before(item, stamp, leaf, shared.user_agent, shared.tell)
    yield from shield()
    if item.hook is not None and item.spec.deploy_hook:
        # Where it fails the version stays, and the next run goes on from here.
        yield from show_to_script(item, stamp, shared.settings, shared.tell)
    if earlier:
        # Nothing that may refuse it is left.
        attempt.note(f"{earlier}, goes live")
    issued = CertificateIssued(str(item.alias), iso(leaf.not_after), _folder(item))
    yield from switch_over(item, stamp, issued, shared.tell)
    # A hold that is left was about a version that this one has overtaken.
    held = item.hold.record if item.hold is not None else None
    met = _present(attempt.intent, item.backoff, *item.names_failed, held)
    attempt.intent = None
    unpaid = yield from settle(item, stamp, shared.settings, shared.tell, drop=met)
    return Issued(stamp, leaf, unpaid, asked)


def _present(*entries: Record | None) -> tuple[Record, ...]:
    return tuple(entry for entry in entries if entry is not None)


def _leave_staged(attempt: Attempt, stamp: int, leaf: Leaf, earlier: str) -> Exchange[Staged]:
    """The lineage is held: what is live stays, and nobody is told but the operator."""
    item, shared = attempt.item, attempt.shared
    if earlier:
        attempt.note(f"{earlier}, stays staged")
    shared.tell(CertificateStaged(str(item.alias), iso(leaf.not_after), stamp))
    met = _present(attempt.intent, item.backoff, *item.names_failed)
    attempt.intent = None
    try:
        yield from do(WriteJournal(drop=met))
    except CertkeeperError as error:
        # The version is there. The next run finds it, and drops what is not needed.
        attempt.note(f"the end was not written down: {error}")
    return Staged(stamp, leaf)


def _clear(attempt: Attempt, error: CertkeeperError) -> Exchange[None]:
    """After a failure: keep what the next run can go on with, and have it wait where trying again costs others."""
    item, intent = attempt.item, attempt.intent
    keep = intent is not None and may_go_on(error, item.failures + 1)
    if not keep and attempt.draft is not None:
        # What failed first is what matters; a draft that stays is taken up by the next run.
        with suppress(CertkeeperError):
            yield from do(DiscardVersion(attempt.draft))
    entries: tuple[Record, ...] = (intent,) if intent is not None else ()
    # Put once more, since an interruption may have come between the CA's answer and the first time.
    put, drop = (entries, ()) if keep else ((), entries)
    with suppress(CertkeeperError):
        # What a CA says to everybody is no failure of the lineage's: the wait for the CA is wait enough.
        if not error.local and not (yield from _about_all(attempt, error)):
            inputs = backoff_inputs(item.fingerprint, item.spec, attempt.shared.settings)
            put = (*put, *(yield from _failed_names(attempt, error)))
            if _goes_without(attempt, error):
                # The names wait by themselves, and the certificate is ordered without them at once.
                yield from do(WriteJournal(put, drop))
            else:
                yield from do(RecordFailure(item.spec.entry, item.failures + 1, error, inputs, put, drop))
        elif entries:
            yield from do(WriteJournal(put, drop))


def _about_all(attempt: Attempt, error: CertkeeperError) -> Exchange[bool]:
    """The CA has had enough of this account or machine; others are not to ask it any more."""
    if not isinstance(error, Problem):
        return False
    shared = attempt.shared
    return (yield from shared.limits.heard(error, shared.session, attempt.item.spec.identifiers))


def _failed_names(attempt: Attempt, error: CertkeeperError) -> Exchange[tuple[NameBackoff, ...]]:
    """What to remember of names that the CA could not validate, so that no other certificate tries them at once."""
    item, shared = attempt.item, attempt.shared
    if not isinstance(error, OrderFailed) and item.spec.on_name_failure is OnNameFailure.BLOCK:
        return ()
    names = tuple(dict.fromkeys(proven_name(name) for name in blamed(error, item.spec.identifiers)))
    shared.limits.failed(names, str(item.alias))
    if not names:
        return ()
    before = {entry.name: entry for entry in item.names_failed}
    now = yield from do(ReadClock())
    return tuple(
        next_name_backoff(
            item.spec.ca, name, before.get(name), error, name_inputs(name, item.spec, shared.settings), now
        )
        for name in names
    )


def _goes_without(attempt: Attempt, error: CertkeeperError) -> bool:
    """Whether a certificate can be had without the names that failed."""
    spec, order = attempt.item.spec, attempt.item.order
    names = blamed(error, spec.identifiers)
    failed = {proven_name(name) for name in names}
    ordered = order.identifiers if order is not None else ()
    gone = [name for name in ordered if proven_name(name) in failed]
    return bool(names) and all(may_drop(spec, name) for name in gone) and len(gone) < len(ordered)


def _folder(item: LineagePlan) -> str:
    return next((action.folder for action in item.actions if isinstance(action, Activate)), "")
