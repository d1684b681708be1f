from datetime import timedelta

import pytest

from builders.plans import DNS_ONLY
from certkeeper.base.errors import Location
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.base.names import Alias, Identifier
from certkeeper.config.authority import LETSENCRYPT
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import CertSpec, Configuration, RenewPolicy
from unit.config.pages import DOMAINS, POWERDNS, codes, page

OWN = "/etc/dehydrated/certs/example.org/config"


def own(text: str, config: str = "", domains: str = "example.org\nother.org\n") -> Configuration:
    return page(POWERDNS + config, domains, **{OWN: text})


def spec(configuration: Configuration, alias: str = "example.org") -> CertSpec:
    return next(found for found in configuration.certificates if found.alias.text == alias)


def test_what_the_page_says_of_all_certificates() -> None:
    found = page(
        POWERDNS + "KEY_ALGO=rsa KEYSIZE=2048 PRIVATE_KEY_RENEW=no RENEW_DAYS=20 OCSP_MUST_STAPLE=yes\n"
        "ACME_PROFILE=tlsserver ACME_PROFILE_PREFERRED=shortlived PREFERRED_CHAIN='Root X1'\n"
        "ORDER_TIMEOUT=30 VALIDATION_TIMEOUT=0\n",
        "example.org www.example.org > web",
    )
    assert found.certificates == (
        CertSpec(
            alias=Alias("web"),
            identifiers=(Identifier.parse("example.org"), Identifier.parse("www.example.org")),
            where=Location(DOMAINS, 1),
            ca=LETSENCRYPT,
            key=KeySpec(KeyAlgorithm.RSA, 2048, KeyPolicy.REUSE),
            renew=RenewPolicy(20, wished=True),
            must_staple=True,
            profile="tlsserver",
            preferred_profile="shortlived",
            preferred_chain="Root X1",
            validation_timeout=None,
            order_timeout=timedelta(seconds=30),
            provider="PowerDNS http://localhost:8081",
            methods=DNS_ONLY,
            wished_key="rsa-2048",
        ),
    )


def test_renew_days_counts_as_wished_where_a_file_says_it() -> None:
    assert spec(own("", "")).renew == RenewPolicy(32)
    assert spec(own("", "RENEW_DAYS=32\n")).renew == RenewPolicy(32, wished=True)
    found = own("RENEW_DAYS=20\n")
    assert spec(found).renew == RenewPolicy(20, wished=True)
    assert spec(found, "other.org").renew == RenewPolicy(32)


@pytest.mark.row("E01", "E05")
def test_e01_e05_a_certificates_own_file_counts_for_it_alone() -> None:
    found = own("KEY_ALGO=rsa\nKEYSIZE=2048\n")
    assert spec(found).key == KeySpec(KeyAlgorithm.RSA, 2048)
    assert spec(found, "other.org").key == KeySpec()
    assert found.findings == ()


@pytest.mark.row("E02")
def test_e02_domains_d_takes_the_place_of_the_folders() -> None:
    found = page(
        POWERDNS + "DOMAINS_D=/d/\n",
        "a.org > x",
        **{"/d/x": "RENEW_DAYS=1", "/etc/dehydrated/certs/x/config": "RENEW_DAYS=2"},
    )
    assert spec(found, "x").renew.days == 1


def test_e04_a_value_that_is_inherited_is_no_change() -> None:
    assert own("CA=letsencrypt-test\nCERTDIR=/etc/dehydrated/certs\n", "CA=letsencrypt-test\n").findings == (
        own("CA=letsencrypt-test\n", "CA=letsencrypt-test\n").findings
    )
    assert own("CERTDIR=/etc/dehydrated/certs\nHOOK_CHAIN=no").findings == ()


def test_what_cannot_be_set_for_one_certificate_is_found_and_ignored() -> None:
    found = own("CERTDIR=/x\nRENEW_DAYS=3\nHELPER=1\n")
    assert [(item.code, item.where) for item in found.findings] == [
        ("not-per-certificate", Location(OWN, 1)),
        ("not-per-certificate", Location(OWN, 3)),
    ]
    assert found.settings.certdir == "/etc/dehydrated/certs"
    assert spec(found).renew.days == 3


