"""What whoever moves from dehydrated should know of a page that a run has no reason to speak of."""

from collections.abc import Iterator, Mapping, Sequence

from certkeeper.base.errors import Location, printable
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange
from certkeeper.config.authority import WITHOUT_OCSP
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.kinds import is_secret
from certkeeper.config.reading import SecretText, read_secret
from certkeeper.config.settings import Configuration
from certkeeper.config.shell import Assignment
from certkeeper.config.values import listed


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Something that starts dehydrated by itself. `stop` is how to have it no more."""

    where: Location
    what: str
    stop: str


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key on disk. `group` is the name of its group where that is not its owner's own."""

    path: str
    others_may_read: bool
    group: str = ""
    group_may_read: bool = False


def moving_findings(configuration: Configuration) -> Exchange[tuple[Finding, ...]]:
    """Defaults that have changed, wishes that nobody can fulfil, and secrets that everybody can read."""
    secrets = yield from _open_secrets(configuration)
    page = configuration.said.whole_page
    native = configuration.settings.domains_txt == configuration.settings.config_file
    return (*(() if native else _changed_defaults(configuration, page)), *_must_staple(configuration), *secrets)


def schedule_findings(found: Sequence[Scheduled]) -> Iterator[Finding]:
    """Both may work on one BASEDIR in turn, but nobody knows then whose certificate comes next."""
    for item in found:
        yield Finding(
            "dehydrated-scheduled",
            Severity.WARNING,
            f"{item.what} starts dehydrated",
            "dehydrated goes on renewing the same certificates, with its own rules",
            item.stop,
            item.where,
        )


def key_findings(found: Sequence[KeyFile]) -> Iterator[Finding]:
    """One finding for all keys of a kind of trouble."""
    everybody = [item.path for item in found if item.others_may_read]
    if everybody:
        yield Finding(
            "open-private-key",
            Severity.WARNING,
            f"{_some(everybody)}: can be read by everybody on this machine",
            "who reads it can pass for these names, or for the account",
            "chmod o-rwx them; where they were read, revoke the certificate: certkeeper revoke",
        )
    useless = [item for item in found if item.group and not item.group_may_read and not item.others_may_read]
    groups = sorted({item.group for item in useless})
    if useless:
        yield Finding(
            "key-group",
            Severity.WARNING,
            f"{_some([item.path for item in useless])}: of group {listed(groups)}, which may not read them",
            "keys are 0600, and each new one is again: services that rely on the group cannot read it",
            f'name the group in the configuration, as CERT_GROUP="{groups[0]}", or have services read keys as root',
        )


def _changed_defaults(configuration: Configuration, page: Mapping[str, Assignment]) -> Iterator[Finding]:
    main = Location(configuration.settings.config_file)
    if (found := page.get("LICENSE")) is not None and found.value:
        yield Finding(
            "license-setting",
            Severity.NOTE,
            "LICENSE: agrees to nothing any more",
            "without an account nothing is ordered until the CA's terms are agreed to",
            "once per CA: certkeeper account register --accept-terms",
            found.where,
        )
    if "KEY_ALGO" not in page:
        yield Finding(
            "key-algo-default",
            Severity.WARNING,
            "KEY_ALGO: not set, so new keys are secp384r1",
            "dehydrated made RSA keys before version 0.7.0; a key that is reused stays what it is",
            'write KEY_ALGO="rsa" if a service needs that, else KEY_ALGO="secp384r1"',
            main,
        )
    if "RENEW_DAYS" not in page:
        yield Finding(
            "renew-days-default",
            Severity.NOTE,
            "RENEW_DAYS: not set, so certificates are renewed with 32 days left, or when their CA suggests it",
            "with dehydrated before 0.7.2 it was 30 days",
            "",
            main,
        )


def _must_staple(configuration: Configuration) -> Iterator[Finding]:
    """At a CA that has no OCSP responder any more, as is known without asking."""
    wishes = [spec for spec in configuration.certificates if spec.must_staple and spec.ca in WITHOUT_OCSP]
    if not wishes:
        return
    places: dict[Location, list[str]] = {}
    for spec in wishes:
        own = {item.name: item for item in configuration.said.certificates[spec.alias.text].own}
        item = own.get("OCSP_MUST_STAPLE") or configuration.said.whole_page.get("OCSP_MUST_STAPLE")
        places.setdefault(item.where if item is not None else spec.where, []).append(spec.alias.text)
    for where, aliases in places.items():
        yield Finding(
            "must-staple-refused",
            Severity.WARNING,
            f"OCSP_MUST_STAPLE: Let's Encrypt has no OCSP responder any more; it is not asked for: {_some(aliases)}",
            "with the extension Let's Encrypt would refuse the certificate",
            'write OCSP_MUST_STAPLE="no"',
            where,
        )


def _open_secrets(configuration: Configuration) -> Exchange[tuple[Finding, ...]]:
    said = configuration.said
    told = {
        finding.where.file for finding in configuration.findings if finding.code == "open-key-file" and finding.where
    }
    everything = (
        *said.page.values(),
        *(item for own in (*said.accounts.values(), *said.zones.values()) for item in own),
        *(item for certificate in said.certificates.values() for item in certificate.own),
    )
    files: dict[str, list[Assignment]] = {}
    for item in everything:
        if is_secret(item.name) and item.value and item.where.file not in told:
            files.setdefault(item.where.file, []).append(item)
    findings = []
    for file, items in files.items():
        found = yield from read_secret(file)
        if isinstance(found, SecretText) and found.others_may_read:
            findings.append(
                Finding(
                    "open-secret",
                    Severity.WARNING,
                    f"{listed(dict.fromkeys(item.name for item in items))}: a secret in a file that everybody on this "
                    "machine can read",
                    "who reads it can act in your name",
                    f"chmod o-rwx {printable(file)}",
                    items[0].where,
                )
            )
    return tuple(findings)


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
