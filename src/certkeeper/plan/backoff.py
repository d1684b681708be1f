"""When a lineage that failed is tried again, a name that could not be validated, and a CA that has had enough."""

from datetime import datetime, timedelta

from certkeeper.acme.problem import Problem, Remedy
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.events import count
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.times import RETRY_AFTER_MAX, iso
from certkeeper.config.settings import CertSpec, Settings
from certkeeper.plan.fingerprint import fingerprint
from certkeeper.plan.records import Backoff, Limit, NameBackoff

STEPS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=100), timedelta(days=1))
"""After the first failure, the second one, the third one, and every one after that."""


class BackedOff(CertkeeperError):
    """The lineage, or a name of its, failed a short while ago, and nothing has changed since.

    Attributes:
        link: where the CA sends a person to who alone can end the wait; empty where time ends it.
    """

    label = "waits-after-failure"

    def __init__(self, message: str, *, hint: str = "", retry_at: datetime | None = None, link: str = "") -> None:
        super().__init__(message, hint=hint, retry_at=retry_at)
        self.link = link


class CaLimited(CertkeeperError):
    """The CA wants no orders before a time that it named, or that we chose."""

    label = "ca-limit"
    fault = Fault.REMOTE
    local = True


def backoff_inputs(lineage_fingerprint: str, spec: CertSpec, settings: Settings) -> str:
    """A hash of what an operator may have mended: when it changes, there is no reason to wait."""
    return fingerprint(lineage_fingerprint, *_mendable(spec, settings))


def name_inputs(name: str, spec: CertSpec, settings: Settings) -> str:
    """The same for a name, whichever certificate it is in: how it is proven, and nothing else of that certificate."""
    methods = frozenset(
        spec.methods.wished(identifier) for identifier in spec.identifiers if proven_name(identifier) == name
    )
    return fingerprint(spec.provider, spec.wellknown, methods, *_mendable(spec, settings))


def _mendable(spec: CertSpec, settings: Settings) -> tuple[object, ...]:
    # A provider keeps its id when its suffix changes. Its key is a secret, of which a hash keeps nothing.
    writers = {spec.provider, *(rule.provider for rule in settings.zone_rules)}
    return (
        tuple(item for item in settings.providers if item.id in writers),
        settings.zone_rules,
        settings.alpn_certdir,
        settings.http_listen,
        settings.tls_alpn_listen,
        settings.nameservers,
        settings.propagation,
        settings.ca_bundle,
        settings.extra_nameservers,
        settings.dns_ignore,
        settings.vantage,
        settings.demand,
    )


def proven_name(identifier: Identifier) -> str:
    """What a CA counts failures of: a wildcard and its name are proven at one place."""
    return identifier.value.removeprefix("*.")


def next_backoff(alias: Alias, failures: int, error: CertkeeperError, inputs: str, now: datetime) -> Backoff:
    """The backoff after that many failures in a row, this one included. What the CA asked for (Retry-After) wins."""
    retry_at = error.retry_at
    if retry_at is None or retry_at <= now:
        retry_at = now + STEPS[min(failures, len(STEPS)) - 1]
    link = error.link if isinstance(error, Problem) and error.remedy is Remedy.HUMAN else ""
    return Backoff(alias, failures, min(retry_at, now + RETRY_AFTER_MAX), inputs, str(error), link)


def next_limit(ca: str, before: Limit | None, problem: Problem, now: datetime) -> Limit:
    """What is remembered of a CA that has had enough. Without a Retry-After the steps count."""
    failures = before.failures + 1 if before is not None else 1
    retry_at = problem.retry_at
    if retry_at is None or retry_at <= now:
        retry_at = now + STEPS[min(failures, len(STEPS)) - 1]
    return Limit(ca, failures, min(retry_at, now + RETRY_AFTER_MAX), str(problem))


def next_name_backoff(
    ca: str, name: str, before: NameBackoff | None, error: CertkeeperError, inputs: str, now: datetime
) -> NameBackoff:
    """The backoff of a name that the CA could not validate once more."""
    failures = before.failures + 1 if before is not None else 1
    return NameBackoff(ca, name, failures, now + STEPS[min(failures, len(STEPS)) - 1], inputs, str(error))


def waiting(spec: CertSpec, backoff: Backoff | None, inputs: str, now: datetime) -> BackedOff | None:
    """Why nothing is tried now; None where something is.

    A time further off than any backoff is a clock's that was stepped back since, and does not count.
    """
    if backoff is None or backoff.inputs != inputs or not _counts(backoff.retry_at, now):
        return None
    if backoff.link:
        return BackedOff(
            f"for a person: the CA takes no order before somebody has opened its link; next try from "
            f"{iso(backoff.retry_at)}; it says: {backoff.message}",
            hint=f"open {backoff.link}, then: certkeeper run --force {spec.alias}",
            retry_at=backoff.retry_at,
            link=backoff.link,
        )
    return BackedOff(
        f"failed {count(backoff.failures, 'time')}, next try from {iso(backoff.retry_at)}; the last failure: "
        f"{backoff.message}",
        hint=f"to try now: certkeeper run --force {spec.alias}",
        retry_at=backoff.retry_at,
    )


def name_waiting(spec: CertSpec, found: NameBackoff, inputs: str, now: datetime) -> BackedOff | None:
    """Why a certificate with that name is not tried now: it would use up the same few tries at the CA."""
    if found.inputs != inputs or not _counts(found.retry_at, now):
        return None
    return BackedOff(
        f"{found.name} failed validation {count(found.failures, 'time')}, next try from {iso(found.retry_at)}; the "
        f"last failure: {found.message}",
        hint=f"to try now: certkeeper run --force {spec.alias}",
        retry_at=found.retry_at,
    )


def ca_waiting(limit: Limit | None, now: datetime) -> CaLimited | None:
    """Why nothing is ordered at that CA now; None where something is."""
    if limit is None or not _counts(limit.retry_at, now):
        return None
    return CaLimited(
        f"{limit.ca}: not asked for certificates before {iso(limit.retry_at)}; it says: {limit.message}",
        hint="to ask all the same: certkeeper run --force",
        retry_at=limit.retry_at,
    )


def _counts(retry_at: datetime, now: datetime) -> bool:
    """A time further off than any wait is a clock's that was stepped back since."""
    return now < retry_at <= now + RETRY_AFTER_MAX
