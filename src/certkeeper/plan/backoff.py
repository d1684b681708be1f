"""When a lineage that failed is tried again."""

from datetime import datetime, timedelta

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import count
from certkeeper.base.names import Alias
from certkeeper.base.times import RETRY_AFTER_MAX, iso
from certkeeper.config.settings import Settings
from certkeeper.plan.fingerprint import fingerprint
from certkeeper.plan.records import Backoff

STEPS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=100), timedelta(days=1))
"""After the first failure, the second one, the third one, and every one after that."""


class BackedOff(CertkeeperError):
    """The lineage failed a short while ago, and nothing has changed since."""


def backoff_inputs(lineage_fingerprint: str, settings: Settings) -> str:
    """A hash of what an operator may have mended: when it changes, there is no reason to wait."""
    return fingerprint(
        lineage_fingerprint,
        settings.nameservers,
        settings.propagation,
        settings.ca_bundle,
        settings.extra_nameservers,
        settings.dns_ignore,
        settings.vantage,
        settings.demand,
    )


def next_backoff(alias: Alias, failures: int, error: CertkeeperError, inputs: str, now: datetime) -> Backoff:
    """The backoff after that many failures in a row, this one included. What the CA asked for (Retry-After) wins."""
    retry_at = error.retry_at
    if retry_at is None or retry_at <= now:
        retry_at = now + STEPS[min(failures, len(STEPS)) - 1]
    return Backoff(alias, failures, min(retry_at, now + RETRY_AFTER_MAX), inputs, str(error))


def waiting(backoff: Backoff | None, inputs: str, now: datetime) -> BackedOff | None:
    """Why nothing is tried now; None where something is.

    A time further off than any backoff is a clock's that was stepped back since, and does not count.
    """
    if backoff is None or backoff.inputs != inputs or not now < backoff.retry_at <= now + RETRY_AFTER_MAX:
        return None
    return BackedOff(
        f"failed {count(backoff.failures, 'time')}, next try from {iso(backoff.retry_at)}; the last failure: "
        f"{backoff.message}",
        hint=f"to try now: certkeeper run --force {backoff.alias}",
        retry_at=backoff.retry_at,
    )
