"""Versions made live by a person: what is decided is written down first, and carried out as the next run would."""

import argparse
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from datetime import datetime

from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError, ExitCode, UsageError
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import Machine, open_machine, unreadable
from certkeeper.cli.deployments import NOTHING, deployed
from certkeeper.cli.render import finding_lines, print_error, reporter
from certkeeper.cli.rounds import hooked
from certkeeper.cli.saying import Saying
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import CertSpec, Configuration, Settings
from certkeeper.lineage.model import Lineage, Version
from certkeeper.plan.actions import LineagePlan, Plan
from certkeeper.plan.phases import switch_to
from certkeeper.plan.records import Held, Record, Records


@dataclass(frozen=True, slots=True)
class Present:
    """One lineage as a person finds it."""

    spec: CertSpec
    lineage: Lineage
    versions: Sequence[Version]
    held: Held | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """The version that is to be live, with the hold that makes a run go on where this one is killed; `ends` is one that
    is over without any switch. `said` are lines for the person, at once and after the switch.
    """

    version: Version | None = None
    held: Held | None = None
    ends: Held | None = None
    said: tuple[str, ...] = ()
    said_after: tuple[str, ...] = ()


class OneOnly(UsageError):
    """A version is named, and several certificates are meant."""


Decide = Callable[[Present, Settings, int | None], Decided]
"""By the version that was typed, if one was."""


def switch_named(options: argparse.Namespace, decide: Decide, stamp: int | None) -> int:
    """Decide for each certificate that was typed, then switch all of them; the exit code. One that is refused stops no
    other.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    if stamp is not None and len(selected.certificates) > 1:
        # Versions are numbered for each certificate.
        meant = ", ".join(str(spec.alias) for spec in selected.certificates)
        raise OneOnly(f"version {stamp}: several certificates are meant: {meant}", hint="name one by its alias")
    return _switch_each(machine, selected, lambda found: decide(found, machine.settings, stamp))


def _switch_each(machine: Machine, selected: Configuration, decide: Callable[[Present], Decided]) -> int:
    with hooked(machine, selected, saying=Saying.ALL) as hooking, machine.lock(), closing(machine):
        decided, refused = _decided(machine, selected, decide)
        plans = tuple(
            switch_to(spec, machine.settings, machine.store.lineage(spec.alias), found.version, found.held)
            for spec, found in decided.items()
            if found.version is not None
        )
        if plans and hooking is not None:
            hooking.begin()
        _write_down(machine, decided.values())
        result = carry_out(machine, plans)
        trouble = hooking.end(result.fatal) if plans and hooking is not None else None
        live = {outcome.alias for outcome in result.outcomes if outcome.live is not None}
        for spec, found in decided.items():
            for line in found.said_after if spec.alias in live else ():
                sys.stdout.write(f"{spec.alias}: {line}\n")
        shown = deployed(machine, selected, saying=Saying.ALL) if live else NOTHING
        for line in finding_lines(unreadable(selected, live)):
            sys.stdout.write(f"{line}\n")
    for rejected in selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    for error in (result.fatal, trouble):
        if error is not None:
            print_error(error)
    if result.fatal is not None:
        return result.fatal.exit_code
    return ExitCode.FAILED if refused or result.failed or shown.failed or selected.rejected else ExitCode.DONE


def present(machine: Machine, spec: CertSpec, records: Records) -> Present:
    """The lineage as it is.

    Raises:
        CertkeeperError: it cannot be looked at.
    """
    alias, held = spec.alias, records.held.get(spec.entry)
    return Present(spec, machine.store.lineage(alias), machine.store.versions(alias), held, machine.clock.now())


def _decided(
    machine: Machine, selected: Configuration, decide: Callable[[Present], Decided]
) -> tuple[Mapping[CertSpec, Decided], bool]:
    """What is decided for each, and whether one was refused."""
    records = machine.journal.records()
    found: dict[CertSpec, Decided] = {}
    refused = False
    for spec in selected.certificates:
        try:
            decision = decide(present(machine, spec, records))
            _check_records(machine, spec, decision)
            found[spec] = decision
        except CertkeeperError as error:
            refused = True
            print_error(error, subject=str(spec.alias))
        else:
            for line in found[spec].said:
                sys.stdout.write(f"{spec.alias}: {line}\n")
    sys.stdout.flush()
    return found, refused


def _check_records(machine: Machine, spec: CertSpec, decided: Decided) -> None:
    """Before anything is written down: what cannot go live now is not to be tried by each run from now on.

    Raises:
        CertkeeperError: caches may hold TLSA records that the version does not match.
    """
    watch = machine.dane_watch if decided.version is not None else None
    if watch is not None and decided.version is not None:
        watch.check(spec.alias, decided.version.stamp)


def _write_down(machine: Machine, decided: Collection[Decided]) -> None:
    """In one transaction, before anything is switched."""
    put: tuple[Record, ...] = tuple(item.held for item in decided if item.held is not None)
    drop: tuple[Record, ...] = tuple(item.ends for item in decided if item.ends is not None)
    if put or drop:
        machine.journal.prepare()
        machine.journal.write(put, drop)


def carry_out(machine: Machine, plans: tuple[LineagePlan, ...]) -> Result:
    """Make the switches that these are about, as a run would."""
    if not plans:
        return Result()
    report = reporter(Saying.ALL)
    try:
        return machine.reconcile(Plan(lineages=plans), terms_accepted=False, tell=report.tell)
    finally:
        report.close()
