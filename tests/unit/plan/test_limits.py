"""What waits although it is due, and in which order the others go."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from builders.certificates import NOW
from builders.plans import CA, configuration, leaf, lineage, observed, settings, spec, zone
from certkeeper.acme.renewal_info import Window
from certkeeper.base.names import Alias
from certkeeper.config.rate import OrderRate
from certkeeper.config.settings import Purpose
from certkeeper.lineage.model import Lineage, Origin
from certkeeper.plan.actions import Plan, Postponed
from certkeeper.plan.advice import Advice, Suggestion
from certkeeper.plan.backoff import CaLimited, name_inputs
from certkeeper.plan.explain import explain
from certkeeper.plan.limits import FORGOTTEN_AFTER
from certkeeper.plan.planner import plan, wanted_zones
from certkeeper.plan.records import Backoff, Limit, NameBackoff, OrderBudget, OrderIntent, Records

ORG = zone("example.org")
OTHER = "https://other.test/directory"
HOUR = timedelta(hours=1)
SPECS = tuple(spec(f"n{at}.example.org") for at in range(4))


def planned(
    *there: Lineage,
    orders: int = 2,
    records: Records | None = None,
    advice: Mapping[Alias, Advice] | None = None,
    forced: bool = False,
) -> Plan:
    page = configuration(*SPECS, settings_=replace(settings(), order_rate=OrderRate(orders, HOUR)))
    world = observed(*there, specs=SPECS, zones=[ORG], advice=advice)
    world = replace(world, records=records or Records())
    return plan(page, world, [item.alias for item in SPECS] if forced else [])


def expiring(at: int, days: int) -> Lineage:
    name = f"n{at}.example.org"
    return lineage(name, leaf(name, left=timedelta(days=days), key_id=f"{at:02}"))


def due(made: Plan) -> list[str]:
    return [item.alias.text for item in made.due]


def test_those_that_end_first_go_first() -> None:
    there = [expiring(0, 20), expiring(1, 10), expiring(2, 5), expiring(3, 15)]
    made = planned(*there)
    assert due(made) == ["n1.example.org", "n2.example.org"]
    assert {item.alias.text: item.error.retry_at for item in made.postponed if item.error} == {
        "n3.example.org": NOW + HOUR / 2,
        "n0.example.org": NOW + HOUR,
    }
    assert made.wake_at == NOW + HOUR / 2
    # Who has no certificate at all cannot wait either.
    assert due(planned(*there[1:])) == ["n0.example.org", "n2.example.org"]


def test_force_changes_nothing_about_the_rate() -> None:
    assert len(planned(forced=True).postponed) == 2


def test_what_is_left_of_earlier_runs_counts() -> None:
    budget = OrderBudget(CA, 0.25, NOW - HOUR / 4)
    made = planned(records=Records(budgets={CA: budget}))
    assert len(made.due) == 0
    assert made.wake_at == NOW + HOUR / 8
    other = replace(budget, ca="https://other.test/directory")
    assert len(planned(records=Records(budgets={other.ca: other})).due) == 2


def test_an_order_that_is_open_costs_nothing() -> None:
    open_ = {
        item.alias: OrderIntent(item.alias, f"{CA}/1", CA, item.identifiers, "", False, str(item.key), 1)
        for item in SPECS[2:]
    }
    assert len(planned(records=Records(orders=open_)).due) == 4


def test_a_renewal_in_the_cas_window_costs_nothing() -> None:
    there = [expiring(at, 10) for at in range(4)]

    def advised(window: Window) -> Plan:
        suggestion = Suggestion(window, window.start)
        advice = {item.alias: Advice(CA, f"id-{item.alias}", NOW + HOUR, suggestion) for item in SPECS}
        return planned(*there, advice=advice)

    assert len(advised(Window(NOW - HOUR, NOW + HOUR)).due) == 4
    assert len(advised(Window(NOW - 2 * HOUR, NOW - HOUR)).due) == 2


def test_what_is_postponed_is_explained_and_is_not_called_impossible() -> None:
    lines = list(explain(planned()))
    assert "n2.example.org: due, but not in this run (no certificate yet)" in lines
    assert not [line for line in lines if "cannot be issued" in line]


def test_a_limit_blocks_everything_of_its_ca_with_one_error() -> None:
    limit = Limit(CA, 1, NOW + HOUR, "too many")
    made = planned(orders=100, records=Records(limits={CA: limit}))
    assert made.due == ()
    assert {type(item.error) for item in made.blocked} == {CaLimited}
    assert made.wake_at == NOW + HOUR
    assert len(planned(orders=100, records=Records(limits={CA: limit}), forced=True).due) == 4
    for other in (
        replace(limit, retry_at=NOW),
        # A clock that was stepped back by years must not hold anything up for years.
        replace(limit, retry_at=NOW + timedelta(days=700)),
        replace(limit, ca="https://other.test/directory"),
    ):
        assert len(planned(orders=100, records=Records(limits={other.ca: other})).due) == 4


def test_entries_that_are_long_past_are_forgotten() -> None:
    old, new = NOW - FORGOTTEN_AFTER - HOUR, NOW - HOUR
    names = [NameBackoff(CA, "a.test", 1, old, "", ""), NameBackoff(CA, "b.test", 1, new, "", "")]
    limits = [Limit(CA, 1, new, ""), Limit("https://other.test/directory", 1, old, "")]
    records = Records(names={(item.ca, item.name): item for item in names}, limits={item.ca: item for item in limits})
    assert set(planned(records=records).stale) == {names[0], limits[1]}


def test_postponed_is_what_it_is_called() -> None:
    assert all(isinstance(item.error, Postponed) for item in planned().postponed)


def test_nobody_is_asked_for_zones_while_the_ca_is_left_alone() -> None:
    page = configuration(*SPECS)
    world = replace(observed(specs=SPECS), records=Records(limits={CA: Limit(CA, 1, NOW + HOUR, "too many")}))
    assert wanted_zones(page, world) == {}
    assert len(wanted_zones(page, world, [SPECS[0].alias])[""].owners) == 1
    made = plan(page, replace(world, zones={}))
    assert len({id(item.error) for item in made.blocked}) == 1, "one reason, which is told once"


def two_cas(records: Records, *, orders: int = 100) -> Plan:
    """The last two are another CA's."""
    specs = (*SPECS[:2], *(replace(item, ca=OTHER) for item in SPECS[2:]))
    page = configuration(*specs, settings_=replace(settings(), order_rate=OrderRate(orders, HOUR)))
    return plan(page, replace(observed(specs=specs, zones=[ORG]), records=records))


