import pytest

from certkeeper.base.errors import Location
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Severity
from certkeeper.config.settings import Cleanup, Settings
from unit.config.pages import CONFIG, POWERDNS, Page, page


def settings(text: str) -> Settings:
    return page(text, "", **{"/x/domains.txt": "", "/tmp/d": ""}).settings


def test_defaults_are_dehydrateds() -> None:
    assert settings("") == Settings(
        config_file=CONFIG,
        basedir="/etc/dehydrated",
        domains_txt="/etc/dehydrated/domains.txt",
        certdir="/etc/dehydrated/certs",
        test_certdir="/etc/dehydrated/certs-test",
        alpn_certdir="/etc/dehydrated/alpn-certs",
        accountdir="/etc/dehydrated/accounts",
        statedir="/etc/dehydrated/state",
        lockfile="/etc/dehydrated/lock",
        ca="https://acme-v02.api.letsencrypt.org/directory",
        old_ca="https://acme-v01.api.letsencrypt.org/directory",
        account_key=KeySpec(KeyAlgorithm.RSA, 2048),
    )


@pytest.mark.row("B07")
def test_b07_paths_follow_basedir_and_lose_their_final_slash() -> None:
    found = settings('BASEDIR="/x/"\nCERTDIR="${BASEDIR}certs/"\nSTATEDIR=/var/lib/state/\nLOCKFILE=/run/lock\n')
    assert (found.basedir, found.domains_txt, found.certdir) == ("/x", "/x/domains.txt", "/x/certs")
    assert (found.accountdir, found.statedir, found.lockfile) == ("/x/accounts", "/var/lib/state", "/run/lock")


def test_an_empty_path_means_the_default_as_to_dehydrated() -> None:
    assert settings("DOMAINS_TXT=\nCERTDIR=\n") == settings("")


@pytest.mark.parametrize(("text", "expected"), [("", True), ("CAA_CHECK=yes", True), ("CAA_CHECK=no", False)])
def test_caa_is_looked_at_unless_that_is_switched_off(text: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert settings(text).caa_check is expected


def test_an_empty_lockfile_means_none_and_is_found() -> None:
    found = page("LOCKFILE=", "")
    assert found.settings.lockfile is None
    assert [(item.code, item.severity) for item in found.findings] == [("empty-lockfile", Severity.NOTE)]


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        pytest.param("", {}, None, id="none"),
        pytest.param("", {"SSL_CERT_FILE": "/env"}, "/env", id="environment"),
        pytest.param('CURL_OPTS="--cacert /curl"', {"SSL_CERT_FILE": "/env"}, "/curl", id="CURL_OPTS"),
        pytest.param('CA_BUNDLE=/own CURL_OPTS="--cacert /curl"', {"SSL_CERT_FILE": "/env"}, "/own", id="CA_BUNDLE"),
        pytest.param("", {"CA_BUNDLE": "/env"}, None, id="settings are not taken from the environment"),
    ],
)
def test_ca_bundle(text: str, environment: dict[str, str], expected: str | None) -> None:
    found = Page({CONFIG: f"{text}\nX=", "/etc/dehydrated/domains.txt": ""}).load(environment=environment)
    assert found.settings.ca_bundle == expected
    assert found.findings == ()


def test_account_key() -> None:
    assert settings("ACCOUNT_KEY_ALGO=prime256v1").account_key == KeySpec(KeyAlgorithm.P256)
    assert settings("ACCOUNT_KEYSIZE=3072").account_key == KeySpec(KeyAlgorithm.RSA, 3072)


def test_contact() -> None:
    assert settings("CONTACT_EMAIL=webmaster@example.net").contact_email == "webmaster@example.net"


