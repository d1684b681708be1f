"""What the PowerDNS provider promises beyond the port, on every server that it knows."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bed.powerdns import rrset
from certkeeper.adapters.dns.powerdns import PowerDns
from certkeeper.adapters.dns.powerdns_api import PowerDnsError
from certkeeper.adapters.http import HttpClient
from certkeeper.base.wire import TransportError
from certkeeper.config.settings import PowerDnsSettings, Secret
from certkeeper.zone.apex import OwnersRefused
from contract.dns.providers import RealPowerDns, add, name, powerdns, zone_of


def test_two_that_change_one_zone_at_once_lose_nothing(real: RealPowerDns) -> None:
    zone = real.make_zone()
    owner = f"_acme-challenge.{zone}"
    handle = zone_of(real, owner)
    values = [f"value {number}" for number in range(16)]
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(real.dns.change, handle, add(owner, value)) for value in values]:
            done.result(timeout=60)
    assert real.get(zone, owner) == {f'"{value}"' for value in values}
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(real.dns.change, handle, add(owner, value).invert()) for value in values]:
            done.result(timeout=60)
    assert real.get(zone, owner) == frozenset()


def test_a_change_that_powerdns_refuses_is_told_in_its_own_words(real: RealPowerDns) -> None:
    zone = real.make_zone()
    with pytest.raises(PowerDnsError, match=f"zone {zone}: HTTP 422: .*elsewhere.example"):
        real.dns.change(zone_of(real, zone), add("www.elsewhere.example", "out of zone"))


def test_a_name_that_is_a_cname_is_refused_and_named(real: RealPowerDns) -> None:
    zone = real.make_zone()
    owner = f"www.{zone}"
    real.server.patch(zone, rrset(owner, "CNAME", [f"x.{zone}."]))
    with pytest.raises(OwnersRefused, match=f"{owner} .to x.{zone}") as caught:
        real.dns.change(zone_of(real, owner), add(owner, "beside a CNAME"))
    assert caught.value.owners == {name(owner)}
    assert real.get(zone, owner) == frozenset()


def test_records_that_somebody_keeps_disabled_survive(real: RealPowerDns) -> None:
    zone = real.make_zone()
    owner = f"_acme-challenge.{zone}"
    both = [{"content": '"on"', "disabled": False}, {"content": '"off"', "disabled": True}]
    real.server.patch(zone, {"name": f"{owner}.", "type": "TXT", "ttl": 60, "changetype": "REPLACE", "records": both})
    change = add(owner, "ours")
    for step in (change, change.invert()):
        real.dns.change(zone_of(real, owner), step)
    (found,) = [item for item in real.server.api.rrsets(f"{zone}.") if item["type"] == "TXT"]
    assert {(record["content"], record["disabled"]) for record in found["records"]} == {
        ('"on"', False),
        ('"off"', True),
    }


def test_a_zone_that_went_away_is_an_error_that_names_it(real: RealPowerDns) -> None:
    zone = real.make_zone()
    handle = zone_of(real, zone)
    real.server.api.call("DELETE", f"/zones/{zone}.")
    with pytest.raises(PowerDnsError, match=zone):
        real.dns.change(handle, add(f"_acme-challenge.{zone}", "value"))


def test_a_server_id_that_powerdns_does_not_have(real: RealPowerDns) -> None:
    dns = PowerDns(PowerDnsSettings(real.server.api_url, Secret("secret"), server="elsewhere"), HttpClient())
    with pytest.raises(PowerDnsError) as raised:
        dns.zones([name("example.org")])
    assert "PDNS_SERVER" in raised.value.hint


def test_a_wrong_key_and_a_closed_port_name_the_url(real: RealPowerDns) -> None:
    url = real.server.api_url
    with pytest.raises(PowerDnsError, match=rf"{url}.*API key is refused"):
        powerdns(url, "guess").zones([name("example.org")])
    with pytest.raises(TransportError, match=r"127\.0\.0\.1:9.*connection refused"):
        powerdns("http://127.0.0.1:9").zones([name("example.org")])


def test_notify_is_left_out_where_the_operator_wants_none(real: RealPowerDns) -> None:
    zone = real.make_zone()
    dns = powerdns(real.server.api_url, notify=False)
    handle = dns.zones([name(zone)])[name(zone)]
    real.server.recorder.forget()
    dns.notify(handle)
    assert real.server.recorder.requests() == []
