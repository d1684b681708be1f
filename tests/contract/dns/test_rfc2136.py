"""Dynamic updates beyond the port's promises: sizes, keys, clocks, and servers that say no."""

import os
import subprocess
import sys
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bed import binaries
from bed.bind import KEY_NAME, SECRET, Bind
from certkeeper.adapters import page
from certkeeper.adapters.dns.rfc2136 import Rfc2136, UpdateRefused
from certkeeper.base.names import DnsName
from certkeeper.base.wire import TransportError
from certkeeper.config.keyfile import ALGORITHMS
from certkeeper.config.rfc2136 import rfc2136_settings
from certkeeper.config.shell import evaluate
from certkeeper.config.values import Values
from certkeeper.zone.apex import Cut, OwnersRefused
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone, txt_rdata
from contract.dns.others import BindProvider, rfc2136

real = pytest.mark.real


def add(owner: str, *values: str) -> ChangeSet:
    return ChangeSet.of([RecordChange(DnsName.parse(owner), "TXT", add=frozenset(map(txt_rdata, values)))])


def zone_of(dns: Rfc2136, owner: str) -> Zone:
    name = DnsName.parse(owner)
    return dns.zones([name])[name]


@real
def test_what_does_not_fit_one_message_goes_out_in_several(shared_bind: Bind) -> None:
    provider = BindProvider(shared_bind)
    zone = provider.make_zone()
    owners = [f"_acme-challenge.n{number}.{zone}" for number in range(100)]
    texts = [f"{number:03d}".ljust(700, "x") for number in range(2)]
    changes = ChangeSet.of(change for owner in owners for change in add(owner, *texts).changes)
    before = provider.writes()
    provider.dns.change(zone_of(rfc2136(shared_bind), zone), changes)
    assert provider.writes() - before == 3
    assert all(len(provider.get(zone, owner)) == 2 for owner in owners)
    provider.dns.change(zone_of(rfc2136(shared_bind), zone), changes.invert())
    assert not any(provider.get(zone, owner) for owner in owners)


@real
def test_the_server_raises_the_serial(shared_bind: Bind) -> None:
    zone = shared_bind.new_zone()
    dns = rfc2136(shared_bind)
    before = zone_of(dns, zone)
    dns.change(before, add(f"a.{zone}", "value"))
    assert zone_of(dns, zone).serial > before.serial
    assert before.raises_serial


@real
def test_names_that_are_delegated_away_are_told(shared_bind: Bind) -> None:
    provider = BindProvider(shared_bind)
    zone = provider.make_zone()
    dns = rfc2136(shared_bind)
    handle = zone_of(dns, zone)
    dns.change(handle, ChangeSet.of([RecordChange(DnsName(f"sub.{zone}"), "NS", add=frozenset({"ns.other.test."}))]))
    names = [DnsName(f"_acme-challenge.{label}{zone}") for label in ("a.sub.", "")]
    assert dns.aliases({handle: names}) == {names[0]: Cut(DnsName(f"sub.{zone}"), ("ns.other.test.",))}


@real
def test_two_that_change_one_owner_at_once_lose_nothing(shared_bind: Bind) -> None:
    provider = BindProvider(shared_bind)
    zone = provider.make_zone()
    handle = zone_of(rfc2136(shared_bind), zone)
    values = [f"value {number}" for number in range(16)]
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(provider.dns.change, handle, add(f"a.{zone}", value)) for value in values]:
            done.result(timeout=60)
    assert provider.get(zone, f"a.{zone}") == {f'"{value}"' for value in values}


@real
def test_a_name_that_is_a_cname_is_refused_and_named(shared_bind: Bind) -> None:
    zone = shared_bind.new_zone(records=["www CNAME elsewhere.example.net."])
    dns = rfc2136(shared_bind)
    with pytest.raises(OwnersRefused, match=rf"www.{zone} \(to elsewhere.example.net\)") as caught:
        dns.change(zone_of(dns, zone), add(f"www.{zone}", "beside a CNAME"))
    assert caught.value.owners == {DnsName(f"www.{zone}")}
    dns.change(zone_of(dns, zone), add(f"www.{zone}", "never there").invert())


@real
def test_a_zone_that_went_away_is_an_error_also_where_records_are_taken_away(shared_bind: Bind) -> None:
    zone = shared_bind.new_zone()
    dns = rfc2136(shared_bind)
    handle = zone_of(dns, zone)
    shared_bind.drop_zone(zone)
    for change in (add(f"a.{zone}", "value"), add(f"a.{zone}", "value").invert()):
        with pytest.raises(UpdateRefused, match=rf"zone {zone}: .*REFUSED"):
            dns.change(handle, change)


