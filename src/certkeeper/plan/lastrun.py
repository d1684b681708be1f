"""What the last run said of certificates that it failed to issue: `certkeeper status` tells it."""

from collections.abc import Collection, Mapping
from datetime import datetime

from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass
from certkeeper.config.settings import Settings
from certkeeper.plan.actions import HeldTooLong, Kept, LineagePlan, Postponed
from certkeeper.plan.backoff import BackedOff, CaLimited, backoff_inputs

NOT_TRIED = (Postponed, BackedOff, CaLimited, Interrupted)
"""Nothing was asked of the CA: what is known of the last try is known still."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a certificate was not issued. `inputs` is a hash of what decided, `kept` that it was a warning only.

    `label` is the kind of failure (docs/runbook.md).
    """

    at: datetime
    inputs: str
    message: str
    hint: str = ""
    kept: bool = False
    label: str = CertkeeperError.label


def failures_after(
    before: Mapping[Alias, Failure],
    lineages: Collection[LineagePlan],
    errors: Mapping[Alias, CertkeeperError],
    ended: Collection[Alias],
    settings: Settings,
    now: datetime,
) -> Mapping[Alias, Failure]:
    """What is remembered after a run over these. What was not tried in it failed as it did before.

    `ended` are those that the run came to an end with, `errors` is why they failed.
    """
    after = dict(before)
    for item in lineages:
        error = errors.get(item.alias)
        cause = error.cause if isinstance(error, Kept) else error
        if isinstance(cause, HeldTooLong):
            # It was issued, or need not be.
            cause = None
        if cause is None and (item.alias in ended or item.order is None):
            after.pop(item.alias, None)
        elif cause is not None and not isinstance(cause, NOT_TRIED):
            inputs = backoff_inputs(item.fingerprint, item.spec, settings)
            after[item.alias] = Failure(now, inputs, str(cause), cause.hint, isinstance(error, Kept), cause.label)
    return after


def still_counts(failure: Failure | None, item: LineagePlan, settings: Settings) -> Failure | None:
    """The failure, unless what decided was changed since."""
    if failure is None or failure.inputs != backoff_inputs(item.fingerprint, item.spec, settings):
        return None
    return failure
