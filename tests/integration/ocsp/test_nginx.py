"""nginx sends responses along, as openssl and gnutls-cli judge it; it reads them in place, and is reloaded for them."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509.ocsp import OCSPCertStatus

from bed import binaries
from bed.ocspresponder import OcspResponder
from bed.services.nginx import NginxHosts
from bed.waiting import wait_until
from bed.world import World
from builders.page import DEADLINE
from integration.ocsp.stapling import GOOD, NAME, sent_along, stapled_page
from integration.ocsp.test_runs import asked_again, serial, stapled
from integration.services.conftest import place as place  # noqa: PLC0414 - a fixture
from integration.services.deployed import Served, described

pytestmark = pytest.mark.real


@pytest.fixture
def page(place: Path, stapling_world: World, responder: OcspResponder) -> Served:
    """A must-staple certificate, from a CA that is known to have a responder."""
    return stapled_page(place, stapling_world, responder, OCSP_MUST_STAPLE="required")


@pytest.fixture
def nginx(page: Served, place: Path) -> Iterator[NginxHosts]:
    with NginxHosts(place / "nginx", {NAME: page.pair(NAME)}, {NAME: page.place(NAME) / "ocsp.der"}) as made:
        page.describe(nginx=described(made))
        page.configure(DEPLOY="nginx")
        yield made


def gnutls_takes_it(page: Served, nginx: NginxHosts) -> bool:
    root = page.folder / "root.pem"
    root.write_text(page.world.pebble.root_pem(), encoding="utf-8")
    words = [binaries.require("gnutls-cli"), "--x509cafile", str(root), "--port", str(nginx.ports["https"])]
    words += ["--sni-hostname", NAME, "--verify-hostname", NAME, "127.0.0.1"]
    ended = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    return ended.returncode == 0


def test_a_new_response_alone_is_one_reload(page: Served, nginx: NginxHosts, responder: OcspResponder) -> None:
    assert page.run().code == 0
    assert GOOD in sent_along(nginx.ports["https"])
    assert gnutls_takes_it(page, nginx)
    reloads = nginx.reloads()
    assert page.run().code == 0
    assert nginx.reloads() == reloads

    page.configure(OCSP_DAYS="0")
    asked_again(page)
    responder.age = timedelta(minutes=1)
    first = serial(page)
    done = page.run()
    assert (done.code, "1 OCSP response new, 1 deployed" in done.out) == (0, True), done.text
    assert (nginx.reloads(), serial(page)) == (reloads + 1, first)
    assert GOOD in sent_along(nginx.ports["https"])

    # Another certificate comes with its response: no client meets it without.
    done = page.run("--force")
    assert done.code == 0, done.text
    assert stapled(page) == serial(page) != first
    wait_until(lambda: gnutls_takes_it(page, nginx), "the new certificate with its response", deadline=3)

    responder.statuses[serial(page)] = OCSPCertStatus.REVOKED
    asked_again(page)
    done = page.run()
    assert (done.code, "REVOKED" in done.out) == (0, True), done.text
    wait_until(lambda: gnutls_takes_it(page, nginx), "the one after it", deadline=3)


@pytest.mark.long
def test_a_server_that_sends_none_along_does_not_keep_a_certificate_that_needs_one(page: Served, place: Path) -> None:
    page.configure(OCSP_MUST_STAPLE="no")
    assert page.run().code == 0
    plain = serial(page)
    with NginxHosts(place / "plain", {NAME: page.pair(NAME)}) as nginx:
        page.describe(nginx=described(nginx))
        page.configure(DEPLOY="nginx", OCSP_MUST_STAPLE="required")
        done = page.run()
        assert done.code == 1, done.text
        assert "sends no OCSP response along, and clients refuse the certificate without one" in done.err
        assert serial(page) == plain, "it went back"
        wait_until(lambda: gnutls_takes_it(page, nginx), "clients take the one before", deadline=3)
