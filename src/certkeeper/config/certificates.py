"""What a certificate inherits from the page or sets in its own file, and whether its names can be proven."""

from collections.abc import Mapping
from datetime import timedelta

from certkeeper.base.access import NO_ACCESS, Access
from certkeeper.base.errors import printable
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange
from certkeeper.config.access import read_access
from certkeeper.config.authority import directory_url, is_test_ca
from certkeeper.config.domains import DomainLine
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.kinds import REQUIRED
from certkeeper.config.lint import unknown_variables
from certkeeper.config.methods import Methods, impossible, read_methods
from certkeeper.config.providers import ProviderKind, Wish, hook_timeout, told_commands, told_script, wish_of
from certkeeper.config.settings import (
    DEFAULT_HOOK_TIMEOUT,
    DEFAULT_METHODS,
    DEFAULT_RETENTION,
    DEFAULT_WELLKNOWN,
    CertSpec,
    OnNameFailure,
    Purpose,
    Rejected,
    RenewPolicy,
)
from certkeeper.config.shell import Assignment, Script
from certkeeper.config.values import Values
from certkeeper.config.variables import DEFAULTS, PER_CERTIFICATE
from certkeeper.lineage.retention import Retention

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.config.tlsa import TlsaWish
    from certkeeper.service.endpoint import Endpoint

_NO_WISH = Wish(ProviderKind.POWERDNS)
_SMALLEST_RSA, _LARGEST_RSA = 2048, 16384


@dataclass(frozen=True, slots=True)
class Terms:
    """A certificate's settings apart from its names."""

    ca: str
    test_ca: bool
    key: KeySpec
    renew: RenewPolicy
    must_staple: bool
    staple_required: bool
    profile: str
    preferred_profile: str
    preferred_chain: str
    validation_timeout: timedelta | None
    order_timeout: timedelta | None
    hook: str = ""
    deploy_command: tuple[str, ...] = ()
    hook_chain: bool = False
    hook_timeout: timedelta = DEFAULT_HOOK_TIMEOUT
    keep: Retention = DEFAULT_RETENTION
    wish: Wish = _NO_WISH
    wished_key: str = ""
    methods: Methods = DEFAULT_METHODS
    wellknown: str = DEFAULT_WELLKNOWN
    on_name_failure: OnNameFailure = OnNameFailure.BLOCK
    keep_going: bool = False
    ocsp_fetch: bool = False
    ocsp_days: int = 5
    access: Access = NO_ACCESS
    targets: tuple[str, ...] = ()
    probe: "tuple[Endpoint, ...] | None" = None
    tlsa: "TlsaWish | None" = None


def read_terms(values: Values, environment: Mapping[str, str]) -> Exchange[Terms]:
    """The terms that these assignments make.

    Raises:
        ConfigError: an invalid value.
    """
    methods = read_methods(values)
    hook = told_script(values)
    # The rest is not even looked at where nothing is proven through it.
    wish = (yield from wish_of(values, environment)) if methods.through_dns else _NO_WISH
    ca = directory_url(values)
    test_ca = is_test_ca(values, ca)
    tlsa = _tlsa(values, test_ca=test_ca)
    key = key_spec(values, "KEY_ALGO", "KEYSIZE", KeyAlgorithm.P384, _policy(values, tlsa))
    required = values.text("OCSP_MUST_STAPLE").strip().lower() == REQUIRED
    return Terms(
        ca=ca,
        test_ca=test_ca,
        key=key,
        renew=RenewPolicy(values.number("RENEW_DAYS", RenewPolicy().days, 0, 3650), "RENEW_DAYS" in values.assigned),
        must_staple=required or values.truth("OCSP_MUST_STAPLE", default=False, besides=REQUIRED),
        staple_required=required,
        profile=_one_line(values, "ACME_PROFILE"),
        preferred_profile=_one_line(values, "ACME_PROFILE_PREFERRED"),
        preferred_chain=_one_line(values, "PREFERRED_CHAIN"),
        validation_timeout=values.seconds("VALIDATION_TIMEOUT"),
        order_timeout=values.seconds("ORDER_TIMEOUT"),
        hook=hook,
        deploy_command=told_commands(values).deploy_cert,
        hook_chain=values.truth("HOOK_CHAIN", default=False),
        hook_timeout=hook_timeout(values),
        keep=_keep(values),
        wish=wish,
        wished_key=_wished_key(values, key),
        methods=methods,
        wellknown=values.path("WELLKNOWN", DEFAULT_WELLKNOWN),
        on_name_failure=values.word("ON_NAME_FAILURE", OnNameFailure.BLOCK),
        keep_going=values.truth("KEEP_GOING", default=False),
        ocsp_fetch=values.truth("OCSP_FETCH", default=False),
        ocsp_days=values.number("OCSP_DAYS", 5, 0, 3650),
        access=read_access(values),
        targets=_targets(values),
        probe=_probe(values),
        tlsa=tlsa,
    )


