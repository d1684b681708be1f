from dataclasses import replace
from datetime import timedelta

import pytest

from builders.plans import CA, configuration, leaf, lineage, observed, spec, zone
from certkeeper.config.authority import LETSENCRYPT, LETSENCRYPT_TEST
from certkeeper.config.findings import Severity
from certkeeper.lineage.model import Origin
from certkeeper.plan.actions import Order
from certkeeper.plan.planner import plan

ORG, NET = zone("example.org"), zone("example.net")
KEPT = spec("mail.example.net", line=2)
CURRENT = lineage("mail.example.net", leaf("mail.example.net"))


def test_must_staple_is_requested_where_the_ca_has_a_responder() -> None:
    wanted = spec("example.org", must_staple=True)
    page = configuration(wanted, KEPT)
    responder = lineage("mail.example.net", leaf("mail.example.net", ocsp=True))
    made = plan(page, observed(responder, specs=page.certificates, zones=[ORG]))
    assert made.due[0].order == Order(wanted.identifiers, must_staple=True, profile="")
    assert made.findings == ()


def test_must_staple_is_dropped_with_a_warning_where_the_ca_is_known_to_have_no_responder() -> None:
    wanted = spec("example.org", must_staple=True, profile="classic")
    page = configuration(wanted, KEPT)
    silent = lineage("mail.example.net", leaf("mail.example.net"), origin=Origin(CA))
    made = plan(page, observed(silent, specs=page.certificates, zones=[ORG]))
    assert made.due[0].order == Order(wanted.identifiers, must_staple=False, profile="classic")
    assert [(finding.code, finding.severity) for finding in made.findings] == [("must-staple", Severity.WARNING)]
    assert made.findings[0].message.startswith("must-staple is not requested for example.org: ")


def test_must_staple_waits_with_a_note_where_nothing_is_known_of_the_ca_yet() -> None:
    wanted = spec("example.org", must_staple=True)
    page = configuration(wanted, KEPT)
    # Of the other one it was not written down which CA it came from.
    for there in ([], [CURRENT]):
        made = plan(page, observed(*there, specs=page.certificates, zones=[ORG, NET]))
        (order,) = [item.order for item in made.due if item.alias == wanted.alias]
        assert order == Order(wanted.identifiers, must_staple=False, profile="")
        (finding,) = [item for item in made.findings if item.code == "must-staple"]
        assert finding.severity is Severity.NOTE
        assert "it is not known whether" in finding.message
        assert "orders again" in finding.consequence
    # What the note says of the next run is true.
    first = lineage("example.org", leaf("example.org", ocsp=True), origin=Origin(CA))
    (after,) = plan(configuration(wanted), observed(first, specs=[wanted], zones=[ORG])).due
    assert after.order is not None
    assert after.order.must_staple


def test_the_newest_valid_certificate_decides_about_the_responder() -> None:
    wanted = spec("example.org", must_staple=True)
    page = configuration(wanted, KEPT, spec("old.example.net"))
    old = lineage("old.example.net", leaf("old.example.net", left=timedelta(days=40), ocsp=True))
    made = plan(page, observed(CURRENT, old, specs=page.certificates, zones=[ORG]))
    assert made.due[0].order is not None
    assert not made.due[0].order.must_staple
    expired = lineage("old.example.net", leaf("old.example.net", left=timedelta(0), ocsp=True))
    alone = plan(configuration(wanted), observed(expired, specs=[wanted], zones=[ORG]))
    assert alone.due[0].order is not None
    assert not alone.due[0].order.must_staple


def test_nobody_is_told_of_must_staple_while_nothing_is_due() -> None:
    wanted = spec("mail.example.net", must_staple=True)
    made = plan(configuration(wanted), observed(CURRENT, specs=[wanted]))
    assert made.findings == ()


@pytest.mark.parametrize("ca", [LETSENCRYPT, LETSENCRYPT_TEST])
def test_lets_encrypt_is_never_asked_for_must_staple(ca: str) -> None:
    wanted = spec("example.org", must_staple=True, ca=ca)
    page = configuration(wanted, replace(KEPT, ca=ca))
    # Another CA's certificate, of before the change, names a responder; and there may be none at all.
    before = lineage("mail.example.net", leaf("mail.example.net", ocsp=True))
    for there in ([before], []):
        made = plan(page, observed(*there, specs=page.certificates, zones=[ORG]))
        (order,) = [item.order for item in made.due if item.alias == wanted.alias]
        assert order is not None
        assert not order.must_staple
        (finding,) = [item for item in made.findings if item.code == "must-staple"]
        assert "Let's Encrypt has no OCSP responder any more" in finding.message


def test_who_insists_on_must_staple_asks_a_ca_of_which_nothing_is_known() -> None:
    wanted = replace(spec("example.org", must_staple=True), staple_required=True)
    made = plan(configuration(wanted), observed(specs=[wanted], zones=[ORG]))
    assert made.due[0].order == Order(wanted.identifiers, must_staple=True, profile="")
    assert made.findings == ()


def test_who_insists_on_must_staple_orders_nothing_where_it_cannot_be_had() -> None:
    wanted = replace(spec("example.org", must_staple=True), staple_required=True)
    silent = lineage("mail.example.net", leaf("mail.example.net"), origin=Origin(CA))
    page = configuration(wanted, KEPT)
    made = plan(page, observed(silent, specs=page.certificates, zones=[ORG]))
    assert made.due == ()
    (item,) = made.blocked
    assert "names an OCSP responder" in str(item.error)
    assert made.findings == ()


def test_who_insists_on_must_staple_hears_before_the_renewal_that_it_will_fail() -> None:
    insisting = replace(spec("mail.example.net", must_staple=True), staple_required=True)
    silent = lineage("mail.example.net", leaf("mail.example.net"), origin=Origin(CA))
    made = plan(configuration(insisting), observed(silent, specs=[insisting]))
    assert (made.due, made.blocked) == ((), ())
    (finding,) = made.findings
    assert (finding.code, finding.severity) == ("must-staple-required", Severity.WARNING)
    assert "mail.example.net" in finding.message
    assert "names an OCSP responder" in finding.message
    able = lineage("mail.example.net", leaf("mail.example.net", ocsp=True, must_staple=True), origin=Origin(CA))
    assert plan(configuration(insisting), observed(able, specs=[insisting])).findings == ()
