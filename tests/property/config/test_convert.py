"""What certkeeper.toml says is what the page said that it was made from."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certkeeper.base.accounts import account_folder
from certkeeper.base.errors import Location
from certkeeper.config.authority import LETSENCRYPT, PRESETS
from certkeeper.config.convert import convert
from certkeeper.config.deployments import DEPLOY_CONFIG
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import CertSpec, Configuration, Rejected, Settings, ZoneRule
from unit.config.pages import CONFIG, DOMAINS, Page

TOML = "/srv/certkeeper.toml"
NOWHERE = Location("")
ZEROSSL = PRESETS["zerossl"]

# Values that are fine, and a few that the readers refuse or warn of.
_ANY = {
    "KEY_ALGO": ["rsa", "prime256v1", "secp384r1", "ecdsa"],
    "KEYSIZE": ["2048", "4096", "02048", "1"],
    "PRIVATE_KEY_RENEW": ["yes", "no", "No", "perhaps"],
    "PRIVATE_KEY_ROLLOVER": ["yes", "no"],
    "RENEW_DAYS": ["30", "32", " 7", "007", ""],
    "OCSP_MUST_STAPLE": ["yes", "no", "true", "off"],
    "ACME_PROFILE": ["", "tlsserver", 'a "quoted" \\\\ one'],
    "ACME_PROFILE_PREFERRED": ["", "shortlived"],
    "PREFERRED_CHAIN": ["ISRG Root X1", "Zo\u00eb\u2019s \U0001f512 CA", ""],
    "KEEP_VERSIONS": ["0", "3", "9"],
    "KEEP_DAYS": ["30", "x"],
    "VALIDATION_TIMEOUT": ["0", "60"],
    "ORDER_TIMEOUT": ["0", "90"],
    "CHALLENGETYPE": ["dns-01", "dns-01 http-01", "http-01", "dns-01  www.a.org=http-01", "\nhttp-01 dns-01\n", "dns"],
    "WELLKNOWN": ["/srv/www/", "/var/www/dehydrated", ""],
    "HOOK": ["", "/opt/hook", "/opt/pdns_api.sh"],
    "HOOK_CHAIN": ["yes", "no"],
    "DNS_PROVIDER": ["powerdns", "manual", "hook", ""],
    "CA": ["letsencrypt", "letsencrypt-test", "zerossl", LETSENCRYPT, "https://acme-v01.api.letsencrypt.org/directory"],
    "TEST_CA": ["yes", "no"],
    "DEPLOY": ["nginx postfix", "own", "no", "", "nobody"],
    "PROBE": ["no", "smtp://a.org  a.org:443@192.0.2.1", "yes"],
    "OCSP_DAYS": ["5"],
    "OCSP_FETCH": ["no", "yes"],
    "TLSA": ["yes", "no", "", "a.org:25  yes _443._tcp.a.org", "a.org"],
    "TLSA_TYPES": ["311", "311+211", " 211 301", "3"],
    "TLSA_TTL": ["900", "0"],
    "TLSA_PUBLISH": ["zone", "manual", "yes"],
}
_PAGE = {
    **{name: values for name, values in _ANY.items() if name not in {"KEEP_DAYS", "KEYSIZE", "KEY_ALGO"}},
    "KEY_ALGO": ["rsa", "secp384r1"],
    "KEYSIZE": ["2048", "3072"],
    "PRIVATE_KEY_RENEW": ["yes", "no", "No"],
    "RENEW_DAYS": ["30", " 7", "007"],
    "DEPLOY": ["nginx  postfix", "own", "no", ""],
    "PROBE": ["no", "smtp://a.org"],
    "TLSA": ["yes", "no", "a.org:25  yes"],
    "TLSA_TYPES": ["311", "311+211"],
    "TLSA_TTL": ["900"],
    "TLSA_MARGIN": ["0", "7200"],
    "CHALLENGETYPE": ["dns-01", "dns-01 http-01", "dns-01  www.a.org=http-01", "\nhttp-01 dns-01\n"],
    "BASEDIR": ["/etc/dehydrated", "/srv/house/", "."],
    "CERTDIR": ["/srv/certs", "${BASEDIR}/c", ""],
    "ACCOUNTDIR": ["", "/srv/accounts"],
    "STATEDIR": ["/srv/state"],
    "LOCKFILE": ["", "/run/lock/x"],
    "CONTACT_EMAIL": ["", "a@example.org"],
    "ACCOUNT_KEY_ALGO": ["rsa", "prime256v1"],
    "NAMESERVERS": ["192.0.2.1", "192.0.2.1  [2001:db8::1]:5353 a.org=192.0.2.2,192.0.2.3"],
    "EXTRA_NAMESERVERS": ["192.0.2.9"],
    "DNS_IGNORE": ["ns3.example.net a.org=ns4.example.net"],
    "PROPAGATION": ["all", "reachable"],
    "ORDER_RATE": ["no", "300/3h"],
    "RUN_LIMIT": ["0", "300"],
    "ARI": ["no", "yes"],
    "HTTP_LISTEN": [":80"],
    "CURL_OPTS": ["", "--cacert /etc/roots.pem"],
    "MY_HOOK_TOKEN": ["x\ty"],
}
_POWERDNS = [
    "PDNS_HOST=ns1.example.org\nPDNS_KEY=secret\n",
    "HOST=ns0.example.org\nPORT=8081\nKEY='se\"cr\\et'\nWAIT=150\n",
    "HOST=old.example.org\nPDNS_HOST=https://new.example.org\nPDNS_KEY=secret\nPDNS_PORT=1\n",
    "PDNS_HOST=localhost\nPDNS_KEY_FILE=/etc/pdns.key\nPDNS_NO_NOTIFY=yes\n",
    "DNS_PROVIDER=manual\n",
]
_ACCOUNT = {
    "CONTACT_EMAIL": ["other@example.org"],
    "EAB_KID": ["kid-1"],
    "EAB_HMAC_KEY": ["c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"],
    "TEST_CA": ["yes", "no"],
    "ACCOUNT_KEYSIZE": ["4096"],
    "RENEW_DAYS": ["11"],
}
_ZONE = {
    "DNS_PROVIDER": ["powerdns", "manual"],
    "PDNS_HOST": ["ns7.example.net"],
    "PDNS_KEY": ["other"],
    "PDNS_SUFFIX": ["acme.example.net"],
    "HOOK": ["/opt/zone-hook"],
    "RENEW_DAYS": ["3"],
}
LINES = st.sampled_from(
    [
        "a.org www.a.org",
        "b.org *.b.org > Both",
        "*.c.org > stars",
        "ip:192.0.2.1 d.org",
        "ip:2001:db8::1 > six",
        "b\u00fccher.example",
        "a.org > a.org",
        "e.org # why",
        "*.f.org",
        "g_.org",
        "H.Org h.org",
    ]
)


def assignments(values: dict[str, list[str]]) -> st.SearchStrategy[str]:
    """Some of the variables, each with one of its values, in any order."""
    lines = [f'{name}="{_written(value)}"\n' for name, choices in values.items() for value in choices]
    return st.lists(st.sampled_from(lines), max_size=5).map("".join)


def _written(value: str) -> str:
    return value if "\\\\" not in value else value.replace('"', '\\"')


_BASE = "/etc/dehydrated"
ANY, OF_PAGE, OF_ZONE = assignments(_ANY), assignments(_PAGE), assignments(_ZONE)
OF_ACCOUNT = st.one_of(st.none(), assignments(_ACCOUNT))
MAIN = st.tuples(
    st.sampled_from(_POWERDNS),
    st.sampled_from(["", f"CONFIG_D={_BASE}/conf.d\n", f"DOMAINS_D={_BASE}/own\nZONES_D={_BASE}/zones\n"]),
    OF_PAGE,
).map(lambda parts: 'CHALLENGETYPE="dns-01"\n' + "".join(parts))
OWN = st.dictionaries(
    st.sampled_from(["a.org", "both", "stars", "d.org", "six", "xn--bcher-kva.example"]), ANY, max_size=3
)
PARTS = st.fixed_dictionaries(
    {
        "main": MAIN,
        "drop_in": OF_PAGE,
        "zones": st.dictionaries(st.sampled_from(["a.org", "c.org"]), OF_ZONE, max_size=2),
        "lines": st.lists(LINES, max_size=5),
        "more": st.one_of(st.none(), LINES),
        LETSENCRYPT: OF_ACCOUNT,
        ZEROSSL: OF_ACCOUNT,
        "own": OWN,
    }
)


def laid_out(parts: dict[str, Any]) -> dict[str, str]:
    """The parts as files, wherever the page looks for them."""
    found = f'DOMAINS_TXT="{DOMAINS}"\n'
    files = {
        CONFIG: parts["main"] + found,
        "/etc/pdns.key": "from-file\n",
        DEPLOY_CONFIG: "[target.own]\nkind = 'command'\nunit = 'own'\nfiles = {cert = '/x/{name}'}\n",
        f"{_BASE}/conf.d/a.sh": parts["drop_in"] + found,
        f"{_BASE}/zones/x.example": "",
        "/srv/house/is": "there",
        "./is": "there",
        DOMAINS: "".join(f"{line}\n" for line in parts["lines"]),
    }
    files |= {f"{_BASE}/zones/{zone}": text for zone, text in parts["zones"].items()}
    files |= {f"{DOMAINS}.d/more.txt": parts["more"]} if parts["more"] is not None else {}
    for folder in (f"{_BASE}/accounts", "/srv/accounts"):
        for ca in (LETSENCRYPT, ZEROSSL):
            files |= {f"{folder}/{account_folder(ca)}/config": parts[ca]} if parts[ca] is not None else {}
    for alias, text in parts["own"].items():
        for file in (f"{_BASE}/certs/{alias}/config", f"{_BASE}/own/{alias}", f"/srv/certs/{alias}/config"):
            files[file] = text
    return files


def placeless(found: Configuration) -> tuple[Settings, list[CertSpec], list[tuple[str, str]]]:
    """What a page means: without places, and without certificates whose lines say nothing."""

    def reason(rule: ZoneRule) -> ZoneRule:
        error = rule.error
        if isinstance(error, ConfigError):
            return replace(rule, error=None, provider=f"none: {error.reason}")
        return rule

    def told(item: Rejected) -> tuple[str, str]:
        return item.label, item.error.reason if isinstance(item.error, ConfigError) else str(item.error)

    common = replace(
        found.settings, config_file="", domains_txt="", zone_rules=tuple(map(reason, found.settings.zone_rules))
    )
    rejected = [told(item) for item in found.rejected if item.error not in found.said.unread]
    return common, [replace(spec, where=NOWHERE) for spec in found.certificates], rejected


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(parts=PARTS)
def test_a_converted_page_means_the_same(parts: dict[str, Any]) -> None:
    try:
        before = Page(laid_out(parts)).load()
    except ConfigError:
        return
    document = convert(before)
    after = Page({**laid_out(parts), TOML: document.whole}).load(TOML)
    assert placeless(after) == placeless(before)
    assert "unknown-setting" not in [finding.code for finding in after.findings]
    assert "secret" not in document.shown.replace("a secret, left out", "")


def test_most_generated_pages_can_be_read() -> None:
    """Or the test above would show little."""
    parts = {"drop_in": "", "zones": {"a.org": 'DNS_PROVIDER="manual"\n'}, "lines": ["a.org"], "more": None, "own": {}}
    text = 'CHALLENGETYPE="dns-01"\n' + _POWERDNS[1] + f"ZONES_D={_BASE}/zones\n"
    before = Page(laid_out({"main": text, LETSENCRYPT: None, ZEROSSL: None, **parts})).load()
    assert [str(rule.suffix) for rule in before.settings.zone_rules] == ["a.org", "x.example"]
    assert convert(before).whole.count("pdns_") == 4
