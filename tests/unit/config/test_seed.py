"""The page that its owners work from today, as it stands and as they would start with it."""

from datetime import timedelta
from pathlib import Path

import pytest

from certkeeper.base.errors import Location
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.config.findings import Severity
from certkeeper.config.lint import unused_config_folders
from certkeeper.config.settings import PowerDnsSettings, Provider, Purpose, Secret, Settings
from unit.config.pages import CONFIG, DOMAINS, Page, codes

SEED = Path(__file__).parents[2] / "data" / "seed"
OWN = "/etc/dehydrated/certs/mail.example.net/config"
# What a test bed puts behind the page to have it run on one machine.
APPENDED = """
CA="https://localhost:14000/dir"
HOST=127.0.0.1
PORT=18081
BASEDIR="/tmp/bed"
LOCKFILE="/tmp/bed/lock"
"""


def text(name: str) -> str:
    return (SEED / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["config", "domains.txt", "certs/mail.example.net/config"])
def test_the_files_are_the_pages_own(name: str) -> None:
    content = text(name)
    assert content.endswith("\n")
    assert not content.endswith("\n\n")
    # The lines stand one after the other, below the heading that names their file.
    heading = f"\n/etc/dehydrated/{name}"
    _, found, body = text("page.txt").partition(heading)
    assert found
    assert body.removeprefix(":").startswith(f"\n\n{content}\n")


def powerdns(url: str) -> Provider:
    return Provider(f"PowerDNS {url}", PowerDnsSettings(url, Secret("secret"), server="localhost", version=1))


@pytest.mark.row("B22")
def test_the_seed_as_it_stands() -> None:
    found = Page(
        {CONFIG: text("config"), DOMAINS: text("domains.txt"), OWN: text("certs/mail.example.net/config")}
    ).load()
    assert found.settings == Settings(
        config_file=CONFIG,
        basedir="/etc/dehydrated",
        domains_txt=DOMAINS,
        certdir="/etc/dehydrated/certs",
        test_certdir="/etc/dehydrated/certs-test",
        alpn_certdir="/etc/dehydrated/alpn-certs",
        accountdir="/etc/dehydrated/accounts",
        statedir="/etc/dehydrated/state",
        lockfile="/var/run/dehydrated.lock",
        ca="https://acme-staging-v02.api.letsencrypt.org/directory",
        old_ca="https://acme-staging.api.letsencrypt.org/directory",
        contact_email="webmaster@example.net",
        account_key=KeySpec(KeyAlgorithm.RSA, 2048),
        providers=(powerdns("http://ns0.example.net:8081"),),
        propagation=timedelta(seconds=150),
        script_propagation=timedelta(seconds=150),
        wellknown="/var/lib/dehydrated",
    )
    assert found.rejected == ()
    assert [" ".join(map(str, item.identifiers)) for item in found.certificates] == [
        "example.net www.example.net cloud.example.net",
        "example.org www.example.org xmpp.example.org",
        "mail.exammple.net mail.example.org",
        "autoconfig.example.net autoconfig.example.org",
        "xmpp.example.net",
    ]
    assert all(item.must_staple for item in found.certificates)
    assert {item.purpose for item in found.certificates} == {Purpose.REHEARSE}
    assert {item.key for item in found.certificates} == {KeySpec(policy=KeyPolicy.REUSE)}
    assert [(item.code, item.severity, item.where) for item in found.findings] == [
        ("acme-v1-url", Severity.WARNING, Location(CONFIG, 21)),
        ("legacy-pdns-names", Severity.NOTE, Location(CONFIG, 119)),
        ("pdns-api-hook", Severity.NOTE, Location(CONFIG, 84)),
        ("api-key-in-clear", Severity.WARNING, Location(CONFIG, 119)),
        ("unused-certificate-config", Severity.WARNING, Location(OWN)),
        ("semicolon-comment", Severity.WARNING, Location(OWN, 1)),
    ]


def test_the_seed_with_an_appended_block() -> None:
    base = "/tmp/bed"
    files = {
        f"{base}/config": text("config") + APPENDED,
        f"{base}/domains.txt": text("domains.txt"),
        f"{base}/certs/mail.example.net/config": text("certs/mail.example.net/config"),
    }
    found = Page(files).load(f"{base}/config")
    assert found.settings == Settings(
        config_file=f"{base}/config",
        basedir=base,
        domains_txt=f"{base}/domains.txt",
        certdir=f"{base}/certs",
        test_certdir=f"{base}/certs-test",
        alpn_certdir=f"{base}/alpn-certs",
        accountdir=f"{base}/accounts",
        statedir=f"{base}/state",
        lockfile=f"{base}/lock",
        ca="https://localhost:14000/dir",
        contact_email="webmaster@example.net",
        account_key=KeySpec(KeyAlgorithm.RSA, 2048),
        providers=(powerdns("http://127.0.0.1:18081"),),
        propagation=timedelta(seconds=150),
        script_propagation=timedelta(seconds=150),
        wellknown="/var/lib/dehydrated",
    )
    assert len(found.certificates) == 5
    assert codes(found.findings) == [
        "acme-v1-url",
        "legacy-pdns-names",
        "pdns-api-hook",
        "unused-certificate-config",
        "semicolon-comment",
    ]
    assert (found.findings[0].severity, found.findings[0].where) == (Severity.NOTE, Location(f"{base}/config", 21))
    assert f"superseded at {base}/config:131" in found.findings[0].message


def test_the_folder_that_no_line_uses_leads_to_the_misspelt_name() -> None:
    found = Page({CONFIG: text("config"), DOMAINS: text("domains.txt")}).load()
    (finding,) = unused_config_folders(found.certificates, [OWN.removesuffix("/config")], found.rejected)
    assert finding.code == "unused-certificate-config"
    assert f"did you mean mail.exammple.net ({DOMAINS}:3)?" in finding.message


def test_the_certificates_own_file_counts_once_the_name_is_right() -> None:
    domains = text("domains.txt").replace("exammple", "example")
    found = Page({CONFIG: text("config"), DOMAINS: domains, OWN: text("certs/mail.example.net/config")}).load()
    assert [item.must_staple for item in found.certificates] == [True, True, False, True, True]
    assert ("semicolon-comment", Location(OWN, 1)) in [(item.code, item.where) for item in found.findings]
