"""`certkeeper activate`."""

import argparse

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.times import iso
from certkeeper.cli.compose import open_machine
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.cli.switching import Decided, Present, switch_each
from certkeeper.config.settings import Configuration, Settings
from certkeeper.plan.phases import staged_one, that_one
from certkeeper.plan.records import Held


class OneOnly(CertkeeperError):
    """A version is named, and several certificates are meant."""

    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


def activate(options: argparse.Namespace) -> int:
    """Make staged versions live, and end the holds of their certificates.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = one_where_a_version_is_named(select(machine.configuration, options.names), options.version_stamp)
    return switch_each(machine, selected, lambda found: _decide(found, machine.settings, options.version_stamp))


def one_where_a_version_is_named(selected: Configuration, stamp: int | None) -> Configuration:
    """The configuration.

    Raises:
        OneOnly: versions are numbered for each certificate.
    """
    if stamp is not None and len(selected.certificates) > 1:
        meant = ", ".join(str(spec.alias) for spec in selected.certificates)
        raise OneOnly(f"version {stamp}: several certificates are meant: {meant}", hint="name one by its alias")
    return selected


def _decide(found: Present, settings: Settings, stamp: int | None) -> Decided:
    spec, lineage, versions, now = found.spec, found.lineage, found.versions, found.now
    if stamp is None:
        version = staged_one(spec, settings, lineage, versions, now)
    else:
        version = that_one(spec, lineage, versions, now, stamp)
    if version is not None:
        # Its time has come: whoever comes by next makes it live, and the hold is over with that.
        return Decided(version, Held(spec.entry, version.stamp, now, f"activated by a person at {iso(now)}"))
    if found.held is None:
        return Decided(said=("nothing waits, and nothing is held",))
    return Decided(ends=found.held, said=("nothing waits; the hold is over, and the next version goes live by itself",))
