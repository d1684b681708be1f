"""Version 0 of the API, that of PowerDNS 3, and servers that go by another id than most."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.bind import Bind
from bed.powerdns3 import PowerDns3
from builders.pdnshook import PdnsHook
from certkeeper.adapters.dns.powerdns_versions import AnyPowerDns
from certkeeper.adapters.http import HttpClient
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.config.settings import PowerDnsSettings, Secret
from certkeeper.zone.apex import Cut, OwnersRefused
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone

NAME = DnsName.parse("example.org")
OWNER = NAME.child("_acme-challenge")


def served(powerdns: PowerDns3, **more: object) -> AnyPowerDns:
    return AnyPowerDns(PowerDnsSettings(powerdns.url, Secret("k"), **more), HttpClient())  # type: ignore[arg-type]


@pytest.fixture
def old() -> Iterator[PowerDns3]:
    with PowerDns3("example.org") as powerdns:
        yield powerdns


def add(*values: str) -> ChangeSet:
    return ChangeSet((RecordChange(OWNER, "TXT", add=frozenset(f'"{value}"' for value in values)),))


def zone_of(dns: AnyPowerDns) -> Zone:
    return dns.zones([OWNER])[OWNER]


@pytest.mark.row("J08")
@pytest.mark.parametrize("version", [None, 0])
def test_the_version_is_found_out_where_it_is_not_set(old: PowerDns3, version: int | None) -> None:
    zone = zone_of(served(old, version=version))
    assert (zone.name, zone.id) == (NAME, "example.org.")
    assert (("GET", "/api") in old.asked) is (version is None)


def test_a_server_s_own_id_is_found_out() -> None:
    with PowerDns3("example.org", id_="ns1") as old:
        assert zone_of(served(old)).name == NAME
        with pytest.raises(CertkeeperError, match="Not Found"):
            served(old, server="elsewhere").zones([OWNER])


def test_values_are_added_and_taken_away_and_others_stay(old: PowerDns3) -> None:
    old.held.append(old.record("_acme-challenge.example.org", "TXT", '"other"', 300))
    dns = served(old)
    zone = zone_of(dns)
    dns.change(zone, add("t1", "t2"))
    assert old.txt("_acme-challenge.example.org") == {'"other"', '"t1"', '"t2"'}
    dns.change(zone, add("t1").invert())
    assert old.txt("_acme-challenge.example.org") == {'"other"', '"t2"'}
    patches = len([each for each in old.asked if each[0] == "PATCH"])
    dns.change(zone, add("t2"))
    assert len([each for each in old.asked if each[0] == "PATCH"]) == patches, "done already"


def test_the_last_value_takes_the_rrset_along(old: PowerDns3) -> None:
    dns = served(old)
    zone = zone_of(dns)
    dns.change(zone, add("t1"))
    dns.change(zone, add("t1").invert())
    assert old.bodies[-1]["rrsets"][0]["changetype"] == "DELETE"
    assert old.txt("_acme-challenge.example.org") == set()


@pytest.mark.parametrize(("soa_edit_api", "serial"), [("", 8), ("DEFAULT", 7)])
def test_the_serial_of_a_primary_is_raised_where_the_server_does_not(soa_edit_api: str, serial: int) -> None:
    with PowerDns3("example.org", kind="Master", soa_edit_api=soa_edit_api) as old:
        dns = served(old)
        dns.change(zone_of(dns), add("t1"))
        (soa,) = [item["content"] for item in old.held if item["type"] == "SOA"]
        assert soa.split()[2] == str(serial)
        dns.notify(zone_of(dns))
        assert old.asked[-1] == ("PUT", "/servers/localhost/zones/example.org./notify")


def test_cnames_and_cuts_are_seen(old: PowerDns3) -> None:
    old.held += [
        old.record("_acme-challenge.example.org", "CNAME", "acme.example.net"),
        old.record("sub.example.org", "NS", "ns.example.net"),
    ]
    dns = served(old)
    zone = zone_of(dns)
    below = DnsName.parse("_acme-challenge.sub.example.org")
    found = dns.aliases({zone: [OWNER, below]})
    assert found[OWNER] == DnsName.parse("acme.example.net")
    assert isinstance(found[below], Cut)
    with pytest.raises(OwnersRefused):
        dns.change(zone, add("t1"))


def test_only_zones_of_the_list_count(old: PowerDns3) -> None:
    assert served(old, zones=(DnsName.parse("example.net"),)).zones([OWNER]) == {}


@pytest.mark.real
def test_the_hook_on_such_a_server(old: PowerDns3, shared_bind: Bind, tmp_path: Path) -> None:
    """Nobody serves that zone, so the wait ends with what was published taken away again."""
    config = tmp_path / "config"
    config.write_text(
        f'PDNS_HOST="{old.url}"\nPDNS_KEY="k"\nPDNS_WAIT="1"\nNAMESERVERS="{shared_bind.server}"\nPDNS_NO_NOTIFY=yes\n'
    )
    hook = PdnsHook(config)
    done = hook.deploy("example.org", "f", "t1")
    assert done.code == 1, done.text
    assert [each[0] for each in old.asked].count("PATCH") == 2
    assert old.txt("_acme-challenge.example.org") == set()
    assert hook.inside("soa_edit", "example.org", "", "INCREASE").code == 0
    assert old.details["soa_edit_api"] == "INCREASE"