def test_a_misspelt_variable_is_found_once() -> None:
    assert codes(own("RENEW_DAY=3\n").findings) == ["unknown-variable"]


@pytest.mark.parametrize(
    ("text", "where", "reason", "hint"),
    [
        pytest.param(
            'KEY_ALGO="ecdsa"',
            Location(OWN, 1),
            "'ecdsa' is not known",
            "prime256v1",
            marks=pytest.mark.row("E07"),
            id="E07",
        ),
        pytest.param("A=1\nRENEW_DAYS=x", Location(OWN, 2), "'x' is no number", "RENEW_DAYS", id="invalid value"),
        pytest.param("A=$NO", Location(OWN, 1), "NO is not set", "${NO:-}", id="unset variable"),
        pytest.param("A='", Location(OWN, 1), "a single quote", "closing", id="unbalanced quote"),
        pytest.param("CHALLENGETYPE=x", Location(OWN, 1), "CHALLENGETYPE: 'x' is not known", "http-01", id="method"),
        pytest.param("DNS_PROVIDER=x", Location(OWN, 1), "DNS_PROVIDER: 'x' is not known", "powerdns", id="provider"),
    ],
)
def test_an_error_rejects_that_certificate_only(text: str, where: Location, reason: str, hint: str) -> None:
    found = own(text)
    assert [item.alias.text for item in found.certificates] == ["other.org"]
    (rejected,) = found.rejected
    assert rejected.label == "example.org"
    assert isinstance(rejected.error, ConfigError)
    assert rejected.error.where == where
    assert reason in str(rejected.error)
    assert hint in rejected.error.hint


@pytest.mark.row("E08")
def test_e08_semicolon_comments_do_not_hide_the_settings() -> None:
    found = own(";;\n;; it's\nOCSP_MUST_STAPLE=no\n", "OCSP_MUST_STAPLE=yes\n")
    assert not spec(found).must_staple
    assert spec(found, "other.org").must_staple
    assert codes(found.findings) == ["semicolon-comment"]


@pytest.mark.row("E10")
def test_e10_a_certificates_own_file_sees_the_page_and_its_own_names() -> None:
    found = own(
        "WELLKNOWN=${CERTDIR}/$alias/wk\nACME_PROFILE=$alias-$domain-$morenames-$certdir-$BASE-$WELLKNOWN\n",
        "BASE=b\n",
    )
    expected = "example.org-example.org--/etc/dehydrated/certs/example.org-b-/etc/dehydrated/certs/example.org/wk"
    assert spec(found).profile == expected


@pytest.mark.row("E11")
def test_e11_an_empty_hook_leaves_it_to_the_built_in_provider() -> None:
    found = own("HOOK=\n", "HOOK=/x.sh\n")
    assert spec(found).provider == "PowerDNS http://localhost:8081"
    assert spec(found, "other.org").provider == "hook /x.sh"
    assert [item.id for item in found.settings.providers] == ["hook /x.sh", "PowerDNS http://localhost:8081"]


@pytest.mark.row("E11")
def test_e11_an_empty_hook_that_leaves_nobody_rejects_that_certificate_only() -> None:
    files = {OWN: "HOOK=\n"}
    found = page("CHALLENGETYPE=dns-01\nHOOK=/x.sh\n", "example.org\nother.org\n", **files)
    assert [item.alias.text for item in found.certificates] == ["other.org"]
    (rejected,) = found.rejected
    assert rejected.label == "example.org"
    assert str(rejected.error).startswith(f"{OWN}: PDNS_HOST and PDNS_KEY are not set, and example.org")
    with pytest.raises(ConfigError, match=r"other\.org"):
        page("CHALLENGETYPE=dns-01\n", "other.org\nexample.org\n", **files)


