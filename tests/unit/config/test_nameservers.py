import pytest

from certkeeper.base.names import DnsName
from certkeeper.config.errors import ConfigError
from certkeeper.config.settings import IgnoredServer, NameserverOverride, ServerAddress
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


def test_extra_nameservers_are_written_the_same_way() -> None:
    found = page('EXTRA_NAMESERVERS="192.0.2.9 example.org=[::1]:54"', "").settings.extra_nameservers
    assert found == (
        NameserverOverride(None, servers(("192.0.2.9", 53))),
        NameserverOverride(DnsName("example.org"), servers(("::1", 54))),
    )


def test_ignored_servers_by_name_address_and_zone() -> None:
    text = "ns3.Example.net 192.0.2.7 example.org=ns4.example.net,[2001:DB8::1] 127.0.0.1:5300 192.0.2.7"
    assert page(f'DNS_IGNORE="{text}"', "").settings.dns_ignore == (
        IgnoredServer(None, "ns3.example.net"),
        IgnoredServer(None, "192.0.2.7"),
        IgnoredServer(DnsName("example.org"), "ns4.example.net"),
        IgnoredServer(DnsName("example.org"), "2001:db8::1"),
        IgnoredServer(None, "127.0.0.1", 5300),
    )


def test_vantage_resolvers() -> None:
    found = page('VANTAGE_RESOLVERS="9.9.9.9 [2620:fe::fe]:53 9.9.9.9"', "").settings.vantage
    assert found == servers(("9.9.9.9", 53), ("2620:fe::fe", 53))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ('VALIDATING_RESOLVER="127.0.0.1"', ServerAddress("127.0.0.1", 53)),
        ('VALIDATING_RESOLVER="[::1]:5353"', ServerAddress("::1", 5353)),
    ],
)
def test_who_validates(text: str, found: ServerAddress | None) -> None:
    assert page(text, "").settings.dnssec.resolver == found


def test_a_trust_anchor_is_a_path() -> None:
    assert page("", "").settings.dnssec.trust_anchor == ""
    assert page('TRUST_ANCHOR="/usr/share/dns/root.key"', "").settings.dnssec.trust_anchor == "/usr/share/dns/root.key"


@pytest.mark.parametrize(
    ("text", "demand"), [("", "reachable"), ('PROPAGATION="all"', "all"), ('PROPAGATION="reachable"', "reachable")]
)
def test_whose_word_it_takes(text: str, demand: str) -> None:
    assert page(text, "").settings.demand == demand


@pytest.mark.parametrize(
    ("assignment", "reason"),
    [
        ('EXTRA_NAMESERVERS="a:0"', "a:0: "),
        ('DNS_IGNORE="=ns1"', "=ns1: no zone before ="),
        ('DNS_IGNORE="a..b"', "a..b: "),
        ('VANTAGE_RESOLVERS="[::1"', "[::1: "),
        ('VANTAGE_RESOLVERS="example.org=192.0.2.1"', "example.org=…: resolvers are for all zones"),
        ('VALIDATING_RESOLVER="192.0.2.1 192.0.2.2"', "more than one resolver's address"),
        ('VALIDATING_RESOLVER="example.org=192.0.2.1"', "more than one resolver's address"),
        ('VALIDATING_RESOLVER="resolver.example.org"', "resolver.example.org: not an address"),
        ('PROPAGATION="most"', "'most' is not known"),
    ],
)
def test_what_cannot_be_read_of_the_others_is_an_error_too(assignment: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        page(f"\n{assignment}", "")
    assert str(caught.value).startswith(f"{CONFIG}:2: {assignment.partition('=')[0]}: {reason}")
    assert caught.value.hint
