"""The page's variables -> Settings: dehydrated's names and defaults, and ours."""

from collections.abc import Mapping
from datetime import timedelta

from certkeeper.base.errors import printable
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy
from certkeeper.base.value import replace
from certkeeper.config.alerts import telling
from certkeeper.config.authority import directory_url, find_old_authority, is_rehearsal, old_authority
from certkeeper.config.binding import external_account
from certkeeper.config.certificates import key_spec
from certkeeper.config.curl import CURL_OPTS, CurlWords, curl_words, find_unverified, find_words, transport
from certkeeper.config.findings import Severity
from certkeeper.config.listen import listen_addresses
from certkeeper.config.nameservers import (
    dnssec,
    extra_nameservers,
    ignored_servers,
    nameservers,
    vantage_resolvers,
)
from certkeeper.config.orderrate import order_rate
from certkeeper.config.powerdns import propagation
from certkeeper.config.providers import hook_timeout, told_commands, told_script
from certkeeper.config.settings import DEFAULT_SCRIPT_PROPAGATION, DEFAULT_WELLKNOWN, Cleanup, Settings
from certkeeper.config.telling import NOBODY
from certkeeper.config.transport import IpVersion
from certkeeper.config.values import Values, inside
from certkeeper.zone.propagation import Demand


def read_settings(values: Values, config_file: str, basedir: str, environment: Mapping[str, str]) -> Settings:
    """The run's settings, apart from PowerDNS, which is read where a certificate needs it.

    Raises:
        ConfigError: an invalid value.
    """
    _check_unused(values)
    settings = _settings(values, _curl_words(values), config_file, basedir, environment)
    return _rehearsed(settings) if is_rehearsal(values) else settings


def _rehearsed(settings: Settings) -> Settings:
    """The same with a journal of its own, and without what tells somebody or tidies up."""
    return replace(
        settings,
        rehearsal=True,
        statedir=inside(settings.statedir, "staging"),
        telling=NOBODY,
        cleanup=Cleanup.NO,
    )


def _settings(
    values: Values, words: CurlWords, config_file: str, basedir: str, environment: Mapping[str, str]
) -> Settings:
    return Settings(
        config_file=config_file,
        user=values.text("DEHYDRATED_USER"),
        basedir=(base := values.path("BASEDIR", basedir)),
        domains_txt=values.path("DOMAINS_TXT", inside(base, "domains.txt")),
        certdir=(certdir := values.path("CERTDIR", inside(base, "certs"))),
        test_certdir=_test_certdir(values, certdir),
        accountdir=values.path("ACCOUNTDIR", inside(base, "accounts")),
        statedir=values.path("STATEDIR", inside(base, "state")),
        lockfile=_lockfile(values, inside(base, "lock")),
        ca=(ca := directory_url(values)),
        old_ca=old_authority(values, ca),
        ca_bundle=values.path("CA_BUNDLE", "") if values.has("CA_BUNDLE") else words.cacert or _roots(environment),
        transport=transport(values, CURL_OPTS, words, environment, ip_version=IpVersion(values.text("IP_VERSION"))),
        contact_email=contact(values),
        # dehydrated's default for accounts is RSA, whatever KEY_ALGO says.
        account_key=key_spec(values, "ACCOUNT_KEY_ALGO", "ACCOUNT_KEYSIZE", KeyAlgorithm.RSA, KeyPolicy.NEW),
        external_account=external_account(values, environment),
        ari=values.truth("ARI", default=True),
        caa_check=values.truth("CAA_CHECK", default=True),
        nameservers=nameservers(values),
        propagation=propagation(values),
        script_propagation=propagation(values, DEFAULT_SCRIPT_PROPAGATION),
        extra_nameservers=extra_nameservers(values),
        dns_ignore=ignored_servers(values),
        vantage=vantage_resolvers(values),
        dnssec=dnssec(values),
        tlsa_margin=timedelta(seconds=values.number("TLSA_MARGIN", 3600, 0, 7 * 86400)),
        order_rate=order_rate(values),
        run_limit=values.number("RUN_LIMIT", 0, 0, 1_000_000, 300),
        wellknown=values.path("WELLKNOWN", DEFAULT_WELLKNOWN),
        hook=told_script(values),
        exit_command=told_commands(values).exit_hook,
        hook_timeout=hook_timeout(values),
        demand=values.word("PROPAGATION", Demand.REACHABLE),
        alpn_certdir=values.path("ALPNCERTDIR", inside(base, "alpn-certs")),
        http_listen=listen_addresses(values, "HTTP_LISTEN", 80),
        tls_alpn_listen=listen_addresses(values, "TLS_ALPN_LISTEN", 443),
        telling=telling(values),
        cleanup=_cleanup(values),
        keep_going=values.truth("KEEP_GOING", default=False),
    )


