from dataclasses import replace

import pytest

from builders.plans import CA, configuration, observed, spec, zone
from certkeeper.base.names import DnsName, Identifier
from certkeeper.config.methods import ChallengeType, Methods
from certkeeper.config.settings import CertSpec
from certkeeper.plan.actions import LineagePlan
from certkeeper.plan.explain import explain
from certkeeper.plan.observed import Caa, Observed
from certkeeper.plan.planner import plan, wanted_zones
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.caa import CaaAnswer, CaaRecord, Issuer

DNS, HTTP, ALPN = ChallengeType.DNS_01, ChallengeType.HTTP_01, ChallengeType.TLS_ALPN_01
BOTH = Methods((DNS, HTTP))
ORG = zone("example.org")


def planned(wanted: CertSpec, world: Observed | None = None) -> LineagePlan:
    world = world or observed(specs=[wanted], zones=[ORG])
    return plan(configuration(wanted), world).lineages[0]


def methods(item: LineagePlan) -> dict[str, str]:
    return {str(name): method.value for name, method in item.methods.items()}


def test_a_name_without_a_zone_is_proven_by_the_next_method() -> None:
    item = planned(spec("a.example.org", "b.example.net", methods=BOTH))
    assert item.error is None
    assert methods(item) == {"a.example.org": "dns-01", "b.example.net": "http-01"}
    assert [proof.zone for proof in item.proofs] == [ORG]
    assert item.proofs[0].owners == (DnsName("_acme-challenge.a.example.org"),)


def test_without_another_method_it_is_the_error_that_it_was() -> None:
    item = planned(spec("a.example.org", "b.example.net"))
    assert isinstance(item.error, ZoneError)
    assert "holds b.example.net" in str(item.error)


def test_a_provider_that_cannot_be_asked_has_not_said_that_it_has_no_zone() -> None:
    wanted = spec("b.example.net", methods=BOTH)
    trouble = ZoneError("PowerDNS: HTTP 500")
    assert planned(wanted, observed(specs=[wanted], trouble=trouble)).error is trouble


def test_zones_are_looked_up_for_names_that_may_be_proven_through_dns_only() -> None:
    wanted = spec(
        "a.example.org",
        "b.example.org",
        "*.c.example.org",
        "ip:192.0.2.1",
        methods=Methods((HTTP, DNS), ((Identifier.parse("b.example.org"), (DNS, HTTP)),)),
    )
    looked_up = wanted_zones(configuration(wanted), observed(specs=[wanted]))[""].owners
    assert [owner.text for owner in looked_up] == [
        "_acme-challenge.b.example.org",
        "_acme-challenge.c.example.org",
    ]
    served = spec("a.org", methods=Methods((HTTP,)))
    assert wanted_zones(configuration(served), observed(specs=[served])) == {}


def test_the_plan_shows_how_each_name_is_proven() -> None:
    chosen = ((Identifier.parse("c.example.org"), (ALPN,)),)
    wanted = spec("a.example.org", "b.example.net", "c.example.org", methods=Methods((DNS, HTTP), chosen))
    lines = list(explain(plan(configuration(wanted), observed(specs=[wanted], zones=[ORG]))))
    shown = [line.strip() for line in lines if " by " in line]
    assert shown == [
        "prove: a.example.org by dns-01",
        "prove: b.example.net by http-01, through files in /var/www/dehydrated",
        "prove: c.example.org by tls-alpn-01, through files in /etc/dehydrated/alpn-certs",
    ]


@pytest.mark.parametrize(("allowed", "used", "refused"), [("http-01", DNS, True), ("http-01", HTTP, False)])
def test_caa_is_asked_about_the_method_in_use(allowed: str, used: ChallengeType, *, refused: bool) -> None:
    wanted = spec("example.org", methods=Methods((used,)))
    record = CaaRecord(0, "issue", f"ca.test; validationmethods={allowed}")
    caa = Caa(Issuer(("ca.test",)), {DnsName("example.org"): CaaAnswer((record,))})
    item = planned(wanted, replace(observed(specs=[wanted], zones=[ORG]), caa={CA: caa}))
    assert (item.error is not None) is refused
    if refused:
        assert "and not dns-01" in str(item.error)
