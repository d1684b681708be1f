from certkeeper.config.load import FailureKind
from unit.config.pages import POWERDNS, codes, page

CERTS = "/etc/dehydrated/certs"


def test_a_config_that_no_line_uses_is_found_and_its_text_is_read_all_the_same() -> None:
    found = page(
        POWERDNS, "mail.exammple.net\n", **{f"{CERTS}/mail.example.net/config": ';; a comment\nOCSP_MUST_STAPLE="no"\n'}
    )
    unused = next(finding for finding in found.findings if finding.code == "unused-certificate-config")
    assert "did you mean mail.exammple.net" in unused.message
    assert str(unused.where) == f"{CERTS}/mail.example.net/config"
    assert "semicolon-comment" in codes(found.findings)


def test_nothing_in_an_unused_config_is_an_error() -> None:
    found = page(POWERDNS, **{f"{CERTS}/old.example.org/config": "if true; then", f"{CERTS}/x/cert.pem": "PEM"})
    assert [spec.alias.text for spec in found.certificates] == ["example.org"]
    assert codes(found.findings).count("unused-certificate-config") == 1


def test_an_unreadable_folder_of_certificates_is_left_for_the_run_to_report() -> None:
    assert "unused-certificate-config" not in codes(page(POWERDNS, **{CERTS: FailureKind.UNREADABLE}).findings)


def test_with_domains_d_the_folders_of_certdir_hold_no_settings() -> None:
    found = page(f'{POWERDNS}DOMAINS_D="/d"\n', **{f"{CERTS}/old.example.org/config": "KEYSIZE=2048\n"})
    assert "unused-certificate-config" not in codes(found.findings)