def _curl_words(values: Values) -> CurlWords:
    """What CURL_OPTS says, and what of it has no effect."""
    words = curl_words(values, CURL_OPTS)
    find_words(values, CURL_OPTS, words, "the CA")
    find_unverified(values, CURL_OPTS, words, "the CA")
    return words


def final_variables(variables: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """The variables that a certificate's own file sees: dehydrated has put defaults into the empty ones by then."""
    return {
        **variables,
        "BASEDIR": settings.basedir,
        "CA": settings.ca,
        "ACCOUNTDIR": settings.accountdir,
        "CERTDIR": settings.certdir,
        "ALPNCERTDIR": settings.alpn_certdir,
        "CHAINCACHE": variables.get("CHAINCACHE") or inside(settings.basedir, "chains"),
        "DOMAINS_TXT": settings.domains_txt,
        "LOCKFILE": settings.lockfile or "",
        "WELLKNOWN": variables.get("WELLKNOWN") or DEFAULT_WELLKNOWN,
    }


def _check_unused(values: Values) -> None:
    """What dehydrated refuses to start with is refused here, too, although nothing depends on it."""
    find_old_authority(values)
    if values.text("API", "auto") == "1":
        values.find(
            "acme-v1",
            Severity.WARNING,
            "API",
            "version 1 of ACME is spoken by no CA any more",
            "version 2 is spoken",
            'write API="auto"',
        )
    elif values.text("API", "auto") not in ("auto", "2"):
        raise values.error("API", f"{printable(values.text('API'), 40)!r} is not spoken", 'write API="auto"')
    if values.text("IP_VERSION") not in ("", "4", "6"):
        raise values.error("IP_VERSION", f"{printable(values.text('IP_VERSION'), 40)!r} is not known", "one of: 4, 6")


def _cleanup(values: Values) -> Cleanup:
    """AUTO_CLEANUP_DELETE says only how, not whether."""
    delete = values.truth("AUTO_CLEANUP_DELETE", default=False)
    if not values.truth("AUTO_CLEANUP", default=False):
        return Cleanup.NO
    return Cleanup.DELETE if delete else Cleanup.ARCHIVE


def _test_certdir(values: Values, certdir: str) -> str:
    found = values.path("TEST_CERTDIR", f"{certdir}-test")
    if found == certdir:
        raise values.error(
            "TEST_CERTDIR",
            "the folder that services read from, CERTDIR",
            "name another folder; to put a test CA's certificate there once: certkeeper run --allow-test-ca-live",
        )
    return found


def _lockfile(values: Values, default: str) -> str | None:
    if "LOCKFILE" in values.assigned and not values.has("LOCKFILE"):
        values.find(
            "empty-lockfile",
            Severity.NOTE,
            "LOCKFILE",
            "empty, so no lock file is used",
            f"dehydrated would use {default}",
            "remove the line to share a lock with dehydrated",
        )
        return None
    return values.path("LOCKFILE", default)


def contact(values: Values) -> str:
    """The mail address that a new account gets.

    Raises:
        ConfigError: it is none, or more than one.
    """
    text = values.text("CONTACT_EMAIL")
    if text and ("@" not in text or not text.isprintable() or any(char in text for char in " ,?")):
        raise values.error(
            "CONTACT_EMAIL", f"{printable(text, 80)!r} is not one mail address", 'write CONTACT_EMAIL="you@example.org"'
        )
    return text


def _roots(environment: Mapping[str, str]) -> str | None:
    return environment.get("SSL_CERT_FILE") or None
