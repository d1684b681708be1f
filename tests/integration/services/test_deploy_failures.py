"""Services that do not take what they are given, and pages that ask for what cannot be."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.services.nginx import NginxHosts
from bed.world import World
from contract.services.scenes import Pair
from integration.services.deployed import Served, Table, by_pid_file, probes, shown

pytestmark = pytest.mark.real


def put_snakeoil(folder: Path, alias: str, name: str) -> tuple[Path, Path]:
    """What somebody put where the copies of a certificate are to be."""
    folder.mkdir(exist_ok=True)
    pair = Pair.new(name)
    certificate, key = folder / f"{alias}.crt", folder / f"{alias}.key"
    certificate.write_bytes(pair.fullchain)
    key.write_bytes(pair.key)
    key.chmod(0o600)
    return certificate, key


def copies(folder: Path) -> Table:
    return {"kind": "command", "files": {"fullchain": folder / "{alias}.crt", "privkey": folder / "{alias}.key"}}


def read(*paths: Path) -> list[bytes]:
    return [path.read_bytes() for path in paths]


def test_a_reload_that_fails_brings_the_copies_before_back_and_is_tried_again_when_asked(
    place: Path, shared_world: World, zone: str
) -> None:
    page = Served(place / "page", shared_world, f"{zone} > app", DEPLOY="app")
    pair = put_snakeoil(place / "certs", "app", zone)
    before = read(*pair)
    page.describe(app={**copies(place / "certs"), "reload": ["sh", "-c", "echo out of order; exit 1"], "probe": []})
    done = page.run()
    assert done.code == 1
    told = done.only_error()
    assert told.startswith("app: app: sh -c 'echo out of order; exit 1' ended with status 1: out of order; went back")
    assert "to try at once: certkeeper deploy app" in done.hints[0]
    assert "1 issued, 1 not deployed" in done.out
    assert read(*pair) == before

    page.describe(app={**copies(place / "certs"), "reload": ["touch", place / "told"], "probe": []})
    # Its time has not come.
    done = page.run()
    assert not (place / "told").exists(), done.text
    assert read(*pair) == before
    done = page.typed("deploy")
    assert (done.code, done.err) == (0, ""), done.text
    assert "app: reloaded for app\napp: app: unproven: nobody could look\n1 deployed unproven\n" in done.out
    assert read(*pair) == read(*page.pair("app"))
    assert (place / "told").exists()


@pytest.mark.long
def test_a_service_that_says_it_took_its_files_and_did_not_gets_those_before_back(
    place: Path, shared_world: World, zone: str
) -> None:
    page = Served(place / "page", shared_world, f"{zone} > app", DEPLOY="app")
    pair = put_snakeoil(place / "certs", "app", zone)
    with NginxHosts(place / "nginx", {zone: pair}) as nginx:
        told = {**copies(place / "certs"), "running": by_pid_file(nginx.pid_file, "/usr/sbin/nginx")}
        told["probe"] = probes(nginx.ports, "https")
        reload = ["nginx", "-s", "reload", "-c", nginx.config]
        page.describe(app={**told, "reload": reload})
        assert page.run().code == 0
        first, before = shown(nginx.ports["https"], zone), read(*pair)
        assert first == page.leaf("app")

        page.describe(app={**told, "reload": ["true"]})
        done = page.run("--force")
        assert done.code == 1
        at = f"https://{zone}:{nginx.ports['https']}@127.0.0.1"
        assert f"app: app: {at} still shows the certificate with serial " in done.only_error()
        assert "went back to version " in done.only_error()
        assert (shown(nginx.ports["https"], zone), read(*pair)) == (first, before)
        assert page.leaf("app") != first

        page.describe(app={**told, "reload": reload})
        done = page.typed("deploy")
        assert (done.code, done.err) == (0, ""), done.text
        assert shown(nginx.ports["https"], zone) == page.leaf("app")


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a listener that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


@pytest.mark.long
def test_a_port_that_hangs_leaves_it_unproven_and_is_waited_for_within_bounds(
    page: Served, nginx: NginxHosts, zone: str, silent: int
) -> None:
    table = {"config": nginx.config, "running": by_pid_file(nginx.pid_file, "/usr/sbin/nginx")}
    page.describe(nginx={**table, "probe": [*probes(nginx.ports, "https"), f"https://{{name}}:{silent}@127.0.0.1"]})
    began = time.monotonic()
    done = page.run()
    spent = time.monotonic() - began
    assert (done.code, done.err) == (0, ""), done.text
    words = f"unproven: https://{zone}:{silent}@127.0.0.1: no answer within 5 s"
    assert f"nginx: {zone}: {words}" in done.out
    assert "2 issued, 2 deployed unproven" in done.out
    assert shown(nginx.ports["https"], zone) == page.leaf(zone)
    assert nginx.reloads() == 1
    # Five seconds before and five after, for both at once.
    assert 10 <= spent < 15
    began = time.monotonic()
    assert page.run().code == 0
    assert time.monotonic() - began < 5
