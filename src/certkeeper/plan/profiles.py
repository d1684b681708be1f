"""Which of the CA's profiles a certificate is ordered under (draft-ietf-acme-profiles)."""

from collections.abc import Collection, Iterable, Mapping

from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.config.findings import Finding, Severity, did_you_mean
from certkeeper.config.settings import CertSpec


class ProfileNotOffered(CertkeeperError):
    """The profile that the operator requires is none of the CA's."""

    label = "ca-does-not-offer"
    fault = Fault.OPERATOR


def profile_of(spec: CertSpec, offered: Collection[str] | None) -> str:
    """The profile to ask for; empty for the CA's default. `offered` is None where nobody knows what the CA offers."""
    if spec.profile:
        return spec.profile
    return spec.preferred_profile if offered is None or spec.preferred_profile in offered else ""


def acceptable(spec: CertSpec) -> tuple[str, ...]:
    """The profiles under which an order that is open already may become the certificate."""
    return (spec.profile,) if spec.profile or not spec.preferred_profile else (spec.preferred_profile, "")


def names_a_profile(spec: CertSpec) -> bool:
    """Does it matter which profiles the CA offers?"""
    return bool(spec.profile or spec.preferred_profile)


def profile_error(spec: CertSpec, offered: Collection[str] | None) -> CertkeeperError | None:
    """Why the CA is going to refuse the order."""
    if not spec.profile or offered is None or spec.profile in offered:
        return None
    meant = did_you_mean(spec.profile, offered)
    hint = f"did you mean {printable(meant, 80)}? correct ACME_PROFILE" if meant else "correct ACME_PROFILE"
    return ProfileNotOffered(
        f"{spec.ca}: no profile {printable(spec.profile, 80)} for {spec.alias}; {_listed(offered)}",
        hint=f"{hint}, or write ACME_PROFILE_PREFERRED in its place: then the CA's default does, too",
    )


def profile_findings(due: Iterable[CertSpec], offered: Mapping[str, Collection[str]]) -> Iterable[Finding]:
    """Certificates that get the CA's default profile although another one is preferred; `offered` is by CA."""
    missed: dict[tuple[str, str], list[str]] = {}
    for spec in due:
        if (
            spec.preferred_profile
            and not spec.profile
            and spec.preferred_profile not in offered.get(spec.ca, (spec.preferred_profile,))
        ):
            missed.setdefault((spec.ca, spec.preferred_profile), []).append(str(spec.alias))
    for (ca, profile), aliases in missed.items():
        more = f" and {len(aliases) - 10} more" if len(aliases) > 10 else ""
        yield Finding(
            code="profile",
            severity=Severity.NOTE,
            message=f"no profile {printable(profile, 80)} for {', '.join(aliases[:10])}{more}; {_listed(offered[ca])}",
            consequence="the CA's default profile is asked for",
            fix="correct ACME_PROFILE_PREFERRED, or remove it",
        )


def _listed(offered: Collection[str]) -> str:
    return f"the CA offers {printable(', '.join(sorted(offered)), 300)}" if offered else "the CA offers none by name"
