import pytest

from certkeeper.base.names import DnsName
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import NameserverOverride, ServerAddress
from unit.config.pages import CONFIG, page


def servers(*addresses: tuple[str, int]) -> tuple[ServerAddress, ...]:
    return tuple(ServerAddress(*address) for address in addresses)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", (), id="none"),
        pytest.param(
            "192.0.2.1 ns1.Example.org:5353",
            (NameserverOverride(None, servers(("192.0.2.1", 53), ("ns1.example.org", 5353))),),
            id="all zones",
        ),
        pytest.param(
            "2001:db8::1 [2001:DB8::2] [::1]:54",
            (NameserverOverride(None, servers(("2001:db8::1", 53), ("2001:db8::2", 53), ("::1", 54))),),
            id="IPv6",
        ),
        pytest.param(
            "Example.ORG=192.0.2.1,[::1]:54 192.0.2.9 example.org=192.0.2.2 example.net.=ns",
            (
                NameserverOverride(DnsName("example.org"), servers(("192.0.2.1", 53), ("::1", 54), ("192.0.2.2", 53))),
                NameserverOverride(None, servers(("192.0.2.9", 53))),
                NameserverOverride(DnsName("example.net"), servers(("ns", 53))),
            ),
            id="mixed",
        ),
    ],
)
def test_nameservers(text: str, expected: tuple[NameserverOverride, ...]) -> None:
    assert page(f'NAMESERVERS="{text}"', "").settings.nameservers == expected


@pytest.mark.parametrize(
    "text", ["a:0", "a:70000", "[::1", "[::1]x", "=192.0.2.1", "x=", "a..b", "1.2.3", "x=a,", "a_/"]
)
def test_what_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        page(f'\nNAMESERVERS="192.0.2.1 {text}"', "")
    assert str(caught.value).startswith(f"{CONFIG}:2: NAMESERVERS: {text}: ")
