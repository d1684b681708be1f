"""ON_NAME_FAILURE: what becomes of a certificate while one of its names cannot be proven."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Identifier, InvalidName
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass, replace
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.providers import provider_for
from certkeeper.config.settings import CertSpec, Configuration, OnNameFailure, Settings
from certkeeper.lineage.model import Dropped, Lineage
from certkeeper.plan.actions import Kept, LineagePlan
from certkeeper.plan.backoff import BackedOff, CaLimited, name_inputs, name_waiting, proven_name
from certkeeper.plan.caa import caa_error
from certkeeper.plan.due import renew_before, unusable
from certkeeper.plan.observed import Observed
from certkeeper.plan.preflight import script_error, zone_error
from certkeeper.plan.proving import owners_of, proven
from certkeeper.plan.records import NameBackoff, Records
from certkeeper.plan.standing import nobody_looked, other_ca, standing_error
from certkeeper.zone.apex import ZoneError


class NotDropped(CertkeeperError):
    """A name that failed is the one by which services find the folder, so nothing is ordered without it."""

    label = "name-failed"

    def __init__(self, first: Identifier, cause: CertkeeperError) -> None:
        super().__init__(
            f"{cause}; {first}, the first name, is not dropped unless the line has > ALIAS",
            hint=cause.hint,
            retry_at=cause.retry_at,
        )
        self.fault, self.local, self.exit_code = cause.fault, cause.local, cause.exit_code


@dataclass(frozen=True, slots=True)
class Chosen:
    """The certificate as it can be had now: without `dropped`, and with the names that `spec` still has.

    `failing` is why names of the page cannot be proven for sure, whatever the policy.
    """

    spec: CertSpec
    dropped: tuple[Dropped, ...] = ()
    failing: Mapping[Identifier, CertkeeperError] | None = None


def chosen(spec: CertSpec, configuration: Configuration, observed: Observed, *, patient: bool) -> Chosen:
    """Which names to order; `patient`: names that failed a short while ago are not tried now."""
    if spec.on_name_failure is OnNameFailure.BLOCK:
        return Chosen(spec)
    failing = dict(_sure_to_fail(spec, configuration, observed))
    if spec.on_name_failure is OnNameFailure.KEEP_OLD:
        return Chosen(spec, failing=failing)
    settings = configuration.settings
    if patient:
        failing |= {name: error for name, error in _failed_lately(spec, observed, settings) if name not in failing}
    return without(spec, failing, settings)


def without(spec: CertSpec, failing: Mapping[Identifier, CertkeeperError], settings: Settings) -> Chosen:
    """The certificate without names that cannot be proven; whole where one of them may not be left out."""
    if not failing or not all(may_drop(spec, name) for name in failing) or len(failing) == len(spec.identifiers):
        return Chosen(spec, failing=failing)
    left = tuple(name for name in spec.identifiers if name not in failing)
    dropped = tuple(
        Dropped(name, name_inputs(proven_name(name), spec, settings), str(failing[name]))
        for name in spec.identifiers
        if name in failing
    )
    return Chosen(replace(spec, identifiers=left), dropped, failing)


def may_drop(spec: CertSpec, name: Identifier) -> bool:
    """Whether the certificate may be ordered without that name.

    Not without its first one, by which services find the folder, unless an alias stands for it.
    """
    if spec.on_name_failure is not OnNameFailure.DROP:
        return False
    first = spec.identifiers[0]
    return name != first or not _means(spec.alias.text, first)


def not_dropped(spec: CertSpec, failing: Collection[Identifier], error: CertkeeperError) -> CertkeeperError:
    """The error, with a word on why nothing is ordered without the names that fail, where one may wonder."""
    first = spec.identifiers[0]
    wonders = spec.on_name_failure is OnNameFailure.DROP and first in failing and not may_drop(spec, first)
    return NotDropped(first, error) if wonders and not isinstance(error, BackedOff | CaLimited | NotDropped) else error


def _means(alias: str, name: Identifier) -> bool:
    """Whether the folder is called like that name, however it is written."""
    try:
        return Identifier.parse(alias) == name
    except InvalidName:
        return False


def settled(spec: CertSpec, lineage: Lineage, settings: Settings) -> tuple[Dropped, ...]:
    """Names that the live certificate is without on purpose, and that nothing has changed for since."""
    if spec.on_name_failure is not OnNameFailure.DROP or lineage.leaf is None or lineage.origin is None:
        return ()
    missing = frozenset(spec.identifiers) - lineage.leaf.identifiers
    return tuple(
        item
        for item in lineage.origin.dropped
        if item.name in missing
        and may_drop(spec, item.name)
        and item.inputs == name_inputs(proven_name(item.name), spec, settings)
    )


def kept_until(spec: CertSpec, lineage: Lineage, now: datetime) -> datetime | None:
    """Until when a name that cannot be proven is no failure: half of the time before its end at which the live
    certificate is renewed. None where it is one now.
    """
    leaf = lineage.leaf
    if spec.on_name_failure is not OnNameFailure.KEEP_OLD or leaf is None or unusable(spec, lineage) is not None:
        return None
    until = leaf.not_after - renew_before(leaf, spec.renew) / 2
    return until if now < until else None


def kept(until: datetime, cause: CertkeeperError) -> Kept:
    """The warning in the place of that error."""
    return Kept(f"the present certificate is kept, and this is an error from {iso(until)} on", cause)


def is_about_names(item: LineagePlan, error: CertkeeperError, chosen_: Chosen, settings: Settings) -> bool:
    """Whether a plan's obstacle is that names cannot be proven, now or when it was tried."""
    if isinstance(error, BackedOff):
        return any(found.inputs == name_inputs(found.name, item.spec, settings) for found in item.names_failed)
    return blames(error, chosen_)


