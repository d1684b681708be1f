"""TLSA records as a run publishes them: beside what others have, and nothing more often than it is needed."""

import os
import signal

import pytest

from bed.powerdns import rrset
from bed.waiting import wait_until
from integration.dane.published import FOREIGN, READY, TTL, Published, said

pytestmark = pytest.mark.real


def test_the_first_run_publishes_both_keys_beside_a_foreign_record_and_the_second_changes_nothing(
    page: Published,
) -> None:
    page.publish(FOREIGN)
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert page.served() == page.current
    assert page.records() == {page.current, page.next, FOREIGN}
    # Its cache may have from before that there is nothing.
    wait_until(lambda: page.unbound.secure(page.owner, "TLSA"), "a validating resolver proves them")
    assert page.patches() == [[f"{page.owner}."]]
    assert f"zone {page.zone}: 2 TLSA records changed" in done.out.splitlines()
    assert f"TLSA {page.owner}: " in said(done)
    assert "1 issued, 1 deployed, TLSA records changed at 1 place" in done.out

    requests = len(page.world.primary.recorder.requests())
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert len(page.world.primary.recorder.requests()) == requests
    assert said(done).startswith(f"TLSA {page.owner}: ")


@pytest.mark.long
def test_an_owner_that_is_named_and_leads_elsewhere(page: Published) -> None:
    place = f"tlsa._dane.{page.zone}"
    page.put(rrset(page.owner, "CNAME", [f"{place}."], ttl=TTL))
    page.configure(TLSA=f"{page.zone}:{page.port}")
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert page.patches() == [[f"{place}."]]
    assert page.world.primary.records(page.zone)[f"{place}.", "TLSA"] == {page.current, page.next}
    assert READY in page.ready().out


@pytest.mark.long
def test_services_that_mx_and_srv_records_lead_to(page: Published) -> None:
    """Only those that show the key get records."""
    page.put(
        rrset(page.zone, "MX", [f"10 {page.zone}."], ttl=TTL),
        rrset(f"_imaps._tcp.{page.zone}", "SRV", [f"0 1 {page.port} {page.zone}."], ttl=TTL),
    )
    page.unset("DEPLOY", "DEPLOY_CONFIG")
    page.run()
    os.kill(int(page.nginx.pid_file.read_text(encoding="ascii")), signal.SIGHUP)
    wait_until(lambda: page.served() == page.current, "nginx shows the certificate")
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert page.records() == {page.current, page.next}
    assert page.patches() == [[f"{page.owner}."]]
    at = f"_25._tcp.{page.zone}"
    assert f"TLSA {at}: 3 1 1 is not published yet: smtp://{page.zone}:25@127.0.0.1 was not seen" in said(done)


@pytest.mark.long
def test_two_certificates_behind_one_owner_have_their_records_together_and_roll_by_themselves(page: Published) -> None:
    page.write_lines(page.zone, f"{page.zone} > other")
    page.certificate_config("other", KEY_ALGO="rsa", KEYSIZE="2048")
    done = page.run()
    page.serve_too("other")

    assert (done.code, done.err) == (0, ""), done.text
    assert page.patches() == [[f"{page.owner}."]]
    kept, old, ahead = {page.current, page.next}, page.key_of("other"), page.key_of("other", "privkey.roll.pem")
    assert page.records() == {*kept, old, ahead}
    page.ready()
    done = page.run("--force", "other")
    assert (done.code, done.err) == (0, ""), done.text
    assert page.key_of("other") == ahead
    page.run_until("TLSA records changed")
    assert page.records() == {*kept, ahead, page.key_of("other", "privkey.roll.pem")}


def test_what_a_wildcard_answers_stands_at_the_owner_beside_what_is_missing(page: Published) -> None:
    """Before a run comes, somebody has one record for every port of the host, and another one beside it."""
    wild = f"*._tcp.{page.zone}"
    page.put(rrset(wild, "TLSA", [page.current, FOREIGN], ttl=page.ttl))
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert page.records() == {page.current, page.next, FOREIGN}
    assert "a wildcard answers here: its records stand at the owner itself from now on" in done.out
    assert set(page.world.primary.records(page.zone)[f"{wild}.", "TLSA"]) == {page.current, FOREIGN}
    page.ready()
    assert len(page.patches()) == 1
