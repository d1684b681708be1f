"""haproxy sends responses along from a file beside the certificate's, and takes new ones through its socket."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bed import binaries
from bed.ocspresponder import OcspResponder
from bed.services.haproxy import Haproxy
from bed.world import World
from builders.page import DEADLINE
from integration.ocsp.stapling import GOOD, NAME, NOTHING, sent_along, stapled_page
from integration.ocsp.test_runs import asked_again, serial
from integration.services.conftest import place as place  # noqa: PLC0414 - a fixture
from integration.services.deployed import Served, by_pid_file, probes

pytestmark = pytest.mark.real


@pytest.fixture
def page(place: Path, stapling_world: World, responder: OcspResponder) -> Served:
    return stapled_page(place, stapling_world, responder)


@pytest.fixture
def haproxy(page: Served, place: Path) -> Iterator[Haproxy]:
    """It has the certificate, as somebody put it there, and no response."""
    folder = place / "copies"
    folder.mkdir()
    copy = folder / f"{NAME}.pem"
    copy.write_bytes(b"".join(path.read_bytes() for path in page.pair(NAME)))
    copy.chmod(0o600)
    with Haproxy(folder) as bed:
        page.describe(
            haproxy={
                "config": bed.config,
                "files": {"fullchain+key": folder / "{alias}.pem"},
                "running": by_pid_file(bed.pid_file, "/usr/sbin/haproxy"),
                "socket": bed.socket,
                "probe": probes(bed.ports, "https"),
            }
        )
        page.configure(DEPLOY="haproxy")
        yield bed


def checked(haproxy: Haproxy) -> str:
    """What its own check of files has to say, in small letters."""
    words = [binaries.require("haproxy"), "-c", "-f", str(haproxy.config)]
    ended = subprocess.run(words, capture_output=True, text=True, check=True, timeout=DEADLINE)
    return (ended.stdout + ended.stderr).lower()


def test_a_response_goes_with_the_certificate_and_alone(
    page: Served, haproxy: Haproxy, place: Path, responder: OcspResponder
) -> None:
    port, staple = haproxy.ports["https"], place / "copies" / f"{NAME}.pem.ocsp"
    assert NOTHING in sent_along(port)
    done = page.run("--force")
    assert done.code == 0, done.text
    assert GOOD in sent_along(port)
    assert staple.read_bytes() == (page.place(NAME) / "ocsp.der").read_bytes()

    before, workers = (serial(page), staple.read_bytes()), haproxy.workers()
    page.configure(OCSP_DAYS="0")
    asked_again(page)
    responder.age = timedelta(minutes=1)
    done = page.run()
    assert (done.code, "1 OCSP response new, 1 deployed" in done.out) == (0, True), done.text
    assert (serial(page), haproxy.workers()) == (before[0], workers)
    assert staple.read_bytes() == (page.place(NAME) / "ocsp.der").read_bytes() != before[1]
    assert GOOD in sent_along(port)
    done = page.run()
    assert (done.code, "deployed" in done.out) == (0, False), done.text


def test_without_a_response_it_is_given_none_and_starts_without(
    page: Served, haproxy: Haproxy, place: Path, responder: OcspResponder
) -> None:
    port, staple = haproxy.ports["https"], place / "copies" / f"{NAME}.pem.ocsp"
    responder.http = 503
    done = page.run("--force")
    assert done.code == 0, done.text
    assert not staple.is_symlink()
    assert NOTHING in sent_along(port)
    assert "ocsp" not in checked(haproxy)

    responder.http = 200
    asked_again(page)
    assert page.run().code == 0
    assert GOOD in sent_along(port)
    first = staple.read_bytes()

    # The next certificate has none either, and the one that is there is about another one.
    responder.http = 503
    done = page.run("--force")
    assert done.code == 0, done.text
    assert not staple.exists(), first
    assert NOTHING in sent_along(port)
    assert "ocsp" not in checked(haproxy)
