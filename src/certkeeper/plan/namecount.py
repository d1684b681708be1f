"""How many names a CA takes in one certificate, and whether addresses."""

from collections.abc import Iterable

from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.names import IdentifierType
from certkeeper.config.authority import MOST_NAMES, WITHOUT_ADDRESSES
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec

_USUAL = 100
"""What most CAs take. Where nothing is known of a CA, more is no error."""


class TooManyNames(CertkeeperError):
    """More names on one line of domains.txt than the CA takes in one certificate."""

    label = "ca-does-not-offer"
    fault = Fault.OPERATOR


class AddressRefused(CertkeeperError):
    """The CA puts addresses into certificates of another profile only."""

    label = "ca-does-not-offer"
    fault = Fault.OPERATOR


def address_error(spec: CertSpec, profile: str) -> CertkeeperError | None:
    """Why the CA is going to refuse an order with an address."""
    addresses = [name for name in spec.identifiers if name.type is IdentifierType.IP]
    if not addresses or profile not in WITHOUT_ADDRESSES.get(spec.ca, ()):
        return None
    return AddressRefused(
        f"{spec.alias}: {spec.ca} certifies addresses, such as {addresses[0]}, under its profile shortlived only",
        hint='set ACME_PROFILE="shortlived" for this certificate, and run every hour: it is valid for six days',
    )


def crowd_error(spec: CertSpec, profile: str) -> CertkeeperError | None:
    """Why the CA is going to refuse the order. Of a profile that is not known here, the CA itself has to tell."""
    most = MOST_NAMES.get(spec.ca, {}).get(profile)
    number = len(spec.identifiers)
    if most is None or number <= most:
        return None
    under = f" under its profile {printable(profile, 80)}" if profile else ""
    return TooManyNames(
        f"{spec.alias}: {number} names, and {spec.ca} takes {most} in one certificate{under}",
        hint=f"split the line at {spec.where} into several certificates",
    )


def crowd_findings(due: Iterable[CertSpec]) -> Iterable[Finding]:
    """Certificates that have more names than most CAs take."""
    for spec in due:
        if spec.ca not in MOST_NAMES and len(spec.identifiers) > _USUAL:
            yield Finding(
                code="many-names",
                severity=Severity.WARNING,
                message=f"{spec.alias}: {len(spec.identifiers)} names in one certificate",
                consequence=f"most CAs take {_USUAL}; what this one takes is not known here",
                fix="split the line into several certificates, if the CA refuses",
                where=spec.where,
            )
