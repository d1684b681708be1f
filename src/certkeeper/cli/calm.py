"""Whether a run found nothing to do, so that the next one may say the same without looking again."""

import argparse
from collections.abc import Collection
from datetime import datetime, timedelta

from certkeeper.apply.deploy.result import DeployResult
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError
from certkeeper.cli.compose import Machine
from certkeeper.cli.compose.telling import owed
from certkeeper.cli.deployments import NOTHING
from certkeeper.cli.select import is_whole
from certkeeper.cli.staples import Kept
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import Plan
from certkeeper.plan.observed import Observed


def keep_calm(
    machine: Machine,
    options: argparse.Namespace,
    selected: Configuration,
    observed: Observed,
    plan: Plan,
    ended: tuple[Result, DeployResult, Collection[CertkeeperError]],
    staples: Kept,
    said: str,
) -> None:
    """Remember it, where the run said nothing but this, and did nothing at all."""
    result, shown, endings = ended
    until = _until(machine, plan, observed, staples)
    if until is not None and machine.settings.telling.report:
        # The page is made anew each day, so that people see that runs take place.
        midnight = (observed.now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        until = min(until, midnight)
    told = plan.blocked or plan.incomplete or plan.pressing or selected.rejected or not selected.certificates
    did = not plan.idle or result != Result(wake_at=result.wake_at) or shown != NOTHING or endings
    # What these do depends on more than files.
    more = (
        machine.dane_watch is not None
        or machine.settings.rehearsal
        # A response was asked for, or is waited for.
        or staples.staples is not None
    )
    if until is not None and options.command == "run" and options.typed and not (told or did or more):
        whole = is_whole(machine.configuration, selected) and not machine.settings.rehearsal
        machine.keep_calm(options.typed, said, until, whole=whole, owed=owed(machine.settings) if whole else {})


def _until(machine: Machine, plan: Plan, observed: Observed, staples: Kept) -> datetime | None:
    """When the next certificate or OCSP response is due, the CA may be asked about one, or somebody is to be told."""
    times = [plan.wake_at, *(advice.ask_at for advice in observed.advice.values())]
    times += [item.decision.at for item in staples.settled]
    if machine.settings.telling.alerts:
        from certkeeper.cli.alert import next_word  # noqa: PLC0415 - most pages tell nobody

        times.append(next_word(machine, observed.lineages))
    return min((time for time in times if time is not None), default=None)
