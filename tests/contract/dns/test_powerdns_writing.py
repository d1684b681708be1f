"""Writing to PowerDNS beside others who write, and on servers that fail at it."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.faults import Answer, Asked, Fault, FaultProxy, HangUp
from bed.powerdns import PowerDns as Server
from bed.powerdns import rrset, txt_rrset
from bed.world import World
from certkeeper.adapters.claims import Claims
from certkeeper.adapters.dns.claimed import ClaimedDns
from certkeeper.adapters.dns.powerdns import RecordsLost
from certkeeper.adapters.dns.powerdns_api import PowerDnsError, ServerFailed
from certkeeper.apply.ports import Dns
from certkeeper.zone.apex import OwnersRefused
from certkeeper.zone.changes import ChangeSet
from contract.dns.providers import RealPowerDns, add, name, powerdns

pytestmark = pytest.mark.real

Proxied = Callable[[RealPowerDns, Callable[[Asked], Fault | None]], FaultProxy]


@pytest.fixture
def proxied() -> Iterator[Proxied]:
    """A proxy in front of a server, with a rule that may also do something in between."""
    with ExitStack() as stack:
        yield lambda real, rule: stack.enter_context(FaultProxy(real.server.api_url, rule))


@pytest.fixture
def old(shared_world: World) -> RealPowerDns:
    """A server that replaces RRsets as a whole."""
    return RealPowerDns(shared_world.primary)


@pytest.fixture
def new(trixie_server: Server) -> RealPowerDns:
    """A server that takes single records."""
    return RealPowerDns(trixie_server)


def change(dns: Dns, owner: str, changes: ChangeSet) -> None:
    dns.change(dns.zones([name(owner)])[name(owner)], changes)


def is_patch(asked: Asked) -> bool:
    return asked.method == "PATCH"


def is_read(asked: Asked) -> bool:
    """A look at records, not at the zone itself."""
    return (
        asked.method == "GET"
        and "/zones/" in asked.path
        and "rrsets=false" not in asked.path
        and not asked.path.endswith("/metadata")
    )


def changetypes(proxy: FaultProxy) -> list[list[str]]:
    """Of each PATCH."""
    patches = [json.loads(asked.body) for asked in proxy.requests() if asked.method == "PATCH"]
    return [[item["changetype"] for item in patch["rrsets"]] for patch in patches]


def test_single_records_where_the_server_takes_them(new: RealPowerDns, proxied: Proxied) -> None:
    proxy = proxied(new, lambda _: None)
    dns = powerdns(proxy.url)
    owner = f"_acme-challenge.{new.make_zone()}"
    change(dns, owner, add(owner, "one", "two"))
    change(dns, owner, add(owner, "one", "two").invert())
    assert changetypes(proxy) == [["EXTEND", "EXTEND"], ["PRUNE", "PRUNE"]]
    asked = [asked.path for asked in proxy.requests()]
    assert asked.count("/api/v1/servers/localhost") == 1
    assert sum(map(is_read, proxy.requests())) == 2


def test_whole_rrsets_elsewhere_and_a_look_afterwards(old: RealPowerDns, proxied: Proxied) -> None:
    proxy = proxied(old, lambda _: None)
    owner = f"_acme-challenge.{old.make_zone()}"
    change(powerdns(proxy.url), owner, add(owner, "one", "two"))
    assert changetypes(proxy) == [["REPLACE"]]
    assert sum(map(is_read, proxy.requests())) == 2


def test_nothing_is_asked_about_abilities_where_nothing_is_written(real: RealPowerDns, proxied: Proxied) -> None:
    proxy = proxied(real, lambda _: None)
    owner = f"_acme-challenge.{real.make_zone()}"
    change(powerdns(proxy.url), owner, add(owner, "never there").invert())
    assert not [asked for asked in proxy.requests() if asked.path.endswith(("/localhost", "/metadata", "/config"))]


def test_somebody_who_writes_between_our_look_and_our_change_loses_nothing_to_single_records(
    new: RealPowerDns, proxied: Proxied
) -> None:
    zone = new.make_zone()
    owner = f"_acme-challenge.{zone}"

    def rule(asked: Asked) -> None:
        if is_patch(asked):
            new.put(zone, owner, '"theirs"')

    change(powerdns(proxied(new, rule).url), owner, add(owner, "ours"))
    assert new.get(zone, owner) == {'"theirs"', '"ours"'}


@pytest.mark.parametrize("withdrawing", [False, True])
def test_our_records_that_somebody_undid_come_again(
    old: RealPowerDns,
    proxied: Proxied,
    withdrawing: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    zone = old.make_zone()
    owner = f"_acme-challenge.{zone}"
    changes = add(owner, "ours")
    if withdrawing:
        old.put(zone, owner, '"ours"')
        changes = changes.invert()
    looks = 0

    def rule(asked: Asked) -> None:
        nonlocal looks
        looks += is_read(asked)
        if is_read(asked) and looks == 2:  # they had looked before we wrote, and write now
            old.put(zone, owner, '"theirs"', *(['"ours"'] if withdrawing else []))

    proxy = proxied(old, rule)
    change(powerdns(proxy.url), owner, changes)
    assert old.get(zone, owner) == {'"theirs"'} | (set() if withdrawing else {'"ours"'})
    assert len(changetypes(proxy)) == 2


def test_somebody_who_undoes_it_each_time_is_told(old: RealPowerDns, proxied: Proxied) -> None:
    zone = old.make_zone()
    owner = f"_acme-challenge.{zone}"

    def rule(asked: Asked) -> None:
        if is_read(asked):
            old.put(zone, owner, '"theirs"')

    proxy = proxied(old, rule)
    with pytest.raises(RecordsLost, match=f"zone {zone}: another program") as caught:
        change(powerdns(proxy.url), owner, add(owner, "ours"))
    assert owner in caught.value.hint
    assert len(changetypes(proxy)) == 5


def test_a_server_that_does_not_know_the_changetype_gets_whole_rrsets_from_then_on(
    new: RealPowerDns, proxied: Proxied
) -> None:
    zone = new.make_zone()
    owner = f"_acme-challenge.{zone}"

    def rule(asked: Asked) -> Fault | None:
        if is_patch(asked) and b"EXTEND" in asked.body:
            return Answer(422, b'{"error": "Changetype not understood"}')
        return None

    proxy = proxied(new, rule)
    dns = powerdns(proxy.url)
    change(dns, owner, add(owner, "one"))
    change(dns, owner, add(owner, "two"))
    assert new.get(zone, owner) == {'"one"', '"two"'}
    assert changetypes(proxy) == [["EXTEND"], ["REPLACE"], ["REPLACE"]]


def test_an_rrset_with_a_disabled_record_is_written_as_a_whole_beside_single_records(
    new: RealPowerDns, proxied: Proxied
) -> None:
    zone = new.make_zone()
    with_disabled, without = f"_acme-challenge.a.{zone}", f"_acme-challenge.b.{zone}"
    records = [{"content": '"off"', "disabled": True}, {"content": '"on"', "disabled": False}]
    new.server.patch(zone, {**txt_rrset(with_disabled), "changetype": "REPLACE", "records": records})
    proxy = proxied(new, lambda _: None)
    both = ChangeSet.of([*add(with_disabled, "x").changes, *add(without, "x").changes])
    change(powerdns(proxy.url), with_disabled, both)
    assert changetypes(proxy) == [["REPLACE", "EXTEND"]]
    (found,) = [each for each in new.server.api.rrsets(f"{zone}.") if each["name"] == f"{with_disabled}."]
    assert {(record["content"], record["disabled"]) for record in found["records"]} == {
        ('"off"', True),
        ('"on"', False),
        ('"x"', False),
    }


def test_comments_and_the_way_that_others_cut_their_texts_stay(real: RealPowerDns) -> None:
    zone = real.make_zone()
    owner = f"_acme-challenge.{zone}"
    theirs = rrset(owner, "TXT", ['"th" "eirs"']) | {"comments": [{"content": "mind this", "account": "them"}]}
    real.server.patch(zone, theirs)
    for changes in (add(owner, "ours"), add(owner, "ours").invert()):
        change(real.dns, owner, changes)
    (found,) = [each for each in real.server.api.rrsets(f"{zone}.") if each["name"] == f"{owner}."]
    assert [record["content"] for record in found["records"]] == ['"th" "eirs"']
    assert [comment["content"] for comment in found["comments"]] == ["mind this"]


def test_a_cname_is_seen_in_a_zone_that_is_too_large_to_be_read(real: RealPowerDns, proxied: Proxied) -> None:
    zone = real.make_zone()
    alias, owner = f"_acme-challenge.alias.{zone}", f"_acme-challenge.{zone}"
    real.server.patch(zone, rrset(alias, "CNAME", [f"x.{zone}."]))
    real.put(zone, owner, '"theirs"')

    def rule(asked: Asked) -> Fault | None:
        return Answer(200, bytes(50_000_000)) if is_read(asked) and "?" not in asked.path else None

    dns = powerdns(proxied(real, rule).url)
    change(dns, owner, add(owner, "ours"))
    assert real.get(zone, owner) == {'"theirs"', '"ours"'}
    with pytest.raises(OwnersRefused, match="a CNAME stands where"):
        change(dns, alias, add(alias, "beside"))
    assert real.get(zone, alias) == frozenset()


def test_a_locked_database_is_waited_for(old: RealPowerDns, proxied: Proxied) -> None:
    zone = old.make_zone()
    owner = f"_acme-challenge.{zone}"
    with sqlite3.connect(old.server.folder / "pdns.sqlite3", isolation_level=None, check_same_thread=False) as database:

        def rule(asked: Asked) -> None:
            if is_patch(asked):
                database.execute("BEGIN IMMEDIATE" if asked.nth == 1 else "ROLLBACK")

        proxy = proxied(old, rule)
        change(powerdns(proxy.url), owner, add(owner, "value"))
    database.close()
    assert old.get(zone, owner) == {'"value"'}
    assert len(changetypes(proxy)) == 2


def test_a_server_that_fails_each_time_is_told(real: RealPowerDns, proxied: Proxied) -> None:
    zone = real.make_zone()
    owner = f"_acme-challenge.{zone}"
    proxy = proxied(real, lambda asked: Answer(500, b'{"error":"broken"}') if is_patch(asked) else None)
    with pytest.raises(ServerFailed, match=f"zone {zone}: HTTP 500: broken"):
        change(powerdns(proxy.url), owner, add(owner, "value"))
    assert len(changetypes(proxy)) == 5


def test_a_change_whose_answer_is_a_proxys_failure_is_not_made_twice(real: RealPowerDns, proxied: Proxied) -> None:
    zone = real.make_zone()
    owner = f"_acme-challenge.{zone}"

    def rule(asked: Asked) -> Fault | None:
        if not is_patch(asked):
            return None
        real.server.api.call("PATCH", f"/zones/{zone}.", json.loads(asked.body))
        return Answer(504, b"<html>Gateway Time-out</html>")

    proxy = proxied(real, rule)
    change(powerdns(proxy.url), owner, add(owner, "value"))
    assert real.get(zone, owner) == {'"value"'}
    assert len(changetypes(proxy)) == 1


def test_a_connection_that_breaks_is_not_tried_again(real: RealPowerDns, proxied: Proxied) -> None:
    owner = f"_acme-challenge.{real.make_zone()}"
    proxy = proxied(real, lambda asked: HangUp() if is_patch(asked) else None)
    with pytest.raises(Exception, match="connection broke"):
        change(powerdns(proxy.url), owner, add(owner, "value"))
    assert len(changetypes(proxy)) == 1


def test_a_zone_that_vanishes_between_our_look_and_our_change(real: RealPowerDns, proxied: Proxied) -> None:
    zone = real.make_zone()
    owner = f"_acme-challenge.{zone}"

    def rule(asked: Asked) -> None:
        if is_patch(asked):
            real.server.api.call("DELETE", f"/zones/{zone}.")

    with pytest.raises(PowerDnsError, match=f"zone {zone}: HTTP 404") as caught:
        change(powerdns(proxied(real, rule).url), owner, add(owner, "value"))
    assert caught.value.hint == "was the zone deleted meanwhile?"


def test_zones_are_written_side_by_side_and_none_is_lost(real: RealPowerDns) -> None:
    owners = [f"_acme-challenge.{real.make_zone()}" for _ in range(8)]
    dns = powerdns(real.server.api_url)
    handles = dns.zones([name(owner) for owner in owners])
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(dns.change, handles[name(owner)], add(owner, owner)) for owner in owners]:
            done.result(timeout=60)
    for owner in owners:
        assert real.get(owner.partition(".")[2], owner) == {f'"{owner}"'}


def test_two_runs_at_one_zone_at_once(real: RealPowerDns, tmp_path: Path) -> None:
    zone = real.make_zone()
    owner = f"_acme-challenge.{zone}"
    with ExitStack() as stack:
        runs: list[Dns] = []
        for _ in range(2):
            claims = Claims(str(tmp_path / "state"))
            stack.callback(claims.close)
            runs.append(ClaimedDns(powerdns(real.server.api_url), claims))
        handle = runs[0].zones([name(owner)])[name(owner)]
        every = [add(owner, f"value {number}") for number in range(12)]
        for changes, left in ((every, 12), ([each.invert() for each in every], 0)):
            with ThreadPoolExecutor(4) as threads:
                for done in [threads.submit(runs[n % 2].change, handle, each) for n, each in enumerate(changes)]:
                    done.result(timeout=60)
            assert len(real.get(zone, owner)) == left


def test_two_machines_at_one_zone_at_once_where_the_server_takes_single_records(new: RealPowerDns) -> None:
    zone = new.make_zone()
    owner = f"_acme-challenge.{zone}"
    runs = [powerdns(new.server.api_url) for _ in range(2)]
    handle = runs[0].zones([name(owner)])[name(owner)]
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(runs[n % 2].change, handle, add(owner, f"value {n}")) for n in range(12)]:
            done.result(timeout=60)
    assert new.get(zone, owner) == {f'"value {n}"' for n in range(12)}


@pytest.mark.parametrize("told", [True, False])
def test_eight_zones_at_once_cost_sqlite_no_second_try_where_it_is_named(
    old: RealPowerDns,
    proxied: Proxied,
    told: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    owners = [f"_acme-challenge.{old.make_zone()}" for _ in range(8)]
    proxy = proxied(old, lambda asked: None if told or not asked.path.endswith("/config") else Answer(403, b"{}"))
    provider = powerdns(proxy.url)
    handles = provider.zones([name(owner) for owner in owners])
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(provider.change, handles[name(owner)], add(owner, owner)) for owner in owners]:
            done.result(timeout=60)
    assert all(old.get(owner.partition(".")[2], owner) == {f'"{owner}"'} for owner in owners)
    assert len(changetypes(proxy)) == 8 or not told