@pytest.mark.row("B14")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("API=3", "API: '3' is not spoken", id="B14 API"),
        pytest.param("OCSP_DAYS=x", "OCSP_DAYS: 'x' is no number", id="B14 OCSP_DAYS"),
        pytest.param("ORDER_TIMEOUT=x", "ORDER_TIMEOUT: 'x' is no number", id="B14 ORDER_TIMEOUT"),
        pytest.param("VALIDATION_TIMEOUT=", "VALIDATION_TIMEOUT: '' is no number", id="B14 VALIDATION_TIMEOUT"),
        pytest.param("IP_VERSION=5", "IP_VERSION: '5' is not known", id="B14 IP_VERSION"),
        pytest.param("KEY_ALGO=foo", "KEY_ALGO: 'foo' is not known", id="B14 KEY_ALGO"),
        pytest.param("CHALLENGETYPE=foo-01", "CHALLENGETYPE: 'foo-01' is not known", id="A11 CHALLENGETYPE"),
        pytest.param("DEHYDRATED_GROUP=x", "DEHYDRATED_GROUP: counts only together", id="B17"),
        pytest.param("RENEW_DAYS=soon", "RENEW_DAYS: 'soon' is no number", id="RENEW_DAYS"),
        pytest.param("RENEW_DAYS=" + "9" * 5000, "RENEW_DAYS: '", id="RENEW_DAYS with 5000 digits"),
        pytest.param("KEY_ALGO=rsa\nKEYSIZE=1024", "KEYSIZE: '1024' is no number from 2048", id="KEYSIZE"),
        pytest.param("ACCOUNT_KEYSIZE=x", "ACCOUNT_KEYSIZE: 'x'", id="ACCOUNT_KEYSIZE"),
        pytest.param("HOOK_CHAIN=maybe", "HOOK_CHAIN: 'maybe' is neither yes nor no", id="truth"),
        pytest.param(
            "OCSP_MUST_STAPLE=maybe", "OCSP_MUST_STAPLE: 'maybe' is neither yes nor no nor required", id="staple"
        ),
        pytest.param("DNS_PROVIDER=bind", "DNS_PROVIDER: 'bind' is not known", id="DNS_PROVIDER"),
        pytest.param("CONTACT_EMAIL=me", "CONTACT_EMAIL: 'me' is not one mail address", id="CONTACT_EMAIL"),
        pytest.param("CERTDIR=$'/a\\nb'", "CERTDIR: '/a b' holds control characters", id="path"),
        pytest.param("ACME_PROFILE=$'a\\nb'", "ACME_PROFILE: 'a b' holds control characters", id="profile"),
    ],
)
def test_an_invalid_value_is_an_error_at_its_assignment(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        page(f"\n{text}\n", "")
    line = text.count("\n") + 2
    assert str(caught.value).startswith(f"{CONFIG}:{line}: {message}")
    assert caught.value.hint


@pytest.mark.row("B16")
@pytest.mark.parametrize(
    ("text", "policy", "expected"),
    [
        ("yes", KeyPolicy.NEW, []),
        ("no", KeyPolicy.REUSE, []),
        *((word, KeyPolicy.NEW, [Severity.WARNING]) for word in ("Yes", "true", "1", "on", "YES", "enabled", "' y'")),
        *((word, KeyPolicy.REUSE, [Severity.NOTE]) for word in ("No", "false", "0", "off", "n", "disabled", "''")),
    ],
)
def test_b16_truth_values_mean_what_they_say(text: str, policy: KeyPolicy, expected: list[Severity]) -> None:
    found = page(f"{POWERDNS}PRIVATE_KEY_RENEW={text}\n")
    assert found.certificates[0].key.policy is policy
    assert [(item.code, item.severity) for item in found.findings] == [
        ("truth-value", severity) for severity in expected
    ]
    assert all(item.where == Location(CONFIG, 4) for item in found.findings)


@pytest.mark.parametrize(
    ("text", "cleanup"),
    [
        ("", Cleanup.NO),
        ("AUTO_CLEANUP=yes", Cleanup.ARCHIVE),
        ("AUTO_CLEANUP=yes AUTO_CLEANUP_DELETE=yes", Cleanup.DELETE),
        ("AUTO_CLEANUP_DELETE=yes", Cleanup.NO),
    ],
)
def test_what_happens_to_old_files(text: str, cleanup: Cleanup) -> None:
    assert settings(text).cleanup is cleanup


def test_keep_going_is_the_pages_and_each_certificates() -> None:
    found = page("KEEP_GOING=yes", "a.org\nb.org\n", **{"/etc/dehydrated/certs/b.org/config": "KEEP_GOING=no"})
    assert found.settings.keep_going
    assert [spec.keep_going for spec in found.certificates] == [True, False]
    assert not settings("").keep_going


def test_an_empty_truth_value_is_a_no_as_to_dehydrated_and_the_default_for_settings_of_ours() -> None:
    found = page("OCSP_MUST_STAPLE=\nCAA_CHECK=\nKEEP_GOING=", "a.org\n")
    assert not found.certificates[0].must_staple
    assert found.settings.caa_check
    assert not found.findings


@pytest.mark.row("B14")
def test_b14_version_1_of_acme_is_accepted_with_a_warning() -> None:
    found = page("API=1", "").findings
    assert [(item.code, item.severity, item.where) for item in found] == [
        ("acme-v1", Severity.WARNING, Location(CONFIG, 1))
    ]
    assert not page("API=2", "").findings
