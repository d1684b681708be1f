"""`certkeeper dns doctor` on real zones of a primary and a secondary, each sick in its own way."""

import json
import os
import pty
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from bed import lookups
from bed.api import Json
from bed.namespace import without_resolver
from bed.powerdns import rrset, txt_rrset
from bed.waiting import wait_until
from bed.world import World
from builders.page import DEADLINE, Done, Page, environment

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
MakeWorld = Callable[..., World]


def findings(done: Done, zone: str) -> dict[str, dict[str, str]]:
    """What `doctor --json` found in the zone, by code."""
    (found,) = [item for item in json.loads(done.out)["zones"] if item["zone"] == zone]
    return {item["code"]: item for item in found["findings"]}


def soa(zone: str, *, minimum: int = 300) -> dict[str, Json]:
    return rrset(zone, "SOA", [f"ns1.{zone}. hostmaster.{zone}. 1 10800 3600 604800 {minimum}"], ttl=minimum)


def healthy(world: World, zone: str) -> None:
    """PowerDNS's own defaults keep the news of a missing name for an hour."""
    world.primary.patch(zone, soa(zone))
    world.primary.notify(zone)
    for secondary in world.secondaries:
        secondary.api.call("PUT", f"/zones/{zone}./axfr-retrieve")


def test_a_healthy_zone_is_healthy_but_for_what_cannot_be_known_here(make_page: MakePage, zone: str) -> None:
    page = make_page(f"{zone} *.{zone}")
    healthy(page.world, zone)
    done = page.dns("doctor")
    assert done.code == 0, done.text
    assert f"zone {zone}: primary, serial " in done.out
    assert "signed" in done.out
    for server in (page.world.primary, page.world.secondary):
        assert f"    {server.server}: serial " in done.out
    assert done.out.splitlines()[-1].startswith("1 zone: ")
    # Nothing on this machine delegates the zone.
    assert set(findings(page.dns("doctor", "--json"), zone)) <= {"delegation-unknown", "not-delegated"}


def test_settings_that_are_wrong_are_found_and_mended(make_page: MakePage, zone: str) -> None:
    page = make_page(f"www.{zone}")
    healthy(page.world, zone)
    primary = page.world.primary
    primary.api.call("PUT", f"/zones/{zone}.", {"soa_edit_api": "INCEPTION-INCREMENT", "api_rectify": False})
    # A name below one without records, written while nothing rectifies: denied, although it is there.
    primary.patch(zone, rrset(f"_25._tcp.mail.{zone}", "TLSA", ["3 1 1 " + "ab" * 32]))
    assert lookups.ask(primary.dns, f"_tcp.mail.{zone}.", "TXT").rcode() == 3
    before = primary.records(zone)
    found = findings(page.dns("doctor", "--json"), zone)
    assert {"soa-edit-api", "api-rectify"} <= set(found)
    assert found["soa-edit-api"]["fix"].endswith("SOA-EDIT-API DEFAULT")

    refused = page.dns("doctor", "--fix")
    assert refused.code == 1
    assert f"to do: zone {zone}: set SOA-EDIT-API to DEFAULT" in refused.out
    assert "--yes" in refused.err
    assert primary.api.call("GET", f"/zones/{zone}.?rrsets=false")["soa_edit_api"] == "INCEPTION-INCREMENT"

    done = page.dns("doctor", "--fix", "--yes")
    assert "1 zone mended, and read back" in done.out
    shown = primary.api.call("GET", f"/zones/{zone}.?rrsets=false")
    assert (shown["soa_edit_api"], shown["api_rectify"]) == ("DEFAULT", True)
    assert lookups.ask(primary.dns, f"_tcp.mail.{zone}.", "TXT").rcode() == 0
    assert primary.records(zone) == before
    assert not {"soa-edit-api", "api-rectify"} & set(findings(page.dns("doctor", "--json"), zone))
    assert "nothing that --fix can mend" in page.dns("doctor", "--fix").out


