"""What services are due for, for people and for machines."""

from collections.abc import Iterator, Mapping

from certkeeper.base.times import iso
from certkeeper.plan.deploy import Cause, DeployPlan, TargetPlan

_CAUSES = {
    Cause.OWED: "has yet to take it",
    Cause.RETRY: "did not take it, and is tried again",
    Cause.NEW_VERSION: "has another version",
    Cause.DRIFTED: "its files, or who may read them, are not as they were given",
    Cause.UNKNOWN: "is looked at, and reloaded where it shows an older one",
}


def plan_lines(plan: DeployPlan) -> Iterator[str]:
    """What services are due for now; what is issued by the same run comes on top."""
    for part in plan.targets:
        yield f"service {part.target.name}: {_told(part)}"
        for due in part.due:
            yield f"    {due.alias}: {_CAUSES[due.cause]}"
    for wait in plan.waiting:
        until = f" before {iso(wait.until)}" if wait.until is not None else ""
        yield f"service {wait.target}: not given {wait.alias}{until}: {wait.message}"
    for name, alias, error in plan.errors:
        yield f"service {name}: cannot be given {alias}: {error}"


def plan_document(plan: DeployPlan) -> list[Mapping[str, object]]:
    return [
        {"service": part.target.name, "alias": str(due.alias), "cause": due.cause.value, "version": due.stamp}
        for part in plan.targets
        for due in part.due
    ]


def _told(part: TargetPlan) -> str:
    files = "reads in place" if part.target.in_place else "gets copies"
    tested = ", its configuration is tested" if part.target.test else ""
    return f"{files}{tested}, one reload at most, then its ports are looked at"
