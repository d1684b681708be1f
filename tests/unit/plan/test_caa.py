from dataclasses import replace

import pytest

from builders.plans import CA, configuration, observed, spec, zone
from certkeeper.base.names import DnsName
from certkeeper.config.authority import LETSENCRYPT
from certkeeper.config.settings import CertSpec
from certkeeper.plan.actions import LineagePlan, Plan
from certkeeper.plan.caa import names_to_look_up
from certkeeper.plan.observed import Caa
from certkeeper.plan.planner import plan
from certkeeper.zone.caa import CaaAnswer, CaaRecord, Issuer

ISSUER = Issuer(("ca.test",), "https://ca.test/account/1")
FREE = spec("free.example.net", line=2)
ZONES = [zone("example.org"), zone("example.net")]
NOTHING = {DnsName(name): CaaAnswer() for name in ("free.example.net", "example.net", "net", "www.example.org", "org")}


def planned(wanted: CertSpec, *records: CaaRecord, trouble: str = "") -> Plan:
    """A plan for that certificate and an unrestricted one, with these records at example.org."""
    page = configuration(wanted, FREE)
    caa = Caa(ISSUER, NOTHING | {DnsName("example.org"): CaaAnswer(records, trouble)})
    return plan(page, replace(observed(specs=page.certificates, zones=ZONES), caa={CA: caa}))


def issue(value: str, tag: str = "issue") -> CaaRecord:
    return CaaRecord(0, tag, value)


def blocked(found: Plan) -> LineagePlan:
    (item,) = found.blocked
    return item


def test_names_are_looked_up_once_and_wildcards_at_the_name_above_them() -> None:
    wanted = [spec("example.org", "*.example.org", "www.example.org", "ip:192.0.2.1"), spec("www.example.org")]
    assert [name.text for name in names_to_look_up(wanted)] == ["example.org", "www.example.org"]


def test_a_record_for_another_ca_stops_its_certificate_and_no_other_one() -> None:
    found = planned(spec("www.example.org"), issue("other.test"))
    error = blocked(found).error
    assert str(error) == (
        'www.example.org: the record example.org CAA 0 issue "other.test" forbids it: '
        "it names other.test and not ca.test"
    )
    assert error is not None
    assert "certkeeper dns caa" in error.hint
    assert [item.alias for item in found.due] == [FREE.alias]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("ca.test; validationmethods=http-01", "it allows the methods http-01, and not dns-01"),
        ("ca.test; accounturi=https://ca.test/account/2", "it is for the account https://ca.test/account/2"),
    ],
)
def test_another_method_or_account_stops_it_too(value: str, said: str) -> None:
    assert said in str(blocked(planned(spec("example.org"), issue(value))).error)


def test_a_wildcard_may_be_forbidden_where_the_name_is_not() -> None:
    records = (issue("ca.test"), issue(";", "issuewild"))
    assert planned(spec("example.org"), *records).blocked == ()
    error = blocked(planned(spec("example.org", "*.example.org"), *records)).error
    assert str(error).startswith("*.example.org: ")


def test_several_forbidden_names_are_one_error() -> None:
    error = blocked(planned(spec("example.org", "www.example.org", "*.example.org"), issue(";"))).error
    assert str(error).startswith("example.org (and 2 more): ")


def test_records_that_allow_or_are_not_known_stop_nothing() -> None:
    assert planned(spec("example.org"), issue("ca.test")).blocked == ()
    # Nobody could be asked about this one.
    assert planned(spec("mail.example.org"), issue(";")).blocked == ()


def test_a_lookup_that_fails_is_a_finding_once_per_name() -> None:
    found = planned(spec("example.org", "www.example.org", "*.example.org"), trouble="SERVFAIL, he says")
    assert found.blocked == ()
    (finding,) = found.findings
    assert (finding.code, finding.message) == (
        "caa-unanswered",
        "example.org: its CAA records cannot be looked up: SERVFAIL, he says",
    )


def test_a_name_that_a_wildcard_covers_is_refused_before_lets_encrypt_does_it() -> None:
    wanted = spec("example.org", "*.example.org", "www.example.org", "a.b.example.org")
    page = configuration(replace(wanted, ca=LETSENCRYPT))
    error = blocked(plan(page, observed(specs=page.certificates, zones=ZONES))).error
    assert str(error).startswith("www.example.org: redundant, since *.example.org is in the same certificate")
    assert error is not None
    assert error.hint == "remove www.example.org from /etc/dehydrated/domains.txt:1: the wildcard covers it"
    page = configuration(wanted)
    assert plan(page, observed(specs=page.certificates, zones=ZONES)).blocked == ()
