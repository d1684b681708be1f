"""`certkeeper rollback`."""

import argparse

from certkeeper.base.times import iso
from certkeeper.cli.activate import one_where_a_version_is_named
from certkeeper.cli.compose import open_machine
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.cli.switching import Decided, Present, switch_each
from certkeeper.plan.phases import earlier_one
from certkeeper.plan.records import Held


def rollback(options: argparse.Namespace) -> int:
    """Make earlier versions live again, and hold their certificates.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = one_where_a_version_is_named(select(machine.configuration, options.names), options.to)
    return switch_each(machine, selected, lambda found: _decide(found, options.to))


def _decide(found: Present, stamp: int | None) -> Decided:
    spec, now = found.spec, found.now
    way = earlier_one(spec, found.lineage, found.versions, now, stamp)
    version = way.to
    if version is None:
        raise TypeError(f"{spec.alias}: no way back")
    before = f"from version {found.lineage.stamp} " if found.lineage.stamp is not None else ""
    return Decided(
        version,
        Held(spec.entry, version.stamp, None, f"a person went back {before}at {iso(now)}"),
        said=tuple(f"passed over: {item}" for item in way.passed_over),
        said_after=(
            "held from now on: new versions are staged and do not go live by themselves",
            f"to go forward again: certkeeper activate {spec.alias}",
        ),
    )
