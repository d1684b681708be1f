"""What certkeeper.toml looks like, and what is said of the rest."""

import tomllib
from dataclasses import replace

import pytest

from certkeeper.base.errors import Location
from certkeeper.cli.config.convert import beside
from certkeeper.config.convert import convert
from certkeeper.config.errors import ConfigError
from certkeeper.config.page import NATIVE, rivals
from unit.config.pages import CONFIG, DOMAINS, POWERDNS, Page
from unit.config.test_seed import OWN, text


def test_the_seed_becomes_tables_with_types() -> None:
    files = {CONFIG: text("config"), DOMAINS: text("domains.txt"), OWN: text("certs/mail.example.net/config")}
    found = convert(Page(files).load())
    document = tomllib.loads(found.whole)
    assert (document["pdns_host"], document["pdns_port"], document["pdns_wait"]) == ("ns0.example.net", 8081, 150)
    assert (document["hook_chain"], document["private_key_renew"]) == (True, False)
    assert document["challengetype"] == ["dns-01"]
    assert document["certificate"]["xmpp.example.net"] == {"names": ["xmpp.example.net"]}
    assert list(document["certificate"]) == [
        "example.net",
        "example.org",
        "mail.exammple.net",
        "autoconfig.example.net",
        "xmpp.example.net",
    ]
    assert [(item.code, item.where) for item in found.findings] == [("not-converted", Location(OWN))]
    assert f"# Not in here: {OWN}: mail.example.net: no line" in found.whole


def test_secrets_are_in_the_file_and_nowhere_else() -> None:
    lexicon = "LEXICON_PROVIDER=gandi\nLEXICON_GANDI_AUTH_TOKEN=hush\n"
    found = convert(Page({CONFIG: POWERDNS.replace("=secret", "=hush") + lexicon, DOMAINS: "a.org\n"}).load())
    assert tomllib.loads(found.whole)["lexicon_gandi_auth_token"] == "hush"
    assert found.secrets == 2
    assert "hush" not in found.shown + repr(found)
    assert f"# pdns_key: a secret, left out here; it stands at {CONFIG}:3" in found.shown
    assert "pdns_key" not in tomllib.loads(found.shown)


def test_what_cannot_be_converted_is_told_without_its_value() -> None:
    files = {
        CONFIG: POWERDNS + "CF_TOKEN=hush\nHOOK=/opt/hook\nDNS_PROVIDER=powerdns\nZONES_D=/z\nCONFIG_D=/d\n",
        "/d/a.sh": "X=",
        DOMAINS: "g_.org\nexample.org\nwww.example.org\n",
        "/z/example.net": "PDNS_HOST=$(x)\n",
        "/etc/dehydrated/certs/www.example.org/config": "if true\n",
    }
    found = convert(Page(files).load())
    assert [(item.code, str(item.where)) for item in found.findings] == [
        ("not-converted", f"{DOMAINS}:1"),
        ("not-converted", "/etc/dehydrated/certs/www.example.org/config:1"),
        ("not-converted", "/z/example.net:1"),
        ("not-converted", f"{CONFIG}:4"),
        ("not-converted", "/d/a.sh:1"),
        ("hook-reads-config", f"{CONFIG}:5"),
    ]
    assert "hush" not in found.whole
    document = tomllib.loads(found.whole)
    assert list(document["certificate"]) == ["example.org"]
    assert {"config_d", "zones_d", "cf_token"} & set(document) == set()


def test_what_is_converted_already_is_left_alone() -> None:
    found = Page({"/x.toml": 'challengetype = "http-01"\n'}).load("/x.toml")
    with pytest.raises(ConfigError, match="in this form already"):
        convert(found)


def test_a_hook_that_is_a_function_is_left_out_and_told() -> None:
    page = Page({CONFIG: POWERDNS + "DNS_PROVIDER=powerdns\nHOOK=hookfn\n", DOMAINS: "a.org\n"}).load()
    found = convert(replace(page, shell=replace(page.shell, callable=frozenset({"hookfn"}))))
    assert "hook" not in tomllib.loads(found.whole)
    assert [(item.code, item.where) for item in found.findings] == [("not-converted", Location(CONFIG, 5))]
    assert "put it into a script" in found.findings[0].fix
    assert "# Not in here: /etc/dehydrated/config:5: HOOK: hookfn is a shell function" in found.whole


def test_beside_which_files_a_page_has_to_be_named() -> None:
    assert CONFIG in rivals(NATIVE)
    assert rivals("/etc/certkeeper/other.toml") == ()
    assert beside(CONFIG).endswith(f"move the other away: mv {CONFIG} {CONFIG}.old")
