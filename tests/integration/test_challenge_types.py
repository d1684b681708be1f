"""http-01 and tls-alpn-01 with a CA that looks for itself: through a web server's folders and by our own listeners."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed import ports
from bed.powerdns import rrset
from bed.waiting import wait_until
from bed.webserver import WebServer
from bed.world import World
from builders.page import Page, assert_clean_dns, environment, openssl

ZONE = "example.org"
HOSTS = ("www", "mail", "api", "xn--mnchen-3ya")


@dataclass(frozen=True, slots=True)
class Bed:
    world: World
    http: int
    tls: int


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with ExitStack() as stack:
        http, tls = ports.reserve(), ports.reserve()
        stack.callback(ports.release, http, tls)
        world = World(
            tmp_path_factory.mktemp("world"),
            zones=(ZONE,),
            pebble={"http_port": http, "tls_port": tls},
            secondaries=0,
            dnssec=False,
        )
        stack.enter_context(world)
        world.primary.patch(ZONE, *(rrset(f"{host}.{ZONE}", "A", ["127.0.0.1"]) for host in HOSTS))
        yield Bed(world, http, tls)


@pytest.fixture
def page(bed: Bed, tmp_path: Path) -> Page:
    made = Page(tmp_path / "page", bed.world, WELLKNOWN=str(tmp_path / "web"), STATEDIR=str(tmp_path / "state"))
    (tmp_path / "web").mkdir()
    (made.folder / "alpn-certs").mkdir()
    return made


def web_server(bed: Bed, page: Page) -> WebServer:
    folder = Path(page.settings["WELLKNOWN"])
    return WebServer(folder.parent / "nginx", bed.http, bed.tls, folder, page.folder / "alpn-certs")


def assert_nothing_left(page: Page) -> None:
    assert list(Path(page.settings["WELLKNOWN"]).iterdir()) == []
    assert list((page.folder / "alpn-certs").iterdir()) == []
    assert "nothing due" in page.run().out


def addresses(page: Page, alias: str) -> set[str]:
    said = openssl("x509", "-in", page.place(alias) / "cert.pem", "-noout", "-ext", "subjectAltName")
    return {part.strip().removeprefix("IP Address:") for part in said.split("\n", 1)[1].split(",") if "IP" in part}


def test_through_the_folders_of_a_web_server(bed: Bed, page: Page) -> None:
    page.configure(CHALLENGETYPE="http-01 mail.example.org=tls-alpn-01")
    page.write_lines("www.example.org mail.example.org ip:127.0.0.1", "mail.example.org > again")
    with web_server(bed, page):
        done = page.run()
        assert done.code == 0, done.text
    assert page.verified_names("www.example.org") == {"www.example.org", "mail.example.org"}
    assert addresses(page, "www.example.org") == {"127.0.0.1"}
    assert page.verified_names("again") == {"mail.example.org"}
    assert_nothing_left(page)


def test_many_certificates_side_by_side_through_one_folder(bed: Bed, page: Page) -> None:
    """Each takes its own file away, and lets those be that others are writing."""
    names = [f"many{number}.example.org" for number in range(20)]
    bed.world.primary.patch(ZONE, *(rrset(name, "A", ["127.0.0.1"]) for name in names))
    page.write_lines(*names)
    page.configure(CHALLENGETYPE="http-01")
    with web_server(bed, page):
        done = page.run()
    assert done.code == 0, done.text
    assert_nothing_left(page)


def test_by_listeners_of_our_own(bed: Bed, page: Page) -> None:
    page.configure(
        CHALLENGETYPE="http-01 api.example.org=tls-alpn-01 ip:::1=tls-alpn-01",
        HTTP_LISTEN=f":{bed.http}",
        TLS_ALPN_LISTEN=f"127.0.0.1:{bed.tls} [::1]:{bed.tls}",
        WELLKNOWN="/nowhere",
    )
    page.write_lines("www.example.org münchen.example.org api.example.org ip:127.0.0.1 ip:::1")
    done = page.run()
    assert done.code == 0, done.text
    assert page.verified_names("www.example.org") == {
        "www.example.org",
        "xn--mnchen-3ya.example.org",
        "api.example.org",
    }
    assert addresses(page, "www.example.org") == {"127.0.0.1", "0:0:0:0:0:0:0:1"}
    assert not ports.accepts_tcp("127.0.0.1", bed.http)


def test_one_certificate_by_every_method(bed: Bed, page: Page) -> None:
    page.configure(
        CHALLENGETYPE="dns-01 http-01 mail.example.org=tls-alpn-01",
        HTTP_LISTEN=f"127.0.0.1:{bed.http}",
        TLS_ALPN_LISTEN=f"127.0.0.1:{bed.tls}",
    )
    page.write_lines("example.org *.example.org mail.example.org ip:127.0.0.1")
    shown = page.plan()
    assert "prove: ip:127.0.0.1 by http-01, answered at" in shown.out, shown.text
    done = page.run()
    assert done.code == 0, done.text
    assert page.verified_names("example.org") == {"example.org", "*.example.org", "mail.example.org"}
    assert_clean_dns(bed.world, "example.org")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"WELLKNOWN": "/nowhere/at/all"}, "/nowhere/at/all: the folder for challenge files is not there"),
        ({"HTTP_LISTEN": "127.0.0.1:{taken}"}, "HTTP_LISTEN 127.0.0.1:{taken}: cannot listen: address already in use"),
        ({"HTTP_LISTEN": "192.0.2.1:80"}, "HTTP_LISTEN 192.0.2.1:80: cannot listen"),
    ],
)
def test_what_cannot_be_served_is_said_before_an_order(
    bed: Bed, page: Page, settings: dict[str, str], reason: str
) -> None:
    with socket.create_server(("127.0.0.1", bed.http)):
        page.configure(
            CHALLENGETYPE="http-01", **{name: text.format(taken=bed.http) for name, text in settings.items()}
        )
        page.write_lines("www.example.org")
        bed.world.pebble.forget()
        error = page.run().only_error()
    assert reason.format(taken=bed.http) in error
    assert not any("order" in path for _, path in bed.world.pebble.requests())


def _shown(folder: Path) -> list[Path]:
    """Challenge files under their own names; a file in the making has another one."""
    return [path for path in folder.iterdir() if path.name != "foreign" and not path.name.startswith(".")]


def test_what_a_killed_run_left_is_removed_by_the_next(bed: Bed, page: Page) -> None:
    page.configure(CHALLENGETYPE="http-01")
    page.write_lines("www.example.org")
    folder = Path(page.settings["WELLKNOWN"])
    (folder / "foreign").write_text("foreign")
    command = [sys.executable, "-m", "certkeeper", "run", "--accept-terms", "--config", str(page.config)]
    # A server that takes connections and never answers: the CA waits, and the file stays.
    with socket.create_server(("127.0.0.1", bed.http)):
        run = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: len(_shown(folder)) == 1, "the challenge file is there")
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    (left,) = _shown(folder)
    assert left.stat().st_mode & 0o777 == 0o644
    assert left.read_text().startswith(f"{left.name}.")
    assert not left.read_text().endswith("\n")
    assert left.name in page.plan().out
    page.run()
    assert [path.name for path in folder.iterdir()] == ["foreign"]