@real
def test_a_zone_that_cannot_be_loaded_does_not_pass_for_its_parent(shared_bind: Bind) -> None:
    parent = shared_bind.new_zone()
    shared_bind.break_zone(f"sub.{parent}")
    with pytest.raises(TransportError, match=rf"answers SERVFAIL for _acme-challenge.sub.{parent}"):
        rfc2136(shared_bind).zones([DnsName(f"_acme-challenge.sub.{parent}")])


@real
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"key_name": "stranger"}, r"key stranger is not known there \(BADKEY\)", id="name"),
        pytest.param({"algorithm": "hmac-sha512"}, r"is not known there \(BADKEY\)", id="algorithm"),
        pytest.param(
            {"secret": b64encode(b"x" * 32).decode()},
            rf"key {KEY_NAME} has another secret there \(BADSIG\)",
            id="secret",
        ),
    ],
)
def test_a_wrong_key_is_told_by_what_is_wrong_with_it(shared_bind: Bind, settings: dict[str, str], said: str) -> None:
    zone = shared_bind.new_zone()
    dns = rfc2136(shared_bind, **settings)
    with pytest.raises(UpdateRefused, match=rf"name server {shared_bind.server}: zone {zone}: .*{said}") as raised:
        dns.change(zone_of(dns, zone), add(f"a.{zone}", "value"))
    assert raised.value.hint
    assert SECRET not in str(raised.value)


@real
def test_a_zone_that_the_key_may_not_change(shared_bind: Bind) -> None:
    zone = shared_bind.new_zone(writable=False)
    dns = rfc2136(shared_bind)
    with pytest.raises(UpdateRefused, match=rf"zone {zone}: key {KEY_NAME} may not change it \(REFUSED\)") as raised:
        dns.change(zone_of(dns, zone), add(f"a.{zone}", "value"))
    assert "update-policy" in raised.value.hint


@real
def test_a_name_outside_the_zone(shared_bind: Bind) -> None:
    zone, other = shared_bind.new_zone(), shared_bind.new_zone()
    dns = rfc2136(shared_bind)
    with pytest.raises(UpdateRefused, match=rf"zone {zone}: .*NOTZONE"):
        dns.change(zone_of(dns, zone), add(f"a.{other}", "value"))


@real
@pytest.mark.parametrize(("offset", "said"), [("-2h", "behind"), ("+2h", "ahead of")])
def test_a_clock_that_is_wrong_is_told_with_the_difference(shared_bind: Bind, offset: str, said: str) -> None:
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        binaries.missing("libfaketime is not here", "install the Debian package faketime")
    zone = shared_bind.new_zone()
    program = (
        "import sys\n"
        "from certkeeper.adapters.dns.rfc2136 import Rfc2136\n"
        "from certkeeper.base.names import DnsName\n"
        "from certkeeper.config.rfc2136 import Rfc2136Settings\n"
        "from certkeeper.config.settings import Secret, ServerAddress\n"
        "from certkeeper.zone.changes import ChangeSet, RecordChange\n"
        "address, port, name, secret, zone = sys.argv[1:]\n"
        "dns = Rfc2136(Rfc2136Settings(ServerAddress(address, int(port)), name, 'hmac-sha256', Secret(secret)))\n"
        "owner = DnsName(zone)\n"
        "change = RecordChange(owner, 'TXT', add=frozenset({'\"value\"'}))\n"
        "try:\n"
        "    dns.change(dns.zones([owner])[owner], ChangeSet.of([change]))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    arguments = [shared_bind.dns[0], str(shared_bind.dns[1]), KEY_NAME, SECRET, zone]
    environment = {
        **os.environ,
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    # A second may pass between the question and the answer.
    assert any(
        f"this host's clock is {seconds} s {said} the server's (BADTIME)" in ran.stdout for seconds in range(7190, 7211)
    ), ran.stdout
    assert ran.stdout.startswith("UpdateRefused")


@real
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_keys_that_tsig_keygen_writes_are_understood(tmp_path: Path, algorithm: str) -> None:
    command = [binaries.require("tsig-keygen"), "-a", algorithm.partition(".")[0], "certkeeper.example.org"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    file = tmp_path / "key"
    file.write_text(made, encoding="utf-8")
    for mode, findings in ((0o600, 0), (0o640, 0), (0o644, 1)):
        file.chmod(mode)
        lines = f'RFC2136_SERVER="ns1"\nRFC2136_KEY_FILE="{file}"\n'
        values = Values({found.name: found for found in evaluate(lines, "config", {}).assignments}, "config")
        exchange = rfc2136_settings(values)
        step = next(exchange)
        with pytest.raises(StopIteration) as stopped:
            exchange.send(page.Files().perform(step))
        settings = stopped.value.value
        assert (settings.key_name, settings.algorithm) == ("certkeeper.example.org", algorithm)
        assert settings.secret.reveal() in made
        assert len(values.findings) == findings
    Rfc2136(settings)
