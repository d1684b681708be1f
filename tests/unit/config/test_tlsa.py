"""TLSA, TLSA_TYPES, TLSA_TTL, TLSA_MARGIN and TLSA_PUBLISH: what they make, and each mistake at its line."""

from datetime import timedelta

import pytest

from certkeeper.base.errors import Location
from certkeeper.base.keys import KeyPolicy
from certkeeper.base.names import DnsName
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import CertSpec, Configuration, Purpose
from certkeeper.config.tlsa import Publish, TlsaWish
from certkeeper.dane.owner import TlsaOwner, Transport
from certkeeper.dane.tlsa import TlsaType
from unit.config.pages import CONFIG, DOMAINS, Page, codes, page

OWN = "/etc/dehydrated/certs/example.org/config"
EE, TA = TlsaType(3, 1, 1), TlsaType(2, 1, 1)
MAIL = TlsaOwner(25, Transport.TCP, DnsName("mail.example.org"))
WEB = TlsaOwner(443, Transport.UDP, DnsName("www.example.org"))


def loaded(config: str, own: str | None = None) -> Configuration:
    files = {CONFIG: config, DOMAINS: "example.org\n"}
    return Page(files if own is None else {**files, OWN: own}).load()


def spec(config: str, own: str | None = None) -> CertSpec:
    (found,) = loaded(config, own).certificates
    return found


def wish(config: str) -> TlsaWish:
    found = spec(config).tlsa
    assert found is not None
    return found


@pytest.mark.parametrize("config", ["", "TLSA=\n", "TLSA=no\n", "TLSA=' NO '\n", "TLSA_TYPES=211\nTLSA_TTL=60\n"])
def test_without_it_there_are_no_records(config: str) -> None:
    assert spec(config).tlsa is None
    assert spec(config).key.policy is KeyPolicy.NEW


def test_yes_means_what_services_and_dns_say() -> None:
    assert wish('TLSA="yes"\n') == TlsaWish(True, (), (EE,), 3600, Publish.ZONE)


@pytest.mark.parametrize(
    ("text", "derived", "owners"),
    [
        ("_25._tcp.mail.example.org", False, (MAIL,)),
        ("Mail.Example.org:25", False, (MAIL,)),
        ("mail.example.org:25 _25._tcp.mail.example.org", False, (MAIL,)),
        ("  mail.example.org:25\nwww.example.org:443/udp ", False, (MAIL, WEB)),
        ("mail.example.org:25 Yes", True, (MAIL,)),
        ("yes yes", True, ()),
    ],
)
def test_owners_are_named_as_records_or_as_ports(text: str, derived: bool, owners: tuple[TlsaOwner, ...]) -> None:  # noqa: FBT001 - a column
    assert wish(f'TLSA="{text}"\n') == TlsaWish(derived, owners)


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("311", (EE,)),
        ("211", (TA,)),
        ("311+211", (EE, TA)),
        ("211 311 + 211", (TA, EE)),
        ("311 312", (EE, TlsaType(3, 1, 2))),
        ("", (EE,)),
    ],
)
def test_types_are_three_digits_each(text: str, types: tuple[TlsaType, ...]) -> None:
    assert wish(f'TLSA=yes\nTLSA_TYPES="{text}"\n').types == types


