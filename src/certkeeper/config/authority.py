"""Which CA: presets, directory URLs, and the URLs of ACME v1."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, Location, printable
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.hosts import is_loopback
from certkeeper.config.shell import Assignment
from certkeeper.config.values import Values, listed

LETSENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
LETSENCRYPT_V1 = "https://acme-v01.api.letsencrypt.org/directory"
LETSENCRYPT_TEST = "https://acme-staging-v02.api.letsencrypt.org/directory"
PRESETS = {
    "letsencrypt": LETSENCRYPT,
    "letsencrypt-test": LETSENCRYPT_TEST,
    "zerossl": "https://acme.zerossl.com/v2/DV90",
    "buypass": "https://api.buypass.com/acme/directory",
    "buypass-test": "https://api.test4.buypass.no/acme/directory",
    "google": "https://dv.acme-v02.api.pki.goog/directory",
    "google-test": "https://dv.acme-v02.test-api.pki.goog/directory",
}
_TESTS = frozenset(url for name, url in PRESETS.items() if name.endswith("-test"))
_STAGING = "acme-staging"
COUNTERPARTS = {url: PRESETS[f"{name}-test"] for name, url in PRESETS.items() if f"{name}-test" in PRESETS}
"""What rehearses a CA, by directory URLs."""
REHEARSAL = "REHEARSAL"
"""What stands among the assignments of a page that is rehearsed: a word of the command line's, and no setting."""
STAGING = Location("--staging")
# Where CAs that make accounts for their customers only give out a key id and an HMAC key.
BINDINGS = {
    PRESETS["zerossl"]: "at https://app.zerossl.com/developer",
    PRESETS["google"]: "with: gcloud publicca external-account-keys create",
    PRESETS["google-test"]: "with: gcloud publicca external-account-keys create",
}
# Of these, who gives them out for a mail address, and where.
BY_MAIL = {PRESETS["zerossl"]: "https://api.zerossl.com/acme/eab-credentials-email"}
# New orders per account (https://letsencrypt.org/docs/rate-limits/). Other CAs do not tell theirs.
ORDER_RATES = {LETSENCRYPT: (300, timedelta(hours=3)), LETSENCRYPT_TEST: (1500, timedelta(hours=3))}
# Names in one certificate, by profile (https://letsencrypt.org/docs/profiles/); the default one is "classic".
_LETSENCRYPT_NAMES = {"": 100, "classic": 100, "tlsserver": 25, "shortlived": 25}
MOST_NAMES = {LETSENCRYPT: _LETSENCRYPT_NAMES, LETSENCRYPT_TEST: _LETSENCRYPT_NAMES}
# Profiles under which addresses are refused; only "shortlived" may hold them.
_LETSENCRYPT_NO_ADDRESSES = frozenset(_LETSENCRYPT_NAMES.keys() - {"shortlived"})
WITHOUT_ADDRESSES = {LETSENCRYPT: _LETSENCRYPT_NO_ADDRESSES, LETSENCRYPT_TEST: _LETSENCRYPT_NO_ADDRESSES}
# CAs that have switched their OCSP responders off: Let's Encrypt in August 2025.
WITHOUT_OCSP = frozenset({LETSENCRYPT, LETSENCRYPT_TEST})
# ACME v1 is gone since June 2021. The accounts of both versions are the same.
_V1_HOSTS = {"acme-v01.api.letsencrypt.org": LETSENCRYPT, "acme-staging.api.letsencrypt.org": LETSENCRYPT_TEST}


class NoAuthority(CertkeeperError):
    """Text that names no CA."""

    label = "configuration"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


def directory_url(values: Values) -> str:
    """The directory URL that CA stands for.

    Raises:
        ConfigError: neither a preset nor a URL.
    """
    ca = _read(values, "CA", "letsencrypt")
    return _counterpart(values, ca) if is_rehearsal(values) else ca


def is_rehearsal(values: Values) -> bool:
    """Whether the page is rehearsed: somebody typed --staging."""
    found = values.assigned.get(REHEARSAL)
    return found is not None and found.where == STAGING


def is_stood_in_for(values: Values) -> bool:
    """Whether another CA takes the place of the page's, which must not be shown what is meant for that one."""
    return is_rehearsal(values) and directory_url(values) != _read(values, "CA", "letsencrypt")


def _read(values: Values, name: str, default: str = "") -> str:
    try:
        return read_authority(values.text(name, default))
    except NoAuthority as error:
        raise values.error(name, str(error), error.hint) from error


