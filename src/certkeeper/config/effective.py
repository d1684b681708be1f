"""The settings that count, as text, each with where it comes from; for people who wonder why."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from certkeeper.base.errors import Location
from certkeeper.base.value import dataclass, field
from certkeeper.config.authority import is_test_ca
from certkeeper.config.kinds import MASK, OUR_DEFAULTS, REQUIRED, TRUTHS, is_secret, is_setting, masked
from certkeeper.config.settings import CertSpec, Configuration, Purpose, Settings
from certkeeper.config.shell import Assignment
from certkeeper.config.values import Values
from certkeeper.config.variables import DEFAULTS, LEGACY_PDNS, PER_CERTIFICATE

_FROM_ENVIRONMENT = {"PDNS_KEY": "PDNS_KEY", "EAB_KID": "EAB_KID", "EAB_HMAC_KEY": "EAB_HMAC_KEY"}
_KEY_SOURCES = ("PDNS_KEY", "PDNS_KEY_FILE", "KEY")


class Origin(StrEnum):
    """Who says so."""

    FILE = "file"
    CERTIFICATE = "certificate"
    """A file, or a table, that is about this certificate, zone or account alone."""
    COMMAND_LINE = "command line"
    ENVIRONMENT = "environment"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Effective:
    """A setting as it may be shown: what is secret is masked. `under` is the older name that it stands under."""

    name: str
    text: str = field(repr=False)
    origin: Origin
    where: Location | None = None
    under: str = ""

    @property
    def said(self) -> str:
        """Where it comes from, in words."""
        place = str(self.where) if self.where is not None else self.origin.value
        return f"{place}, as {self.under}" if self.under else place


def of_page(configuration: Configuration, environment: Mapping[str, str]) -> tuple[Effective, ...]:
    """The page's settings that have a value, by name; then the variables that only hooks may know."""
    assigned = configuration.assigned
    means = _meanings(configuration.settings)
    found: dict[str, Effective] = {}
    for name, text in {**DEFAULTS, **OUR_DEFAULTS, **means}.items():
        found[name] = Effective(name, masked(name, text), Origin.DEFAULT)
    for name in _from_environment(assigned, environment):
        text = environment[_FROM_ENVIRONMENT[name]]
        found[name] = Effective(name, masked(name, text), Origin.ENVIRONMENT)
    if not assigned.get("CA_BUNDLE") and configuration.settings.ca_bundle == environment.get("SSL_CERT_FILE"):
        bundle = configuration.settings.ca_bundle or ""
        found["CA_BUNDLE"] = Effective("CA_BUNDLE", bundle, Origin.ENVIRONMENT, under="SSL_CERT_FILE")
    for name, item in assigned.items():
        modern = f"PDNS_{name}" if name in LEGACY_PDNS else name
        if modern != name and modern in assigned and assigned[modern].value:
            continue
        if item.value or modern in means or name == "LOCKFILE":
            under = name if modern != name else ""
            found[modern] = _shown(modern, _meaning(modern, item, means), item, Origin.FILE, under)
    known = sorted((item for item in found.values() if item.text or item.name == "LOCKFILE"), key=_by_name)
    return tuple(known)


def of_certificate(configuration: Configuration, spec: CertSpec) -> tuple[Effective, ...]:
    """What counts for one certificate, of all that may be set for one."""
    page = {item.name: item for item in of_page(configuration, {})}
    means = {"CA": spec.ca, "TEST_CA": "no" if spec.purpose is Purpose.SERVE else "yes"}
    said = configuration.said.certificates.get(spec.alias.text)
    own = {item.name: item for item in said.own} if said is not None else {}
    found = {name: item for name, item in page.items() if name in PER_CERTIFICATE}
    if spec.ca != configuration.settings.ca or "TEST_CA" not in found:
        account = {item.name: item for item in configuration.said.accounts.get(spec.ca, ())}
        found["TEST_CA"] = _of_account(account, means["TEST_CA"])
    for name, item in own.items():
        found[name] = _shown(name, _meaning(name, item, means), item, Origin.CERTIFICATE)
    return tuple(sorted((item for item in found.values() if item.text), key=_by_name))


def own_settings(assignments: Iterable[Assignment]) -> tuple[Effective, ...]:
    """What is set for one certificate, zone or account alone."""
    return tuple(_shown(item.name, item.value, item, Origin.CERTIFICATE) for item in assignments)


def _of_account(own: Mapping[str, Assignment], text: str) -> Effective:
    if (said := own.get("TEST_CA")) is not None:
        return _shown("TEST_CA", text, said, Origin.FILE)
    return Effective("TEST_CA", text, Origin.DEFAULT)


def _shown(name: str, text: str, item: Assignment, origin: Origin, under: str = "") -> Effective:
    if item.where.file.startswith("-"):
        origin = Origin.COMMAND_LINE
    shown = masked(name, text) if is_setting(name) and not is_secret(name) else MASK
    return Effective(name, shown, origin, item.where, under)


def _from_environment(assigned: Mapping[str, Assignment], environment: Mapping[str, str]) -> Iterator[str]:
    keyed = any(name in assigned and assigned[name].value for name in _KEY_SOURCES)
    for name, variable in _FROM_ENVIRONMENT.items():
        if environment.get(variable) and not (keyed if name == "PDNS_KEY" else name in assigned):
            yield name


def _meaning(name: str, item: Assignment, means: Mapping[str, str]) -> str:
    """The value as it is understood: a path without its final slash, a truth value as yes or no, a preset's URL."""
    if name in means:
        return means[name]
    if name == "OCSP_MUST_STAPLE" and item.value.strip().lower() == REQUIRED:
        return REQUIRED
    if name in TRUTHS:
        return "yes" if Values({name: item}, "").truth(name, default=False) else "no"
    return item.value


def _meanings(settings: Settings) -> Mapping[str, str]:
    return {
        "ACCOUNTDIR": settings.accountdir,
        "ALPNCERTDIR": settings.alpn_certdir,
        "BASEDIR": settings.basedir,
        "CA": settings.ca,
        "CERTDIR": settings.certdir,
        "DOMAINS_TXT": settings.domains_txt,
        "LOCKFILE": settings.lockfile or "",
        "STATEDIR": settings.statedir,
        "TEST_CA": "yes" if _rehearses(settings) else "no",
        "TEST_CERTDIR": settings.test_certdir,
    }


def _rehearses(settings: Settings) -> bool:
    return is_test_ca(Values({}, settings.config_file), settings.ca)


def _by_name(item: Effective) -> str:
    return item.name
