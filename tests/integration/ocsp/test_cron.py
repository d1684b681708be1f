"""OCSP_FETCH in the place of dehydrated: its lines, its hook, its files."""

from pathlib import Path

import pytest
from cryptography.x509.ocsp import OCSPCertStatus

from bed.ocspresponder import OcspResponder
from bed.world import World
from builders.page import Page
from integration.compat.installation import Installation, lines
from integration.ocsp.test_runs import asked_again, serial, stapled

pytestmark = pytest.mark.real
NAME = "cron.example"


@pytest.fixture
def one(tmp_path: Path, stapling_world: World, responder: OcspResponder) -> Installation:
    responder.reset()
    return Installation(tmp_path, stapling_world, NAME, OCSP_FETCH="yes").registered()


def test_a_response_comes_with_the_certificate(one: Installation, responder: OcspResponder) -> None:
    done = one.does("--cron")
    assert done.code == 0, done.text
    assert " + Updating OCSP stapling file" in done.out.splitlines()
    assert stapled(one.page, NAME) == serial(one.page, NAME)
    names = [call.split()[0] for call in one.hook.calls()]
    assert names.index("deploy_ocsp") == names.index("deploy_cert") + 1
    done = one.does("--cron")
    assert lines(done)[-1] == " + OCSP stapling file is still valid (skipping update)"
    assert len(responder.asked) == 1

    one.page.configure(OCSP_DAYS="0")
    asked_again(one.page)
    responder.statuses[serial(one.page, NAME)] = OCSPCertStatus.REVOKED
    before = serial(one.page, NAME)
    done = one.does("--cron")
    assert done.code == 0, done.text
    assert "REVOKED" in done.err
    assert serial(one.page, NAME) != before
    assert stapled(one.page, NAME) == serial(one.page, NAME)


@pytest.mark.row("I08")
def test_a_certificate_without_responder_is_in_order(tmp_path: Path, believer: World) -> None:
    one = Installation(tmp_path, believer, NAME, OCSP_FETCH="yes").registered()
    for _ in range(2):
        done = one.does("--cron")
        assert (done.code, "OCSP" in done.text) == (0, False), done.text


def test_plan_says_so_and_a_run_that_orders(tmp_path: Path, believer: World) -> None:
    page = Page(tmp_path / "page", believer, NAME, CHALLENGETYPE="http-01", WELLKNOWN=str(tmp_path), OCSP_FETCH="yes")
    assert (page.run().code, "OCSP" in page.plan().out) == (0, True)
    assert f"OCSP response of {NAME}: nothing to fetch" in page.plan().out
    assert "OCSP" not in page.run().text, "nothing is done"
    for done in (page.plan("--force"), page.run("--force")):
        assert done.out.count(f"note: there will be no OCSP response to fetch for {NAME}") == 1
        assert done.text.count("to fetch") == 1