def _counterpart(values: Values, ca: str) -> str:
    """The test CA that stands in for a CA; a test CA stands in for itself."""
    if values.has("STAGING_CA"):
        return _read(values, "STAGING_CA")
    if is_known_test_ca(ca) or values.truth("TEST_CA", default=False):
        return ca
    if ca not in COUNTERPARTS:
        raise values.error(
            "CA",
            f"{printable(ca, 120)} has no test service that is known, so it cannot be rehearsed",
            'set STAGING_CA="URL", the directory of a test CA that takes its place; CA="letsencrypt" has one',
        )
    return COUNTERPARTS[ca]


def old_authority(values: Values, ca: str) -> str:
    """The CA whose account is used where this one has none: OLDCA, or the one whose place this one took."""
    if is_rehearsal(values):
        # A CA that is rehearsed gives its account to nobody.
        return ""
    if values.has("OLDCA"):
        return values.text("OLDCA")
    said = values.text("CA")
    if ca == LETSENCRYPT:
        return LETSENCRYPT_V1
    # A URL of ACME v1's is read as its successor.
    return said if said not in PRESETS and said != ca else ""


def find_old_authority(values: Values) -> None:
    """An OLDCA that names no CA, whose account nobody finds. Its accounts' folder is all that is ever looked for."""
    text = values.text("OLDCA")
    if text and _split(text) is None:
        values.find(
            "old-ca",
            Severity.WARNING,
            "OLDCA",
            f"{printable(text, 80)!r} is no URL",
            "no account is found there, so a new one is needed at CA",
            f'write OLDCA="{PRESETS[text]}"' if text in PRESETS else "write the URL that CA had before, as it was",
        )


def read_authority(text: str) -> str:
    """The directory URL that a preset or a URL stands for.

    Raises:
        NoAuthority: it is neither.
    """
    if preset := PRESETS.get(text):
        return preset
    url = _split(text)
    if url is None or url.scheme not in ("http", "https"):
        raise NoAuthority(f"{printable(text, 80)!r} is neither a preset nor a URL", hint=f"presets: {listed(PRESETS)}")
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        raise NoAuthority(f"{printable(text, 200)}: ACME is spoken over https only", hint="write https://…")
    return _V1_HOSTS.get(url.hostname or "", text)


def is_test_ca(values: Values, ca: str) -> bool:
    """Whether clients do not trust the CA's certificates: TEST_CA says so, or its URL is known as a test CA's.

    Raises:
        ConfigError: TEST_CA is neither yes nor no.
    """
    # Whatever stands in for a CA is none that clients trust.
    return values.truth("TEST_CA", default=is_known_test_ca(ca)) or is_rehearsal(values)


def is_known_test_ca(ca: str) -> bool:
    """Whether its URL is known as a test CA's."""
    url = _split(ca)
    return ca in _TESTS or (url is not None and (url.hostname or "").startswith(_STAGING))


def is_local(ca: str) -> bool:
    """Whether the CA runs on this host, as only test installations have it."""
    url = _split(ca)
    return url is not None and is_loopback(url.hostname or "")


def v1_findings(history: Sequence[Assignment]) -> tuple[Finding, ...]:
    """One finding for each assignment of an ACME v1 URL, whether it counts in the end or not."""
    assignments = [found for found in history if found.name == "CA"]
    return tuple(
        _v1_finding(found.where, found.value, new, later)
        for found, later in zip(assignments, [*(a.where for a in assignments[1:]), None], strict=False)
        if (url := _split(found.value)) and (new := _V1_HOSTS.get(url.hostname or ""))
    )


def _v1_finding(where: Location, old: str, new: str, superseded: Location | None) -> Finding:
    message = f"CA: {printable(old, 120)} speaks ACME v1, which was switched off in 2021"
    fix = f'write CA="{new}"'
    if superseded:
        message = f"{message}; superseded at {superseded}"
        return Finding("acme-v1-url", Severity.NOTE, message, "this line has no effect", f"remove it, or {fix}", where)
    consequence = f"read as {new}; dehydrated fails to connect"
    return Finding("acme-v1-url", Severity.WARNING, message, consequence, fix, where)


def _split(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        _ = url.port  # only asking for it shows that it is a number
    except ValueError:
        return None
    return url if url.hostname and text.isprintable() and " " not in text else None
