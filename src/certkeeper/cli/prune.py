"""`certkeeper prune`."""

import argparse
import sys
from collections.abc import Callable, Collection
from contextlib import closing, nullcontext

from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.events import count
from certkeeper.base.names import Alias
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.retention import Removal
from certkeeper.plan.history import Kind
from certkeeper.plan.holding import needed
from certkeeper.plan.records import Records

Remove = Callable[[Alias, Removal], None]


def prune(options: argparse.Namespace) -> int:
    """Remove old versions, or say which ones. The exit code is 1 where one could not be removed.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    ending, remove = ("would be removed", _keep) if options.dry_run else ("removed", machine.store.remove)
    done = failed = 0
    # What only reads takes no lock.
    with nullcontext() if options.dry_run else machine.lock(), closing(machine):
        records = machine.journal.records()
        for spec in selected.certificates:
            gone, left = _prune(machine, spec, records, remove, ending)
            done, failed = done + gone, failed + left
    for rejected in selected.rejected:
        print_error(rejected.error, subject=rejected.label)
    if done or not failed:
        sys.stdout.write(f"{count(done, 'version')} {ending}\n" if done else "nothing to remove\n")
    return ExitCode.FAILED if failed else ExitCode.DONE


def _prune(machine: Machine, spec: CertSpec, records: Records, remove: Remove, ending: str) -> tuple[int, int]:
    """How many versions of one lineage went, and how many did not."""
    done = failed = 0
    try:
        found = machine.store.removable(spec.alias, spec.keep, machine.clock.now(), _needed(machine, records, spec))
    except CertkeeperError as error:
        print_error(error, subject=str(spec.alias))
        return 0, 1
    for removal in found:
        try:
            remove(spec.alias, removal)
        except CertkeeperError as error:
            failed += 1
            print_error(error, subject=str(spec.alias))
        else:
            done += 1
            if remove is not _keep:
                machine.happened(Kind.PRUNED, [spec.alias], f"{removal_text(removal)} removed")
            sys.stdout.write(f"{spec.alias}: {removal_text(removal)} {ending}\n")
    return done, failed


def _keep(_: Alias, __: Removal) -> None:
    return


def _needed(machine: Machine, records: Records, spec: CertSpec) -> Collection[int]:
    """The versions that the next run, or a person, has yet to do something with."""
    owed = (records.orders.get(spec.entry), records.debts.get(spec.entry))
    stamps = {record.stamp for record in owed if record is not None}
    if not (records.held or records.deployments):
        return stamps
    lineage, versions = machine.store.lineage(spec.alias), machine.store.versions(spec.alias)
    return stamps | needed(spec.entry, lineage, records, versions, machine.clock.now())


def removal_text(removal: Removal) -> str:
    """What it is that goes: `version 1763900000 (2026-09-01 to 2026-11-30)`."""
    if removal.version is None:
        return f"the rest of version {removal.stamp}" if removal.half_removed else f"unfinished version {removal.stamp}"
    leaf = removal.version.leaf
    if removal.version.trouble or leaf is None:
        return f"version {removal.stamp} ({removal.version.trouble})"
    return f"version {removal.stamp} ({leaf.not_before:%Y-%m-%d} to {leaf.not_after:%Y-%m-%d})"
