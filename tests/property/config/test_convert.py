"""What certkeeper.toml says is what the page said that it was made from."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.accounts import account_folder
from certkeeper.base.errors import Location
from certkeeper.config.authority import LETSENCRYPT, PRESETS
from certkeeper.config.convert import convert
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
    "OCSP_DAYS": ["5"],
    "OCSP_FETCH": ["no", "yes"],
}
_PAGE = {
    **{name: values for name, values in _ANY.items() if name not in {"KEEP_DAYS", "KEYSIZE", "KEY_ALGO"}},
    "KEY_ALGO": ["rsa", "secp384r1"],
    "KEYSIZE": ["2048", "3072"],
    "PRIVATE_KEY_RENEW": ["yes", "no", "No"],
    "RENEW_DAYS": ["30", " 7", "007"],
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
    each = st.sampled_from(sorted(values)).flatmap(lambda name: st.sampled_from(values[name]).map(lambda v: (name, v)))
    return st.lists(each, max_size=6).map(lambda found: "".join(f'{name}="{_written(v)}"\n' for name, v in found))


def _written(value: str) -> str:
    return value if "\\\\" not in value else value.replace('"', '\\"')


@st.composite
def pages(draw: st.DrawFn) -> dict[str, str]:
    base = "/etc/dehydrated"
    extra = draw(st.sampled_from(["", f"CONFIG_D={base}/conf.d\n", f"DOMAINS_D={base}/own\nZONES_D={base}/zones\n"]))
    text = 'CHALLENGETYPE="dns-01"\n' + draw(st.sampled_from(_POWERDNS)) + extra + draw(assignments(_PAGE))
    files = {
        CONFIG: text,
        "/etc/pdns.key": "from-file\n",
        f"{base}/conf.d/a.sh": draw(assignments(_PAGE)),
        f"{base}/zones/a.org": draw(assignments(_ZONE)),
        f"{base}/zones/c.org": draw(assignments(_ZONE)),
    }
    files[CONFIG] += f'DOMAINS_TXT="{DOMAINS}"\n'
    if "CONFIG_D" in extra:
        files[f"{base}/conf.d/a.sh"] += f'DOMAINS_TXT="{DOMAINS}"\n'
    files[DOMAINS] = "\n".join(draw(st.lists(LINES, max_size=5))) + "\n"
    if draw(st.booleans()):
        files[f"{DOMAINS}.d/more.txt"] = draw(LINES)
    for folder in (f"{base}/accounts", "/srv/accounts"):
        for ca in draw(st.sets(st.sampled_from([LETSENCRYPT, ZEROSSL]))):
            files[f"{folder}/{account_folder(ca)}/config"] = draw(assignments(_ACCOUNT))
    for alias in ("a.org", "both", "stars", "d.org", "six", "xn--bcher-kva.example"):
        own = draw(st.one_of(st.none(), assignments(_ANY)))
        if own is not None:
            files |= dict.fromkeys(
                (f"{base}/certs/{alias}/config", f"{base}/own/{alias}", f"/srv/certs/{alias}/config"), own
            )
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

    settings = replace(
        found.settings, config_file="", domains_txt="", zone_rules=tuple(map(reason, found.settings.zone_rules))
    )
    rejected = [told(item) for item in found.rejected if item.error not in found.said.unread]
    return settings, [replace(spec, where=NOWHERE) for spec in found.certificates], rejected


@given(files=pages())
def test_a_converted_page_means_the_same(files: dict[str, str]) -> None:
    try:
        before = Page(files).load()
    except ConfigError:
        return
    document = convert(before)
    after = Page({TOML: document.whole, "/etc/pdns.key": "from-file\n"}).load(TOML)
    assert placeless(after) == placeless(before)
    # Once more, and nothing changes: the types that were chosen say the same as the text.
    unread = {finding.code for finding in after.findings}
    assert "unknown-setting" not in unread