def test_the_time_and_who_publishes() -> None:
    found = wish("TLSA=yes\nTLSA_TTL=604800\nTLSA_PUBLISH=manual\n")
    assert (found.ttl, found.publish) == (604800, Publish.MANUAL)
    assert wish("TLSA=yes\nTLSA_PUBLISH=yes\n").publish is Publish.ZONE
    assert wish("TLSA=yes\nTLSA_TTL=1\nTLSA_PUBLISH=zone\n").ttl == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("TLSA=mail.example.org", "TLSA: mail.example.org: no port"),
        ("TLSA='yes no'", "TLSA: no stands among other words"),
        ("TLSA=true", "TLSA: true: no port"),
        ("TLSA=_25._tcp.*.example.org", "TLSA: _25._tcp.*.example.org: a wildcard is no host"),
        ("TLSA=192.0.2.1:25", "an address has no TLSA records"),
        ("TLSA=mail.example.org:0", "'0' is no port"),
        ("TLSA_TYPES=31", "TLSA_TYPES: '31': not three digits"),
        ("TLSA_TYPES=3,1,1", "not three digits"),
        ("TLSA_TYPES=511", "TLSA_TYPES: 511: not defined"),
        ("TLSA_TYPES=+", "TLSA_TYPES: '+' names no type"),
        ("TLSA_TTL=0", "TLSA_TTL: '0' is no number from 1 to 604800"),
        ("TLSA_TTL=604801", "TLSA_TTL: '604801' is no number"),
        ("TLSA_TTL=1h", "TLSA_TTL: '1h' is no number"),
        ("TLSA_PUBLISH=dns", "TLSA_PUBLISH: 'dns' is not known"),
        ("TLSA_MARGIN=-1", "TLSA_MARGIN: '-1' is no number from 0 to 604800"),
    ],
)
def test_a_mistake_is_one_error_at_its_line(line: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        page(f"# first\n{line}\n")
    assert caught.value.where == Location(CONFIG, 2)
    assert reason in caught.value.reason
    assert caught.value.hint


def test_a_certificate_s_own_mistake_rejects_that_certificate() -> None:
    found = loaded("TLSA=yes\n", own="RENEW_DAYS=30\nTLSA=example.org\n")
    assert found.certificates == ()
    (rejected,) = found.rejected
    assert str(rejected.error).startswith(f"{OWN}:2: TLSA: example.org: no port")


@pytest.mark.parametrize("type_", ["011", "110", "311+101"])
def test_mail_servers_pass_over_usages_0_and_1(type_: str) -> None:
    found = loaded("", own=f"TLSA=mail.example.org:25\nTLSA_TYPES={type_}\n")
    (rejected,) = found.rejected
    assert str(rejected.error).startswith(f"{OWN}:2: TLSA_TYPES: ")
    assert "_25._tcp.mail.example.org: mail servers pass over it" in str(rejected.error)
    assert loaded("", own=f"TLSA=www.example.org:443\nTLSA_TYPES={type_}\n").rejected == ()


def test_a_type_that_breaks_at_renewals_is_found_once() -> None:
    config = 'TLSA="mail.example.org:25 www.example.org:443 imap.example.org:993"\nTLSA_TYPES="311 301"\n'
    found = loaded(config, own="RENEW_DAYS=30\n")
    (finding,) = found.findings
    assert (finding.code, finding.where) == ("tlsa-type", Location(CONFIG, 2))
    assert finding.message == "TLSA_TYPES: 301 for _25._tcp.mail.example.org (and 2 more)"
    assert "the record breaks with it" in finding.consequence
    assert finding.fix == "write 311"


def test_xmpp_passes_over_issuers() -> None:
    found = loaded("TLSA=xmpp.example.org:5269\nTLSA_TYPES=211\n")
    assert codes(found.findings) == ["tlsa-type"]
    assert loaded("TLSA=yes\nTLSA_TYPES=211\n").findings == ()


@pytest.mark.parametrize("renew", ["yes", "no"])
@pytest.mark.parametrize("rollover", ["yes", "no"])
@pytest.mark.parametrize("tlsa", ["yes", "no"])
def test_records_and_keys(renew: str, rollover: str, tlsa: str) -> None:
    """The table of docs/dane.md."""
    found = spec(f"PRIVATE_KEY_RENEW={renew}\nPRIVATE_KEY_ROLLOVER={rollover}\nTLSA={tlsa}\n").key.policy
    ahead = KeyPolicy.ROLLOVER if "yes" in (rollover, tlsa) else KeyPolicy.NEW
    assert found is (ahead if renew == "yes" else KeyPolicy.REUSE)


def test_a_certificate_may_have_its_own_wish() -> None:
    found = spec("TLSA=yes\nTLSA_TTL=60\nTLSA_TYPES=211\n", own="TLSA=mail.example.org:25\nTLSA_TYPES=311\n")
    assert found.tlsa == TlsaWish(False, (MAIL,), (EE,), 60)
    assert spec("TLSA=yes\n", own="TLSA=no\n").tlsa is None
    manual = spec("TLSA=yes\n", own="TLSA_PUBLISH=manual\n").tlsa
    assert manual is not None
    assert manual.publish is Publish.MANUAL


def test_the_margin_is_the_page_s() -> None:
    assert page("").settings.tlsa_margin == timedelta(hours=1)
    assert page("TLSA_MARGIN=0\n").settings.tlsa_margin == timedelta()
    found = loaded("TLSA_MARGIN=7200\n", own="TLSA_MARGIN=60\n")
    assert found.settings.tlsa_margin == timedelta(hours=2)
    assert codes(found.findings) == ["not-per-certificate"]


def test_a_rehearsal_has_no_records_and_its_mistakes_are_told() -> None:
    found = spec("CA=letsencrypt-test\nTLSA=yes\n")
    assert (found.purpose, found.tlsa, found.key.policy) == (Purpose.REHEARSE, None, KeyPolicy.NEW)
    with pytest.raises(ConfigError, match="no port"):
        page("CA=letsencrypt-test\nTLSA=example.org\n")


def test_certkeeper_toml_has_lists() -> None:
    text = (
        'tlsa = ["yes", "mail.example.org:25"]\ntlsa_types = ["311", "211"]\ntlsa_ttl = 900\ntlsa_margin = 60\n'
        'tlsa_publish = "manual"\n\n[certificate."example.org"]\nnames = ["example.org"]\n'
    )
    found = Page({"/srv/certkeeper.toml": text}).load("/srv/certkeeper.toml")
    assert found.settings.tlsa_margin == timedelta(minutes=1)
    assert found.certificates[0].tlsa == TlsaWish(True, (MAIL,), (EE, TA), 900, Publish.MANUAL)


def test_issuers_are_whole_paths_and_are_told_of_where_no_record_is_about_them() -> None:
    page = 'TLSA=yes\nTLSA_TYPES="211"\nTLSA_ISSUERS="/etc/a.pem  /etc/b.pem /etc/a.pem"\n'
    assert wish(page).issuers == ("/etc/a.pem", "/etc/b.pem")
    with pytest.raises(ConfigError, match=r"TLSA_ISSUERS: 'a\.pem' is no whole path"):
        wish("TLSA=yes\nTLSA_ISSUERS=a.pem\n")
    assert codes(loaded("TLSA=yes\nTLSA_ISSUERS=/etc/a.pem\n").findings) == ["tlsa-issuers"]
    assert "tlsa-issuers" not in codes(loaded(page).findings)
