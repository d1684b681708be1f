import pytest

from certkeeper.base.errors import Location
from certkeeper.base.names import Alias, Identifier
from certkeeper.config.authority import LETSENCRYPT
from certkeeper.config.errors import ConfigError
from certkeeper.config.lint import unused_config_folders
from certkeeper.config.settings import CertSpec, Rejected
from unit.config.pages import codes, page


def spec(alias: str, *names: str) -> CertSpec:
    return CertSpec(
        Alias(alias), tuple(Identifier.parse(name) for name in names), Location("domains.txt", 3), LETSENCRYPT
    )


def test_an_unused_folder_is_found_with_the_name_that_may_be_meant() -> None:
    found = unused_config_folders(
        [spec("mail.exammple.net", "mail.exammple.net", "mail.example.org"), spec("x", "www.x.org")],
        ["/certs/mail.example.net", "/certs/x", "/certs/www.x.orgg", "/certs/other"],
    )
    assert codes(found) == ["unused-certificate-config"] * 3
    assert found[0].where == Location("/certs/mail.example.net/config")
    assert found[0].message.endswith("did you mean mail.exammple.net (domains.txt:3)?")
    assert found[1].message.endswith("did you mean www.x.org (domains.txt:3)?")
    assert "did you mean" not in found[2].message


def test_the_folder_of_a_rejected_certificate_is_used() -> None:
    rejected = Rejected("bad", ConfigError(Location("domains.txt", 1), "no"))
    assert unused_config_folders([], ["/certs/bad"], [rejected]) == ()


def test_variables_that_resemble_known_ones_are_found_once() -> None:
    found = page(
        'CHALENGETYPE="dns-01"\nCHALENGETYPE="dns-01"\nHOKO=x\nbasedir=/x\nMY_OWN=1\nPOST=1\nCB=2\n', ""
    ).findings
    assert [(item.code, item.message, item.where) for item in found] == [
        (
            "unknown-variable",
            "CHALENGETYPE: not a known variable; did you mean CHALLENGETYPE?",
            Location("/etc/dehydrated/config", 1),
        ),
        ("unknown-variable", "HOKO: not a known variable; did you mean HOOK?", Location("/etc/dehydrated/config", 3)),
        (
            "unknown-variable",
            "basedir: not a known variable; did you mean BASEDIR?",
            Location("/etc/dehydrated/config", 4),
        ),
    ]


def test_a_misspelled_name_is_told_where_the_page_ends_in_an_error_about_it() -> None:
    with pytest.raises(ConfigError, match="PDNS_KEY is not set") as caught:
        page('CHALLENGETYPE=dns-01\nPDNS_HOST=localhost\nPDNS_KEEY="secret"\nRENEW_DAYZ=3\n')
    assert caught.value.hint == "/etc/dehydrated/config:3: did you mean PDNS_KEY by PDNS_KEEY?"
    with pytest.raises(ConfigError, match="PDNS_HOST and PDNS_KEY are not set") as caught:
        page('CHALLENGETYPE=dns-01\npdns_host=localhost\nPDNS_KEEY="secret"\n')
    assert "config:2: did you mean PDNS_HOST" in caught.value.hint
    assert "config:3: did you mean PDNS_KEY" in caught.value.hint


def test_a_misspelled_name_is_told_beside_the_hint_of_another_error() -> None:
    with pytest.raises(ConfigError, match="PDNS_KEY is not set") as caught:
        page("CHALLENGETYPE=dns-01\nPDNS_HOST=localhost\nRENEW_DAYZ=3\n")
    assert caught.value.hint.startswith('write PDNS_KEY="…"')
    assert caught.value.hint.endswith("; /etc/dehydrated/config:3: did you mean RENEW_DAYS by RENEW_DAYZ?")
    with pytest.raises(ConfigError) as caught:
        page("CHALLENGETYPE=dns-01\nPDNS_HOST=localhost\nMY_OWN=3\n")
    assert "did you mean" not in caught.value.hint


def test_a_misspelled_name_of_a_zone_file_is_told_with_its_error() -> None:
    usual = "CHALLENGETYPE=dns-01\nPDNS_HOST=localhost\nPDNS_KEY=x\nZONES_D=/z\n"
    found = page(usual, **{"/z/example.org": "DNS_PROVIDER=rfc2136\nRFC2136_SEVER=ns1\n"})
    (rule,) = found.settings.zone_rules
    assert rule.error is not None
    assert "RFC2136_SERVER is not set" in str(rule.error)
    assert rule.error.hint == "/z/example.org:2: did you mean RFC2136_SERVER by RFC2136_SEVER?"
