import pytest

from builders.plans import configuration, spec
from certkeeper.base.errors import ExitCode
from certkeeper.cli.dns.names import NotAName, owners_in, typed_name


@pytest.mark.parametrize("text", ["Example.ORG", "example.org.", "*.example.org"])
def test_a_zone_may_be_typed_in_any_form(text: str) -> None:
    assert typed_name(text).text == "example.org"


@pytest.mark.parametrize("text", ["", ".", "org", "a..b", "exa mple.org"])
def test_what_is_no_name_of_a_zone_is_a_usage_error(text: str) -> None:
    with pytest.raises(NotAName) as caught:
        typed_name(text)
    assert caught.value.exit_code is ExitCode.USAGE


def test_the_challenge_names_of_all_certificates_come_once() -> None:
    page = configuration(spec("example.org", "*.example.org"), spec("example.org", "www.example.org", alias="b"))
    assert [owner.text for owner in owners_in(page)] == [
        "_acme-challenge.example.org",
        "_acme-challenge.www.example.org",
    ]
