"""The part of a run that puts certificates into services, and what it comes to."""

import sys
from collections.abc import Callable, Collection, Iterator

from certkeeper.apply.deploy.result import Deployed, DeployResult, End
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine
from certkeeper.cli.render import print_error, reporter
from certkeeper.cli.saying import Saying
from certkeeper.config.settings import Configuration

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Most pages deploy nothing.
    from certkeeper.plan.deploy import DeployPlan

NOTHING = DeployResult()


def deployed(
    machine: Machine, selected: Configuration, *, saying: Saying, asked: Collection[Alias] = ()
) -> DeployResult:
    """Give services what they are due for. `asked` are certificates that a person wants tried now."""
    if not _anything(selected):
        return NOTHING
    if machine.settings.left_to_root:
        return _left_to_root(machine, selected, saying=saying)
    from certkeeper.cli.compose.deploying import (  # noqa: PLC0415 - most pages deploy nothing
        carry_out_deployments,
        planned_deployments,
    )

    return carried_out(
        lambda: planned_deployments(machine, selected, asked),
        lambda plan, tell: carry_out_deployments(machine, plan, tell),
        saying=saying,
    )


def carried_out(
    plan: "Callable[[], DeployPlan]", carry_out: "Callable[[DeployPlan, Tell], DeployResult]", *, saying: Saying
) -> DeployResult:
    """Plan and carry out; what ends it early is told."""
    report = None
    result = NOTHING
    try:
        due = plan()
        if not due.idle:
            report = reporter(saying, first="waiting for the services")
            result = carry_out(due, report.tell)
        result = replace(result, deployed=(*result.deployed, *_waiting(due)))
    except CertkeeperError as error:
        result = DeployResult(fatal=error)
    finally:
        if report is not None:
            report.close()
    if result.fatal is not None:
        print_error(result.fatal)
    sys.stdout.flush()
    return result


def _left_to_root(machine: Machine, selected: Configuration, *, saying: Saying) -> DeployResult:
    try:
        left = _for_root(machine, selected)
    except CertkeeperError as error:
        print_error(error)
        return DeployResult(fatal=error)
    if left and saying.everything:
        services = ", ".join(dict.fromkeys(name for name, _ in left))
        sys.stdout.write(
            f"{services}: certificates wait for certkeeper deploy, as root; no run of DEHYDRATED_USER's does that\n"
        )
        sys.stdout.flush()
    return DeployResult(tuple(Deployed(name, alias, End.FOR_ROOT) for name, alias in left))


def _for_root(machine: Machine, selected: Configuration) -> tuple[tuple[str, Alias], ...]:
    from certkeeper.plan.deploy import for_root  # noqa: PLC0415 - as above

    return for_root(selected, machine.lineages(), machine.journal.records(), machine.clock.now())


def deployments_due(machine: Machine, selected: Configuration) -> "DeployPlan":
    """What services are due for, by what is on this machine; nobody is asked. A journal that cannot be read, which is
    told elsewhere, says nothing.
    """
    from certkeeper.plan.deploy import DeployPlan, Waits  # noqa: PLC0415 - as above

    if not _anything(selected):
        return DeployPlan()
    from certkeeper.cli.compose.deploying import planned_deployments  # noqa: PLC0415 - as above

    try:
        if machine.settings.left_to_root:
            left = _for_root(machine, selected)
            return DeployPlan(
                waiting=tuple(Waits(name, alias, "it waits for root: certkeeper deploy") for name, alias in left)
            )
        return planned_deployments(machine, selected)
    except CertkeeperError:
        return DeployPlan()


def _anything(selected: Configuration) -> bool:
    return any(spec.targets for spec in selected.certificates)


def _waiting(plan: "DeployPlan") -> Iterator[Deployed]:
    """Failures whose time has not come are still failures."""
    for wait in plan.waiting:
        if wait.until is not None:
            error = CertkeeperError(
                f"not given before {iso(wait.until)}, since it failed: {wait.message}",
                hint=f"to try at once: certkeeper deploy {wait.alias}",
            )
            print_error(error, subject=f"{wait.target}: {wait.alias}")
            yield Deployed(wait.target, wait.alias, End.FAILED, wait.message, wait.until)


def deployment_summary(result: DeployResult) -> list[str]:
    """`3 deployed`, `1 not deployed`: certificates and services, each pair counted."""
    words = {
        End.SEEN: "deployed",
        End.UNPROVEN: "deployed unproven",
        End.OWED: "waiting for a service",
        End.FOR_ROOT: "waiting for certkeeper deploy",
        End.FAILED: "not deployed",
    }
    counted = {word: sum(1 for item in result.deployed if item.end is end) for end, word in words.items()}
    return [f"{number} {word}" for word, number in counted.items() if number]
