"""Must-staple and the services of DEPLOY: one that cannot send a response along makes clients refuse it."""

from collections.abc import Iterable, Mapping

from certkeeper.base.value import replace
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec
from certkeeper.service.target import Kind, Target

CANNOT = frozenset({Kind.POSTFIX, Kind.DOVECOT, Kind.PROSODY})
"""Services that have no way to staple; of those that are described by commands nothing is known."""

HANDED = frozenset({Kind.HAPROXY})
"""Services that have a response from a file beside the certificate's."""


def unable(spec: CertSpec, targets: Mapping[str, Target]) -> tuple[str, ...]:
    """The services of the certificate that cannot staple."""
    return tuple(name for name in spec.targets if targets[name].kind in CANNOT)


def check_required(spec: CertSpec, targets: Mapping[str, Target]) -> None:
    """Raises ConfigError: the page insists on both."""
    names = unable(spec, targets)
    if spec.staple_required and names:
        raise ConfigError(
            spec.where,
            f'{spec.alias}: OCSP_MUST_STAPLE is "required", and {", ".join(names)} cannot staple',
            hint="clients would refuse the certificate there: deploy another one to that service",
        )


def without_staples(
    certificates: Iterable[CertSpec], targets: Mapping[str, Target]
) -> tuple[tuple[CertSpec, ...], tuple[Finding, ...]]:
    """The certificates, without must-staple where a service would serve them without a response."""
    kept, findings = list[CertSpec](), list[Finding]()
    for spec in certificates:
        names = unable(spec, targets) if spec.must_staple else ()
        kept.append(replace(spec, must_staple=False) if names else spec)
        if names:
            findings.append(_unable_finding(spec, names))
        elif spec.must_staple and not spec.ocsp_fetch:
            findings += [_unfetched_finding(spec, name) for name in spec.targets if targets[name].kind in HANDED]
    return tuple(kept), tuple(findings)


def _unable_finding(spec: CertSpec, names: Iterable[str]) -> Finding:
    return Finding(
        "must-staple-service",
        Severity.WARNING,
        f"OCSP_MUST_STAPLE: not asked for in {spec.alias}: {', '.join(names)} cannot staple",
        "clients would refuse the certificate there",
        'write OCSP_MUST_STAPLE="no" for it, or deploy another certificate to that service',
        spec.where,
    )


def _unfetched_finding(spec: CertSpec, name: str) -> Finding:
    return Finding(
        "must-staple-unfetched",
        Severity.WARNING,
        f"OCSP_MUST_STAPLE in {spec.alias}: nobody gives {name} a response, unless it asks by itself",
        "a certificate that it shows without one goes back to the one before",
        'write OCSP_FETCH="yes", or ocsp-update into its configuration',
        spec.where,
    )
