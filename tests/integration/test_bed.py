"""The bed itself: that it does what the other tests lean on."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bed import lookups, ports
from bed.api import Api
from bed.faults import Answer, FaultProxy
from bed.namespace import Namespace
from bed.pebble import Pebble
from bed.powerdns import PowerDns, absolute, rrset, txt_rrset
from bed.process import AddressInUseError, DaemonFailedError, Process
from bed.waiting import stays_false, wait_until
from bed.world import World

pytestmark = pytest.mark.real

MakeWorld = Callable[..., World]


def published(world: World, zone: str, value: str = "proof") -> str:
    """A TXT patched at the primary and announced; its owner name."""
    owner = f"_acme-challenge.{zone}"
    world.primary.patch(zone, txt_rrset(owner, value))
    world.primary.notify(zone)
    return owner


def follows(world: World, owner: str, value: str = "proof") -> Callable[[], bool]:
    return lambda: value in world.secondary.txt(owner)


def test_pebble_answers_over_verified_tls(shared_world: World) -> None:
    pebble = shared_world.pebble
    directory = json.loads(pebble.fetch(pebble.directory_url))
    assert directory["newOrder"].startswith("https://localhost:")
    assert directory["meta"]["profiles"] == {"default": "ninety days"}


def test_pebble_is_not_trusted_without_its_bundle(shared_world: World) -> None:
    connection = http.client.HTTPSConnection("localhost", urlsplit(shared_world.pebble.directory_url).port, timeout=5)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.connect()
    connection.close()


def test_pebble_counts_requests_by_method_and_kind(shared_world: World) -> None:
    pebble = shared_world.pebble
    directory = json.loads(pebble.fetch(pebble.directory_url))
    pebble.forget()
    for _ in range(3):
        pebble.fetch(directory["newNonce"])
    assert pebble.counts() == {("GET", "/nonce-plz"): 3}


def test_pebble_has_as_many_roots_as_asked(tmp_path: Path) -> None:
    with Pebble(tmp_path / "ca", dns_server=("127.0.0.1", 9), hostile=True, alternate_roots=1) as pebble:
        assert len(set(pebble.roots())) == 2
        with pytest.raises(urllib.error.HTTPError, match="404"):
            pebble.root_pem(2)
        assert pebble.options["nonce_reject"] == 25
        assert "reject 25% of good nonces" in pebble.log.read_text()


def test_pebble_hands_out_an_rsa_issuer(tmp_path: Path) -> None:
    with Pebble(tmp_path / "ca", dns_server=("127.0.0.1", 9), key_algorithm="rsa") as pebble:
        certificate, key = pebble.intermediate()
    assert "BEGIN CERTIFICATE" in certificate
    assert "PRIVATE KEY" in key


def test_txt_reaches_the_secondary_after_notify(shared_world: World) -> None:
    zone = shared_world.new_zone()
    owner = published(shared_world, zone)
    assert shared_world.primary.txt(owner) == {"proof"}
    assert shared_world.primary.records(zone)[owner, "TXT"] == {'"proof"'}
    wait_until(follows(shared_world, owner), "the secondary serves it", deadline=8)
    assert shared_world.secondary.serial(zone) == shared_world.primary.serial(zone)


def test_without_notify_the_secondary_stays_behind(make_world: MakeWorld) -> None:
    # Each NOTIFY asked for makes a primary look later for other zones to tell of, so this one is nobody else's.
    world = make_world()
    owner = f"_acme-challenge.{world.zone}"
    world.primary.patch(world.zone, txt_rrset(owner, "proof"))
    assert stays_false(follows(world, owner), during=3)


def test_a_lagging_secondary_gets_it_late(make_world: MakeWorld) -> None:
    world = make_world(lag=1.5)
    start = time.monotonic()
    owner = published(world, world.zone)
    assert world.primary.txt(owner) == {"proof"}
    wait_until(follows(world, owner), "the secondary serves it", deadline=10)
    assert time.monotonic() - start >= 1.5


def test_a_deaf_secondary_never_gets_it(make_world: MakeWorld) -> None:
    world = make_world(lag=None)
    owner = published(world, world.zone)
    forwarder = world.secondary.forwarder
    assert forwarder is not None
    wait_until(lambda: forwarder.received, "the notify was sent")
    assert stays_false(follows(world, owner), during=3)


def test_zones_are_signed_on_both_sides(shared_world: World) -> None:
    zone = shared_world.new_zone()
    owner = published(shared_world, zone)
    wait_until(follows(shared_world, owner), "the secondary serves it")
    for server in (shared_world.primary, shared_world.secondary):
        assert lookups.signed(server.dns, zone, "SOA")
        assert lookups.signed(server.dns, owner, "TXT")
    plain = shared_world.new_zone(dnssec=False)
    assert not lookups.signed(shared_world.primary.dns, plain, "SOA")


def test_the_resolver_validates_what_it_has_an_anchor_for(make_world: MakeWorld) -> None:
    world = make_world(zones=["example.org"])
    owner = published(world, world.zone)
    wait_until(follows(world, owner), "the secondary serves it")
    resolver = world.resolver()
    plain = world.primary.create_zone("plain.test", dnssec=False)
    assert resolver.secure(owner, "TXT")
    assert lookups.txt(resolver.dns, owner) == {"proof"}
    assert lookups.txt(resolver.dns, f"other.{plain}") == frozenset()
    world.zones = [plain]
    insecure = world.resolver()
    assert lookups.serial(insecure.dns, plain) == world.primary.serial(plain)
    assert not insecure.secure(plain, "SOA")


def test_api_requests_are_counted_apart_from_the_beds_own(shared_world: World) -> None:
    primary = shared_world.primary
    zone = shared_world.new_zone()
    primary.recorder.forget()
    primary.patch(zone, txt_rrset(f"a.{zone}", "x"))
    assert primary.recorder.requests() == []
    client = Api(primary.api_url, primary.api_key)
    client.call("PATCH", f"/zones/{zone}", {"rrsets": [txt_rrset(f"b.{zone}", "y")]})
    client.rrsets(zone)
    client.rrsets(zone)
    path = f"/api/v1/servers/localhost/zones/{zone}"
    assert primary.recorder.counts() == {("PATCH", path): 1, ("GET", path): 2}
    assert json.loads(primary.recorder.requests()[0].body)["rrsets"][0]["name"] == f"b.{zone}"
    assert primary.txt(f"b.{zone}") == {"y"}


# What PowerDNS does with the serial on a change through its API: the reason why secondaries stay behind for good in
# zones made for SOA-EDIT-API=INCEPTION-INCREMENT, which is no value of SOA-EDIT-API.
@pytest.mark.parametrize(
    ("value", "moves"),
    [("DEFAULT", True), ("INCREASE", True), ("INCEPTION-INCREMENT", False), ("", False), ("OFF", False)],
)
def test_soa_edit_api_decides_whether_a_change_moves_the_serial(
    shared_world: World, value: str, *, moves: bool
) -> None:
    zone = shared_world.new_zone()
    shared_world.primary.set_soa_edit_api(zone, value)
    before = shared_world.primary.serial(zone)
    owner = published(shared_world, zone)
    assert (shared_world.primary.serial(zone) != before) == moves
    assert shared_world.primary.txt(owner) == {"proof"}
    if moves:
        wait_until(follows(shared_world, owner), "the secondary serves it")
    else:
        assert stays_false(follows(shared_world, owner), during=3)


@pytest.mark.parametrize("value", ["INCEPTION-INCREMENT", "", "SOA-EDIT", "DEFAULT", "INCREASE"])
def test_a_soa_in_the_change_moves_the_serial_whatever_soa_edit_api_says(shared_world: World, value: str) -> None:
    world, zone = shared_world, shared_world.new_zone()
    world.primary.set_soa_edit_api(zone, value)
    (soa,) = world.primary.records(zone)[zone, "SOA"]
    mname, rname, serial, *timers = soa.split()
    bumped = rrset(zone, "SOA", [" ".join([mname, rname, str(int(serial) + 1), *timers])], ttl=3600)
    owner = f"_acme-challenge.{zone}"
    world.primary.patch(zone, txt_rrset(owner, "proof"), bumped)
    served = world.primary.serial(zone)
    assert served is not None
    # the values that do their own counting count on from the serial given
    assert served - int(serial) == (2 if value in {"DEFAULT", "INCREASE"} else 1)
    world.primary.notify(zone)
    wait_until(follows(world, owner), "the secondary serves it")
    assert lookups.signed(world.secondary.dns, owner, "TXT")


def test_with_soa_edit_the_serial_served_counts_not_the_one_stored(shared_world: World) -> None:
    primary, zone = shared_world.primary, shared_world.new_zone(soa_edit_api="")

    def store(serial: int) -> int:
        """The serial served after it was stored."""
        timers = "10800 3600 604800 3600"
        primary.patch(zone, rrset(zone, "SOA", [f"ns1.{zone} hostmaster.{zone} {serial} {timers}"], ttl=3600))
        served = primary.serial(zone)
        assert served is not None
        return served

    primary.api.call("PUT", f"/zones/{zone}", {"soa_edit": "INCEPTION-INCREMENT"})
    served = store(2020010101)
    assert served > 2020010101
    assert store(2020010102) == served
    assert store(served + 1) > served


def test_a_daemon_that_dies_is_reported_at_once_with_its_log(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(DaemonFailedError, match="no such luck"):
        Process("dying", ["sh", "-c", "echo no such luck; exit 3"], tmp_path / "log", ready=lambda: False)
    assert time.monotonic() - start < 5
    assert Process.running == [each for each in Process.running if each.alive]


def test_a_daemon_that_ignores_term_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    stubborn = Process("stubborn", ["sh", "-c", script], log, ready=lambda: "up" in log.read_text())
    stubborn.stop(grace=0.3)
    assert not stubborn.alive


def test_other_ports_are_tried_when_one_is_taken_in_between(tmp_path: Path) -> None:
    tried: list[int] = []

    def start(free: tuple[int, ...]) -> str:
        tried.extend(free)
        if len(tried) == 1:
            raise AddressInUseError
        return "up"

    assert ports.on_free_ports(1, start) == "up"
    assert len(set(tried)) == 2
    ports.release(*tried)
    with PowerDns(tmp_path / "first") as first, pytest.raises(AddressInUseError):
        PowerDns(tmp_path / "second", port=first.dns[1])


def test_nothing_is_left_running(make_world: MakeWorld) -> None:
    world = make_world()
    pids = [world.primary.process.pid, world.secondary.process.pid, world.pebble.process.pid]
    os.kill(pids[0], signal.SIGKILL)
    world.stop()
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_a_namespace_has_real_low_ports_of_its_own(tmp_path: Path) -> None:
    with Namespace(resolver="127.0.0.53") as namespace:
        server = namespace.call(lambda: PowerDns(tmp_path / "inside", address="127.0.0.2", port=53))
        try:
            namespace.call(server.create_zone, "example.org")
            assert namespace.call(server.serial, "example.org") is not None
            assert not lookups.answers(("127.0.0.2", 53))
            seen = subprocess.run([*namespace.prefix, "cat", "/etc/resolv.conf"], capture_output=True, check=True)
            assert seen.stdout == b"nameserver 127.0.0.53\n"
        finally:
            server.stop()
        name = namespace.name
    assert not Path(f"/run/netns/{name}").exists()
    assert not Path(f"/etc/netns/{name}").exists()


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_missing_program_skips_on_a_laptop_but_fails_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[Exception]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("CERTKEEPER_PDNS_SERVER", str(tmp_path / "nowhere"))
    with pytest.raises(outcome, match="pdns_server is not here\nhint: install"):
        PowerDns(tmp_path / "server")


def test_names_are_made_absolute() -> None:
    assert absolute("example.org") == absolute("example.org.") == "example.org."


def test_a_request_that_was_cut_off_in_the_middle_is_none() -> None:
    """As of a client that is killed after it sent the head."""
    with FaultProxy("http://127.0.0.1:9", lambda _: Answer(200)) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
            client.sendall(b"POST /order-plz HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b""
        whole = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        whole.request("POST", "/order-plz", b"all of it.")
        assert whole.getresponse().status == 200
        whole.close()
        assert [asked.body for asked in proxy.requests()] == [b"all of it."]
