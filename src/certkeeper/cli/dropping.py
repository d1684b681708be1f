"""ON_NAME_FAILURE="drop" in a run: what failed because of a name is ordered again, at once, without it."""

from collections.abc import Callable, Collection

from certkeeper.apply.result import Result
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine
from certkeeper.cli.planning import planned
from certkeeper.config.settings import CertSpec, Configuration, OnNameFailure
from certkeeper.plan.actions import Kept, LineagePlan, Plan

MOST_ROUNDS = 3
"""Beside the first. What still fails then waits for the next run, which goes on where this one has ended."""


def carried_out(
    machine: Machine, selected: Configuration, first: Plan, carry_out: Callable[[Plan], Result]
) -> tuple[Plan, Result]:
    """Carry the plan out, and then, with ON_NAME_FAILURE="drop", what has failed, without the names that are to blame.

    Returns:
        The plan and the result of all rounds together: of each lineage those of its last one.
    """
    plan, result = first, carry_out(first)
    for _ in range(MOST_ROUNDS):
        failed = _failed(selected, plan, result)
        if result.fatal is not None or not failed:
            break
        again = _again(machine, selected, failed)
        before = {item.alias: item for item in plan.lineages}
        ready = [spec for spec in failed if _helps(again, spec.alias, before[spec.alias])]
        if not ready:
            break
        if len(ready) < len(failed):
            again = _again(machine, selected, ready)
        plan, result = _both_plans(plan, again), _both_results(plan, result, carry_out(again))
    return plan, result


def _failed(selected: Configuration, plan: Plan, result: Result) -> tuple[CertSpec, ...]:
    """Those that were ordered in vain, and may be had without some of their names."""
    ordered = {item.alias for item in plan.due}
    failed = {outcome.alias for outcome in result.outcomes if outcome.error is not None and outcome.issued is None}
    return tuple(
        spec
        for spec in selected.certificates
        if spec.on_name_failure is OnNameFailure.DROP and spec.alias in failed & ordered
    )


def _again(machine: Machine, selected: Configuration, specs: Collection[CertSpec]) -> Plan:
    # Nobody is asked to try a name again that has just failed, whatever --force says.
    return planned(machine, replace(selected, certificates=tuple(specs)), machine.observe(), frozenset())


def _helps(again: Plan, alias: Alias, before: LineagePlan) -> bool:
    """Whether one more round has another end: an order without more names, or nothing that need be ordered."""
    item = next(item for item in again.lineages if item.alias == alias)
    left_out = {dropped.name for dropped in item.dropped}
    more = not left_out <= {dropped.name for dropped in before.dropped}
    return (item.order is not None and more) or isinstance(item.error, Kept)


def _both_plans(plan: Plan, again: Plan) -> Plan:
    later = {item.alias: item for item in again.lineages}
    return replace(plan, lineages=tuple(later.get(item.alias, item) for item in plan.lineages))


def _both_results(plan: Plan, result: Result, again: Result) -> Result:
    ends = {outcome.alias: outcome for outcome in (*result.outcomes, *again.outcomes)}
    times = [instant for instant in (result.wake_at, again.wake_at) if instant is not None]
    return Result(
        outcomes=tuple(ends[item.alias] for item in plan.lineages if item.alias in ends),
        leftovers=(*result.leftovers, *again.leftovers),
        fatal=again.fatal,
        wake_at=min(times, default=None),
    )
