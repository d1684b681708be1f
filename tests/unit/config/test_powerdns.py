from datetime import timedelta

import pytest

from certkeeper.base.errors import Location
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Severity
from certkeeper.config.settings import PowerDnsSettings, Secret
from unit.config.pages import CONFIG, codes, only, page

DNS = "CHALLENGETYPE=dns-01\n"


def powerdns(text: str) -> PowerDnsSettings | None:
    return only(page(DNS + text))


@pytest.mark.row("J07")
@pytest.mark.parametrize(
    ("text", "url"),
    [
        pytest.param("PDNS_HOST=ns0", "http://ns0:8081", id="host"),
        pytest.param("PDNS_HOST=NS0.Example.NET. PDNS_PORT=80", "http://ns0.example.net:80", id="port"),
        pytest.param("PDNS_HOST=ns0:99", "http://ns0:99", id="host with port"),
        pytest.param("PDNS_HOST=::1", "http://[::1]:8081", id="IPv6"),
        pytest.param("PDNS_HOST=[::1]:99", "http://[::1]:99", id="IPv6 with port"),
        pytest.param("PDNS_HOST=https://ns0:8443 PDNS_PORT=1", "https://ns0:8443", id="J07 URL"),
        pytest.param("PDNS_HOST=https://ns0/", "https://ns0", id="URL with a final slash"),
        pytest.param("PDNS_HOST=https://[::1]:8443/dns/api/", "https://[::1]:8443/dns/api", id="path prefix"),
    ],
)
def test_url(text: str, url: str) -> None:
    found = powerdns(f"{text}\nPDNS_KEY=secret")
    assert found == PowerDnsSettings(url, Secret("secret"))


def test_the_key_is_never_shown() -> None:
    configuration = page(f"{DNS}PDNS_HOST=localhost PDNS_KEY=hunter2")
    assert "hunter2" not in repr(configuration)


@pytest.mark.row("B22", "J22")
def test_b22_j22_the_first_names_count_from_files_and_the_new_ones_win() -> None:
    configuration = page(f"{DNS}HOST=localhost PORT=81 KEY=old SERVER=s VERSION=1 WAIT=150\nPDNS_KEY=new\n")
    assert only(configuration) == PowerDnsSettings("http://localhost:81", Secret("new"), server="s", version=1)
    assert configuration.settings.propagation == timedelta(seconds=150)
    (found,) = configuration.findings
    assert (found.code, found.severity, found.where) == ("legacy-pdns-names", Severity.NOTE, Location(CONFIG, 2))
    assert found.message.startswith("HOST, PORT, KEY, SERVER, VERSION, WAIT: ")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 300), ("PDNS_WAIT=", 300), ("PDNS_WAIT=0", 300), ("PDNS_WAIT=20", 20), ("WAIT=7 PDNS_WAIT=8", 8)],
)
def test_wait_bounds_the_propagation(text: str, seconds: int) -> None:
    settings = page(text, "").settings
    assert settings.propagation == timedelta(seconds=seconds)
    # A script may have no time set for it: then it is a minute.
    assert settings.script_propagation == timedelta(seconds=60 if seconds == 300 else seconds)


@pytest.mark.parametrize(
    ("text", "notify"),
    [("", True), ("PDNS_NO_NOTIFY=", True), ("PDNS_NO_NOTIFY=yes", False), ("PDNS_NO_NOTIFY=no", True)],
)
def test_j10_notify(text: str, notify: bool) -> None:  # noqa: FBT001 - a parameter of the case
    found = powerdns(f"PDNS_HOST=localhost PDNS_KEY=k {text}")
    assert found
    assert found.notify is notify


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("PDNS_HOST=ns0.example.net", ["api-key-in-clear"], id="foreign"),
        pytest.param("PDNS_HOST=http://192.0.2.1", ["api-key-in-clear"], id="foreign URL"),
        pytest.param("PDNS_HOST=https://ns0.example.net", [], id="TLS"),
        pytest.param("PDNS_HOST=127.0.0.53", [], id="loopback"),
        pytest.param("PDNS_HOST=::1", [], id="IPv6 loopback"),
        pytest.param("PDNS_HOST=localhost", [], id="localhost"),
        pytest.param("PDNS_HOST=ns0.example.net\nPDNS_HOST=localhost", [], id="superseded"),
    ],
)
def test_findings(text: str, expected: list[str]) -> None:
    assert codes(page(f"{DNS}PDNS_KEY=k {text}").findings) == expected


