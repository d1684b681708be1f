"""Owner, group and mode of files that are there: put right before a run, and seen through the eyes of services."""

import sys
from collections.abc import Sequence

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine
from certkeeper.cli.saying import Saying
from certkeeper.config.settings import CertSpec, Configuration, Rejected


def put_right(machine: Machine, selected: Configuration, *, saying: Saying) -> tuple[Configuration, frozenset[Alias]]:
    """The certificates whose files are what the page asks for, and those of them that were not.

    The others are rejected: a renewal would fail as well, after the CA was asked.
    """
    changed: set[Alias] = set()
    ready: list[CertSpec] = []
    rejected = list(selected.rejected)
    for spec in selected.certificates:
        try:
            names = machine.folders.put_right(spec.alias)
        except CertkeeperError as error:
            rejected.append(Rejected(spec.alias.text, error, spec.where))
            continue
        ready.append(spec)
        if names:
            changed.add(spec.alias)
        if names and saying.changes:
            folder = f"{machine.settings.folder(spec)}/"
            shown = ", ".join(name.removeprefix(folder) for name in names)
            sys.stdout.write(f"{spec.alias}: permissions put right: {shown}\n")
    return _ready(selected, ready, rejected), frozenset(changed)


def foreseen(machine: Machine, selected: Configuration) -> Configuration:
    """The certificates that `put_right` will not reject, as far as it can be told without changing anything."""
    ready: list[CertSpec] = []
    rejected = list(selected.rejected)
    for spec in selected.certificates:
        try:
            machine.folders.check(spec.alias)
            ready.append(spec)
        except CertkeeperError as error:
            rejected.append(Rejected(spec.alias.text, error, spec.where))
    return _ready(selected, ready, rejected)


def _ready(selected: Configuration, ready: Sequence[CertSpec], rejected: Sequence[Rejected]) -> Configuration:
    if len(ready) == len(selected.certificates):
        return selected
    return replace(selected, certificates=tuple(ready), rejected=tuple(rejected))
