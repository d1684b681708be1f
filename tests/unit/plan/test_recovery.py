"""What a plan makes of what earlier runs left in the journal."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import CA, REUSE, configuration, leaf, lineage, observed, spec, zone
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, DnsName
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import Lineage
from certkeeper.plan.actions import LineagePlan, Plan, Reason
from certkeeper.plan.backoff import backoff_inputs, next_backoff
from certkeeper.plan.observed import Wanted
from certkeeper.plan.planner import plan, wanted_zones
from certkeeper.plan.records import Backoff, ChallengeIntent, HookDebt, OrderIntent, Records
from certkeeper.zone.rrset import ZoneKind

ALIAS = Alias("example.org")
SPEC = spec("example.org")
HOOKED = replace(SPEC, hook="/etc/hook.sh")
STAMP = int(NOW.timestamp()) - 100
ORG = zone("example.org")


def current(stamp: int | None = None) -> Lineage:
    return replace(lineage("example.org", leaf("example.org")), stamp=stamp)


def intent(item: CertSpec = SPEC, key: str = "prime256v1", stamp: int = STAMP) -> OrderIntent:
    return OrderIntent(item.alias, "https://ca.test/order/1", CA, item.identifiers, item.profile, False, key, stamp)


def left(name: str = "example.org", in_zone: str = "example.org") -> ChallengeIntent:
    return ChallengeIntent(DnsName(in_zone), DnsName(f"_acme-challenge.{name}"), '"value"', "run")


def planned(
    records: Records, item: CertSpec = SPEC, there: Lineage | None = None, *, forced: bool = False
) -> tuple[Plan, LineagePlan]:
    world = replace(observed(*([there] if there else []), specs=[item], zones=[ORG]), records=records)
    found = plan(configuration(item), world, {item.alias} if forced else frozenset())
    return found, found.lineages[0]


class TestOrders:
    def test_an_open_order_for_the_same_is_gone_on_with(self) -> None:
        _, item = planned(Records(orders={ALIAS: intent()}))
        assert item.order is not None
        assert item.order.resume == intent()
        assert item.reason is Reason.MISSING

    @pytest.mark.parametrize(
        "other",
        [
            intent(spec("example.org", "www.example.org")),
            replace(intent(), ca="https://other.test/directory"),
            replace(intent(), profile="short"),
            replace(intent(), must_staple=True),
            intent(key="secp384r1"),
        ],
        ids=["names", "ca", "profile", "must-staple", "key"],
    )
    def test_an_order_for_something_else_is_not(self, other: OrderIntent) -> None:
        _, item = planned(Records(orders={ALIAS: other}))
        assert item.order is not None
        assert item.order.resume is None

    def test_an_order_for_the_present_key_is_gone_on_with_while_that_is_the_key(self) -> None:
        there = lineage("example.org", leaf("example.org", left=timedelta(days=3)))
        item = spec("example.org", key=REUSE)
        for key, again in ((there.key_id or "", True), ("bb", False)):
            _, found = planned(Records(orders={ALIAS: intent(item, key)}), item, there)
            assert found.order is not None
            assert (found.order.resume is not None) is again

    def test_what_was_begun_is_finished_although_nothing_is_due(self) -> None:
        _, item = planned(Records(orders={ALIAS: intent()}), there=current(STAMP - 1))
        assert item.reason is Reason.UNFINISHED
        assert item.order is not None

    def test_an_order_whose_version_is_live_is_out_of_date(self) -> None:
        found, item = planned(Records(orders={ALIAS: intent()}), there=current(STAMP))
        assert item.reason is Reason.CURRENT
        assert found.stale == (intent(),)

    def test_an_order_whose_version_is_live_is_not_gone_on_with_by_force(self) -> None:
        _, item = planned(Records(orders={ALIAS: intent()}), there=current(STAMP), forced=True)
        assert item.order is not None
        assert item.order.resume is None

    def test_an_order_older_than_the_live_certificate_is_out_of_date(self) -> None:
        old = intent(stamp=int((NOW - timedelta(days=80)).timestamp()))
        found, item = planned(Records(orders={ALIAS: old}), there=current())
        assert item.reason is Reason.CURRENT
        assert found.stale == (old,)


class TestDebts:
    DEBT = HookDebt(ALIAS, "deploy_cert", STAMP)

    def test_a_call_that_is_owed_for_the_live_version_is_made(self) -> None:
        found, item = planned(Records(debts={ALIAS: self.DEBT}), HOOKED, current(STAMP))
        assert found.owing == (item,)
        assert found.due == ()
        assert item.hook is not None
        assert item.hook.debt == self.DEBT

    def test_a_call_for_another_version_is_out_of_date(self) -> None:
        found, item = planned(Records(debts={ALIAS: self.DEBT}), HOOKED, current(STAMP + 1))
        assert item.actions == ()
        assert found.stale == (self.DEBT,)

    def test_a_call_of_a_script_that_is_no_longer_wanted_is_out_of_date(self) -> None:
        found, item = planned(Records(debts={ALIAS: self.DEBT}), SPEC, current(STAMP))
        assert item.actions == ()
        assert found.stale == (self.DEBT,)


class TestBackoffs:
    def failed(self, item: CertSpec = SPEC) -> Backoff:
        _, usual = planned(Records(), item)
        inputs = backoff_inputs(usual.fingerprint, item, configuration(item).settings)
        return next_backoff(ALIAS, 1, CertkeeperError("it failed"), inputs, NOW)

    def test_a_lineage_that_failed_just_now_waits(self) -> None:
        found, item = planned(Records(backoffs={ALIAS: self.failed()}))
        assert item.order is None
        assert str(item.error).startswith("failed 1 time, next try from")
        assert item.wake_at == NOW + timedelta(minutes=1)
        assert found.wake_at == item.wake_at
        assert found.blocked == (item,)
        assert found.stale == ()

    def test_force_overrides(self) -> None:
        _, item = planned(Records(backoffs={ALIAS: self.failed()}), forced=True)
        assert item.order is not None
        assert item.failures == 1

    def test_a_page_that_was_mended_overrides(self) -> None:
        _, item = planned(Records(backoffs={ALIAS: self.failed()}), spec("example.org", "www.example.org"))
        assert item.order is not None

    def test_what_is_current_again_forgets_its_failures(self) -> None:
        found, _ = planned(Records(backoffs={ALIAS: self.failed()}), there=current())
        assert found.stale == (self.failed(),)


class TestLeftRecords:
    def test_they_are_withdrawn_although_nothing_is_due(self) -> None:
        world = replace(observed(current(), specs=[SPEC], zones=[ORG]), records=Records(left=(left(),)))
        assert wanted_zones(configuration(SPEC), world) == {"": Wanted(zones=(DnsName("example.org"),))}
        found = plan(configuration(SPEC), world)
        assert found.withdrawals == {ORG: (left(),)}
        assert not found.idle
        assert found.stale == ()

    def test_a_zone_that_is_gone_is_a_finding(self) -> None:
        gone = left("a.example.com", "example.com")
        found, _ = planned(Records(left=(gone,)))
        assert found.withdrawals == {}
        assert found.stale == (), "it may come back"
        assert found.homeless == (gone,)
        (finding,) = [item for item in found.findings if item.code == "left-behind"]
        assert "_acme-challenge.a.example.com" in finding.consequence

    def test_a_script_is_told_of_a_record_whatever_zones_are_known_now(self) -> None:
        guessed = replace(zone("test"), kind=ZoneKind.SCRIPTED)
        gone = left("l1.test", "l1.test")
        world = replace(observed(current(), specs=[SPEC], zones=[ORG]), records=Records(left=(gone,)))
        zones = {"": replace((world.zones or {})[""], by_name={gone.zone: guessed})}
        found = plan(configuration(SPEC), replace(world, zones=zones))
        assert (found.homeless, list(found.withdrawals.values())) == ((), [(gone,)])
        assert [item.name for item in found.withdrawals] == [gone.zone]

    def test_a_provider_that_cannot_be_asked_leaves_them_owed(self) -> None:
        trouble = CertkeeperError("PowerDNS: connection refused")
        world = replace(observed(current(), specs=[SPEC], trouble=trouble), records=Records(left=(left(),)))
        found = plan(configuration(SPEC), world)
        assert found.stale == ()
        (error,) = found.unreachable
        assert "1 challenge record of an earlier run may still be in example.org" in str(error)
