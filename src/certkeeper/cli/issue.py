"""`certkeeper issue`."""

import argparse
from collections.abc import Sequence

from certkeeper.base.errors import UsageError
from certkeeper.base.names import Identifier
from certkeeper.cli.compose import Machine, listed_beside, open_machine
from certkeeper.cli.run import run_on
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.domains import typed_line
from certkeeper.config.settings import CertSpec
from certkeeper.plan.namefailure import settled

_NAMES_TOLD = 5


class OtherNames(UsageError):
    """The certificate of that alias is for other names, which services may be served by."""


def issue(options: argparse.Namespace) -> int:
    """Issue one certificate for the names that were typed.

    Raises:
        OtherNames: its place is another one's.
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    alias = [">", options.alias] if options.alias else []
    asked = typed_line([*options.identifiers, *alias])
    for rejected in asked.rejected:
        raise rejected.error
    machine = open_machine(options.config, asked, test_ca_live=options.allow_test_ca_live, evaluator=options.evaluator)
    for spec in machine.configuration.certificates:
        _check_place(machine, spec, forced=options.force)
    return run_on(machine, options)


def _check_place(machine: Machine, spec: CertSpec, *, forced: bool) -> None:
    """The page decides what a listed certificate is for; what only stands on disk, a person may replace."""
    wanted = frozenset(spec.identifiers)
    for line in listed_beside(machine.configuration).lines:
        if line.alias != spec.alias:
            continue
        if frozenset(line.identifiers) != wanted:
            raise OtherNames(
                f"{spec.alias}: {line.where} asks for this certificate with other names: {_some(line.identifiers)}",
                hint=f"change that line and then: certkeeper run {spec.alias}, or give this one a name of its own: "
                "--alias ALIAS",
            )
        return
    lineage = machine.lineages()[spec.alias]
    if forced or lineage.leaf is None:
        return
    dropped = frozenset(item.name for item in settled(spec, lineage, machine.settings))
    if lineage.leaf.identifiers | dropped != wanted:
        raise OtherNames(
            f"{spec.alias}: {machine.settings.folder(spec)} holds a certificate with other names: "
            f"{_some(sorted(lineage.leaf.identifiers))}",
            hint="give this one a name of its own: --alias ALIAS, or have it take the place of that one: --force",
        )


def _some(names: Sequence[Identifier]) -> str:
    more = f" and {len(names) - _NAMES_TOLD} more" if len(names) > _NAMES_TOLD else ""
    return " ".join(str(name) for name in names[:_NAMES_TOLD]) + more
