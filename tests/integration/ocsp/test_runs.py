"""OCSP_FETCH in runs, at a real CA and with a responder that signs with its key."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.ocsp import OCSPCertStatus, load_der_ocsp_response

from bed.ocspresponder import DAY, OcspResponder
from builders.page import Page, openssl
from integration.hooks.logged import Logged

pytestmark = pytest.mark.real
NAME = "staple.example"


def serial(page: Page, name: str = NAME) -> int:
    return x509.load_pem_x509_certificate((page.place(name) / "cert.pem").read_bytes()).serial_number


def key(page: Page) -> bytes:
    return (page.place(NAME) / "privkey.pem").read_bytes()


def stapled(page: Page, name: str = NAME) -> int | None:
    """Which certificate the response is about, once openssl has verified it."""
    place = page.place(name)
    if not (place / "ocsp.der").exists():
        return None
    words = ("-respin", place / "ocsp.der", "-issuer", place / "chain.pem", "-cert", place / "cert.pem", "-no_nonce")
    said = openssl("ocsp", *words, "-CAfile", place / "chain.pem", "-partial_chain")
    assert f"{place / 'cert.pem'}: good" in said
    return load_der_ocsp_response((place / "ocsp.der").read_bytes()).serial_number


def remembered(page: Page) -> Path:
    (found,) = page.folder.rglob("ocsp.json")
    return found


def asked_again(page: Page) -> None:
    """The time of waiting is over."""
    found = json.loads(remembered(page).read_text())
    for entry in found["certificates"].values():
        entry["retry_at"] = 0
    remembered(page).write_text(json.dumps(found))


def test_a_response_comes_with_the_certificate_and_is_kept_fresh(
    page: Page, responder: OcspResponder, tmp_path: Path
) -> None:
    script = Logged(tmp_path)
    page.configure(HOOK=str(script.path), DNS_PROVIDER="powerdns")
    done = page.run()
    assert done.code == 0, done.text
    assert "new OCSP response, good until" in done.out
    assert stapled(page) == serial(page)
    names = script.names()
    assert names.index("deploy_ocsp") > names.index("deploy_cert")
    (call,) = [call for call in script.calls() if call[0] == "deploy_ocsp"]
    assert call[1:3] == [NAME, str(page.place(NAME) / "ocsp.der")]
    assert call[3].isdigit()

    script.forget()
    asked = len(responder.asked)
    done = page.run()
    assert (done.code, len(responder.asked)) == (0, asked), "nothing is due"
    assert "deploy_ocsp" not in script.names()

    # Half of its life is over: OCSP_DAYS say so.
    page.configure(OCSP_DAYS="0")
    asked_again(page)
    responder.age = timedelta(minutes=1)
    planned = page.plan()
    assert f"OCSP response of {NAME}: is asked for: the response is to be refreshed" in planned.out
    first = (page.place(NAME) / "ocsp.der").read_bytes()
    done = page.run()
    assert done.code == 0, done.text
    assert "1 OCSP response new" in done.out
    assert (page.place(NAME) / "ocsp.der").read_bytes() != first
    assert script.names().count("deploy_ocsp") == 1
    assert stapled(page) == serial(page)


def test_a_certificate_that_was_taken_back_is_replaced_with_a_new_key(page: Page, responder: OcspResponder) -> None:
    page.configure(PRIVATE_KEY_RENEW="no")
    assert page.run().code == 0
    before, old_key = serial(page), key(page)
    remembered(page).unlink()
    page.configure(OCSP_DAYS="0")
    responder.statuses[before] = OCSPCertStatus.REVOKED
    done = page.run("--quiet")
    assert done.code == 0, done.text
    assert f"{NAME}: REVOKED: the CA says that the certificate was revoked" in done.out
    assert serial(page) != before
    assert key(page) != old_key
    assert stapled(page) == serial(page)
    assert "REVOKED" not in page.run().text


def test_a_run_replaces_what_ocsp_fetch_found_revoked(page: Page, responder: OcspResponder) -> None:
    assert page.run().code == 0
    before, old_key = serial(page), key(page)
    responder.statuses[before] = OCSPCertStatus.REVOKED
    done = page.ocsp("fetch", "--force")
    assert (done.code, f"hint: certkeeper run {NAME}: " in done.text) == (1, True), done.text
    assert serial(page) == before
    planned = page.plan()
    assert f"OCSP response of {NAME}: the certificate is revoked: a run replaces it" in planned.out
    assert "REVOKED" in page.run().out
    assert serial(page) != before
    assert key(page) != old_key


def test_where_the_ca_revokes_whatever_it_issues_a_day_lies_between_two_orders(
    page: Page, responder: OcspResponder
) -> None:
    assert page.run().code == 0
    assert page.status().out.startswith("ok ")
    responder.status = OCSPCertStatus.REVOKED
    assert page.ocsp("fetch", "--force").code == 1
    assert page.status().out.startswith("revoked "), "nobody replaced it yet"
    first, pebble = serial(page), page.world.pebble
    assert page.run().code == 0
    second = serial(page)
    assert second != first
    pebble.forget()
    for _ in range(2):
        done = page.run()
        assert done.code == 1, done.text
        assert (
            f"{NAME}: REVOKED: the CA says so, and said so of the certificate before; another is" in done.only_error()
        )
    assert (serial(page), pebble.counts()["POST", "/order-plz"]) == (second, 0)
    assert f"OCSP response of {NAME}: not asked for before" in page.plan().out
    assert page.status().out.startswith("revoked ")
    asked_again(page)
    responder.status = OCSPCertStatus.GOOD
    done = page.run()
    assert (done.code, serial(page) != second, stapled(page)) == (0, True, serial(page)), done.text
    assert page.status().out.startswith("ok ")


def test_unknown_is_asked_again_later_and_a_bad_one_never_counts(page: Page, responder: OcspResponder) -> None:
    responder.status = OCSPCertStatus.UNKNOWN
    done = page.run()
    assert done.code == 0, done.text
    assert "goes live without a staple" in done.out
    assert stapled(page) is None
    asked = len(responder.asked)
    assert page.run().code == 0
    assert len(responder.asked) == asked, "it is left alone for a while"
    responder.status = OCSPCertStatus.GOOD
    asked_again(page)
    done = page.run()
    assert (done.code, stapled(page)) == (0, serial(page)), done.text

    # Three quarters of its life are over: now it is a failure, and what is there stays.
    kept = (page.place(NAME) / "ocsp.der").read_bytes()
    page.configure(OCSP_DAYS="0")
    asked_again(page)
    responder.http = 503
    done = page.run()
    assert (done.code, "status 503" in done.text) == (0, True), done.text
    assert (page.place(NAME) / "ocsp.der").read_bytes() == kept
    (page.place(NAME) / "ocsp.der").unlink()
    asked_again(page)
    done = page.run()
    assert (done.code, "status 503" in done.err) == (1, True), done.text
    assert "1 OCSP response failed" in done.out
    done = page.run()
    assert (done.code, "not asked for before" in done.err) == (1, True), done.text


def test_a_person_who_fetches_ends_the_wait(page: Page, responder: OcspResponder) -> None:
    responder.status = OCSPCertStatus.UNKNOWN
    assert page.run().code == 0
    (before,) = json.loads(remembered(page).read_text())["certificates"].values()
    assert page.ocsp("fetch").code == 1
    assert json.loads(remembered(page).read_text())["certificates"] == {NAME: before}, "it failed again"
    responder.status = OCSPCertStatus.GOOD
    assert page.ocsp("fetch").code == 0
    (after,) = json.loads(remembered(page).read_text())["certificates"].values()
    assert (before["failures"], after["failures"], after["flaw"], after["owes"]) == (1, 0, "", before["owes"])
    (page.place(NAME) / "ocsp.der").unlink()
    asked = len(responder.asked)
    assert page.run().code == 0
    assert (len(responder.asked), stapled(page)) == (asked + 1, serial(page)), "what was lost is asked for at once"


def test_a_person_who_fetches_has_the_script_told_and_services_owed(
    page: Page, responder: OcspResponder, tmp_path: Path
) -> None:
    script = Logged(tmp_path)
    page.configure(HOOK=str(script.path), DNS_PROVIDER="powerdns", DEPLOY="nginx")
    assert page.run().code in {0, 1}, "no nginx is here, or another one"
    script.forget()
    responder.age = timedelta(minutes=1)
    assert page.ocsp("fetch", "--force").code == 0
    (call,) = script.calls()
    assert call[:3] == ["deploy_ocsp", NAME, str(page.place(NAME) / "ocsp.der")]
    assert f"ocsp-{call[3]}.der" in {path.name for path in page.place(NAME).iterdir()}
    assert stapled(page) == serial(page)
    with sqlite3.connect(f"file:{next(page.folder.rglob('journal.db'))}?mode=ro", uri=True) as journal:
        assert journal.execute("SELECT target, shown FROM deployments").fetchall() == [("nginx", "owed")]
    script.forget()
    responder.age = timedelta(minutes=2)
    assert page.ocsp("fetch", "--force").code == 1
    assert script.names() == [], "it is older"


def test_many_at_one_responder(page: Page, responder: OcspResponder) -> None:
    names = [f"n{number}.example" for number in range(30)]
    page.configure(OCSP_FETCH="no")
    page.write_lines(*names)
    assert page.run().code == 0
    page.configure(OCSP_FETCH="yes")
    responder.reset()
    begun = datetime.now(tz=UTC)
    done = page.run()
    assert (done.code, "30 OCSP responses new" in done.out) == (0, True), done.text
    assert {stapled(page, name) for name in names} == {serial(page, name) for name in names}
    assert len(responder.asked) == 30
    assert responder.connections <= 8, "connections are kept"
    assert datetime.now(tz=UTC) - begun < DAY
