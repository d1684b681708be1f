"""`certkeeper run`."""

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress

from certkeeper.apply.deploy.result import DeployResult
from certkeeper.apply.ports import JournalDamaged
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.events import Tell, count
from certkeeper.base.names import Alias
from certkeeper.base.nextdue import due_said
from certkeeper.base.value import replace
from certkeeper.cli.afterrun import Ended, after_failure, after_run
from certkeeper.cli.calm import keep_calm
from certkeeper.cli.compose import USER_AGENT, Machine, unreadable
from certkeeper.cli.deployments import NOTHING, deployed, deployment_summary
from certkeeper.cli.dropping import carried_out
from certkeeper.cli.hooking import Hooking, told_of_run
from certkeeper.cli.permissions import put_right
from certkeeper.cli.planning import opened, planned
from certkeeper.cli.render import finding_lines, print_error, reporter
from certkeeper.cli.rounds import (
    held_to_limit,
    hooked,
    lines_opened,
    lines_unchanged,
    merged,
    of_round,
    out_of_reach,
    rounds,
)
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.cli.staples import kept_fresh
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import Cleanup, Configuration
from certkeeper.plan.actions import Kept, Plan, Postponed, Reason
from certkeeper.plan.advice import advice_finding
from certkeeper.plan.lastrun import failures_after
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import account_first
from certkeeper.plan.preflight import index_finding, journal_finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.danephase import DanePhase

LONGEST_WAIT = 3600.0
"""Seconds that --wait-lock waits: runs of a timer must not pile up behind one that hangs."""


