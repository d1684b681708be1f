"""Must-staple (RFC 7633): for which certificates it is asked for. A CA without OCSP either refuses such a request after
the names were proven, or issues a certificate that clients refuse because nothing can be stapled.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.value import dataclass
from certkeeper.config.authority import WITHOUT_OCSP
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec, Configuration
from certkeeper.lineage.model import Lineage

NEVER_ORDERED = "must-staple-required"
"""The code of the finding that a renewal will be refused by ourselves."""


class CannotStaple(CertkeeperError):
    """The page insists on must-staple, and the CA has no OCSP responder."""

    label = "ca-does-not-offer"
    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True)
class Abilities:
    """The CAs that are known to run an OCSP responder, and those that are known to run none."""

    able: frozenset[str]
    unable: frozenset[str]

    def asks(self, spec: CertSpec) -> bool:
        """Whether its CA may be asked for the extension. Where nothing is known of the CA, only who insists asks."""
        return spec.ca in self.able or (spec.staple_required and spec.ca not in self.unable)


def abilities(configuration: Configuration, lineages: Iterable[Lineage], now: datetime) -> Abilities:
    """What the certificate says that a CA issued last, if it is still valid.

    Where it was not written down which directory a certificate came from, it counts for every CA of the page: then
    after a change of CA the first new one decides. That a CA has no responder, its own certificates alone can show.
    """
    valid = [(item.origin, item.leaf) for item in lineages if item.leaf is not None and item.leaf.not_after > now]
    able, unable = set(), set()
    for ca in configuration.cas:
        if ca in WITHOUT_OCSP:
            unable.add(ca)
            continue
        its = [(leaf, origin) for origin, leaf in valid if origin is None or origin.ca == ca]
        newest, origin = max(its, key=lambda found: found[0].not_before, default=(None, None))
        if newest is not None and newest.ocsp_url is not None:
            able.add(ca)
        elif origin is not None:
            unable.add(ca)
    return Abilities(frozenset(able), frozenset(unable))


def staple_error(spec: CertSpec, known: Abilities) -> CannotStaple | None:
    """Why a certificate is not even ordered that has to have the extension."""
    if not spec.staple_required or spec.ca not in known.unable:
        return None
    return CannotStaple(
        f'OCSP_MUST_STAPLE is "required", and {_why(spec.ca)}',
        hint='order from another CA, or write OCSP_MUST_STAPLE="no"',
    )


def staple_findings(due: Sequence[CertSpec], known: Abilities) -> Iterable[Finding]:
    """Where it is wished for and not asked for; and where there will be no response to keep fresh."""
    wishes: dict[str, list[str]] = {}
    for spec in due:
        if spec.must_staple and not spec.staple_required and not known.asks(spec):
            wishes.setdefault(spec.ca, []).append(str(spec.alias))
    for ca, aliases in wishes.items():
        yield (_unable_finding if ca in known.unable else _unknown_finding)(ca, ", ".join(aliases))
    yield from _unfetched_findings(due, known)


def renewal_findings(later: Sequence[CertSpec], known: Abilities) -> Iterable[Finding]:
    """Whose renewal will not be ordered, of the certificates that are not due: there is still time."""
    for spec in later:
        error = staple_error(spec, known)
        if error is not None:
            yield Finding(
                code=NEVER_ORDERED,
                severity=Severity.WARNING,
                message=f"{spec.alias}: {error}",
                consequence="its renewal will fail",
                fix=error.hint,
                where=spec.where,
            )


def _unable_finding(ca: str, aliases: str) -> Finding:
    return Finding(
        code="must-staple",
        severity=Severity.WARNING,
        message=f"must-staple is not requested for {aliases}: {_why(ca)}",
        consequence="with it the CA would refuse, or clients would refuse the certificate",
        fix='OCSP_MUST_STAPLE="no" says what happens anyway',
    )


def _unknown_finding(ca: str, aliases: str) -> Finding:
    return Finding(
        code="must-staple",
        severity=Severity.NOTE,
        message=f"must-staple is not requested yet for {aliases}: it is not known whether {ca} has an OCSP responder",
        consequence="the first certificate shows it; where it names one, the next run orders again, with must-staple",
        fix='nothing need be done; OCSP_MUST_STAPLE="required" asks for it at once',
    )


def _unfetched_findings(due: Sequence[CertSpec], known: Abilities) -> Iterable[Finding]:
    wishes: dict[str, list[str]] = {}
    for spec in due:
        if spec.ocsp_fetch and spec.ca in known.unable:
            wishes.setdefault(spec.ca, []).append(str(spec.alias))
    for ca, aliases in wishes.items():
        yield Finding(
            code="ocsp-fetch",
            severity=Severity.NOTE,
            message=f"there will be no OCSP response to fetch for {', '.join(aliases)}: {_why(ca)}",
            consequence="OCSP_FETCH has no effect there",
            fix='OCSP_FETCH="no" says what happens anyway',
        )


def _why(ca: str) -> str:
    if ca in WITHOUT_OCSP:
        return "Let's Encrypt has no OCSP responder any more"
    return f"no certificate of {ca} here names an OCSP responder"
