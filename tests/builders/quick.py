"""The installed program's run inside this process, on real files and real servers, with a clock that does not wait."""

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cached_property

from builders.page import Done, Page
from certkeeper.adapters.bounds import Bounds
from certkeeper.adapters.clock import SystemClock
from certkeeper.adapters.http import HttpClient
from certkeeper.adapters.pool import Pool
from certkeeper.adapters.remembered import Remembered
from certkeeper.apply.manner import USUAL, Manner
from certkeeper.apply.ports import Completion, Http
from certkeeper.apply.reconcile import Reconciler
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Tell
from certkeeper.cli.arguments import build_parser
from certkeeper.cli.compose import USER_AGENT, Machine, open_machine
from certkeeper.cli.render import print_error
from certkeeper.cli.run import run_on
from certkeeper.plan.actions import Plan

RATE = 40.0
"""Seconds of the quick clock per second."""
PATIENCE = Bounds(connect=5.0, read=0.6, whole=1.0)
"""For the CA: whoever stalls is given up soon."""


class QuickClock(SystemClock):
    """The calendar is `ahead` of the world's; waits pass RATE times as fast."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return super().now() + self._ahead

    def monotonic(self) -> float:
        return super().monotonic() * RATE


class QuickPool(Pool):
    def next(self, timeout: float | None) -> Completion | None:
        return super().next(None if timeout is None else timeout / RATE)


@dataclass(frozen=True)
class QuickMachine(Machine):
    """What waits without a need to: nothing."""

    def reconcile(self, plan_: Plan, *, terms_accepted: bool, tell: Tell, manner: Manner = USUAL) -> Result:
        self.journal.prepare()
        return Reconciler(
            plan_,
            self.settings,
            executor=QuickPool(self.ports()),
            clock=self.clock,
            user_agent=USER_AGENT,
            terms_accepted=terms_accepted,
            tell=tell,
            manner=manner,
        ).run()

    @cached_property
    def _http(self) -> Http:
        return Remembered(
            HttpClient(self.settings.ca_bundle, bounds=PATIENCE), (self.settings.ca, *self.configuration.cas)
        )


def run_quickly(page: Page, *arguments: str, ahead: timedelta = timedelta(0)) -> Done:
    """`certkeeper run`, as a process would end; `ahead` is how much later than now it is."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = _run(page, arguments, ahead)
    return Done(code, out.getvalue(), err.getvalue())


def _run(page: Page, arguments: tuple[str, ...], ahead: timedelta) -> int:
    options = build_parser().parse_args(["run", "--accept-terms", "--config", str(page.config), *arguments])
    try:
        machine = open_machine(options.config)
        parts: Mapping[str, object] = {each.name: getattr(machine, each.name) for each in fields(machine)}
        return run_on(QuickMachine(**{**parts, "clock": QuickClock(ahead)}), options)  # type: ignore[arg-type]
    except CertkeeperError as error:
        print_error(error)
        return error.exit_code
