"""What runs have to do with OCSP responses. Nothing is loaded for that where no certificate wants them kept fresh."""

import sys
from collections.abc import Collection, Mapping
from datetime import datetime

from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass, replace
from certkeeper.cli.compose import Machine
from certkeeper.cli.render import Lines
from certkeeper.config.settings import CertSpec, Configuration
from certkeeper.plan.observed import Observed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.stapling import Staples


@dataclass(frozen=True, slots=True)
class Kept:
    """How it is with responses after a run saw to them; None where no certificate wants that."""

    staples: "Staples | None" = None

    @property
    def errors(self) -> tuple[CertkeeperError, ...]:
        return self.staples.errors if self.staples is not None else ()

    @property
    def summary(self) -> tuple[str, ...]:
        if self.staples is None:
            return ()
        from certkeeper.cli.stapling import staples_summary  # noqa: PLC0415 - most pages want none

        return tuple(staples_summary(self.staples))

    def after(self, machine: Machine, result: Result) -> Result:
        """The result with the time at which responses are due; how asking for new certificates' went is remembered."""
        if self.staples is None:
            return result
        from certkeeper.cli.stapling import remembered_after, staples_wake_at  # noqa: PLC0415 - as above

        remembered_after(machine, self.staples, result)
        times = (result.wake_at, staples_wake_at(self.staples, result, machine.clock.now()))
        return replace(result, wake_at=min((time for time in times if time is not None), default=None))


def kept_fresh(machine: Machine, selected: Configuration, observed: Observed, *, quiet: bool) -> tuple[Observed, Kept]:
    """The world after responses were refreshed: certificates that their CAs took back are marked in it."""
    if not _wanted(selected.certificates):
        return observed, Kept()
    from certkeeper.cli.stapling import answers_had, looked_over, put, revocations_marked  # noqa: PLC0415 - as above

    tell = Lines(sys.stdout, quiet=quiet).tell
    staples = answers_had(machine, looked_over(machine, selected.certificates, observed.lineages))
    staples, observed = revocations_marked(machine, staples, observed, tell)
    return observed, Kept(put(machine, staples, tell))


@dataclass(frozen=True, slots=True)
class DueStaples:
    """What a run would do about responses, for `certkeeper plan`."""

    lines: tuple[str, ...] = ()
    documents: tuple[Mapping[str, object], ...] = ()
    wake_at: datetime | None = None


def staples_due(
    machine: Machine, selected: Configuration, observed: Observed, replaced: Collection[Alias]
) -> DueStaples:
    """By what is on this machine; nobody is asked. Nothing is said of the certificates that are `replaced` anyway
    where they name no responder.
    """
    if not _wanted(selected.certificates):
        return DueStaples()
    from certkeeper.cli.stapling import (  # noqa: PLC0415 - as above
        looked_over,
        staple_documents,
        staple_lines,
        staples_wake_at,
        without_responder,
    )

    staples = looked_over(machine, selected.certificates, observed.lineages)
    wake_at = staples_wake_at(staples, Result(), machine.clock.now())
    lines = list(staple_lines(staples))
    if names := [str(name) for name in without_responder(selected.certificates, observed.lineages, replaced)]:
        lines.append(f"OCSP response of {', '.join(names)}: nothing to fetch, since the CA names no responder")
    return DueStaples(tuple(lines), tuple(staple_documents(staples)), wake_at)


def _wanted(specs: Collection[CertSpec]) -> bool:
    return any(spec.ocsp_fetch for spec in specs)
