"""Whom SystemNameservers asks, as far as the operator decides. What DNS says is in integration/test_delegation.py."""

import pytest

from certkeeper.adapters.resolver import Named, SystemNameservers
from certkeeper.base.names import DnsName
from certkeeper.config.settings import IgnoredServer, NameserverOverride, ServerAddress
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import Server

ORG, NET = DnsName("example.org"), DnsName("example.net")


def address(last: int, port: int = 53) -> ServerAddress:
    return ServerAddress(f"127.0.0.{last}", port)


def override(zone: DnsName | None, *servers: ServerAddress) -> NameserverOverride:
    return NameserverOverride(zone, servers)


def asked(named: Named, zone: DnsName = ORG) -> list[tuple[str, int]]:
    return [(server.address, server.port) for server in SystemNameservers(named).of(zone).servers]


def test_a_zones_own_entry_wins() -> None:
    named = Named(instead=[override(None, address(1)), override(ORG, address(2), address(3, 5300))])
    assert asked(named) == [("127.0.0.2", 53), ("127.0.0.3", 5300)]
    assert asked(named, NET) == [("127.0.0.1", 53)]


def test_extra_servers_are_added_for_all_zones_and_for_one() -> None:
    named = Named(
        instead=[override(None, address(1))],
        extra=[override(None, address(2), address(1)), override(ORG, address(3)), override(NET, address(4))],
    )
    assert asked(named) == [("127.0.0.1", 53), ("127.0.0.2", 53), ("127.0.0.3", 53)]
    assert asked(named, NET) == [("127.0.0.1", 53), ("127.0.0.2", 53), ("127.0.0.4", 53)]


@pytest.mark.parametrize(
    ("rule", "zone", "left"),
    [
        (IgnoredServer(None, "127.0.0.1"), ORG, [("127.0.0.2", 5300), ("127.0.0.2", 5301)]),
        (IgnoredServer(ORG, "127.0.0.1"), ORG, [("127.0.0.2", 5300), ("127.0.0.2", 5301)]),
        (IgnoredServer(NET, "127.0.0.1"), ORG, [("127.0.0.1", 53), ("127.0.0.2", 5300), ("127.0.0.2", 5301)]),
        (IgnoredServer(None, "127.0.0.2"), ORG, [("127.0.0.1", 53)]),
        (IgnoredServer(None, "127.0.0.2", 5301), ORG, [("127.0.0.1", 53), ("127.0.0.2", 5300)]),
        (IgnoredServer(None, "127.0.0.3"), ORG, [("127.0.0.1", 53), ("127.0.0.2", 5300), ("127.0.0.2", 5301)]),
    ],
)
def test_ignored_servers(rule: IgnoredServer, zone: DnsName, left: list[tuple[str, int]]) -> None:
    everybody = override(None, address(1), address(2, 5300), address(2, 5301))
    found = SystemNameservers(Named(instead=[everybody], ignored=[rule])).of(zone)
    assert [(server.address, server.port) for server in found.servers] == left
    assert len(found.ignored) == 3 - len(left)


def test_a_name_is_ignored_with_all_its_addresses() -> None:
    named = Named(
        instead=[override(None, address(1), ServerAddress("localhost", 5300))],
        ignored=[IgnoredServer(None, "localhost")],
    )
    assert asked(named) == [("127.0.0.1", 53)]


def test_somebody_has_to_be_left() -> None:
    named = Named(instead=[override(None, address(1))], ignored=[IgnoredServer(None, "127.0.0.1")])
    with pytest.raises(ZoneError, match=r"DNS_IGNORE leaves no name server to ask: 127\.0\.0\.1$") as caught:
        asked(named)
    assert "DNS_IGNORE" in caught.value.hint


def test_vantage_resolvers_come_along() -> None:
    named = Named(instead=[override(None, address(1))], vantage=[address(9), address(9, 5353)])
    assert SystemNameservers(named).of(ORG).vantage == (
        Server("127.0.0.9", "127.0.0.9", 53),
        Server("127.0.0.9:5353", "127.0.0.9", 5353),
    )


@pytest.mark.parametrize("setting", ["NAMESERVERS", "EXTRA_NAMESERVERS", "VANTAGE_RESOLVERS"])
def test_a_host_that_cannot_be_resolved_is_named_with_its_setting(setting: str) -> None:
    nobody = ServerAddress("nobody.invalid")
    named = {
        "NAMESERVERS": Named(instead=[override(None, nobody)]),
        "EXTRA_NAMESERVERS": Named(instead=[override(None, address(1))], extra=[override(None, nobody)]),
        "VANTAGE_RESOLVERS": Named(instead=[override(None, address(1))], vantage=[nobody]),
    }[setting]
    with pytest.raises(ZoneError, match=f"^{setting}: nobody.invalid cannot be resolved"):
        asked(named)
