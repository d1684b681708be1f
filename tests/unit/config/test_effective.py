"""Which settings count, and where each comes from; nothing secret is shown."""

import pytest

from certkeeper.base.accounts import account_folder
from certkeeper.base.errors import Location
from certkeeper.config.authority import PRESETS
from certkeeper.config.effective import Effective, Origin, of_certificate, of_page, own_settings
from certkeeper.config.kinds import MASK, masked
from certkeeper.config.settings import Configuration
from certkeeper.config.shell import Assignment
from unit.config.pages import CONFIG, DOMAINS, POWERDNS, Page

OWN = "/etc/dehydrated/certs/example.org/config"


def by_name(found: tuple[Effective, ...]) -> dict[str, tuple[str, str]]:
    return {item.name: (item.text, item.said) for item in found}


def load(config: str, **more: str) -> Configuration:
    return Page({CONFIG: config, DOMAINS: "example.org\n", **more}).load()


def test_each_value_says_who_set_it() -> None:
    config = (
        POWERDNS + "RENEW_DAYS=40\nRENEW_DAYS=20\nARI=true\nCERTDIR=$BASEDIR/c/\nCONFIG_D=/etc/d\nCA=letsencrypt-test\n"
    )
    found = load(config, **{"/etc/d/a.sh": "\nKEY_ALGO=rsa\n"})
    shown = by_name(of_page(found, {}))
    assert shown["RENEW_DAYS"] == ("20", f"{CONFIG}:5")
    assert shown["KEY_ALGO"] == ("rsa", "/etc/d/a.sh:2")
    assert shown["ARI"] == ("yes", f"{CONFIG}:6")
    assert shown["CERTDIR"] == ("/etc/dehydrated/c", f"{CONFIG}:7")
    assert shown["CA"] == (PRESETS["letsencrypt-test"], f"{CONFIG}:9")
    assert shown["TEST_CA"] == ("yes", "default")
    assert shown["BASEDIR"] == ("/etc/dehydrated", "default")
    assert shown["PDNS_KEY"] == (MASK, f"{CONFIG}:3")
    assert "EAB_KID" not in shown


def test_older_names_and_an_empty_lockfile_are_shown_for_what_they_are() -> None:
    shown = by_name(of_page(load("CHALLENGETYPE=dns-01\nHOST=ns0\nKEY=hush\nPDNS_HOST=\nLOCKFILE=\n"), {}))
    assert shown["PDNS_HOST"] == ("ns0", f"{CONFIG}:2, as HOST")
    assert shown["PDNS_KEY"] == (MASK, f"{CONFIG}:3, as KEY")
    assert shown["LOCKFILE"] == ("", f"{CONFIG}:5")
    assert "HOST" not in shown


def test_the_environment_counts_where_no_file_sets_it() -> None:
    environment = {"PDNS_KEY": "hush", "EAB_KID": "kid", "SSL_CERT_FILE": "/roots.pem", "RENEW_DAYS": "1"}
    config = "CHALLENGETYPE=http-01\nEAB_KID=own\nEAB_HMAC_KEY=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\n"
    found = Page({CONFIG: config, DOMAINS: ""}).load(environment=environment)
    shown = by_name(of_page(found, environment))
    assert shown["PDNS_KEY"] == (MASK, "environment")
    assert shown["EAB_KID"] == ("own", f"{CONFIG}:2")
    assert shown["CA_BUNDLE"] == ("/roots.pem", "environment, as SSL_CERT_FILE")
    assert shown["RENEW_DAYS"] == ("32", "default")


def test_the_command_line_is_told_as_such() -> None:
    typed = (Assignment("KEY_ALGO", "rsa", Location("--algo")),)
    found = Page({CONFIG: POWERDNS, DOMAINS: ""}).load(typed=typed)
    (algo,) = [item for item in of_page(found, {}) if item.name == "KEY_ALGO"]
    assert (algo.text, algo.origin) == ("rsa", Origin.COMMAND_LINE)


def test_one_certificate_has_the_page_s_settings_and_its_own() -> None:
    ca = PRESETS["zerossl"]
    account = f"/etc/dehydrated/accounts/{account_folder(ca)}/config"
    config = POWERDNS + "RENEW_DAYS=20\n"
    found = load(config, **{OWN: "KEY_ALGO=rsa\nCA=zerossl\nARI=no\n", account: "TEST_CA=yes\n"})
    shown = by_name(of_certificate(found, found.certificates[0]))
    assert shown["RENEW_DAYS"] == ("20", f"{CONFIG}:4")
    assert shown["KEY_ALGO"] == ("rsa", f"{OWN}:1")
    assert shown["CA"] == (ca, f"{OWN}:2")
    assert shown["TEST_CA"] == ("yes", f"{account}:1")
    assert "ARI" not in shown
    assert "PDNS_HOST" not in shown
    own = own_settings(found.said.certificates["example.org"].own)
    assert {item.name: item.origin for item in own} == {"KEY_ALGO": Origin.CERTIFICATE, "CA": Origin.CERTIFICATE}


def test_what_may_be_a_secret_is_masked_wherever_it_stands() -> None:
    assert masked("LEXICON_GANDI_AUTH_TOKEN", "x") == MASK
    assert masked("LEXICON_PROVIDER", "gandi") == "gandi"
    assert masked("CF_TOKEN", "x") == MASK
    assert masked("CURL_OPTS", "-x http://me:hush@proxy:1") == f"-x {MASK}"
    assert masked("CURL_OPTS", "-s --user me:hush") == MASK
    assert masked("CURL_OPTS", "--cacert /x") == f"--cacert {MASK}"
    assert masked("PDNS_KEY", "") == ""
    shown = repr(of_page(load(POWERDNS + "CF_TOKEN=hush\n"), {}))
    assert "hush" not in shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("ALERT_COMMAND", "/opt/alert --token hush", f"/opt/alert {MASK}"),
        ("ALERT_COMMAND", "/opt/alert", "/opt/alert"),
        ("PDNS_DEPLOY_CERT_HOOK", "curl -d hush x", f"curl {MASK}"),
        ("PDNS_EXIT_HOOK", "curl hush", f"curl {MASK}"),
        ("CURL_OPTS", "-x me:hush@proxy", f"-x {MASK}"),
        ("CURL_OPTS", "-xme:hush@proxy", MASK),
        ("PDNS_CURL_OPTS", "--proxy http://me:hush@proxy", f"--proxy {MASK}"),
        ("PDNS_HOST", "http://me:hu@s/hush@ns0", f"http://{MASK}@ns0"),
    ],
)
def test_of_commands_and_options_of_curl_only_the_first_word_is_shown(name: str, text: str, shown: str) -> None:
    assert masked(name, text) == shown
