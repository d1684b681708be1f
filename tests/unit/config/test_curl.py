"""CURL_OPTS, PDNS_CURL_OPTS, IP_VERSION and the proxies of the environment -> how servers are reached."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.errors import Location
from certkeeper.config.curl import curl_words
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import Configuration
from certkeeper.config.shell import Assignment
from certkeeper.config.transport import IpVersion, Pin, Proxy, Transport
from certkeeper.config.values import Values
from unit.config.pages import CONFIG, DOMAINS, Page, codes, only

_SPARED = ("localhost", "127.0.0.0/8", "::1")


def load(text: str, **environment: str) -> Configuration:
    return Page({CONFIG: f"{text}\nX=", DOMAINS: ""}).load(environment=environment)


def ca(text: str, **environment: str) -> Transport:
    return load(text, **environment).settings.transport


def api(text: str, **environment: str) -> Transport:
    found = only(load(f'CHALLENGETYPE="dns-01" PDNS_KEY=k PDNS_HOST=https://ns.example.org\n{text}', **environment))
    assert found is not None
    return found.transport


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("-x proxy", Proxy("http://proxy:1080")),
        ("-xproxy:3128", Proxy("http://proxy:3128")),
        ("-sSx proxy:3128", Proxy("http://proxy:3128")),
        ("--proxy http://proxy:3128/", Proxy("http://proxy:3128")),
        ("--proxy https://proxy", Proxy("https://proxy:443")),
        ("-x [2001:db8::1]:3128", Proxy("http://[2001:db8::1]:3128")),
        ("-x http://me:a%40b@proxy:1", Proxy("http://proxy:1", "me:a@b")),
        ("-x one:1 -x two:2", Proxy("http://two:2")),
    ],
)
def test_a_proxy_for_everything(words: str, expected: Proxy) -> None:
    found = ca(f'CURL_OPTS="{words}"', https_proxy="other:1")
    assert (found.http, found.https, found.spared) == (expected, expected, ())


def test_no_proxy_of_the_environment_counts_for_it_too_and_the_option_more() -> None:
    assert ca("CURL_OPTS='-x p:1'", no_proxy="a.example b.example,").spared == ("a.example", "b.example")
    assert ca("CURL_OPTS='-x p:1 --noproxy c.example'", no_proxy="a.example").spared == ("c.example",)


@pytest.mark.parametrize(
    ("environment", "http", "https"),
    [
        ({"https_proxy": "p:1"}, None, "http://p:1"),
        ({"HTTPS_PROXY": "p:1"}, None, "http://p:1"),
        ({"https_proxy": "p:1", "HTTPS_PROXY": "q:1"}, None, "http://p:1"),
        ({"http_proxy": "p:1"}, "http://p:1", None),
        ({"HTTP_PROXY": "p:1"}, None, None),
        ({"all_proxy": "p:1"}, "http://p:1", "http://p:1"),
        ({"ALL_PROXY": "p:1", "http_proxy": "q:1"}, "http://q:1", "http://p:1"),
        ({"https_proxy": "", "ALL_PROXY": "p:1"}, "http://p:1", "http://p:1"),
    ],
)
def test_proxies_of_the_environment(environment: dict[str, str], http: str | None, https: str | None) -> None:
    for found in (ca("", **environment), api("", **environment)):
        assert (found.http and found.http.url, found.https and found.https.url) == (http, https)


def test_loopback_is_never_asked_for_through_a_proxy_of_the_environment() -> None:
    found = ca("", https_proxy="p:1", no_proxy="a.example")
    assert found.spared == ("a.example", *_SPARED)
    assert found.proxy("https", "127.0.0.1") is None
    assert found.proxy("https", "b.example") == Proxy("http://p:1")
    assert ca("", https_proxy="p:1", NO_PROXY="*").proxy("https", "b.example") is None


def test_an_empty_proxy_is_none() -> None:
    found = Page({CONFIG: "CURL_OPTS=\"-x '' -s\"", DOMAINS: ""})
    with pytest.raises(ConfigError, match="no proxy"):
        # A shell does not look for quotes in a variable's value, either.
        found.load(environment={"https_proxy": "p:1"})


@pytest.mark.parametrize(
    ("words", "pins"),
    [
        ("--resolve ca.example:443:192.0.2.1", (Pin("ca.example", 443, ("192.0.2.1",)),)),
        ("--resolve +CA.example:443:192.0.2.1,[2001:db8::1]", (Pin("ca.example", 443, ("192.0.2.1", "2001:db8::1")),)),
        ("--resolve *:443:192.0.2.1", (Pin("*", 443, ("192.0.2.1",)),)),
        ("--resolve a.example:1:192.0.2.1 --resolve -a.example:1", ()),
        ("--resolve [2001:db8::1]:443:192.0.2.1", (Pin("2001:db8::1", 443, ("192.0.2.1",)),)),
    ],
)
def test_pins(words: str, pins: tuple[Pin, ...]) -> None:
    assert ca(f'CURL_OPTS="{words}"').pins == pins


def test_the_last_pin_of_a_host_counts_and_the_star_after_all() -> None:
    words = "--resolve a.example:1:192.0.2.1 --resolve a.example:1:192.0.2.2 --resolve *:1:192.0.2.3"
    found = ca(f'CURL_OPTS="{words}"')
    assert found.pinned("A.example.", 1) == ("192.0.2.2",)
    assert found.pinned("b.example", 1) == ("192.0.2.3",)
    assert found.pinned("a.example", 2) == ()


def test_the_rest_of_what_acts() -> None:
    assert ca("CURL_OPTS='--connect-timeout 2.5'").connect == 2.5
    assert not ca("CURL_OPTS='-sSk'").verified
    assert ca("CURL_OPTS='-k --no-insecure'").verified
    assert ca("IP_VERSION=6").ip_version is IpVersion.SIX
    assert ca("IP_VERSION=6 CURL_OPTS=-4").ip_version is IpVersion.FOUR


@pytest.mark.row("J23")
def test_the_api_of_powerdns_has_its_own_words_or_those_of_the_ca() -> None:
    proxy = Proxy("http://p:1")
    assert api("CURL_OPTS='-x p:1 --cacert /a'").https == proxy
    assert api("CURL_OPTS='-x p:1' PDNS_CURL_OPTS=").https is None
    assert api("CURL_OPTS='-x p:1' PDNS_CURL_OPTS='-k'") == Transport(verified=False)
    found = load("PDNS_CURL_OPTS='-k' PDNS_HOST=https://ns.example.org PDNS_KEY=k CHALLENGETYPE=dns-01 IP_VERSION=4")
    assert found.settings.transport == Transport(ip_version=IpVersion.FOUR)
    assert codes(found.findings) == ["not-verified"]
    assert api("IP_VERSION=4").ip_version is IpVersion.ANY


def test_its_roots_are_its_own_or_those_of_the_words() -> None:
    base = "CHALLENGETYPE=dns-01 PDNS_KEY=k PDNS_HOST=https://ns.example.org"
    for text, expected in (
        ("PDNS_CURL_OPTS='--cacert /a'", "/a"),
        ("PDNS_CURL_OPTS='--cacert /a' PDNS_CA_BUNDLE=/b", "/b"),
        ("CURL_OPTS='--cacert /a'", "/a"),
    ):
        found = only(load(f"{base} {text}"))
        assert found is not None
        assert found.ca_bundle == expected


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("--max-time 30", "--max-time"),
        ("--retry 3 -s", "--retry"),
        ("-m30", "-m"),
        ("-u me:s3cret", "-u"),
        ("--proxy=p:1", "--proxy"),
        ("example", "example"),
        ("--header X-A:s3cret", "--header"),
    ],
)
def test_other_words_are_found_and_their_values_are_not_said(words: str, named: str) -> None:
    (found,) = load(f'CURL_OPTS="{words}"').findings
    assert found.message == f"CURL_OPTS: {named} does not act here"
    assert found.consequence == "the CA is reached without it"
    assert "s3cret" not in str(found)


def test_words_that_make_no_difference_are_not_mentioned() -> None:
    assert load('CURL_OPTS="-s -S -f -L --silent --show-error --fail --location -sSfL --compressed"').findings == ()


def test_socks_is_told() -> None:
    found = load("CURL_OPTS='-x socks5h://me:s3cret@p:1'")
    assert codes(found.findings) == ["socks-proxy"]
    assert found.settings.transport.https is None
    assert "s3cret" not in str(found)
    assert codes(load("", ALL_PROXY="socks5://p:1").findings) == ["socks-proxy"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-x", "-x lacks its value"),
        ("--cacert", "--cacert lacks its value"),
        ("-x ftp://p", "ftp:// is no proxy's scheme"),
        ("-x p:x", "no proxy"),
        ("--resolve a.example", "--resolve a.example: not understood"),
        ("--resolve a.example:0:192.0.2.1", "not understood"),
        ("--resolve a.example:1:elsewhere", "not understood"),
        ("--connect-timeout soon", "--connect-timeout soon: no seconds"),
        ("--connect-timeout 9999", "--connect-timeout 9999: no seconds"),
    ],
)
def test_what_curl_would_not_take_is_an_error_at_its_line(words: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(f'\nCURL_OPTS="{words}"')
    assert str(raised.value).startswith(f"{CONFIG}:2: CURL_OPTS: ")
    assert said in str(raised.value)


@given(st.text(max_size=60) | st.text(alphabet="-xk4:@/. as0", max_size=40))
def test_any_words_are_understood_or_an_error_with_its_place(text: str) -> None:
    values = Values({"CURL_OPTS": Assignment("CURL_OPTS", text, Location(CONFIG, 1))}, CONFIG)
    with suppress(ConfigError):
        found = curl_words(values, "CURL_OPTS")
        assert len(found.unknown) <= len(text)


def test_all_values_that_curl_would_not_take_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load("CURL_OPTS='-x ftp://p --resolve x --connect-timeout soon'\n")
    assert [word in caught.value.reason for word in ("ftp", "--resolve x", "--connect-timeout soon")] == [True] * 3
    assert caught.value.reason.count("CURL_OPTS") == 1
