import pytest

from certkeeper.base.accounts import account_folder
from certkeeper.base.errors import Location
from certkeeper.config.authority import LETSENCRYPT, LETSENCRYPT_TEST, PRESETS, NoAuthority, read_authority
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Severity
from unit.config.pages import CONFIG, page

V1 = "https://acme-v01.api.letsencrypt.org/directory"
V1_STAGING = "https://acme-staging.api.letsencrypt.org/directory"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", LETSENCRYPT),
        ("CA=letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"),
        ("CA=letsencrypt-test", "https://acme-staging-v02.api.letsencrypt.org/directory"),
        ("CA=zerossl", "https://acme.zerossl.com/v2/DV90"),
        ("CA=buypass", "https://api.buypass.com/acme/directory"),
        ("CA=buypass-test", "https://api.test4.buypass.no/acme/directory"),
        ("CA=google", "https://dv.acme-v02.api.pki.goog/directory"),
        ("CA=google-test", "https://dv.acme-v02.test-api.pki.goog/directory"),
        ("CA=https://localhost:14000/dir", "https://localhost:14000/dir"),
        ("CA=http://127.0.0.1:4000/dir", "http://127.0.0.1:4000/dir"),
        (f"CA={V1}", LETSENCRYPT),
        (f"CA={V1_STAGING}", LETSENCRYPT_TEST),
    ],
)
def test_ca(text: str, url: str) -> None:
    assert page(text, "").settings.ca == url


@pytest.mark.row("B13")
@pytest.mark.parametrize("text", ["letsencrpyt", "ftp://ca.example/dir", "https://", "https://a:b/", "https://[::1/"])
def test_b13_an_unknown_ca_is_an_error_that_names_the_presets(text: str) -> None:
    with pytest.raises(ConfigError, match="neither a preset nor a URL") as caught:
        page(f"\nCA={text}", "")
    assert caught.value.where == Location(CONFIG, 2)
    assert "letsencrypt-test" in caught.value.hint


def test_plain_http_to_a_foreign_ca_is_refused() -> None:
    with pytest.raises(ConfigError, match="https only"):
        page("CA=http://ca.example/dir", "")


def test_a_v1_url_is_found_and_superseded_ones_say_where() -> None:
    found = page(f'CA="{V1}"\nCA="{V1_STAGING}"\n\nCA=https://localhost:14000/dir\n', "").findings
    assert [(item.code, item.severity, item.where) for item in found] == [
        ("acme-v1-url", Severity.NOTE, Location(CONFIG, 1)),
        ("acme-v1-url", Severity.NOTE, Location(CONFIG, 2)),
    ]
    assert found[0].message.endswith(f"superseded at {CONFIG}:2")
    assert found[1].message.endswith(f"superseded at {CONFIG}:4")


def test_an_effective_v1_url_is_a_warning() -> None:
    (found,) = page(f'CA="{V1}"\n', "").findings
    assert (found.code, found.severity) == ("acme-v1-url", Severity.WARNING)
    assert LETSENCRYPT in found.fix


@pytest.mark.row("C08")
@pytest.mark.parametrize(
    ("url", "folder"),
    [
        (LETSENCRYPT, "aHR0cHM6Ly9hY21lLXYwMi5hcGkubGV0c2VuY3J5cHQub3JnL2RpcmVjdG9yeQo"),
        (V1, "aHR0cHM6Ly9hY21lLXYwMS5hcGkubGV0c2VuY3J5cHQub3JnL2RpcmVjdG9yeQo"),
        (V1_STAGING, "aHR0cHM6Ly9hY21lLXN0YWdpbmcuYXBpLmxldHNlbmNyeXB0Lm9yZy9kaXJlY3RvcnkK"),
        (LETSENCRYPT_TEST, "aHR0cHM6Ly9hY21lLXN0YWdpbmctdjAyLmFwaS5sZXRzZW5jcnlwdC5vcmcvZGlyZWN0b3J5Cg"),
        ("https://acme.zerossl.com/v2/DV90", "aHR0cHM6Ly9hY21lLnplcm9zc2wuY29tL3YyL0RWOTAK"),
        ("https://dv.acme-v02.api.pki.goog/directory", "aHR0cHM6Ly9kdi5hY21lLXYwMi5hcGkucGtpLmdvb2cvZGlyZWN0b3J5Cg"),
    ],
)
def test_account_folder_is_dehydrateds(url: str, folder: str) -> None:
    assert account_folder(url) == folder


@pytest.mark.parametrize(("text", "url"), [*PRESETS.items(), ("https://ca.example/acme", "https://ca.example/acme")])
def test_a_ca_that_is_typed_is_read_as_the_setting_is(text: str, url: str) -> None:
    assert read_authority(text) == url


@pytest.mark.parametrize("text", ["", "no-such-ca", "http://ca.example/", "ftp://ca.example/", "\x1b[31m"])
def test_what_names_no_ca_is_a_usage_error(text: str) -> None:
    with pytest.raises(NoAuthority) as caught:
        read_authority(text)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert "\x1b" not in str(caught.value)


@pytest.mark.row("C07")
@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("", V1),
        ("CA=letsencrypt", V1),
        (f"CA={V1}", V1),
        (f"CA={V1_STAGING}", V1_STAGING),
        ("CA=letsencrypt-test", ""),
        ("CA=zerossl", ""),
        ("CA=https://ca.test/dir", ""),
        ("CA=https://ca.test/dir OLDCA=https://old.test/dir", "https://old.test/dir"),
        ("OLDCA=https://old.test/dir", "https://old.test/dir"),
    ],
)
def test_c07_whose_account_is_used_where_there_is_none(text: str, old: str) -> None:
    assert page(text, "").settings.old_ca == old


def test_the_old_cas_own_file_counts_until_there_is_a_folder() -> None:
    old = f"/etc/dehydrated/accounts/{account_folder(V1)}/config"
    new = f"/etc/dehydrated/accounts/{account_folder(LETSENCRYPT)}"
    assert page("", "", **{old: "CERTDIR=/old"}).settings.certdir == "/old"
    found = page("", "", **{old: "CERTDIR=/old", f"{new}/account_key.pem": ""})
    assert found.settings.certdir == "/etc/dehydrated/certs"
