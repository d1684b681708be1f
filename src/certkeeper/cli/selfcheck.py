"""`certkeeper self-check`: is this installation in order, after an upgrade for example? Files are read, and no more."""

import argparse
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import closing

from certkeeper import __version__
from certkeeper.apply.ports import JournalDamaged
from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.events import count
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import Machine, check_page, machine_of
from certkeeper.cli.compose.inspecting import dependencies, journal_schema, lock_left, text_of
from certkeeper.cli.documents import write_document
from certkeeper.cli.pageform import in_form
from certkeeper.cli.timer import UNITS, units_for
from certkeeper.cli.units import MARK
from certkeeper.config.evaluating import Evaluator
from certkeeper.config.findings import Severity

_TOLD = 5
"""Names in one line."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What one look found. `fix` is empty where nothing has to be done."""

    subject: str
    state: str
    text: str
    fix: str = ""


OK, WARNING, ERROR = "ok", "warning", "error"


def self_check(options: argparse.Namespace) -> int:
    """Look at everything, whatever the look before it found; 1 where something is wrong."""
    checked = [*_program(), *_page(options)]
    if options.json:
        document = [
            {"subject": item.subject, "state": item.state, "text": item.text, "fix": item.fix} for item in checked
        ]
        write_document("self-check", {"program": __version__, "checks": document})
    else:
        for item in checked:
            sys.stdout.write(f"{item.state}: {item.subject}: {item.text}\n")
            if item.fix:
                sys.stdout.write(f"    fix: {item.fix}\n")
        wrong = sum(1 for item in checked if item.state != OK)
        sys.stdout.write(f"{count(wrong, 'thing')} to look at\n" if wrong else "nothing wrong\n")
    return ExitCode.FAILED if any(item.state == ERROR for item in checked) else ExitCode.DONE


def _program() -> Iterator[Checked]:
    yield Checked("program", OK, f"certkeeper {__version__}, Python {platform.python_version()}")
    found = tuple(dependencies())
    for item in found:
        if not item.enough:
            has = f"{item.name} {item.found}" if item.found else f"{item.name} is not installed"
            yield Checked(
                "dependencies", ERROR, f"{has}, and {item.floor} is needed", f"install {item.name} {item.floor}"
            )
    if found and all(item.enough for item in found):
        yield Checked("dependencies", OK, ", ".join(f"{item.name} {item.found}" for item in found))
    elif not found:
        yield Checked("dependencies", WARNING, "not known: this program was not installed as a package")


def _page(options: argparse.Namespace) -> Iterator[Checked]:
    page = check_page(options.config, options.evaluator)
    wrong = [item for item in page.findings if item.severity is Severity.ERROR]
    first = next((f"{item.where}: {item.message}" if item.where else item.message for item in wrong), "")
    if page.configuration is None:
        yield Checked("configuration", ERROR, in_form(first), "certkeeper config check")
        return
    if wrong:
        more = f", and {count(len(wrong) - 1, 'error')} more" if len(wrong) > 1 else ""
        yield Checked("configuration", ERROR, f"{in_form(first)}{more}", "certkeeper config check")
    else:
        number = count(len(page.configuration.certificates), "certificate")
        yield Checked("configuration", OK, f"{page.configuration.settings.config_file or 'defaults'}: {number}")
    machine = machine_of(page.configuration)
    with closing(machine):
        for subject, look in _LOOKS.items():
            try:
                yield from look(machine, options)
            except CertkeeperError as error:
                yield Checked(subject, ERROR, in_form(str(error)), in_form(error.hint))


def _state(machine: Machine, _options: argparse.Namespace) -> Iterator[Checked]:
    statedir = machine.settings.statedir
    schema, ours = journal_schema(machine)
    if not schema:
        yield Checked("state", OK, f"{statedir}: no journal yet")
        return
    try:
        machine.journal.records()
    except JournalDamaged as error:
        yield Checked("state", ERROR, str(error), "the next run sets it aside and begins a new one")
        return
    then = f"; the next run brings it to {ours}, and keeps a copy in {statedir}/backup" if schema < ours else ""
    yield Checked("state", OK, f"{statedir}: the journal can be read, its schema is {schema}{then}")


def _files(machine: Machine, _options: argparse.Namespace) -> Iterator[Checked]:
    found = machine.lineages()
    for told, what, fix in (
        ([str(alias) for alias, item in found.items() if item.torn], "do not belong together", "certkeeper heal"),
        ([str(alias) for alias, item in found.items() if item.trouble], "cannot be read", "certkeeper status"),
    ):
        if told:
            more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
            yield Checked("files", ERROR, f"{', '.join(told[:_TOLD])}{more}: files {what}", fix)
    whole = sum(1 for item in found.values() if item.sound)
    missing = sum(1 for item in found.values() if item.leaf is None and not item.trouble)
    if whole + missing == len(found):
        yield Checked(
            "files", OK, f"{count(whole, 'certificate')} whole" + (f", {missing} not issued yet" if missing else "")
        )


def _lock(machine: Machine, _options: argparse.Namespace) -> Iterator[Checked]:
    left = lock_left(machine)
    if left is None:
        yield Checked("lock", OK, "free")
    elif left.ours:
        yield Checked("lock", OK, f"free: {machine.settings.lockfile} was left by {left.text}, and is taken over")
    else:
        text = f"{machine.settings.lockfile}: locked by {left.text}"
        yield Checked("lock", WARNING, text, "if no dehydrated runs: certkeeper unlock")


def _units(machine: Machine, options: argparse.Namespace) -> Iterator[Checked]:
    """Units that an earlier version wrote are as good as that version knew."""
    wanted = units_for(machine.configuration, Evaluator(options.evaluator))
    there = {name: text for name in wanted if (text := text_of(f"{UNITS}/{name}")) is not None}
    if not there:
        yield Checked("units", OK, f"none of ours in {UNITS}")
    for name, text in there.items():
        path = f"{UNITS}/{name}"
        if not text.startswith(MARK):
            yield Checked("units", OK, f"{path}: not written by certkeeper timer, and yours to keep")
        elif text != wanted[name]:
            fix = "certkeeper timer --write, then: systemctl daemon-reload"
            yield Checked("units", WARNING, f"{path}: not what this certkeeper would write", fix)
        else:
            yield Checked("units", OK, f"{path}: up to date")


_LOOKS: dict[str, Callable[[Machine, argparse.Namespace], Iterator[Checked]]] = {
    "state": _state,
    "files": _files,
    "lock": _lock,
    "units": _units,
}
