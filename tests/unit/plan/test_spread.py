"""Large lists: renewals that are not all due on one day."""

from dataclasses import replace
from datetime import timedelta

from builders.certificates import NOW
from builders.plans import configuration, leaf, lineage, observed, spec
from certkeeper.acme.renewal_info import Window
from certkeeper.config.settings import CertSpec, RenewPolicy, Spread
from certkeeper.plan.actions import Reason
from certkeeper.plan.advice import Suggestion
from certkeeper.plan.due import decide, usual_time
from certkeeper.plan.planner import plan

DAY = timedelta(days=1)
LARGE = Spread.over(10_000)


def listed(number: int, spread: Spread = LARGE, *, wished: bool = False) -> CertSpec:
    return replace(spec(f"n{number}.example.org"), renew=RenewPolicy(30, wished, spread))


def early(wanted: CertSpec, life: timedelta = 90 * DAY) -> timedelta:
    """How much earlier than RENEW_DAYS says."""
    present = leaf(str(wanted.alias), life=life)
    plain = replace(wanted.renew, spread=Spread())
    return usual_time(wanted.alias, present, plain) - usual_time(wanted.alias, present, wanted.renew)


def test_a_small_page_keeps_to_the_day_and_a_large_one_is_spread_by_its_size() -> None:
    assert Spread.over(0) == Spread.over(100) == Spread()
    assert Spread.over(500).most == timedelta(hours=100)
    assert early(listed(1, Spread())) == timedelta(0)


def test_it_is_a_tenth_of_the_life_at_most_always_earlier_and_even() -> None:
    found = [early(listed(number)) for number in range(900)]
    assert found == [early(listed(number)) for number in range(900)]
    assert min(found) >= timedelta(0)
    assert max(found) < 9 * DAY
    days = [sum(1 for item in found if item // DAY == day) for day in range(9)]
    assert min(days) > 60
    assert max(days) < 140
    assert max(early(listed(number), 6 * DAY) for number in range(100)) < 6 * DAY / 10


def test_the_day_that_a_plan_tells_is_the_spread_one() -> None:
    wanted = listed(7)
    by = early(wanted)
    assert by > DAY
    present = lineage("n7.example.org", leaf("n7.example.org", left=30 * DAY + by))
    assert decide(wanted, present, NOW).reason is Reason.EXPIRING
    later = lineage("n7.example.org", leaf("n7.example.org", left=30 * DAY + by + DAY))
    decision = decide(wanted, later, NOW)
    assert decision.reason is Reason.CURRENT
    assert decision.renew_at == NOW + DAY
    assert f"renewed from {NOW + DAY:%Y-%m-%dT%H:%M:%SZ}" in decision.detail


def test_where_the_ca_suggests_a_time_that_one_counts() -> None:
    present = lineage("n7.example.org", leaf("n7.example.org", left=33 * DAY))
    at = NOW + 2 * DAY
    suggested = Suggestion(Window(at, at + DAY), at)
    assert decide(listed(7), present, NOW, suggested).renew_at == at
    # RENEW_DAYS that an operator set would be later than the CA's time: no reason to be even earlier.
    assert decide(listed(7, wished=True), present, NOW, suggested).renew_at == at
    late = Suggestion(Window(NOW + 20 * DAY, NOW + 21 * DAY), NOW + 20 * DAY)
    assert decide(listed(7, wished=True), present, NOW, late).reason is Reason.EXPIRING


def test_a_line_that_is_added_changes_no_fingerprint() -> None:
    def fingerprint(spread: Spread) -> str:
        wanted = listed(1, spread)
        return plan(configuration(wanted), observed(specs=[wanted])).lineages[0].fingerprint

    assert fingerprint(Spread.over(200)) == fingerprint(Spread.over(201))
