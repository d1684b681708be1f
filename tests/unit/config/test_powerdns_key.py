"""Where the API's key comes from, and how the API is reached."""

from collections.abc import Mapping

import pytest

from certkeeper.config.errors import ConfigError
from certkeeper.config.reading import FailureKind
from certkeeper.config.settings import Configuration, PowerDnsSettings, Secret
from unit.config.pages import CONFIG, DOMAINS, Page, codes, only

START = "CHALLENGETYPE=dns-01\nPDNS_HOST=localhost\n"
CREDENTIALS = {"CREDENTIALS_DIRECTORY": "/run/credentials/x"}


def load(
    text: str,
    files: Mapping[str, str | FailureKind] | None = None,
    environment: Mapping[str, str] | None = None,
    open_to_all: str = "",
) -> Configuration:
    page = Page({CONFIG: START + text, DOMAINS: "example.org\n", **(files or {})}, open_to_all=[open_to_all])
    return page.load(environment=environment)


def key(configuration: Configuration) -> str:
    found = only(configuration)
    assert found is not None
    return found.api_key.reveal()


@pytest.mark.parametrize(
    ("text", "files", "environment", "expected"),
    [
        ("PDNS_KEY_FILE=/k", {"/k": "from a file\n"}, {}, "from a file"),
        ("PDNS_KEY_FILE=/k", {"/k": "windows\r\n"}, {"PDNS_KEY": "env"}, "windows"),
        ("PDNS_KEY=page", {}, {"PDNS_KEY": "env"}, "page"),
        ("KEY=page", {}, {"PDNS_KEY": "env", "KEY": "no"}, "page"),
        ("", {}, {"PDNS_KEY": "env", **CREDENTIALS}, "env"),
        ("", {"/run/credentials/x/pdns-key": "systemd"}, CREDENTIALS, "systemd"),
        ("PDNS_KEY=page", {"/run/credentials/x/pdns-key": "systemd"}, CREDENTIALS, "page"),
        ("PDNS_KEY_FILE=credential:api", {"/etc/credstore/api": "stored"}, {}, "stored"),
        ("PDNS_KEY_FILE=credential:api", {"/run/credentials/x/api": "named"}, CREDENTIALS, "named"),
    ],
)
def test_the_key_of_the_page_goes_before_the_environments_and_that_before_systemds(
    text: str, files: Mapping[str, str], environment: Mapping[str, str], expected: str
) -> None:
    configuration = load(text, files, environment)
    assert key(configuration) == expected
    assert expected not in repr(configuration)
    assert set(codes(configuration.findings)) <= {"legacy-pdns-names"}


def test_a_file_that_everybody_can_read_is_found() -> None:
    (found,) = load("PDNS_KEY_FILE=/k", {"/k": "secret"}, open_to_all="/k").findings
    assert found.code == "open-key-file"
    assert found.fix == "chmod o-rwx /k"
    assert found.where is not None
    assert str(found.where) == f"{CONFIG}:3"


def test_a_key_in_a_page_that_everybody_can_read_is_found() -> None:
    (found,) = load("PDNS_KEY=secret", open_to_all=CONFIG).findings
    assert (found.code, str(found.where)) == ("open-key-file", f"{CONFIG}:3")
    assert found.fix.startswith(f"chmod o-rwx {CONFIG}, or ")
    assert "secret" not in f"{found.message}{found.fix}"
    assert not load("PDNS_KEY=secret").findings
    # Without a secret in it, it may be open.
    assert not load("PDNS_KEY_FILE=/k", {"/k": "secret"}, open_to_all=CONFIG).findings


