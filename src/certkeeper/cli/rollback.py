"""`certkeeper rollback`."""

import argparse

from certkeeper.base.times import iso
from certkeeper.cli.switching import Decided, Present, switch_named
from certkeeper.config.settings import Settings
from certkeeper.plan.phases import earlier_one
from certkeeper.plan.records import Held


def rollback(options: argparse.Namespace) -> int:
    """Make earlier versions live again, and hold their certificates.

    Raises:
        CertkeeperError: nothing could be started.
    """
    return switch_named(options, _decide, options.to)


def _decide(found: Present, _settings: Settings, stamp: int | None) -> Decided:
    spec, now = found.spec, found.now
    version, passed_over = earlier_one(spec, found.lineage, found.versions, now, stamp)
    before = f"from version {found.lineage.stamp} " if found.lineage.stamp is not None else ""
    return Decided(
        version,
        Held(spec.entry, version.stamp, None, f"a person went back {before}at {iso(now)}"),
        said=tuple(f"passed over: {item}" for item in passed_over),
        said_after=(
            "held from now on: new versions are staged and do not go live by themselves",
            f"to go forward again: certkeeper activate {spec.alias}",
        ),
    )