def run(options: argparse.Namespace) -> int:
    """Issue what is due.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = opened(options)
    try:
        return run_on(machine, options)
    except CertkeeperError as error:
        after_failure(machine, options, error)
        raise


def run_on(machine: Machine, options: argparse.Namespace) -> int:
    """The same on a machine that is put together already."""
    selected = select(machine.configuration, options.names)
    with hooked(machine, selected, saying=options.saying) as hooking:
        return _run(machine, selected, hooking, options)


def _run(machine: Machine, selected: Configuration, hooking: Hooking | None, options: argparse.Namespace) -> int:
    endings: list[CertkeeperError] = []
    with _given_back(_lock(machine, options), endings), _given_back(closing(machine), endings):
        selected, touched = put_right(machine, selected, saying=options.saying)
        if mended := machine.mend(selected):
            from certkeeper.cli.heal import keep_mended  # noqa: PLC0415 - most runs mend nothing

            keep_mended(machine, mended)
        if hooking is not None:
            hooking.begin()
        observed, noticed = _observe(machine)
        forced = frozenset(spec.alias for spec in selected.certificates) if options.force else frozenset()
        observed, staples = kept_fresh(machine, selected, observed, saying=options.saying)
        observed = _advised(machine, selected, observed, noticed)
        observed = _with_accounts(machine, selected, observed, forced, options)
        plan, result = _in_rounds(machine, selected, hooking, observed, noticed, forced, options)
        _remember(machine, plan, result)
        result = staples.after(machine, result)
        endings += staples.errors
        shown = deployed(machine, selected, saying=options.saying) if result.fatal is None else NOTHING
        issued = {outcome.alias for outcome in result.outcomes if outcome.live is not None}
        dane = _published(machine, options) if result.fatal is None else None
        endings += dane.errors if dane is not None else ()
        _print_findings(tuple(unreadable(selected, issued | touched)))
        machine.keep_index()
        if result.fatal is None:
            endings += _cleaned_up(machine, options)
    for error in (*result.leftovers, *endings):
        print_error(error)
    if result.fatal is not None:
        print_error(result.fatal)
    if hooking is not None and (trouble := hooking.end(result.fatal)) is not None:
        # The run is over, and was what it was.
        print_error(trouble)
    ended = Ended(selected, observed, plan, result, shown, tuple(endings), dane)
    wanted = options.saying.everything or (options.saying.changes and ended.worth_telling)
    said = _summary(selected, plan, result, shown, staples.summary, dane) + "\n" if wanted else ""
    sys.stdout.write(said)
    if after_run(machine, options, ended) and hooking is None and not noticed:
        keep_calm(machine, options, selected, observed, plan, (result, shown, endings), staples, said)
    return ended.exit_code


def _published(machine: Machine, options: argparse.Namespace) -> "DanePhase | None":
    """The TLSA records of the whole page: certificates share owners."""
    # `issue` sees no other certificate of the page, and does not know what these share: the next run does.
    if options.command == "issue" or machine.dane_watch is None:
        return None
    from certkeeper.cli.danephase import published  # noqa: PLC0415 - most pages have no TLSA records

    return published(machine, saying=options.saying)


def _cleaned_up(machine: Machine, options: argparse.Namespace) -> tuple[CertkeeperError, ...]:
    if machine.settings.cleanup is Cleanup.NO:
        return ()
    from certkeeper.cli.cleaning import clean_up_after_run  # noqa: PLC0415 - few pages ask for it

    return clean_up_after_run(machine, saying=options.saying)


def _in_rounds(
    machine: Machine,
    selected: Configuration,
    hooking: Hooking | None,
    observed: Observed,
    noticed: Sequence[Finding],
    forced: Collection[Alias],
    options: argparse.Namespace,
) -> tuple[Plan, Result]:
    """Plan and carry out. All at once, but that a script that answers challenges gets one certificate at a time."""
    found = (*machine.configuration.findings, *noticed)
    plans, results = list[Plan](), list[Result]()
    for rejected in selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    observed = held_to_limit(selected, observed, forced)
    for part in rounds(selected):
        if (stopped := out_of_reach(part, results, selected)) is not None:
            results.append(stopped)
            continue
        ready, failed = lines_opened(hooking, part)
        if failed and not ready.certificates:
            results.append(Result(tuple(failed)))
            continue
        plan = planned(machine, ready, observed, forced)
        with suppress(CertkeeperError):
            # What is not remembered is looked at again when it is needed.
            machine.ends.keep(plan.ends)
        told = noticed or not plan.idle or plan.blocked or plan.incomplete or plan.pressing or selected.rejected
        if told or not selected.certificates:
            findings = (*found, *plan.findings)
            _print_findings(
                [item for item in findings if options.saying.everything or item.severity is not Severity.NOTE]
            )
            found, noticed = (), ()
        failed += lines_unchanged(hooking, plan)
        plan, result = carried_out(machine, ready, plan, lambda each: _carry_out(machine, each, options))
        result = of_round(result, plan, selected)
        plans.append(plan)
        results.append(replace(result, outcomes=(*failed, *result.outcomes)))
        if not plan.idle:
            observed = replace(observed, records=machine.journal.records())
    return merged(plans, results)


def _remember(machine: Machine, plan: Plan, result: Result) -> None:
    """Why certificates were not issued, for `certkeeper status`."""
    before = machine.last_run.read()
    errors = {item.alias: result.fatal for item in plan.due if result.fatal is not None}
    errors |= {outcome.alias: outcome.error for outcome in result.outcomes if outcome.error is not None}
    if not (before or errors):
        return
    ended = {outcome.alias for outcome in result.outcomes}
    after = failures_after(before, plan.lineages, errors, ended, machine.settings, machine.clock.now())
    listed = {spec.alias for spec in machine.configuration.certificates}
    after = {alias: failure for alias, failure in after.items() if alias in listed}
    if after != before:
        # Nothing is decided by it: a run is what it was without it.
        with suppress(CertkeeperError):
            machine.last_run.write(after)


@contextmanager
def _given_back(held: AbstractContextManager[object], endings: list[CertkeeperError]) -> Iterator[None]:
    """What is held during a run. A failure to give it back is told beside what the run did, not in its place."""
    with ExitStack() as stack:
        stack.enter_context(held)
        rest = stack.pop_all()
    try:
        yield
    except BaseException:
        # Ctrl-C, too: whatever ends the run, the lock is given back, and that is what is told.
        with suppress(CertkeeperError):
            rest.close()
        raise
    try:
        rest.close()
    except CertkeeperError as error:
        endings.append(error)


def _lock(machine: Machine, options: argparse.Namespace) -> AbstractContextManager[object]:
    return machine.lock_within(LONGEST_WAIT, _wait_told) if options.wait_lock else machine.lock()


def _wait_told(error: CertkeeperError) -> None:
    sys.stderr.write(f"certkeeper: waiting: {error}\n")
    sys.stderr.flush()


def _observe(machine: Machine) -> tuple[Observed, list[Finding]]:
    """The world; a journal that cannot be understood is set aside, since nothing that is served depends on it."""
    noticed = []
    try:
        observed = machine.observe()
    except JournalDamaged as error:
        aside = machine.set_journal_aside()
        observed = machine.observe()
        noticed.append(journal_finding(error, f"it is kept as {aside}, and a new one begins"))
    if machine.index_trouble:
        noticed.append(index_finding(machine.index_trouble))
    return observed, noticed


def _advised(machine: Machine, selected: Configuration, observed: Observed, noticed: list[Finding]) -> Observed:
    """The world after the CA was asked when it wants certificates renewed; what it said is kept."""
    asked = machine.advised(selected, observed)
    if asked.advice != observed.advice:
        try:
            machine.keep_advice(asked.advice)
        except CertkeeperError as error:
            noticed.append(advice_finding(error))
    return asked


def _with_accounts(
    machine: Machine,
    selected: Configuration,
    observed: Observed,
    forced: Collection[Alias],
    options: argparse.Namespace,
) -> Observed:
    """The world with an account at each CA where what is due cannot be planned without one.

    A CA where none can be had stops its own certificates only.

    Raises:
        CertkeeperError: there is no other CA, or somebody interrupts.
    """
    missing = account_first(selected, observed, forced)
    if not missing:
        return observed
    accounts, unusable = dict(observed.accounts), dict(observed.unusable)
    report = reporter(options.saying)
    try:
        for ca in missing:
            try:
                accounts[ca] = _opened(machine, ca, report.tell, terms_accepted=options.accept_terms)
            except Interrupted:
                raise
            except CertkeeperError as error:
                if len(selected.cas) == 1:
                    raise
                unusable[ca] = error
    finally:
        report.close()
    return replace(observed, registered=observed.registered | set(accounts), accounts=accounts, unusable=unusable)


def _opened(machine: Machine, ca: str, tell: Tell, *, terms_accepted: bool) -> str:
    """The URL of our account there."""
    from certkeeper.apply.account import open_session  # noqa: PLC0415 - a run with nothing to do needs none
    from certkeeper.apply.hooks import refusals_told  # noqa: PLC0415 - as above

    settings = told_of_run(machine.configuration).at(ca)
    opening = open_session(settings, user_agent=USER_AGENT, terms_accepted=terms_accepted, tell=tell)
    machine.converse(refusals_told(opening, settings, tell))
    stored = machine.accounts.read(ca)
    return (stored.kid if stored is not None else None) or ""


def _carry_out(machine: Machine, plan: Plan, options: argparse.Namespace) -> Result:
    if plan.idle and not plan.blocked:
        return Result(wake_at=plan.wake_at)
    report = reporter(options.saying)
    try:
        return machine.reconcile(plan, terms_accepted=options.accept_terms, tell=report.tell)
    finally:
        report.close()


def _print_findings(findings: Sequence[Finding]) -> None:
    for line in finding_lines(findings):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _summary(
    selected: Configuration,
    plan: Plan,
    result: Result,
    shown: DeployResult,
    stapled: Sequence[str],
    dane: "DanePhase | None",
) -> str:
    owing = {item.alias for item in plan.owing}
    issued = sum(1 for outcome in result.outcomes if outcome.issued is not None)
    later = len(plan.postponed)
    staged = sum(1 for outcome in result.outcomes if outcome.staged is not None)
    activated = sum(1 for outcome in result.outcomes if outcome.activated is not None)
    failed = [item for item in result.outcomes if not isinstance(item.error, Postponed | Kept | None)]
    kept = sum(1 for outcome in result.outcomes if isinstance(outcome.error, Kept))
    gone = {item.alias for item in plan.owing if item.goes is not None}
    unpaid = sum(1 for outcome in failed if outcome.live is not None or outcome.alias in owing - gone)
    ended = {outcome.alias for outcome in result.outcomes}
    lost = len(failed) - unpaid + len(selected.rejected) + sum(1 for item in plan.due if item.alias not in ended)
    quiet = [item for item in plan.lineages if item.order is None and item.error is None and item.goes is None]
    held = sum(1 for item in quiet if item.reason is Reason.HELD)
    current = len(quiet) - held
    parts = [f"{issued} issued"] if issued else []
    parts += [f"{activated} activated"] if activated else []
    parts += [f"{staged} staged"] if staged else []
    parts += [f"{lost} failed"] if lost else []
    parts += [f"{later} postponed"] if later else []
    parts += [f"{kept} kept"] if kept else []
    parts += [f"{count(unpaid, 'hook')} failed"] if unpaid else []
    parts += [*stapled, *deployment_summary(shown)]
    parts += dane.said if dane is not None else ()
    parts += [f"{held} held"] if held else []
    parts += [f"{current} not due"] if current else []
    said = ", ".join(parts) or "nothing to do"
    if parts == [f"{current} not due"]:
        said = f"{count(current, 'certificate')}, nothing due"
    times = (result.wake_at, shown.retry_at, dane.wake_at if dane is not None else None)
    due = min((time for time in times if time is not None), default=None)
    return said + due_said(due)