@pytest.mark.row("B19")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", f"{CONFIG}: PDNS_HOST and PDNS_KEY are not set, and example.org", id="B19 neither"),
        pytest.param("PDNS_HOST=ns0", f"{CONFIG}:2: PDNS_KEY is not set", id="no key"),
        pytest.param("\nKEY=k", f"{CONFIG}:3: PDNS_HOST is not set", id="no host"),
        pytest.param("PDNS_HOST=ns0 PDNS_KEY=k PDNS_PORT=0", f"{CONFIG}:2: PDNS_PORT: '0' is no number", id="port"),
        pytest.param("PDNS_HOST=a/b PDNS_KEY=k", f"{CONFIG}:2: PDNS_HOST: 'a/b' is no host", id="host"),
        pytest.param("PDNS_HOST=https://a?b PDNS_KEY=k", f"{CONFIG}:2: PDNS_HOST: ", id="query"),
        pytest.param("PDNS_HOST=https://u:p@a PDNS_KEY=k", f"{CONFIG}:2: PDNS_HOST: ", id="user"),
        pytest.param("PDNS_HOST=ftp://a PDNS_KEY=k", f"{CONFIG}:2: PDNS_HOST: ", id="scheme"),
        pytest.param("PDNS_HOST=https://[::1 PDNS_KEY=k", f"{CONFIG}:2: PDNS_HOST: ", id="bracket"),
        pytest.param(
            "PDNS_HOST=a PDNS_KEY=$'k\\n'", f"{CONFIG}:2: PDNS_KEY: holds characters", id="line end in the key"
        ),
        pytest.param("PDNS_HOST=a PDNS_KEY=k PDNS_SERVER=a/b", f"{CONFIG}:2: PDNS_SERVER: ", id="server"),
        pytest.param("PDNS_WAIT=long", f"{CONFIG}:2: PDNS_WAIT: 'long' is no number", id="wait"),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        page(DNS + text)
    assert str(caught.value).startswith(message)
    assert caught.value.hint


def test_nothing_is_looked_at_where_nothing_is_proven_through_it() -> None:
    assert only(page("HOST=localhost PORT=abc", "")) is None
    assert only(page(DNS, "")) is None


@pytest.mark.parametrize(("text", "version"), [("", None), ("PDNS_VERSION=0", 0), ("VERSION=1", 1)])
def test_the_version_of_the_api(text: str, version: int | None) -> None:
    found = powerdns(f"PDNS_HOST=localhost PDNS_KEY=k {text}")
    assert found is not None
    assert found.version == version


def test_a_list_of_zones_in_any_form_that_people_write() -> None:
    text = f"{DNS}PDNS_HOST=localhost PDNS_KEY=k PDNS_ZONES_TXT=/z"
    found = only(page(text, **{"/z": "Example.ORG.\r\n\n  example.net\nexample.org\n"}))
    assert found is not None
    assert [zone.text for zone in found.zones] == ["example.org", "example.net"]
    empty = only(page(text, **{"/z": "\n"}))
    assert empty is not None
    assert empty.zones == ()


def test_comments_and_lines_that_are_no_names_are_passed_over_in_a_list_of_zones() -> None:
    text = f"{DNS}PDNS_HOST=localhost PDNS_KEY=k PDNS_ZONES_TXT=/z"
    read = page(text, **{"/z": "# ours\nexample.org # main\nexample..net\n"})
    found = only(read)
    assert found is not None
    assert [zone.text for zone in found.zones] == ["example.org"]
    assert [(item.code, "/z:3: " in item.message) for item in read.findings] == [("no-zone", True)]


def test_a_list_of_zones_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ConfigError) as raised:
        page(f"{DNS}PDNS_HOST=localhost PDNS_KEY=k PDNS_ZONES_TXT=/z")
    assert str(raised.value).startswith(f"{CONFIG}:2: PDNS_ZONES_TXT: /z cannot be read")


def test_a_wait_that_is_no_number_is_told_the_usual_one() -> None:
    with pytest.raises(ConfigError) as caught:
        powerdns("PDNS_HOST=ns0\nPDNS_KEY=k\nPDNS_WAIT=5m\n")
    assert caught.value.hint == 'write PDNS_WAIT="300"'
