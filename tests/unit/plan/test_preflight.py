from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import (
    CA,
    configuration,
    leaf,
    lineage,
    observed,
    plan_findings,
    settings,
    spec,
    zone,
)
from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.base.names import DnsName
from certkeeper.config.authority import LETSENCRYPT, LETSENCRYPT_TEST
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Severity
from certkeeper.config.methods import Methods
from certkeeper.config.settings import ZoneRule
from certkeeper.plan.planner import plan
from certkeeper.zone.rrset import Zone, ZoneKind


def edited(api: str, edit: str = "", *, served: int = 5, kind: ZoneKind = ZoneKind.PRIMARY) -> Zone:
    return Zone(DnsName("example.org"), "example.org.", kind, 5, served, api, edit)


@pytest.mark.parametrize("api", ["DEFAULT", "INCREASE", "EPOCH", "SOA-EDIT-INCREASE", "default"])
def test_a_zone_that_raises_its_serial_is_in_order(api: str) -> None:
    assert plan_findings(edited(api)) == []


@pytest.mark.parametrize(
    ("api", "said"),
    [
        ("", "SOA-EDIT-API is not set"),
        ("SOA-EDIT", "SOA-EDIT-API is SOA-EDIT"),
        ("INCEPTION-INCREMENT", "SOA-EDIT-API is INCEPTION-INCREMENT, which PowerDNS does not know"),
    ],
)
def test_a_zone_that_does_not_raise_its_serial_is_found(api: str, said: str) -> None:
    (finding,) = plan_findings(edited(api))
    assert finding.code == "soa-edit-api"
    assert finding.severity is Severity.WARNING
    assert finding.message == f"zone example.org: {said}"
    assert finding.fix == "pdnsutil set-meta example.org SOA-EDIT-API DEFAULT"


def test_epoch_is_found_where_the_serial_is_ahead_of_it() -> None:
    today = int(NOW.timestamp())
    assert plan_findings(edited("EPOCH", served=today)) == []
    (finding,) = plan_findings(edited("EPOCH", served=2026112301))
    assert finding.message.endswith("the serial 2026112301 is larger than any epoch of today")
    assert "back" in finding.consequence


def test_increase_is_found_where_the_date_of_the_signatures_is_shown() -> None:
    assert len(plan_findings(edited("INCREASE", "INCEPTION-INCREMENT"))) == 1


@pytest.mark.parametrize("kind", [ZoneKind.NATIVE, ZoneKind.SECONDARY])
def test_zones_without_secondaries_of_their_own_need_no_serial(kind: ZoneKind) -> None:
    assert plan_findings(edited("", kind=kind)) == []


def test_a_zone_of_many_names_is_found_once() -> None:
    page = configuration(spec("example.org", "www.example.org"), spec("mail.example.org"))
    world = observed(specs=page.certificates, zones=[zone("example.org", soa_edit_api="")])
    assert len(plan_findings(world=world, page=page)) == 1


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
@pytest.mark.parametrize("ca", [LETSENCRYPT, LETSENCRYPT_TEST, "https://ca.test/directory"])
def test_a_key_that_lets_encrypt_refuses_costs_no_order(algorithm: KeyAlgorithm, ca: str) -> None:
    page = configuration(spec("example.org", key=KeySpec(algorithm), ca=ca))
    (item,) = plan(page, observed(specs=page.certificates, zones=[zone("example.org")])).lineages
    refused = ca != "https://ca.test/directory" and algorithm in {KeyAlgorithm.P521, KeyAlgorithm.ED25519}
    assert (item.order is None) is refused
    if refused:
        assert str(item.error) == f"example.org: Let's Encrypt takes no {algorithm} keys"
        assert item.error is not None
        assert "KEY_ALGO" in item.error.hint


def test_a_key_that_is_there_is_used_whatever_a_new_one_would_be() -> None:
    wanted = spec("example.org", key=KeySpec(KeyAlgorithm.P521, policy=KeyPolicy.REUSE), ca=LETSENCRYPT)
    page = configuration(wanted)
    there = lineage("example.org", leaf("example.org", left=timedelta(days=1)))
    (item,) = plan(page, observed(there, specs=page.certificates, zones=[zone("example.org")])).lineages
    assert item.order is not None


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (6, "this machine's clock is 6 min behind that of https://ca.test/directory"),
        (-60 * 24 * 400, "this machine's clock is 400 days ahead of that of https://ca.test/directory"),
        (5, ""),
        (-5, ""),
        (None, ""),
    ],
)
def test_a_clock_that_is_wrong_is_found(minutes: int | None, said: str) -> None:
    behind = {CA: timedelta(minutes=minutes)} if minutes is not None else {}
    world = replace(observed(specs=[spec("example.org")], zones=[zone("example.org")]), clock_behind=behind)
    found = plan_findings(world=world)
    assert [item.message for item in found] == ([said] if said else [])
    assert all((item.code, item.fix) == ("clock", "set the clock: timedatectl") for item in found)


def test_a_zone_without_a_provider_blocks_its_certificates_where_nobody_is_asked() -> None:
    wrong = ConfigError(Location("/z/example.org", 1), "DNS_PROVIDER: 'manul' is not known")
    rules = settings(zone_rules=(ZoneRule(DnsName("example.org"), "", wrong),))
    page = configuration(spec("www.example.org"), settings_=rules)
    (item,) = plan(page, observed(specs=page.certificates)).lineages
    assert item.error is wrong


def test_a_missing_folder_blocks_names_of_http_01() -> None:
    page = configuration(replace(spec("example.org"), methods=Methods(), wellknown="/w"))
    why = CertkeeperError("/w: not there")
    (item,) = plan(page, replace(observed(specs=page.certificates), folders={"/w": why})).lineages
    assert item.error is why
