"""What is remembered of a run that could not issue."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import configuration, lineage, observed, spec
from certkeeper.adapters.lastrun import parse, render
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted
from certkeeper.base.names import Alias
from certkeeper.plan.actions import Kept, LineagePlan, Postponed
from certkeeper.plan.backoff import BackedOff
from certkeeper.plan.lastrun import Failure, failures_after, still_counts
from certkeeper.plan.planner import plan

PAGE = configuration(spec("example.org"))
ALIAS = Alias("example.org")
NO_ZONE = CertkeeperError("no zone at PowerDNS holds example.org", hint="make it")


def item() -> LineagePlan:
    (found,) = plan(PAGE, observed(lineage("example.org"), specs=PAGE.certificates)).lineages
    return replace(found, error=NO_ZONE, actions=())


def after(error: CertkeeperError | None, before: dict[Alias, Failure] | None = None) -> dict[Alias, Failure]:
    errors = {} if error is None else {ALIAS: error}
    return dict(failures_after(before or {}, [item()], errors, errors, PAGE.settings, NOW))


def test_why_it_failed_is_kept_until_it_ends_well_or_something_is_changed() -> None:
    failures = after(NO_ZONE)
    (found,) = failures.values()
    assert (found.at, found.message, found.hint, found.kept) == (NOW, str(NO_ZONE), "make it", False)
    assert parse(render(failures)) == {ALIAS: replace(found, at=NOW.replace(microsecond=0))}
    assert still_counts(found, item(), PAGE.settings) == found
    assert still_counts(found, replace(item(), inputs=("other",)), PAGE.settings) is None
    assert after(None, failures) == {}
    assert after(Kept("kept", NO_ZONE))[ALIAS].kept


@pytest.mark.parametrize(
    "error",
    [
        Postponed("later", retry_at=NOW + timedelta(1)),
        BackedOff("failed"),
        Kept("kept", BackedOff("failed")),
        Interrupted(ExitCode.TERMINATED),
    ],
)
def test_what_was_not_tried_failed_as_before(error: CertkeeperError) -> None:
    failures = after(NO_ZONE)
    assert after(error, failures) == failures
    assert after(error) == {}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version": 1, "failures": {"x": 1}}', b'{"version": 2}'])
def test_a_file_of_no_use_says_nothing(content: bytes) -> None:
    assert parse(content) == {}
