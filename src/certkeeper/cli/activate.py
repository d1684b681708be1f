"""`certkeeper activate`."""

import argparse

from certkeeper.base.times import iso
from certkeeper.cli.switching import Decided, Present, switch_named
from certkeeper.config.settings import Settings
from certkeeper.plan.phases import staged_one, that_one
from certkeeper.plan.records import Held


def activate(options: argparse.Namespace) -> int:
    """Make staged versions live, and end the holds of their certificates.

    Raises:
        CertkeeperError: nothing could be started.
    """
    return switch_named(options, _decide, options.version_stamp)


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