def test_the_zone_of_a_server_that_shows_the_inception_gets_the_pair_that_works(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.world.primary.api.call(
        "PUT", f"/zones/{zone}.", {"soa_edit_api": "SOA-EDIT", "soa_edit": "INCEPTION-INCREMENT"}
    )
    page.dns("doctor", "--fix", "--yes")
    assert page.world.primary.api.call("GET", f"/zones/{zone}.?rrsets=false")["soa_edit_api"] == "SOA-EDIT-INCREASE"
    found = findings(page.dns("doctor", "--json"), zone)
    assert "soa-edit-api" not in found
    assert found["soa-edit"]["severity"] == "note"


def answered(page: Page, answer: str) -> str:
    """`doctor --fix` on a terminal where a person types that answer; what they see."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*without_resolver(), sys.executable, "-m", "certkeeper", "dns", "doctor", "--fix", "--config", page.config],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
        text=True,
    ) as process:
        os.write(ours, f"{answer}\n".encode())
        seen, _ = process.communicate(timeout=DEADLINE)
    os.close(ours)
    os.close(theirs)
    return seen


def test_a_person_is_asked_and_no_is_the_default(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.world.primary.set_soa_edit_api(zone, "")
    assert "do it? [y/N]" in answered(page, "")
    assert "mended" not in answered(page, "n")
    assert "1 zone mended" in answered(page, "y")


def test_a_secondary_that_lags_and_one_that_is_dead_are_named(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(lag=None)
    page = make_page("www.example.org", world=world)
    world.primary.patch("example.org", txt_rrset("x.example.org", "news"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        # A port of our own that nobody answers at.
        dead.bind(("127.0.0.1", 0))
        page.configure(NAMESERVERS=f"{world.nameservers} 127.0.0.1:{dead.getsockname()[1]}")
        done = page.dns("doctor", "--json")
    assert done.code == 1
    found = findings(done, "example.org")
    assert world.secondary.server in found["server-lagging"]["message"]
    assert f"{dead}" not in done.text
    assert "no answer" in found["server-silent"]["message"]
    assert "server-ahead" not in found


def test_a_server_that_is_only_moments_behind_is_not_told(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(lag=1.5)
    page = make_page("www.example.org", world=world)
    world.primary.patch("example.org", txt_rrset("x.example.org", "news"))
    world.primary.notify("example.org")
    done = page.dns("doctor", "--json")
    assert "server-lagging" not in findings(done, "example.org")


def test_a_server_that_is_ahead_is_told_from_one_that_lags(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(lag=None)
    page = make_page("www.example.org", world=world)
    # Somebody wrote too large a serial, and took it back: the secondary fetches nothing any more.
    world.primary.set_soa_edit_api("example.org", "")
    world.primary.patch("example.org", rrset("example.org", "SOA", ["a.example. b.example. 4000000000 1 1 1 300"]))
    world.secondary.api.call("PUT", "/zones/example.org./axfr-retrieve")
    wait_until(lambda: world.secondary.serial("example.org") == 4_000_000_000, "the secondary has the large serial")
    world.primary.patch("example.org", rrset("example.org", "SOA", ["a.example. b.example. 3000000000 1 1 1 300"]))
    found = findings(page.dns("doctor", "--json"), "example.org")
    assert f"{world.secondary.server} has serial 4000000000" in found["server-ahead"]["message"]
    assert "server-lagging" not in found


def test_a_zone_that_is_not_signed_and_its_records_are_judged(make_page: MakePage, shared_world: World) -> None:
    zone = shared_world.new_zone(dnssec=False).removesuffix(".")
    page = make_page(zone)
    shared_world.primary.patch(
        zone,
        rrset(f"_25._tcp.mail.{zone}", "TLSA", ["3 1 1 " + "ab" * 32], ttl=86400),
        txt_rrset(f"_acme-challenge.{zone}", "left", ttl=7200),
    )
    found = findings(page.dns("doctor", "--json"), zone)
    assert {"unsigned", "tlsa-unsigned", "ttl-tlsa", "ttl-txt", "challenge-left", "negative-ttl"} <= set(found)


def test_kinds_that_cannot_be_written_to_and_zones_that_are_not_there(make_page: MakePage, shared_world: World) -> None:
    zone = shared_world.new_zone().removesuffix(".")
    page = make_page(zone, "www.nowhere.example")
    native = shared_world.primary.create_zone(f"native.{zone}", kind="Native").removesuffix(".")
    page.configure(PDNS_HOST=shared_world.secondary.api_url)
    done = page.dns("doctor")
    assert done.code == 1
    assert f"error: zone {zone}: a secondary at the server of PDNS_HOST" in done.out
    assert "error: no zone at their DNS provider holds www.nowhere.example" in done.out
    page.configure(PDNS_HOST=shared_world.primary.api_url)
    assert "of kind native" in page.dns("doctor", native).out
    done = page.dns("doctor", "nowhere.example")
    assert (done.code, "zone nowhere.example: not at its DNS provider" in done.out) == (1, True)
    done = page.dns("doctor", "not_a..name")
    assert done.code == 2


def test_no_private_key_is_asked_for_and_nothing_is_written(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.world.primary.recorder.forget()
    page.dns("doctor")
    asked = [(request.method, request.path) for request in page.world.primary.recorder.requests()]
    assert {method for method, _ in asked} == {"GET"}
    assert [path for _, path in asked if "cryptokeys" in path]
    assert all(path.endswith("/cryptokeys") for _, path in asked if "cryptokeys" in path)
    assert not (page.folder / "state").exists()


def test_powerdns_that_cannot_be_asked_is_an_error(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PDNS_HOST="http://127.0.0.1:9")
    done = page.dns("doctor")
    assert done.code == 1
    done.only_error()


def test_a_provider_that_is_down_is_one_finding_and_the_others_go_on(make_page: MakePage, zone: str) -> None:
    page = make_page(f"{zone} www.down.example", "down.example")
    healthy(page.world, zone)
    zones = page.folder / "zones"
    zones.mkdir()
    (zones / "down.example").write_text('PDNS_HOST="127.0.0.1:9"\nNAMESERVERS="127.0.0.1"\n')
    page.configure(ZONES_D=str(zones))
    done = page.dns("doctor", "--json")
    assert done.code == 1
    (ignored,) = [item for item in json.loads(done.out)["findings"] if item["code"] == "not-per-zone"]
    assert ignored["message"].startswith("NAMESERVERS: ")
    assert findings(done, zone).keys() <= {"delegation-unknown", "not-delegated"}
    (trouble,) = [item for item in json.loads(done.out)["findings"] if item["severity"] == "error"]
    assert trouble["code"] == "provider-unreadable"
    assert trouble["message"].startswith("http://127.0.0.1:9/")
    assert trouble["consequence"] == "not looked at: www.down.example, down.example"


def test_caa_tells_of_a_zone_whose_provider_cannot_be_set_up(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, "www.broken.example broken.example")
    zones = page.folder / "zones"
    zones.mkdir()
    key = page.folder / "nothing.key"
    (zones / "broken.example").write_text(
        f'DNS_PROVIDER="rfc2136"\nRFC2136_SERVER="127.0.0.1"\nRFC2136_KEY_FILE="{key}"\n'
    )
    page.configure(ZONES_D=str(zones))
    done = page.dns("caa")
    assert done.code == 1
    assert done.only_error() == f"{key}: cannot be read: no such file or directory"
    assert f"zone {zone}: " in done.out
    assert json.loads(page.dns("caa", "--json").out)["without_zone"] == []


@pytest.mark.long
def test_a_provider_that_hangs_is_told_and_waited_for_seconds_only(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, "down.example")
    zones = page.folder / "zones"
    zones.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as hung:
        address = f"127.0.0.1:{hung.getsockname()[1]}"
        (zones / "down.example").write_text(f'PDNS_HOST="{address}"\n')
        page.configure(ZONES_D=str(zones))
        done = page.dns("doctor", "--json")
    assert f"waiting for PowerDNS http://{address}" in done.err
    assert "no answer in time" in done.out
