"""What a run must not do, whatever the page says."""

from collections.abc import Iterator

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec, Configuration, Purpose, Settings
from certkeeper.lineage.model import Lineage
from certkeeper.plan.drift import from_test_ca

ALLOW = "--allow-test-ca-live"


class UnsafePlan(CertkeeperError):
    """A test CA's certificate would take the place of one that clients trust."""

    label = "test-certificate"
    fault = Fault.OPERATOR
    local = True


def purpose_findings(configuration: Configuration) -> Iterator[Finding]:
    """Test CAs of the page: where their certificates go, and why."""
    settings = configuration.settings
    tested: dict[tuple[Purpose, str], list[str]] = {}
    for spec in configuration.certificates:
        tested.setdefault((spec.purpose, spec.ca), []).append(str(spec.alias))
    for (purpose, ca), aliases in tested.items():
        listed = ", ".join(aliases[:10]) + (f" and {len(aliases) - 10} more" if len(aliases) > 10 else "")
        if purpose is Purpose.REHEARSE:
            yield Finding(
                code="test-ca",
                severity=Severity.NOTE,
                message=f"{ca} is a test CA: certificates go to {settings.test_certdir}: {listed}",
                consequence="services keep what they have, and no hook is told: no client trusts a test CA",
                fix='set CA="letsencrypt", or another CA, once the test went well',
            )
        elif purpose is Purpose.STAND_IN:
            yield Finding(
                code="test-ca",
                severity=Severity.WARNING,
                message=f"{ca} is a test CA, and its certificates go to {settings.certdir}: {listed}",
                consequence="no client trusts them",
                fix=f"leave {ALLOW} out: then they go to {settings.test_certdir}",
            )


def unsafe_error(spec: CertSpec, lineage: Lineage, settings: Settings) -> UnsafePlan | None:
    """Why the lineage must not be issued: its folder for tests holds a certificate that clients trust."""
    if spec.purpose is not Purpose.REHEARSE:
        return None
    trusted = lineage.leaf is not None and not from_test_ca(lineage)
    if not trusted and settings.test_certdir != settings.certdir:
        return None
    where = settings.folder(spec)
    return UnsafePlan(
        f"{where}: the certificate there is not a test CA's, and {spec.ca} is one: no client would trust the new one",
        hint=f"set TEST_CERTDIR to a folder for tests alone, or say that you want it: certkeeper run {ALLOW}",
    )
