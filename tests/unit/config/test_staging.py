"""Which CA rehearses which one, and what it is told."""

import pytest

from certkeeper.base.errors import CertkeeperError
from certkeeper.config.authority import COUNTERPARTS, PRESETS, REHEARSAL, STAGING, is_known_test_ca
from certkeeper.config.settings import Configuration, Purpose
from certkeeper.config.shell import Assignment
from unit.config.pages import CONFIG, DOMAINS, POWERDNS, Page

TYPED = (Assignment(REHEARSAL, "yes", STAGING),)
OWN = "/etc/dehydrated/certs/b.org/config"


def rehearsed(config: str, own: str = "") -> Configuration:
    files = {CONFIG: POWERDNS + config, DOMAINS: "a.org\nb.org\n", **({OWN: own} if own else {})}
    return Page(files).load(typed=TYPED)


def test_a_counterpart_is_a_test_ca() -> None:
    assert COUNTERPARTS
    assert all(is_known_test_ca(url) for url in COUNTERPARTS.values())


def test_every_certificate_goes_to_the_counterpart_of_its_own_ca() -> None:
    found = rehearsed("CA=google\nALERT_MAIL=root\nAUTO_CLEANUP=yes\nSTATEDIR=/var/state\n", "CA=letsencrypt\n")
    assert [spec.ca for spec in found.certificates] == [PRESETS["google-test"], PRESETS["letsencrypt-test"]]
    assert {spec.purpose for spec in found.certificates} == {Purpose.REHEARSE}
    assert found.settings.statedir == "/var/state/staging"
    assert not found.settings.telling.alerts
    assert found.settings.cleanup == "no"


def test_nothing_that_is_meant_for_the_ca_is_shown_to_its_counterpart() -> None:
    binding = "EAB_KID=kid\nEAB_HMAC_KEY=c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0\nOLDCA=https://ca.test/old\n"
    found = rehearsed(f"CA=google\n{binding}")
    assert found.settings.external_account is None
    assert found.settings.old_ca == ""
    assert rehearsed(f"CA=google-test\n{binding}").settings.external_account is not None


def test_a_test_ca_stands_in_for_itself_and_staging_ca_for_any() -> None:
    assert rehearsed("CA=letsencrypt-test\n").settings.ca == PRESETS["letsencrypt-test"]
    assert rehearsed("CA=https://ca.test/dir\nTEST_CA=yes\n").settings.ca == "https://ca.test/dir"
    found = rehearsed("CA=https://ca.test/dir\nSTAGING_CA=https://ca.test/try\n")
    assert (found.settings.ca, found.certificates[0].purpose) == ("https://ca.test/try", Purpose.REHEARSE)


@pytest.mark.parametrize("ca", ["zerossl", "https://ca.test/dir"])
def test_a_ca_without_one_is_an_error_at_its_line(ca: str) -> None:
    with pytest.raises(CertkeeperError, match="no test service that is known"):
        rehearsed(f"CA={ca}\n")


def test_only_the_command_line_makes_a_rehearsal() -> None:
    files = {CONFIG: f"{POWERDNS}{REHEARSAL}=yes\n", DOMAINS: "a.org\n"}
    found = Page(files).load()
    assert (found.settings.ca, found.settings.rehearsal) == (PRESETS["letsencrypt"], False)
