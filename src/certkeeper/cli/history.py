"""`certkeeper history`."""

import argparse
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from certkeeper.base.errors import CertkeeperError, ExitCode, UsageError, printable
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.documents import write_document
from certkeeper.cli.pageform import in_form
from certkeeper.cli.select import select
from certkeeper.plan.history import PROBLEMS, Happening, from_versions

_NARROWEST = 40
"""Columns; a terminal that claims fewer than that has not told its size."""
_INDENT = "    "


class NothingKnown(UsageError):
    """No certificate of that name is, or was."""


def history(options: argparse.Namespace) -> int:
    """Show what happened, newest first.

    Raises:
        CertkeeperError: the page cannot be read, or nothing is known of what was typed.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    since = machine.clock.now() - timedelta(days=options.days) if options.days is not None else None
    meant, found = _found(machine, options.names)
    found = [item for item in found if since is None or item.at >= since][: options.number or None]
    if options.json:
        document = {
            "at": iso(machine.clock.now()),
            "certificates": sorted(meant),
            "happenings": [_document(item) for item in found],
        }
        write_document("history", document)
        return ExitCode.DONE
    room = shutil.get_terminal_size((0, 0)).columns if sys.stdout.isatty() else 0
    for line in _lines(found, room, named=len(meant) != 1):
        sys.stdout.write(f"{line}\n")
    return ExitCode.DONE


def _found(machine: Machine, names: Sequence[str]) -> tuple[set[str], list[Happening]]:
    """Which certificates are meant (none: all), and what happened to them, newest first."""
    kept = list(machine.history.newest())
    page = machine.configuration
    known = {alias for item in kept for alias in item.certificates} | {spec.alias.text for spec in page.certificates}
    # What was retired is on no page any more.
    asked = [name for name in names if name.lower() not in known]
    meant = {name.lower() for name in names if name.lower() in known}
    if asked:
        meant |= {spec.alias.text for spec in select(page, asked).certificates}
    mine = [item for item in kept if not meant or meant & set(item.certificates)]
    for alias in meant or {spec.alias.text for spec in page.certificates}:
        with suppress(CertkeeperError):
            own = [item for item in mine if alias in item.certificates]
            mine += from_versions(Alias.parse(alias), machine.store.versions(Alias.parse(alias)), own)
    # Those of one second stay in their order.
    return meant, sorted(mine, key=lambda item: item.at, reverse=True)


def _lines(found: Sequence[Happening], room: int, *, named: bool) -> Iterator[str]:
    if not found:
        yield "nothing is known of what happened"
    width = max((len(item.kind.value) for item in found), default=0)
    for item in found:
        whose = f"{_listed(item.certificates)}: " if named and item.certificates else ""
        about = f"{item.about}: " if item.about else ""
        yield from _wrapped(f"{_when(item.at)}  {item.kind.value:{width}}  {whose}{about}{in_form(item.text)}", room)
        if item.hint and item.kind in PROBLEMS:
            yield from _wrapped(f"{_INDENT}hint: {in_form(item.hint)}", room)


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _listed(certificates: Sequence[str]) -> str:
    return ", ".join(certificates[:3]) + (f" and {len(certificates) - 3} more" if certificates[3:] else "")


def _wrapped(line: str, room: int) -> list[str]:
    """A word that is wider than the terminal stays whole, so that it can be copied."""
    safe = line if line.isprintable() else printable(line)
    if room < _NARROWEST or len(safe) <= room:
        return [safe]
    inside = _INDENT if not safe.startswith(_INDENT) else f"{_INDENT}  "
    return textwrap.wrap(
        safe,
        room,
        subsequent_indent=inside,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _document(item: Happening) -> Mapping[str, object]:
    return {
        "at": iso(item.at),
        "kind": item.kind.value,
        "problem": item.kind in PROBLEMS,
        "certificates": list(item.certificates),
        "about": item.about or None,
        "text": in_form(item.text),
        "hint": in_form(item.hint) or None,
    }
