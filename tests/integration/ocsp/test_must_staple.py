"""OCSP_MUST_STAPLE at real CAs: one with a responder, one without, and one that refuses it when it is to sign."""

import base64
import json
from pathlib import Path

import pytest
from cryptography import x509

from bed.faults import Answer, Asked, Fault, FaultyPebble
from bed.ocspresponder import OcspResponder
from bed.world import World
from builders.page import Page
from certkeeper.lineage.leaf import parse_leaf
from integration.ocsp.test_runs import NAME, serial, stapled

pytestmark = pytest.mark.real
OTHER = "other.example"
REFUSAL = {
    "type": "urn:ietf:params:acme:error:unauthorized",
    "detail": "OCSP must-staple extension is no longer available",
    "status": 403,
}


def must_staple(page: Page, name: str = NAME) -> bool:
    return parse_leaf((page.place(name) / "cert.pem").read_bytes()).must_staple


def unable(folder: Path, world: World, **settings: str) -> Page:
    """At a CA whose certificates name no responder."""
    world.pebble.forget()
    return Page(folder / "page", world, NAME, CHALLENGETYPE="http-01", WELLKNOWN=str(folder), **settings)


def test_the_first_certificate_shows_that_the_ca_has_a_responder(page: Page) -> None:
    page.configure(OCSP_MUST_STAPLE="yes")
    page.write_lines(NAME, OTHER)
    page.certificate_config(OTHER, OCSP_MUST_STAPLE="no")
    done = page.run()
    assert (done.code, f"note: must-staple is not requested yet for {NAME}: " in done.out) == (0, True), done.text
    assert not must_staple(page)
    first = serial(page, OTHER)
    assert f"order: {NAME}, must-staple" in page.plan().out
    done = page.run()
    assert (done.code, must_staple(page), stapled(page)) == (0, True, serial(page)), done.text
    assert (must_staple(page, OTHER), serial(page, OTHER)) == (False, first)
    assert "2 certificates, nothing due" in page.run().out


def test_a_ca_without_responder_is_asked_for_nothing_more(tmp_path: Path, believer: World) -> None:
    page = unable(tmp_path, believer, OCSP_MUST_STAPLE="yes")
    assert page.run().code == 0
    done = page.run("--force")
    assert (done.code, f"warning: must-staple is not requested for {NAME}: " in done.out) == (0, True), done.text
    assert not must_staple(page)

    page.configure(OCSP_MUST_STAPLE="required")
    believer.pebble.forget()
    first = serial(page)
    done = page.run("--force")
    assert (done.code, 'OCSP_MUST_STAPLE is "required", and no certificate of' in done.err) == (1, True), done.text
    assert believer.pebble.counts()["POST", "/order-plz"] == 0
    assert serial(page) == first


def test_a_certificate_that_nobody_could_staple_is_never_staged(tmp_path: Path, believer: World) -> None:
    page = unable(tmp_path, believer, OCSP_MUST_STAPLE="required")
    done = page.run()
    assert (done.code, "names no responder" in done.only_error()) == (1, True), done.text
    assert (page.live(), page.stamps(NAME)) == (set(), set())
    kept = next((page.folder / "state/rejected").iterdir())
    assert parse_leaf(kept.read_bytes()).must_staple, "the CA gave it out"


def refusing(asked: Asked) -> Fault | None:
    """As Let's Encrypt does."""
    return (
        Answer(403, json.dumps(REFUSAL).encode(), {"Content-Type": "application/problem+json"})
        if wants(asked)
        else None
    )


def wants(asked: Asked) -> bool:
    if asked.kind != "/finalize-order":
        return False
    payload = json.loads(base64.urlsafe_b64decode(json.loads(asked.body)["payload"] + "=="))
    request = x509.load_der_x509_csr(base64.urlsafe_b64decode(payload["csr"] + "=="))
    return any(isinstance(item.value, x509.TLSFeature) for item in request.extensions)


def test_a_refusal_at_the_end_is_answered_for_the_same_order(page: Page, tmp_path: Path) -> None:
    page.configure(OCSP_MUST_STAPLE="yes")
    assert page.run().code == 0
    first = serial(page)
    with FaultyPebble(page.world.pebble, refusing, tmp_path / "refusing") as ca:
        # What it issued before is of another address: this one has to be known to have a responder, too.
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        assert page.run("--force").code == 0
        ca.follow(refusing)
        done = page.run()
        assert (done.code, "asked for without must-staple, since the CA says: " in done.out) == (0, True), done.text
        ends = [item for item in ca.requests() if item.kind == "/finalize-order"]
        assert [wants(item) for item in ends] == [True, False]
        assert ends[0].path == ends[1].path
        assert len([item for item in ca.requests() if item.kind == "/order-plz"]) == 1
        assert (must_staple(page), serial(page) != first, stapled(page)) == (False, True, serial(page))
        assert "nothing due" in page.run().out, "it is not asked for again and again"

        page.configure(OCSP_MUST_STAPLE="required")
        done = page.run("--force")
        assert (done.code, 'OCSP_MUST_STAPLE="yes"' in done.hints[0]) == (1, True), done.text


def test_one_of_two_is_broken(page: Page, responder: OcspResponder) -> None:
    page.write_lines(NAME, OTHER)
    assert page.run().code == 0
    (page.place(NAME) / "ocsp.der").unlink()
    (page.place(NAME) / "ocsp.der").mkdir()
    (page.place(OTHER) / "ocsp.der").unlink()
    done = page.run()
    assert done.code == 1
    assert f"{NAME}/ocsp.der: not a regular file" in done.only_error()
    assert "move it away: ls -ld" in done.hints[0]
    assert stapled(page, OTHER) == serial(page, OTHER)
    (page.place(NAME) / "ocsp.der").rmdir()
    assert page.run().code == 0
    assert stapled(page) == serial(page)
    assert responder.asked
