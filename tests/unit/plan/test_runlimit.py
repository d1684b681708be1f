"""RUN_LIMIT: the most urgent orders of a run, and what waits."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from builders.certificates import NOW
from builders.plans import CA, configuration, leaf, lineage, observed, settings, spec, zone
from certkeeper.acme.renewal_info import Window
from certkeeper.base.names import Alias
from certkeeper.cli.rounds import held_to_limit
from certkeeper.cli.waiting import waits_document
from certkeeper.config.methods import ChallengeType, Methods
from certkeeper.config.rate import OrderRate
from certkeeper.config.settings import Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.plan.actions import Plan
from certkeeper.plan.advice import Advice, Suggestion
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan
from certkeeper.plan.records import OrderIntent, Records
from certkeeper.plan.runlimit import LaterRun, cannot_wait

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SPECS = tuple(spec(f"n{at}.example.org", line=at) for at in range(6))


def page(limit: int) -> Configuration:
    return configuration(*SPECS, settings_=replace(settings(), run_limit=limit))


def world(*days: int | None, advice: Mapping[Alias, Advice] | None = None) -> Observed:
    there = [expiring(at, left) for at, left in enumerate(days) if left is not None]
    return observed(*there, specs=SPECS, zones=[zone("example.org")], advice=advice)


def expiring(at: int, days: int) -> Lineage:
    name = f"n{at}.example.org"
    return lineage(name, leaf(name, left=timedelta(days=days), key_id=f"{at:02}"))


def due(made: Plan) -> list[str]:
    return [item.alias.text.partition(".")[0] for item in made.due]


def waits(made: Plan) -> dict[str, str]:
    return {item.alias.text.partition(".")[0]: str(item.error) for item in made.postponed}


def test_without_a_limit_everything_goes() -> None:
    assert len(plan(page(0), world(20, 19, 18, 17, 16, 15)).due) == 6
    assert len(plan(page(6), world(20, 19, 18, 17, 16, 15)).due) == 6


def test_those_that_end_first_go_first_and_the_others_know_when_their_turn_is() -> None:
    made = plan(page(2), world(20, 19, 18, 17, 16, 15))
    assert due(made) == ["n4", "n5"]
    said = waits(made)
    assert said["n3"] == said["n2"].replace("2026-12-07", "2026-12-06")
    assert said["n3"].startswith("postponed to the next run, at the latest to 2026-12-06T00:00:00Z: ")
    assert said["n1"].startswith("postponed to the 2nd run from now, ")
    assert said["n3"].endswith("a run opens 2 orders (RUN_LIMIT), the most urgent ones first")
    assert {item.error.retry_at for item in made.postponed if item.error} == {NOW + HOUR, NOW + 2 * HOUR}
    document = waits_document(made.postponed[0].error)
    assert document is not None
    assert document["for"] == "run"


def test_what_cannot_wait_is_never_held_up_and_counts() -> None:
    # A twentieth of 90 days is 4.5: n0 to n2 cannot wait, n3 can.
    made = plan(page(2), world(4, 3, -1, 6, 7, 8))
    assert due(made) == ["n0", "n1", "n2"]
    assert plan(page(4), world(4, 3, -1, 6, 7, 8)).due[3].alias == SPECS[3].alias


def test_short_lives_have_two_days_or_half_of_their_margin() -> None:
    def left(life: timedelta) -> timedelta:
        present = leaf("n0.example.org", left=life, life=life)
        return present.not_after - cannot_wait(SPECS[0], present)

    assert left(90 * DAY) == 4.5 * DAY
    assert left(30 * DAY) == 2 * DAY
    assert left(160 * HOUR) == 40 * HOUR
    assert left(DAY) == 6 * HOUR


def test_what_is_not_there_comes_before_what_is_not_over() -> None:
    assert due(plan(page(2), world(20, None, 18, None, 16, 15))) == ["n1", "n3"]


def test_what_the_ca_wants_replaced_at_once_comes_first() -> None:
    past = Suggestion(Window(NOW - DAY, NOW - HOUR), NOW - HOUR, hurried=True)
    advice = {SPECS[at].alias: Advice(CA, f"id-{at}", NOW + HOUR, past) for at in (0, 1)}
    assert due(plan(page(2), world(80, 79, 18, 17, 16, 15, advice=advice))) == ["n0", "n1"]


def test_an_open_order_and_what_a_person_forces_go_on() -> None:
    open_ = OrderIntent(SPECS[0].alias, f"{CA}/1", CA, SPECS[0].identifiers, "", False, str(SPECS[0].key), 1)
    seen = replace(world(20, 19, 18, 17, 16, 15), records=Records(orders={SPECS[0].alias: open_}))
    assert due(plan(page(1), seen)) == ["n0"]
    assert due(plan(page(2), seen)) == ["n0", "n5"]
    forced: Collection[Alias] = {SPECS[0].alias, SPECS[1].alias}
    assert due(plan(page(1), world(60, 60, 18, 17, 16, 15), forced)) == ["n0", "n1"]


def test_what_the_rate_holds_up_takes_nobodys_place() -> None:
    both = replace(page(2).settings, order_rate=OrderRate(3, HOUR))
    made = plan(configuration(*SPECS, settings_=both), world(20, 19, 18, 17, 16, 15))
    assert due(made) == ["n4", "n5"]
    assert sum(1 for item in made.postponed if isinstance(item.error, LaterRun)) == 1


def test_certificates_that_have_a_plan_each_share_the_limit() -> None:
    by_hook = Methods((ChallengeType.HTTP_01,))
    hooked = [replace(item, hook="/opt/hook", methods=by_hook) for item in SPECS]
    whole = configuration(*hooked, settings_=page(2).settings)
    seen = held_to_limit(whole, world(20, 19, 18, 17, 16, 15), ())
    parts = [configuration(item, settings_=whole.settings) for item in hooked]
    assert [name for part in parts for name in due(plan(part, seen))] == ["n4", "n5"]
