"""haproxy sends responses along from a file beside the certificate's, and takes new ones through its socket."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from bed.ocspresponder import OcspResponder
from bed.services.haproxy import Haproxy
from bed.world import World
from builders.page import DEADLINE
from integration.ocsp.test_runs import asked_again, serial
from integration.services.conftest import place as place  # noqa: PLC0414 - a fixture
from integration.services.deployed import Served, by_pid_file, probes

pytestmark = pytest.mark.real
NAME = "staple.example"


def status(bed: Haproxy) -> str:
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{bed.ports['https']}", "-servername", NAME, "-status"]
    ended = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    return ended.stdout


def test_a_response_goes_with_the_certificate_and_alone(
    place: Path,
    stapling_world: World,
    responder: OcspResponder,
) -> None:
    responder.reset()
    (place / "www").mkdir()
    page = Served(
        place / "page",
        stapling_world,
        NAME,
        CHALLENGETYPE="http-01",
        WELLKNOWN=str(place / "www"),
        OCSP_FETCH="yes",
    )
    assert page.run().code == 0
    copy = place / "copies" / f"{NAME}.pem"
    copy.parent.mkdir()
    copy.write_bytes(b"".join(path.read_bytes() for path in page.pair(NAME)))
    copy.chmod(0o600)
    with Haproxy(copy) as bed:
        page.describe(
            haproxy={
                "config": bed.config,
                "files": {
                    "fullchain+key": place / "copies" / "{alias}.pem",
                    "ocsp": place / "copies" / "{alias}.pem.ocsp",
                },
                "running": by_pid_file(bed.pid_file, "/usr/sbin/haproxy"),
                "socket": bed.socket,
                "probe": probes(bed.ports, "https"),
            }
        )
        page.configure(DEPLOY="haproxy")
        assert "OCSP response: no response sent" in status(bed)
        done = page.run("--force")
        assert done.code == 0, done.text
        assert "Cert Status: good" in status(bed)
        staple = copy.with_name(f"{copy.name}.ocsp")
        assert staple.read_bytes() == (page.place(NAME) / "ocsp.der").read_bytes()

        before, workers = (serial(page), staple.read_bytes()), bed.workers()
        page.configure(OCSP_DAYS="0")
        asked_again(page)
        responder.age = timedelta(minutes=1)
        done = page.run()
        assert (done.code, "1 OCSP response new, 1 deployed" in done.out) == (0, True), done.text
        assert (serial(page), bed.workers()) == (before[0], workers)
        assert staple.read_bytes() == (page.place(NAME) / "ocsp.der").read_bytes() != before[1]
        assert "Cert Status: good" in status(bed)
        done = page.run()
        assert (done.code, "deployed" in done.out) == (0, False), done.text