def test_one_cas_limit_is_no_other_ones() -> None:
    made = two_cas(Records(limits={OTHER: Limit(OTHER, 1, NOW + HOUR, "too many")}))
    assert due(made) == ["n0.example.org", "n1.example.org"]
    assert {type(item.error) for item in made.blocked} == {CaLimited}


def test_each_ca_has_a_budget_of_its_own() -> None:
    assert len(two_cas(Records(), orders=2).due) == 4
    assert due(two_cas(Records(), orders=1)) == ["n0.example.org", "n2.example.org"]
    made = two_cas(Records(budgets={OTHER: OrderBudget(OTHER, 0.0, NOW)}), orders=2)
    assert due(made) == ["n0.example.org", "n1.example.org"]
    assert all(f"{OTHER} is asked for at most" in str(item.error) for item in made.postponed)


def test_a_name_that_failed_at_one_ca_is_tried_at_another() -> None:
    names = [
        NameBackoff(OTHER, name, 1, NOW + HOUR, name_inputs(name, item, settings()), "")
        for name, item in [(item.alias.text, item) for item in (SPECS[0], SPECS[2])]
    ]
    made = two_cas(Records(names={(item.ca, item.name): item for item in names}))
    assert due(made) == ["n0.example.org", "n1.example.org", "n3.example.org"]


def test_a_name_waits_until_the_page_says_another_way_to_prove_it() -> None:
    wrong = replace(SPECS[0], wellknown="/var/www/wrong")
    name = wrong.alias.text
    failed = NameBackoff(CA, name, 2, NOW + HOUR, name_inputs(name, wrong, settings()), "unauthorized")
    for item, expected in ((wrong, []), (SPECS[0], [name])):
        world = replace(observed(specs=[item], zones=[ORG]), records=Records(names={(CA, name): failed}))
        assert due(plan(configuration(item), world)) == expected


def test_what_the_journal_has_of_a_certificate_is_not_its_rehearsals() -> None:
    live = spec("example.org")
    test = replace(live, ca=OTHER, purpose=Purpose.REHEARSE)
    kept = Backoff(live.alias, 2, NOW + HOUR, "inputs", "it failed")
    order = OrderIntent(live.alias, f"{CA}/1", CA, live.identifiers, "", False, str(live.key), 1)
    records = Records(backoffs={live.alias: kept}, orders={live.alias: order})
    for there in (Lineage(test.alias), lineage("example.org", leaf("example.org"), origin=Origin(OTHER, test=True))):
        world = replace(observed(there, specs=[test], zones=[ORG]), records=records)
        made = plan(configuration(test), world)
        (item,) = made.lineages
        assert item.backoff is None
        assert made.stale == ()
    assert test.entry not in (live.entry, live.alias)
    assert live.entry == live.alias
