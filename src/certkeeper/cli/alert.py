"""`certkeeper alert test`, and the alerts at the end of a run."""

import argparse
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence

from certkeeper import __version__
from certkeeper.apply.deploy.result import DeployResult, End
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, Interrupted
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.pageform import in_form
from certkeeper.cli.render import print_error
from certkeeper.cli.select import is_whole
from certkeeper.config.settings import Configuration, Settings
from certkeeper.plan.actions import Plan
from certkeeper.plan.alerts import Alert, Trouble, troubles_of
from certkeeper.plan.alerts import alert as alert_now
from certkeeper.plan.tlsastands import SUBJECT, lasting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.danephase import DanePhase

_RUN = "run"
"""What is wrong with no single certificate."""


class NobodyToTell(CertkeeperError):
    """Neither ALERT_MAIL nor ALERT_COMMAND is set."""

    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


def alert(options: argparse.Namespace) -> int:
    """Send a test message every way that is set.

    Raises:
        NobodyToTell: there is none.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    settings = machine.settings
    if not settings.telling.alerts:
        raise NobodyToTell(
            f"{settings.config_file}: neither ALERT_MAIL nor ALERT_COMMAND is set",
            hint='write ALERT_MAIL="root", or ALERT_COMMAND="/usr/local/bin/script"',
        )
    trouble = Trouble("test", "nothing is wrong: this message was asked for with certkeeper alert test")
    failed = _send(machine, Alert((trouble,)), test=True)
    for error in failed:
        print_error(error)
    if not failed:
        ways = [f"to {', '.join(settings.telling.mail)}"] if settings.telling.mail else []
        ways += [f"through {settings.telling.command[0]}"] if settings.telling.command else []
        sys.stdout.write(f"a test message was sent {' and '.join(ways)}\n")
    return ExitCode.FAILED if failed else ExitCode.DONE


def alert_of_run(
    machine: Machine,
    selected: Configuration,
    plan: Plan,
    result: Result,
    shown: DeployResult,
    endings: Sequence[CertkeeperError],
    dane: "DanePhase | None" = None,
) -> None:
    """Tell somebody what failed in a run, or that it does not any more. Nothing of it changes how the run ends."""
    if isinstance(result.fatal, Interrupted):
        return
    errors = {str(item.alias): [item.error] for item in result.outcomes if item.error is not None}
    endings = [*endings, *([shown.fatal] if shown.fatal is not None else [])]
    general = [*([result.fatal] if result.fatal is not None else []), *result.leftovers, *endings]
    ended = {item.alias for item in result.outcomes}
    looked_at = {str(item.alias) for item in plan.lineages if item.order is None or item.alias in ended}
    looked_at |= {item.label for item in selected.rejected} | {_RUN}
    found = tuple(troubles_of(selected, plan.lineages, {_RUN: general, **errors} if general else errors))
    found += tuple(troubles_in_services(shown))
    looked_at |= {f"{alias} at {name}" for alias, name in given(selected)}
    if is_whole(machine.configuration, selected):
        # What was taken off the page is nobody's trouble any more.
        listed = {spec.alias.text for spec in selected.certificates}
        listed |= {f"{alias} at {name}" for alias, name in given(selected)}
        looked_at |= set(machine.told.read()) - listed
    if dane is not None and dane.stands is not None:
        found += tuple(lasting(dane.stands))
    _tell(machine, found, _with_records(looked_at, machine, result, dane))


def _with_records(looked_at: Collection[str], machine: Machine, result: Result, dane: "DanePhase | None") -> set[str]:
    """Of TLSA records nothing new is known where nobody looked at them; where no page wants any, none is wrong."""
    known = {subject for subject in machine.told.read() if subject.startswith(SUBJECT)}
    if dane is not None:
        return {*looked_at} - known | (known if dane.stands is not None else set())
    return {*looked_at} - known | (known if result.fatal is None and machine.dane_watch is None else set())


def alert_of_failure(machine: Machine, error: CertkeeperError) -> None:
    """Tell somebody that a run could not be started."""
    _tell(machine, (Trouble(_RUN, str(error), error.hint),), ())


def troubles_in_services(shown: DeployResult) -> Iterator[Trouble]:
    """Services that did not take a certificate, by certificate and service."""
    for item in shown.deployed:
        if item.end is End.FAILED:
            yield Trouble(f"{item.alias} at {item.target}", item.message, f"certkeeper deploy {item.alias}")


def given(selected: Configuration) -> Iterator[tuple[str, str]]:
    """Every certificate with every service that it is given to."""
    for spec in selected.certificates:
        for name in spec.targets:
            yield spec.alias.text, name


def _tell(machine: Machine, troubles: Sequence[Trouble], looked_at: Collection[str]) -> None:
    told = machine.told.read()
    message, remembered = alert_now(troubles, told, looked_at, machine.clock.now())
    if message is None:
        return
    failed = _send(machine, message)
    for error in failed:
        _warn(f"nobody was told: {error}", error.hint)
    ways = bool(machine.settings.telling.mail) + bool(machine.settings.telling.command)
    if len(failed) < ways:
        try:
            machine.told.write(remembered)
        except CertkeeperError as error:
            _warn(f"what was told is not remembered, and is told again by the next run: {error}", error.hint)


def _warn(text: str, hint: str) -> None:
    sys.stderr.write(f"certkeeper: warning: alert: {in_form(text)}\n")
    if hint:
        sys.stderr.write(f"certkeeper: hint: {in_form(hint)}\n")


def _send(machine: Machine, message: Alert, *, test: bool = False) -> list[CertkeeperError]:
    """Every way that is set; why those failed that did."""
    settings, failed = machine.settings, list[CertkeeperError]()
    sender = machine.sender()
    if settings.telling.mail:
        title = f"certkeeper on {os.uname().nodename}: {'test' if test else message.title}"
        try:
            sender.send_mail(settings.telling.mail, title, lines_of(message, settings))
        except CertkeeperError as error:
            failed.append(error)
    if settings.telling.command:
        try:
            sender.call(settings.telling.command, document_of(message, settings, test=test))
        except CertkeeperError as error:
            failed.append(error)
    return failed


def lines_of(message: Alert, settings: Settings) -> list[str]:
    """The body of a mail."""
    lines: list[str] = []
    for item in message.troubles:
        lines.append(f"{item.subject}: {in_form(item.message)}")
        lines += [f"    hint: {in_form(item.hint)}"] if item.hint else []
    lines += [f"{subject}: in order again" for subject in message.recovered]
    return [*lines, "", f"See: certkeeper status --config {settings.config_file}"]


def document_of(message: Alert, settings: Settings, *, test: bool) -> Mapping[str, object]:
    """What a command gets on its standard input."""
    return {
        "version": __version__,
        "host": os.uname().nodename,
        "config": settings.config_file,
        "test": test,
        "title": message.title,
        "troubles": [
            {"subject": item.subject, "message": in_form(item.message), "hint": in_form(item.hint)}
            for item in message.troubles
        ],
        "recovered": list(message.recovered),
    }
