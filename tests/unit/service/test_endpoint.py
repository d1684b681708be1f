from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.service.endpoint import SERVICES, BadEndpoint, Endpoint, Protocol, parse_endpoint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.org", Endpoint("example.org", 443, Protocol.TLS)),
        ("Example.ORG.:25", Endpoint("example.org", 25, Protocol.SMTP)),
        ("smtp://mail.example.org", Endpoint("mail.example.org", 25, Protocol.SMTP)),
        ("smtp://mail.example.org:2525/", Endpoint("mail.example.org", 2525, Protocol.SMTP)),
        ("https://[2001:DB8::1]:8443", Endpoint("2001:db8::1", 8443, Protocol.TLS)),
        ("[2001:db8::1]", Endpoint("2001:db8::1", 443, Protocol.TLS)),
        ("2001:db8::1", Endpoint("2001:db8::1", 443, Protocol.TLS)),
        ("example.org:993@192.0.2.1", Endpoint("example.org", 993, Protocol.TLS, "192.0.2.1")),
        ("xmpp-client://example.org@[2001:db8::2]", Endpoint("example.org", 5222, Protocol.XMPP_CLIENT, "2001:db8::2")),
        ("xmpps-client://example.org", Endpoint("example.org", 5223, Protocol.TLS, alpn="xmpp-client")),
        ("bücher.example:4190", Endpoint("xn--bcher-kva.example", 4190, Protocol.SIEVE)),
        ("example.org:12345", Endpoint("example.org", 12345, Protocol.TLS)),
    ],
)
def test_endpoints_are_read_as_people_write_them(text: str, expected: Endpoint) -> None:
    assert parse_endpoint(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gopher://example.org", "service gopher is not known"),
        ("example.org:0", "no port"),
        ("example.org:65536", "no port"),
        ("example.org:https", "no port"),
        ("[2001:db8::1", "bracket"),
        ("example.org@", "no host after @"),
        ("", "neither a host name"),
        ("1.2.3", "neither a host name"),
        ("a'b.example.org:5222", "character"),
        ("example.org@a b", "character"),
    ],
)
def test_what_is_no_endpoint_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(BadEndpoint) as caught:
        parse_endpoint(text)
    assert said in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("word", sorted(SERVICES))
def test_every_service_has_the_port_that_finds_its_protocol_again(word: str) -> None:
    endpoint = parse_endpoint(f"{word}://example.org")
    assert parse_endpoint(f"example.org:{endpoint.port}").protocol is endpoint.protocol


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("https://example.org", "https://example.org:443"),
        ("submissions://example.org@192.0.2.1", "submissions://example.org:465@192.0.2.1"),
        ("example.org:25", "smtp://example.org:25"),
    ],
)
def test_the_service_is_shown_as_it_was_typed(typed: str, shown: str) -> None:
    assert str(parse_endpoint(typed)) == shown


@given(st.text(max_size=80))
def test_any_text_is_an_endpoint_or_an_error_with_a_reason(text: str) -> None:
    with suppress(BadEndpoint):
        endpoint = parse_endpoint(text)
        assert 0 < endpoint.port < 65536
        assert not set(endpoint.name) & set("<>'\"& \r\n")