def test_a_certificates_own_method_without_a_provider_rejects_that_certificate_only() -> None:
    found = page("", "example.org\nother.org\n", **{OWN: "CHALLENGETYPE=dns-01\n"})
    assert [item.alias.text for item in found.certificates] == ["other.org"]
    assert str(found.rejected[0].error).startswith(f"{OWN}: PDNS_HOST and PDNS_KEY are not set")


def test_an_export_and_an_expression_count_in_a_certificates_own_file() -> None:
    found = own("export RENEW_DAYS=$((2 * 7))\nKEY_ALGO=rsa; export KEY_ALGO KEYSIZE=3072\n")
    assert spec(found).renew.days == 14
    assert spec(found).key == KeySpec(KeyAlgorithm.RSA, 3072)
    assert found.findings == ()


@pytest.mark.parametrize(
    ("config", "hook"),
    [
        ("HOOK=/usr/local/lib/pdns_api.sh", ""),
        ("HOOK=/usr/local/lib/pdns_api.sh DNS_PROVIDER=hook", "/usr/local/lib/pdns_api.sh"),
        ("HOOK=", ""),
        ("HOOK=/x.sh DNS_PROVIDER=powerdns", "/x.sh"),
    ],
)
def test_which_script_is_told_of_a_new_certificate(config: str, hook: str) -> None:
    (found,) = page(f"{POWERDNS}\n{config}", "a.org\n").certificates
    assert found.hook == hook


def test_d19_an_address_cannot_be_proven_through_dns() -> None:
    found = page(POWERDNS, "a.org ip:192.0.2.1\nb.org\n")
    assert [item.alias.text for item in found.certificates] == ["b.org"]
    assert str(found.rejected[0].error).startswith(
        f"{DOMAINS}:1: ip:192.0.2.1: an address cannot be proven through DNS"
    )
    assert "ip:192.0.2.1=http-01" in found.rejected[0].error.hint


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param("HOOK=/usr/local/lib/pdns_api.sh/pdns_api.sh", ["pdns-api-hook"], id="pdns_api.sh"),
        pytest.param("HOOK=", [], id="none"),
        pytest.param("HOOK=/x.sh", [], id="B19 another hook"),
        pytest.param("HOOK=/x.sh CHALLENGETYPE=http-01", [], id="nothing through DNS"),
        pytest.param("HOOK=/usr/lib/pdns_api.sh CHALLENGETYPE=http-01", [], id="pdns_api.sh, nothing through DNS"),
        pytest.param("HOOK=/x.sh DNS_PROVIDER=hook", [], id="explicit hook"),
        pytest.param("HOOK=/x.sh DNS_PROVIDER=powerdns", ["hook-told"], id="explicit provider"),
    ],
)
def test_who_answers(config: str, expected: list[str]) -> None:
    found = page(f"{POWERDNS}{config}\n", "a.org\nb.org\n")
    assert len(found.certificates) == 2
    assert codes(found.findings) == expected


@pytest.mark.parametrize(
    ("hook", "deployed", "ended"),
    [
        ("HOOK=/usr/local/lib/pdns_api.sh", ("systemctl", "reload", "nginx"), ("true",)),
        ("HOOK=certkeeper-pdns-hook", ("systemctl", "reload", "nginx"), ("true",)),
        ("HOOK=/usr/local/lib/pdns_api.sh DNS_PROVIDER=hook", (), ()),
        ("HOOK=/hook.sh DNS_PROVIDER=powerdns", (), ()),
        ("", (), ()),
    ],
)
def test_commands_of_pdns_api_sh_are_run_where_its_place_is_taken(
    hook: str, deployed: tuple[str, ...], ended: tuple[str, ...]
) -> None:
    lines = f"{hook} PDNS_EXIT_HOOK=true".split()
    found = page(f'{POWERDNS}PDNS_DEPLOY_CERT_HOOK="systemctl  reload nginx"\n' + "\n".join(lines) + "\n")
    assert (found.certificates[0].deploy_command, found.settings.exit_command) == (deployed, ended)
    assert found.certificates[0].deployer == (found.certificates[0].hook or " ".join(deployed))
