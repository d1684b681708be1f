"""`certkeeper hold`."""

import argparse
import sys
from contextlib import closing

from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.times import iso
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.goingback import newer, unfit
from certkeeper.plan.history import Kind
from certkeeper.plan.records import Held, Records


def hold(options: argparse.Namespace) -> int:
    """Keep new versions of these certificates from going live by themselves.

    Raises:
        CertkeeperError: nothing is held that was not before.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    with machine.lock(), closing(machine):
        records, now = machine.journal.records(), machine.clock.now()
        fresh = [spec for spec in selected.certificates if not _by_person(records, spec)]
        machine.journal.prepare()
        machine.journal.write([Held(spec.entry, 0, None, f"held since {iso(now)}") for spec in fresh], ())
        for spec in fresh:
            machine.happened(Kind.HELD, [spec.alias], "by a person: new versions are staged only")
        for spec in selected.certificates:
            already = "" if spec in fresh else " already"
            sys.stdout.write(f"{spec.alias}: held{already}: {_what_waits(machine, spec)}\n")
    for rejected in selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    return ExitCode.FAILED if selected.rejected else ExitCode.DONE


def _by_person(records: Records, spec: CertSpec) -> bool:
    record = records.held.get(spec.entry)
    return record is not None and record.until is None


def _what_waits(machine: Machine, spec: CertSpec) -> str:
    now = machine.clock.now()
    try:
        coming = newer(machine.store.lineage(spec.alias), machine.store.versions(spec.alias))
    except CertkeeperError as error:
        return str(error)
    waits = next((version.stamp for version in coming if not unfit(version, now)), None)
    what = f"version {waits} waits" if waits is not None else "the next version is staged when it is due, and waits"
    return f"{what} for certkeeper activate {spec.alias}"
