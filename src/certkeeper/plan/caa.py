"""What CAA records say to the certificates of a plan, before the CA reads them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import DnsName, Identifier, IdentifierType
from certkeeper.base.value import replace
from certkeeper.config.authority import LETSENCRYPT, LETSENCRYPT_TEST
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import CertSpec
from certkeeper.plan.observed import Caa
from certkeeper.zone.caa import NO_ACCOUNT, CaaOutcome, CaaVerdict, judge_caa

_REFUSES_REDUNDANT = frozenset({LETSENCRYPT, LETSENCRYPT_TEST})
_UNDECIDED: Mapping[Identifier, ChallengeType] = MappingProxyType({})
SEE_PROPOSAL = "certkeeper dns caa shows the records that allow it"
_REGISTER = (
    "an account has to be registered first: certkeeper account register; "
    "then certkeeper dns caa shows the record that names it"
)


class CaaForbids(CertkeeperError):
    """The zone's own records forbid the CA to issue (RFC 8659)."""

    label = "dns-caa"
    fault = Fault.OPERATOR


class RedundantName(CertkeeperError):
    """A name that a wildcard of the same certificate covers, where the CA refuses such orders."""

    label = "ca-does-not-offer"
    fault = Fault.OPERATOR


def names_to_look_up(specs: Iterable[CertSpec]) -> tuple[DnsName, ...]:
    """The names whose CAA counts, each once."""
    return tuple(
        dict.fromkeys(
            identifier.domain
            for spec in specs
            for identifier in spec.identifiers
            if identifier.type is IdentifierType.DNS
        )
    )


def verdicts(
    spec: CertSpec, caa: Caa, methods: Mapping[Identifier, ChallengeType] = _UNDECIDED
) -> Mapping[Identifier, CaaVerdict]:
    """What CAA says to each name of the certificate. Where no method was chosen, the first that can be counts."""
    return {
        identifier: judge_caa(
            identifier.domain,
            replace(caa.issuer, method=methods.get(identifier) or spec.methods.of(identifier)[0]),
            caa.answers,
            wildcard=identifier.wildcard,
        )
        for identifier in spec.identifiers
        if identifier.type is IdentifierType.DNS
    }


def caa_error(
    spec: CertSpec, caa: Caa | None, methods: Mapping[Identifier, ChallengeType] = _UNDECIDED
) -> CertkeeperError | None:
    """Why the CA is going to refuse a name of this lineage, in the record's own words."""
    if caa is None:
        return None
    forbidden = {
        name: verdict
        for name, verdict in verdicts(spec, caa, methods).items()
        if verdict.outcome is CaaOutcome.FORBIDDEN
    }
    if not forbidden:
        return None
    name, verdict = next(iter(forbidden.items()))
    more = f" (and {len(forbidden) - 1} more)" if len(forbidden) > 1 else ""
    return CaaForbids(f"{name}{more}: {forbidden_text(verdict)}", hint=remedy(verdict))


def remedy(verdict: CaaVerdict) -> str:
    """What to do about a record that forbids."""
    return _REGISTER if NO_ACCOUNT in verdict.reason else f"change that record; {SEE_PROPOSAL}"


def forbidden_text(verdict: CaaVerdict) -> str:
    """The record that forbids, and why."""
    return f"the record {verdict.at} CAA {verdict.record} forbids it: {verdict.reason}"


def caa_findings(specs: Iterable[CertSpec], caa: Mapping[str, Caa]) -> Iterable[Finding]:
    """Names whose CAA cannot be looked up: CAs refuse then, but theirs is another resolver than this host's.

    `caa` is by CA.
    """
    failing: dict[DnsName, CaaVerdict] = {}
    for spec in specs:
        for verdict in verdicts(spec, caa[spec.ca]).values() if spec.ca in caa else ():
            if verdict.outcome is CaaOutcome.UNANSWERED and verdict.at is not None:
                failing.setdefault(verdict.at, verdict)
    for name, verdict in failing.items():
        yield Finding(
            code="caa-unanswered",
            severity=Severity.WARNING,
            message=f"{name}: its CAA records cannot be looked up: {verdict.reason}",
            consequence="a CA that gets the same answer refuses",
            fix="see what is wrong with the zone: broken signatures, or name servers that fail; certkeeper dns doctor",
        )


def redundancy_error(spec: CertSpec) -> CertkeeperError | None:
    """Let's Encrypt refuses an order with a name that a wildcard in it covers; other CAs may not mind."""
    if spec.ca not in _REFUSES_REDUNDANT:
        return None
    wildcards = {identifier.domain for identifier in spec.identifiers if identifier.wildcard}
    covered = [
        identifier
        for identifier in spec.identifiers
        if identifier.type is IdentifierType.DNS and not identifier.wildcard and identifier.domain.parent in wildcards
    ]
    if not covered:
        return None
    first = covered[0]
    listed = ", ".join(str(name) for name in covered[:10]) + (" …" if len(covered) > 10 else "")
    return RedundantName(
        f"{listed}: redundant, since *.{first.domain.parent} is in the same certificate, and this CA refuses that",
        hint=f"remove {listed} from {spec.where}: the wildcard covers it",
    )