@pytest.mark.parametrize(
    ("text", "files", "environment", "message"),
    [
        ("PDNS_KEY_FILE=/k", {}, {}, ":3: PDNS_KEY_FILE: /k cannot be read: it is missing"),
        ("PDNS_KEY_FILE=/k", {"/k": FailureKind.UNREADABLE}, {}, ":3: PDNS_KEY_FILE: /k cannot be read"),
        ("PDNS_KEY_FILE=/k", {"/k": "\n"}, {}, ":3: PDNS_KEY_FILE: /k holds no key"),
        ("PDNS_KEY_FILE=/k", {"/k": "two\nlines\n"}, {}, ":3: PDNS_KEY_FILE: /k holds characters"),
        ("PDNS_KEY_FILE=/k PDNS_KEY=x", {"/k": "x"}, {}, ":3: PDNS_KEY_FILE: PDNS_KEY is set, too"),
        ("PDNS_KEY_FILE=credential:a", {}, {}, ":3: PDNS_KEY_FILE: /etc/credstore/a cannot be read"),
        ("PDNS_KEY_FILE=credential:../a", {}, CREDENTIALS, ":3: PDNS_KEY_FILE: '../a' is no name"),
        ("PDNS_KEY_FILE=credential:a", {}, CREDENTIALS, ":3: PDNS_KEY_FILE: /run/credentials/x/a cannot be read"),
        ("", {}, {"PDNS_KEY": "k\u00fc"}, ": PDNS_KEY: of the environment holds characters"),
        ("", {"/run/credentials/x/pdns-key": FailureKind.UNREADABLE}, CREDENTIALS, ": PDNS_KEY_FILE: /run/cred"),
        ("", {}, CREDENTIALS, ":2: PDNS_KEY is not set, PDNS_HOST is"),
        ("PDNS_HOST=\nPDNS_KEY_FILE=/k", {"/k": "x"}, {}, ":4: PDNS_HOST is not set, PDNS_KEY_FILE is"),
        ("PDNS_KEY=x PDNS_CLIENT_KEY=/k", {}, {}, ":3: PDNS_CLIENT_KEY: PDNS_CLIENT_CERT is not set"),
        ("PDNS_KEY=x PDNS_HOST=unix:run/x", {}, {}, ":3: PDNS_HOST: 'unix:run/x' is no path"),
        (f"PDNS_KEY=x PDNS_HOST=unix:/{'x' * 107}", {}, {}, ":3: PDNS_HOST: 'unix:/xxx"),
    ],
)
def test_errors(
    text: str, files: Mapping[str, str | FailureKind], environment: Mapping[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, files, environment)
    assert str(caught.value).startswith(CONFIG + message)
    assert caught.value.hint


def test_the_environments_key_alone_asks_for_a_host_by_the_usual_error() -> None:
    with pytest.raises(ConfigError, match="PDNS_HOST and PDNS_KEY are not set"):
        load("PDNS_HOST=", environment={"PDNS_KEY": "k"})


def test_no_key_is_read_where_nothing_is_proven_through_powerdns() -> None:
    page = Page({CONFIG: "PDNS_HOST=localhost\nPDNS_KEY_FILE=/k\n", DOMAINS: ""})
    page.load()
    assert "/k" not in page.asked


def test_how_the_api_is_reached() -> None:
    tls = load("PDNS_KEY=k PDNS_HOST=https://ns1 PDNS_CA_BUNDLE=/ca PDNS_CLIENT_CERT=/c PDNS_CLIENT_KEY=/k")
    assert only(tls) == PowerDnsSettings("https://ns1", Secret("k"), ca_bundle="/ca", client_cert="/c", client_key="/k")
    assert hash(only(tls))
    for text in ("unix:/run/x", "unix:///run/x"):
        local = load(f"PDNS_KEY=k PDNS_HOST={text}")
        found = only(local)
        assert found == PowerDnsSettings("unix:/run/x", Secret("k"))
        assert found.socket == "/run/x"
        assert local.findings == ()


def test_tls_files_without_tls_are_found() -> None:
    assert codes(load("PDNS_KEY=k PDNS_CA_BUNDLE=/ca PDNS_CLIENT_CERT=/c").findings) == ["no-tls", "no-tls"]
