"""What follows a run: who is told how it ended. Nothing of it changes that."""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from certkeeper.apply.deploy.result import DeployResult, End
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import Machine
from certkeeper.cli.compose.telling import beat
from certkeeper.cli.render import print_warning
from certkeeper.cli.select import is_whole
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import Plan
from certkeeper.plan.observed import Observed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.danephase import DanePhase
    from certkeeper.cli.status import Seen


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that is over. `endings` went wrong beside certificates and services; `dane` is None without TLSA."""

    selected: Configuration
    observed: Observed
    plan: Plan
    result: Result
    shown: DeployResult
    endings: tuple[CertkeeperError, ...]
    dane: "DanePhase | None"

    @property
    def exit_code(self) -> int:
        fatal = self.result.fatal or self.shown.fatal
        if fatal is not None:
            return fatal.exit_code
        failed = self.result.failed or self.shown.failed or (self.dane is not None and self.dane.failed)
        return ExitCode.FAILED if failed or self.endings or self.selected.rejected else ExitCode.DONE

    @property
    def worth_telling(self) -> bool:
        """Something is different now, or wrong."""
        new = any(item.live is not None or item.staged is not None for item in self.result.outcomes)
        deployed = any(item.end in {End.SEEN, End.UNPROVEN} for item in self.shown.deployed)
        published = self.dane is not None and bool(self.dane.said)
        return new or deployed or published or self.exit_code != ExitCode.DONE


def after_run(machine: Machine, options: argparse.Namespace, ended: Ended) -> bool:
    """Tell whoever wants to know. Of a rehearsal that is the person who types. False where a later run has to tell
    somebody.
    """
    told, seen = True, seen_after(machine)
    if machine.settings.rehearsal:
        if options.saying.everything:
            _say_rehearsed(machine, ended)
        return told
    if machine.settings.telling.alerts:
        from certkeeper.cli.alert import alert_of_run  # noqa: PLC0415 - most runs tell nobody

        told = alert_of_run(machine, ended.selected, ended.plan, ended.result, ended.shown, ended.endings, ended.dane)
    if machine.settings.telling.report:
        from certkeeper.cli.report.keeping import keep_report  # noqa: PLC0415 - few pages have one

        keep_report(machine, seen)
    if options.command == "run" and is_whole(machine.configuration, ended.selected):
        after_whole(machine, ended.exit_code, seen)
    return told


def seen_after(machine: Machine) -> "Callable[[], Seen]":
    """How all is after the run, for whoever asks: there is one look, at the first question."""

    @cache
    def seen() -> "Seen":
        from certkeeper.cli.status import look  # noqa: PLC0415 - most runs tell nobody

        return look(machine, ())

    return seen


def after_failure(machine: Machine, options: argparse.Namespace, error: CertkeeperError) -> None:
    """The same of a run that could not be started. One that found another one under way is no run."""
    if machine.settings.rehearsal or isinstance(error, Interrupted) or error.exit_code is ExitCode.LOCKED:
        return
    if machine.settings.telling.alerts:
        from certkeeper.cli.alert import alert_of_failure  # noqa: PLC0415 - as above

        alert_of_failure(machine, error)
    if options.command == "run" and not options.names:
        after_whole(machine, error.exit_code, seen_after(machine))


def after_whole(machine: Machine, exit_code: int, seen: "Callable[[], Seen]") -> None:
    """A run over the whole page ended. Where it ended well and that cannot be kept, the last good one gets old, which
    is told to whoever asks.
    """
    if exit_code == ExitCode.DONE:
        with suppress(CertkeeperError):
            machine.last_good.mark(machine.clock.now())
    telling = machine.settings.telling
    if telling.metrics_file:
        from certkeeper.cli.metrics import keep_metrics  # noqa: PLC0415 - as above

        try:
            keep_metrics(machine, exit_code, seen)
        except CertkeeperError as error:
            print_warning(error, "metrics")
    url = telling.heartbeat if exit_code == ExitCode.DONE else telling.heartbeat_fail
    if url is not None:
        try:
            beat(url, machine.settings)
        except CertkeeperError as error:
            print_warning(error, "heartbeat")


def _say_rehearsed(machine: Machine, ended: Ended) -> None:
    settings = machine.settings
    if ended.plan.idle and not ended.plan.blocked:
        sys.stdout.write("this was rehearsed before; once more: --force\n")
    sys.stdout.write(
        f"a rehearsal: its certificates are in {settings.test_certdir}; "
        f"{settings.certdir}, services and TLSA records are as they were, and no hook was told\n"
    )