def blames(error: CertkeeperError, chosen_: Chosen) -> bool:
    """Whether a plan's error is about names that cannot be proven for sure. One about zones names all of them."""
    failing = (chosen_.failing or {}).values()
    return any(str(error) == str(found) for found in failing) or (bool(failing) and type(error) is ZoneError)


def dropped_findings(lineages: tuple[LineagePlan, ...]) -> Iterator[Finding]:
    """Certificates that are without names of the page: told by every run, since somebody wants them served."""
    for item in lineages:
        for dropped in item.dropped:
            there = "is ordered" if item.order is not None else "is live"
            yield Finding(
                code="name-dropped",
                severity=Severity.WARNING,
                message=f"{item.alias}: the certificate {there} without {dropped.name}: {dropped.why}",
                consequence=f"clients of {dropped.name} refuse it; the name is tried again with the next renewal, or "
                "once it is to be proven in another way",
                fix=f"mend that, then: certkeeper run --force {item.alias}",
                where=item.spec.where,
            )


def _sure_to_fail(
    spec: CertSpec, configuration: Configuration, observed: Observed
) -> Iterator[tuple[Identifier, CertkeeperError]]:
    """Names that nothing need be asked about: what is known now says that the CA would not accept them.

    A server that could not be asked says nothing.
    """
    settings = configuration.settings
    for name in spec.identifiers:
        one = replace(spec, identifiers=(name,))
        methods, places = proven(one, settings, observed)
        seen = observed.at(spec.ca)
        error = None if nobody_looked(name, seen) else standing_error(methods, seen, other_ca(spec.ca, settings))
        if error is None and not _unanswered(one, settings, observed):
            error = zone_error(one, places, configuration, observed)
        error = error or script_error(methods, places) or caa_error(one, observed.caa.get(spec.ca), methods)
        if error is not None:
            yield name, error


def _unanswered(one: CertSpec, settings: Settings, observed: Observed) -> bool:
    """Whether the name's provider could not be asked, or could not tell."""
    for owner in owners_of(one, observed.accounts.get(one.ca, "")):
        provider = provider_for(settings, owner, one.provider)
        zones = (observed.zones or {}).get(provider) if isinstance(provider, str) else None
        if zones is not None and (zones.trouble is not None or type(zones.errors.get(owner, _FINE)) is not ZoneError):
            return True
    return False


_FINE = ZoneError("")


def _failed_lately(
    spec: CertSpec, observed: Observed, settings: Settings
) -> Iterator[tuple[Identifier, CertkeeperError]]:
    """Names that the CA could not validate, and that wait; and those that an order which is open is without."""
    going_on = _left_out_before(spec, observed.records)
    for name in spec.identifiers:
        found = observed.records.names.get((spec.ca, proven_name(name)))
        inputs = name_inputs(proven_name(name), spec, settings)
        if found is None or found.inputs != inputs:
            continue
        if name_waiting(spec, found, inputs, observed.now) is not None or name in going_on:
            yield name, _as_before(found)


def _as_before(found: NameBackoff) -> CertkeeperError:
    return CertkeeperError(found.message, retry_at=found.retry_at)


def _left_out_before(spec: CertSpec, records: Records) -> frozenset[Identifier]:
    """Names that the order of an earlier run, which is still open, was opened without."""
    intent = records.orders.get(spec.entry)
    if intent is None or intent.ca != spec.ca or not set(intent.identifiers) < set(spec.identifiers):
        return frozenset()
    return frozenset(spec.identifiers) - frozenset(intent.identifiers)
