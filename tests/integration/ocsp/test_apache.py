"""Apache asks by itself: certkeeper gives it nothing, and looks at what it sends along."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.x509.ocsp import OCSPCertStatus

from bed.ocspresponder import OcspResponder
from bed.services.apache import Apache
from bed.world import World
from integration.ocsp.stapling import GOOD, NAME, NOTHING, sent_along, stapled_page
from integration.ocsp.test_runs import serial
from integration.services.conftest import place as place  # noqa: PLC0414 - a fixture
from integration.services.deployed import Served, by_pid_file, probes

pytestmark = pytest.mark.real
REFUSED = "sends no OCSP response along, and clients refuse the certificate without one"


@pytest.fixture
def page(place: Path, stapling_world: World, responder: OcspResponder) -> Served:
    """It has a plain certificate, and wants must-staple from now on."""
    made = stapled_page(place, stapling_world, responder)
    made.configure(DEPLOY="apache2")
    return made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


def apache(stack: ExitStack, page: Served, more: str = "") -> Apache:
    bed = stack.enter_context(Apache(page.folder / "apache", NAME, *page.pair(NAME), more))
    page.describe(
        apache2={
            "config": bed.config,
            "running": by_pid_file(bed.pid_file, "/usr/sbin/apache2"),
            "probe": probes(bed.ports, "https"),
        }
    )
    page.configure(OCSP_MUST_STAPLE="required")
    return bed


def test_its_own_response_is_what_counts(page: Served, stack: ExitStack) -> None:
    bed, plain = apache(stack, page, "SSLUseStapling on"), serial(page)
    done = page.run()
    assert (done.code, f"apache2: deployed {NAME}" in done.text) == (0, True), done.text
    assert serial(page) != plain
    assert GOOD in sent_along(bed.ports["https"])


def test_without_one_a_certificate_that_needs_it_goes_back(page: Served, stack: ExitStack) -> None:
    bed, plain = apache(stack, page), serial(page)
    done = page.run()
    assert (done.code, REFUSED in done.err) == (1, True), done.text
    assert serial(page) == plain
    assert NOTHING in sent_along(bed.ports["https"])


def test_a_bad_one_is_none(page: Served, stack: ExitStack, responder: OcspResponder) -> None:
    """Apache sends along what the responder says, whatever that is."""
    plain = serial(page)
    apache(stack, page, "SSLUseStapling on")
    page.configure(OCSP_FETCH="no")
    responder.status = OCSPCertStatus.UNKNOWN
    done = page.run()
    assert (done.code, "sends an OCSP response along that says unknown" in done.err) == (1, True), done.text
    assert serial(page) == plain
