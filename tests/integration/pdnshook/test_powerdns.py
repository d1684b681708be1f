"""certkeeper-pdns-hook on a real PowerDNS, primary and secondary: what is published, proven, and taken away again."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.faults import Answer, FaultyPowerDns
from bed.powerdns import rrset
from bed.waiting import wait_until
from bed.world import World
from builders.page import assert_clean_dns, certkeeper
from builders.pdnshook import PdnsHook

pytestmark = pytest.mark.real

MakeHook = Callable[..., PdnsHook]


def patches(world: World) -> list[str]:
    return [each.path for each in world.primary.recorder.requests() if each.method == "PATCH"]


def notifies(world: World) -> list[str]:
    return [each.path for each in world.primary.recorder.requests() if each.path.endswith("/notify")]


@pytest.mark.row("J01")
def test_apex_and_wildcard_are_one_rrset_in_one_change(hook: PdnsHook, shared_world: World, zone: str) -> None:
    shared_world.primary.recorder.forget()
    done = hook.deploy(zone, "f1", "t1", f"*.{zone}", "f2", "t2")
    assert (done.code, done.err) == (0, ""), done.text
    assert len(patches(shared_world)) == 1
    for server in (shared_world.primary, shared_world.secondary):
        assert server.txt(f"_acme-challenge.{zone}") == {"t1", "t2"}
    assert f"zone {zone}: served by" in done.out
    assert hook.clean(zone, "f1", "t1", f"*.{zone}", "f2", "t2").code == 0
    assert_clean_dns(shared_world, zone)


@pytest.mark.row("J02")
def test_names_in_two_zones_are_one_change_and_one_notify_each(make_hook: MakeHook, shared_world: World) -> None:
    zones = [shared_world.new_zone().removesuffix(".") for _ in range(2)]
    triples = [word for zone in zones for name in (zone, f"www.{zone}") for word in (name, "f", f"v-{name}")]
    hook = make_hook()
    shared_world.primary.recorder.forget()
    assert hook.deploy(*triples).code == 0
    assert sorted(patches(shared_world)) == [f"/api/v1/servers/localhost/zones/{zone}." for zone in sorted(zones)]
    assert len(notifies(shared_world)) == 2
    assert hook.clean(*triples).code == 0
    assert_clean_dns(shared_world, *zones)


@pytest.mark.row("J04")
def test_a_zone_of_the_challenge_name_s_own_is_used(make_hook: MakeHook, shared_world: World, zone: str) -> None:
    own = f"_acme-challenge.{zone}"
    shared_world.primary.create_zone(own, nameservers=[f"ns1.{zone}"], dnssec=False)
    shared_world.primary.patch(zone, rrset(own, "NS", [f"ns1.{zone}."]))
    hook = make_hook()
    shared_world.primary.recorder.forget()
    done = hook.deploy(zone, "f", "t1")
    assert set(patches(shared_world)) == {f"/api/v1/servers/localhost/zones/{own.replace('_', '=5F')}."}
    assert done.code == 0, done.text
    assert hook.clean(zone, "f", "t1").code == 0


@pytest.mark.row("J05")
def test_a_name_without_a_zone_fails_clearly_and_nothing_is_published(
    hook: PdnsHook, shared_world: World, zone: str
) -> None:
    done = hook.deploy(zone, "f", "t1", "www.example.co.uk", "f", "t2")
    assert done.code == 1
    assert "www.example.co.uk: no zone at PowerDNS" in done.only_error()
    assert_clean_dns(shared_world, zone)


@pytest.mark.long
@pytest.mark.row("J08")
def test_version_and_server_need_not_be_set_and_may_be(make_hook: MakeHook, zone: str) -> None:
    for settings in ({}, {"PDNS_VERSION": "1", "PDNS_SERVER": "localhost"}):
        hook = make_hook(**settings)
        assert hook.deploy(zone, "f", "t1").code == 0
        assert hook.clean(zone, "f", "t1").code == 0


@pytest.mark.row("J10")
@pytest.mark.parametrize(("word", "expected"), [("yes", 0), ("no", 1)])
def test_notify_can_be_switched_off_and_no_means_notify(
    make_hook: MakeHook, shared_world: World, zone: str, word: str, expected: int
) -> None:
    # Nobody is notified, so only the primary is asked.
    hook = make_hook(PDNS_NO_NOTIFY=word, NAMESERVERS=shared_world.primary.server)
    shared_world.primary.recorder.forget()
    assert hook.deploy(zone, "f", "t1").code == 0
    assert len(notifies(shared_world)) == expected
    assert hook.clean(zone, "f", "t1").code == 0


@pytest.mark.row("J11")
def test_a_native_zone_needs_no_notify(make_hook: MakeHook, shared_world: World) -> None:
    name = "native.example"
    shared_world.primary.create_zone(name, kind="Native", dnssec=False)
    hook = make_hook(NAMESERVERS=shared_world.primary.server)
    done = hook.deploy(name, "f", "t1")
    assert (done.code, done.err) == (0, ""), done.text
    assert hook.clean(name, "f", "t1").code == 0


@pytest.mark.row("J13", "J14")
def test_separate_calls_leave_each_other_s_values_alone(hook: PdnsHook, shared_world: World, zone: str) -> None:
    owner = f"_acme-challenge.{zone}"
    shared_world.primary.patch(zone, rrset(owner, "TXT", ['"somebody else"']))
    assert hook.deploy(zone, "f1", "t1").code == 0
    assert hook.deploy(zone, "f2", "t2").code == 0
    assert shared_world.primary.txt(owner) == {"somebody else", "t1", "t2"}
    assert hook.clean(zone, "f1", "t1").code == 0
    assert shared_world.primary.txt(owner) == {"somebody else", "t2"}
    assert f"zone {zone}: 1 challenge record withdrawn" in hook.clean(zone, "f2", "t2").out
    assert shared_world.primary.txt(owner) == {"somebody else"}
    assert f"zone {zone}: 0 challenge records withdrawn" in hook.clean(zone, "f2", "t2").out


@pytest.mark.row("J16")
def test_what_the_api_says_is_shown(make_hook: MakeHook, shared_world: World, zone: str) -> None:
    done = make_hook(PDNS_KEY="wrong").deploy(zone, "f", "t1")
    assert done.code == 1
    assert "the API key is refused" in done.only_error()
    refusal = b'{"error": "RRset is not to my liking"}'
    with FaultyPowerDns(shared_world.primary, lambda it: Answer(422, refusal) if it.method == "PATCH" else None) as it:
        done = make_hook(PDNS_HOST=it.url).deploy(zone, "f", "t1")
    assert done.code == 1
    assert "HTTP 422: RRset is not to my liking" in done.errors[0]
    done = make_hook(PDNS_SERVER="elsewhere").deploy(zone, "f", "t1")
    assert done.code == 1
    assert "Not Found" in done.only_error()


@pytest.mark.row("J17")
def test_soa_edit_is_shown_and_set(hook: PdnsHook, zone: str) -> None:
    done = hook.inside("soa_edit", zone, "INCEPTION-INCREMENT")
    assert (done.code, done.err) == (0, "")
    expected = f"zone {zone}: SOA-EDIT is INCEPTION-INCREMENT, SOA-EDIT-API is DEFAULT\n"
    assert done.out == expected
    assert hook.inside("soa_edit", zone).out == expected
    assert "SOA-EDIT-API is INCREASE" in hook.inside("soa_edit", zone, "", "INCREASE").out
    for words in (["BOGUS"], ["", "INCEPTION-INCREMENT"]):
        refused = hook.inside("soa_edit", zone, *words)
        assert (refused.code, f"{words[-1]}: PowerDNS does not know it" in refused.only_error()) == (1, True)
        assert "INCEPTION-EPOCH" in refused.err or "SOA-EDIT-INCREASE" in refused.err
    assert "SOA-EDIT-API is INCREASE" in hook.inside("soa_edit", zone).out
    assert hook.inside("soa_edit", zone, "inception-increment").code == 0
    assert hook.inside("soa_edit", "nowhere.example").code == 1
    assert hook.inside("soa_edit").code == 1


def test_what_is_not_served_in_time_fails_and_is_withdrawn(make_hook: MakeHook, shared_world: World, zone: str) -> None:
    # A secondary would have it in the end: the primary tells of zones by itself, too.
    hook = make_hook(PDNS_NO_NOTIFY="yes", PDNS_WAIT="2", NAMESERVERS="127.0.0.1:1")
    done = hook.deploy(zone, "f", "t1")
    assert done.code == 1
    told = done.only_error()
    assert told.startswith(f"zone {zone}: no name server confirms _acme-challenge.{zone} within 2.0 s")
    assert shared_world.primary.txt(f"_acme-challenge.{zone}") == set()


def test_one_zone_that_fails_takes_the_others_along(make_hook: MakeHook, shared_world: World, zone: str) -> None:
    """dehydrated does not call clean_challenge after a deploy_challenge that failed."""
    other = shared_world.new_zone().removesuffix(".")
    hook = make_hook(
        PDNS_NO_NOTIFY="yes",
        PDNS_WAIT="2",
        # Nobody is there. A secondary would have it in the end, as the primary tells it by itself once in a minute.
        NAMESERVERS=f"{zone}={shared_world.primary.server} {other}=127.0.0.1:1",
    )
    done = hook.deploy(zone, "f", "t1", other, "f", "t2")
    assert (done.code, len(done.errors)) == (1, 1), done.text
    for name in (zone, other):
        assert shared_world.primary.txt(f"_acme-challenge.{name}") == set()


@pytest.mark.parametrize("sign", [pytest.param(signal.SIGTERM, marks=pytest.mark.long), signal.SIGKILL])
def test_a_call_that_is_ended_leaves_nothing_for_long(
    make_hook: MakeHook, shared_world: World, zone: str, sign: signal.Signals
) -> None:
    """After SIGTERM it withdraws; after SIGKILL the next call does."""
    hook = make_hook(PDNS_NO_NOTIFY="yes", PDNS_WAIT="60")
    owner = f"_acme-challenge.{zone}"
    child = subprocess.Popen(
        hook.command("deploy_challenge", zone, "f", "t1"), cwd=hook.folder, env=hook.environment(), stdout=-3, stderr=-3
    )
    wait_until(lambda: shared_world.primary.txt(owner) == {"t1"}, "it is published")
    os.kill(child.pid, sign)
    child.wait(30)
    if sign == signal.SIGKILL:
        assert shared_world.primary.txt(owner) == {"t1"}
        hook.config.write_text(hook.config.read_text().replace('PDNS_NO_NOTIFY="yes"', ""))
        done = hook.deploy(zone, "f", "t2")
        assert (done.code, f"zone {zone}: 1 challenge record published" in done.out) == (0, True), done.text
        assert "1 record of an earlier call withdrawn" in done.out
        assert shared_world.primary.txt(owner) == {"t2"}
        assert hook.clean(zone, "f", "t2").code == 0
    assert shared_world.primary.txt(owner) == set()


def test_what_was_handed_over_is_no_killed_run_s(hook: PdnsHook, shared_world: World, zone: str) -> None:
    """Between the two calls no process of ours is there, and nobody may take the records for leftovers."""
    assert hook.deploy(zone, "f", "t1").code == 0
    done = certkeeper("dns", "cleanup", "--yes", "--config", hook.config, cwd=hook.folder)
    assert done.code == 0, done.text
    assert shared_world.primary.txt(f"_acme-challenge.{zone}") == {"t1"}
    assert hook.clean(zone, "f", "t1").code == 0


@pytest.mark.parametrize("named", [True, pytest.param(False, marks=pytest.mark.long)])
def test_only_zones_of_the_list_count(
    make_hook: MakeHook,
    shared_world: World,
    zone: str,
    named: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    hook = make_hook(**({"PDNS_ZONES_TXT": str(tmp_path / "zones.txt")} if named else {}))
    path = tmp_path / "zones.txt" if named else hook.folder / "zones.txt"
    path.write_text(f"# ours\nother.example\n\nno zone..\n{zone.upper()}.  # and this\n")
    done = hook.deploy(f"www.{zone}", "f", "t1")
    assert (done.code, "zones.txt:4: " in done.err, "ours" in done.err) == (0, True, False), done.text
    assert hook.clean(f"www.{zone}", "f", "t1").code == 0
    other = shared_world.new_zone().removesuffix(".")
    done = hook.deploy(other, "f", "t1")
    assert (done.code, f"{other}: no zone" in done.only_error()) == (1, True)


@pytest.mark.row("J22")
def test_the_names_of_the_first_versions_count_and_are_told(
    make_hook: MakeHook, shared_world: World, zone: str
) -> None:
    host, port = shared_world.primary.api_url.removeprefix("http://").split(":")
    hook = make_hook(
        without=("PDNS_HOST", "PDNS_KEY", "PDNS_WAIT"), HOST=host, PORT=port, KEY="secret", WAIT="20", VERSION="1"
    )
    done = hook.deploy(zone, "f", "t1")
    assert done.code == 0, done.text
    assert "names of pdns_api.sh before version 0.3" in done.err
    assert len(done.err.splitlines()) == 1
    assert hook.clean(zone, "f", "t1").code == 0


def test_settings_may_come_from_the_environment_and_a_missing_config_is_an_error(
    hook: PdnsHook, shared_world: World, zone: str
) -> None:
    given = {
        "CONFIG": "",
        "PDNS_HOST": shared_world.primary.api_url,
        "PDNS_KEY": "wrong",
    }
    there = hook.config.rename(hook.folder / "aside")
    assert "the API key is refused" in hook.deploy(zone, "f", "t1", env=given).only_error()
    there.rename(hook.config)
    for call in ("deploy_challenge", "clean_challenge"):
        done = hook.inside(call, zone, "f", "t1", env={**given, "CONFIG": "/nowhere/config"})
        assert (done.code, "/nowhere/config: " in done.only_error()) == (1, True), done.text
    # What the file says counts before.
    assert hook.deploy(zone, "f", "t1", env={"PDNS_KEY": "wrong"}).code == 0
    assert hook.clean(zone, "f", "t1").code == 0
