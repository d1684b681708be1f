"""A run in rounds: one for all certificates, or one for each where a script answers challenges."""

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from certkeeper.apply.result import Outcome, Result
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine
from certkeeper.cli.hooking import Hooking, told_of_run
from certkeeper.cli.render import Lines, print_error
from certkeeper.cli.saying import Saying
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import CertSpec, Configuration, HookSettings, Settings
from certkeeper.plan.actions import Plan
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan
from certkeeper.plan.runlimit import LaterRun

_SERVED = frozenset({ChallengeType.HTTP_01, ChallengeType.TLS_ALPN_01})


@contextmanager
def hooked(machine: Machine, selected: Configuration, *, saying: Saying) -> Iterator[Hooking | None]:
    """The run's calls of scripts; None where nobody is told of anything. One that fails ends with exit_hook, too."""
    settings = told_of_run(selected)
    if not (settings.hook or settings.exit_command or any(spec.deploy_hook for spec in selected.certificates)):
        yield None
        return
    hooking = Hooking(settings, lambda: machine.hooks, Lines(sys.stdout, saying).tell)
    try:
        yield hooking
    except CertkeeperError as error:
        if (also := hooking.end(error)) is not None:
            print_error(also)
        raise


def rounds(selected: Configuration) -> tuple[Configuration, ...]:
    """One where certificates may overlap. Where a script answers challenges, each with a script has its own, in the
    list's order, and all the others share one.
    """
    if not any(_answered(spec, selected.settings) for spec in selected.certificates):
        return (selected,)
    parts: dict[object, list[CertSpec]] = {}
    for spec in selected.certificates:
        parts.setdefault(spec.alias if spec.hook else None, []).append(spec)
    return tuple(replace(selected, certificates=tuple(specs)) for specs in parts.values())


def held_to_limit(selected: Configuration, observed: Observed, forced: Collection[Alias]) -> Observed:
    """The world with what waits for a later run by RUN_LIMIT. No round sees how many orders the others open."""
    if not selected.settings.run_limit or len(rounds(selected)) == 1:
        return observed
    whole = plan(selected, observed, forced).postponed
    later = {item.alias: item.error for item in whole if isinstance(item.error, LaterRun)}
    return replace(observed, later_runs=later)


def _answered(spec: CertSpec, settings: Settings) -> bool:
    """Whether a script may be what proves a name of it."""
    provider = settings.provider(spec.provider)
    by_script = provider is not None and isinstance(provider.settings, HookSettings)
    return any(
        (method is ChallengeType.DNS_01 and by_script) or (method in _SERVED and bool(spec.hook))
        for identifier in spec.identifiers
        for method in spec.methods.of(identifier)
    )


def lines_opened(hooking: Hooking | None, part: Configuration) -> tuple[Configuration, list[Outcome]]:
    """The certificates that scripts have nothing against, and those that failed by it."""
    if hooking is None:
        return part, []
    ready, failed = [], []
    for spec in part.certificates:
        try:
            ready.append(hooking.line(spec))
        except Interrupted:
            raise
        except CertkeeperError as error:
            failed.append(_failed(spec, error))
    return replace(part, certificates=tuple(ready)), failed


def lines_unchanged(hooking: Hooking | None, plan: Plan) -> list[Outcome]:
    """Tell of those that stay as they are; those where that failed. One that a call is owed to gets that one."""
    failed = []
    for item in plan.lineages if hooking is not None else ():
        if hooking is None or item.order is not None or item.error is not None or item.hook is not None:
            continue
        try:
            hooking.unchanged(item.spec)
        except Interrupted:
            raise
        except CertkeeperError as error:
            failed.append(_failed(item.spec, error))
    return failed


def _failed(spec: CertSpec, error: CertkeeperError) -> Outcome:
    print_error(error, subject=str(spec.alias))
    return Outcome(spec.alias, error=error)


def out_of_reach(part: Configuration, results: Sequence[Result], selected: Configuration) -> Result | None:
    """What comes of a round after the run was interrupted, or after its CA turned out to be out of reach."""
    for before in results:
        if before.fatal is not None and (isinstance(before.fatal, Interrupted) or len(selected.cas) == 1):
            return Result(tuple(Outcome(spec.alias, error=before.fatal) for spec in part.certificates))
    return None


def of_round(result: Result, plan: Plan, selected: Configuration) -> Result:
    """A CA that is out of reach stops a round; where there are other CAs, it does not stop the run."""
    fatal = result.fatal
    if fatal is None or isinstance(fatal, Interrupted) or len(selected.cas) == 1:
        return result
    lost = tuple(_failed(item.spec, fatal) for item in plan.due)
    return replace(result, fatal=None, outcomes=(*result.outcomes, *lost))


def merged(plans: Sequence[Plan], results: Sequence[Result]) -> tuple[Plan, Result]:
    """All rounds as one."""
    if len(plans) == len(results) == 1:
        return plans[0], results[0]
    times = [result.wake_at for result in results if result.wake_at is not None]
    fatal = next((result.fatal for result in results if result.fatal is not None), None)
    result = Result(
        outcomes=tuple(outcome for result in results for outcome in result.outcomes),
        leftovers=tuple(error for result in results for error in result.leftovers),
        fatal=fatal,
        wake_at=min(times, default=None),
    )
    return Plan(tuple(item for plan in plans for item in plan.lineages)), result