def key_spec(values: Values, algorithm: str, size: str, default: KeyAlgorithm, policy: KeyPolicy) -> KeySpec:
    """A kind of key, from the names of the variables for algorithm and size.

    Raises:
        ConfigError: an unknown algorithm, or an RSA size that nobody accepts.
    """
    try:
        found = values.word(algorithm, default)
    except ConfigError as error:
        if values.text(algorithm).lower() not in ("ec", "ecdsa"):
            raise
        raise ConfigError(error.where, error.reason, hint="name the curve: prime256v1 or secp384r1") from error
    if found is KeyAlgorithm.RSA:
        return KeySpec(found, values.number(size, int(DEFAULTS[size]), _SMALLEST_RSA, _LARGEST_RSA), policy)
    return KeySpec(found, policy=policy)


def _wished_key(values: Values, key: KeySpec) -> str:
    """The kind of key as far as the page says it; the size counts for RSA alone."""
    if not values.has("KEY_ALGO"):
        return ""
    return str(key) if values.has("KEYSIZE") else key.algorithm.value


def certificate(line: DomainLine, terms: Terms, provider: str) -> CertSpec | Rejected:
    """One line of domains.txt under its terms. `provider` is the id that its wish for one got."""
    unprovable = next((name for name in line.identifiers if not terms.methods.of(name)), None)
    if unprovable is not None:
        reason, hint = impossible(terms.methods, unprovable)
        return Rejected(line.alias.text, ConfigError(line.where, reason, hint=hint))
    return CertSpec(
        alias=line.alias,
        identifiers=line.identifiers,
        where=line.where,
        ca=terms.ca,
        key=terms.key,
        renew=terms.renew,
        must_staple=terms.must_staple,
        staple_required=terms.staple_required,
        profile=terms.profile,
        preferred_profile=terms.preferred_profile,
        preferred_chain=terms.preferred_chain,
        validation_timeout=terms.validation_timeout,
        order_timeout=terms.order_timeout,
        hook=terms.hook,
        deploy_command=terms.deploy_command,
        hook_chain=terms.hook_chain,
        hook_timeout=terms.hook_timeout,
        keep=terms.keep,
        provider=provider,
        purpose=Purpose.REHEARSE if terms.test_ca else Purpose.SERVE,
        wished_key=terms.wished_key,
        methods=terms.methods.about(line.identifiers),
        wellknown=terms.wellknown,
        on_name_failure=terms.on_name_failure,
        keep_going=terms.keep_going,
        ocsp_fetch=terms.ocsp_fetch,
        ocsp_days=terms.ocsp_days,
        access=terms.access,
        targets=terms.targets,
        probe=terms.probe,
        tlsa=terms.tlsa,
    )


def _targets(values: Values) -> tuple[str, ...]:
    """The services of DEPLOY; whether there are such is seen once all descriptions are read."""
    found = tuple(dict.fromkeys(values.text("DEPLOY").split()))
    return () if found == ("no",) else found


def _probe(values: Values) -> "tuple[Endpoint, ...] | None":
    if not values.has("PROBE"):
        return None
    from certkeeper.config.deployments import read_probe  # noqa: PLC0415 - most pages deploy nothing

    return read_probe(values)


def _tlsa(values: Values, *, test_ca: bool) -> "TlsaWish | None":
    if not any(values.has(name) for name in ("TLSA", "TLSA_ISSUERS", "TLSA_TYPES", "TLSA_TTL", "TLSA_PUBLISH")):
        return None
    from certkeeper.config.tlsa import read_tlsa  # noqa: PLC0415 - most pages publish no TLSA record

    found = read_tlsa(values)
    # No client sees a rehearsal's key. What is wrong with the page is told all the same.
    return None if test_ca else found


def own_assignments(script: Script, inherited: Mapping[str, str]) -> tuple[dict[str, Assignment], tuple[Finding, ...]]:
    """What a certificate's own file changes, and findings about the rest.

    As with dehydrated, a value that equals the inherited one changes nothing, whatever the name.
    """
    last = {found.name: found for found in script.assignments}
    last = {name: found for name, found in last.items() if inherited.get(name) != found.value}
    changes = {name: found for name, found in last.items() if name in PER_CERTIFICATE}
    findings = [*script.findings, *unknown_variables(script.assignments)]
    told = {finding.where for finding in findings}
    findings += [
        _not_per_certificate(found) for name, found in last.items() if name not in changes and found.where not in told
    ]
    return changes, tuple(findings)


def _not_per_certificate(found: Assignment) -> Finding:
    return Finding(
        "not-per-certificate",
        Severity.WARNING,
        f"{found.name}: cannot be set for one certificate",
        "ignored here, as dehydrated does",
        "set it in the main configuration file, or remove it",
        found.where,
    )


def _policy(values: Values, tlsa: "TlsaWish | None") -> KeyPolicy:
    """Under TLSA records a key that nobody announced would be one that no record matches."""
    rollover = values.truth("PRIVATE_KEY_ROLLOVER", default=False) or tlsa is not None
    if not values.truth("PRIVATE_KEY_RENEW", default=True):
        return KeyPolicy.REUSE
    return KeyPolicy.ROLLOVER if rollover else KeyPolicy.NEW


def _keep(values: Values) -> Retention:
    return Retention(
        versions=values.number("KEEP_VERSIONS", DEFAULT_RETENTION.versions, 0, 1000),
        days=values.number("KEEP_DAYS", DEFAULT_RETENTION.days, 0, 3650),
    )


def _one_line(values: Values, name: str) -> str:
    text = values.text(name)
    if not text.isprintable():
        raise values.error(name, f"{printable(text, 40)!r} holds control characters", "write the name on one line")
    return text
