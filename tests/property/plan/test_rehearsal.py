"""Days that are played, on any page: nothing expires for no reason, caps hold, and everything adds up."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NOW
from builders.plans import configuration, leaf, lineage, observed, settings, spec
from certkeeper.config.authority import LETSENCRYPT
from certkeeper.config.settings import CertSpec, Configuration, RenewPolicy, Spread
from certkeeper.plan.due import renew_before, usual_time
from certkeeper.plan.observed import Observed
from certkeeper.plan.rehearsal.play import rehearse
from certkeeper.plan.rehearsal.result import Question

DAY = timedelta(days=1)
lives = st.sampled_from([6, 45, 90, 200])
every = st.sampled_from([timedelta(hours=6), DAY / 2, DAY])


def page_of(number: int, life: int, days: int, ca: str, *, limit: int = 0) -> tuple[Configuration, Observed]:
    policy = RenewPolicy(days, wished=False, spread=Spread.over(5000))
    wanted: list[CertSpec] = [replace(spec(f"n{at}.test", line=at), renew=policy) for at in range(number)]
    wanted = [replace(item, ca=ca or item.ca) for item in wanted]
    there = [
        lineage(f"n{at}.test", leaf(f"n{at}.test", left=life * DAY * (at + 1) / (number + 1), life=life * DAY))
        for at in range(number)
    ]
    page = configuration(*wanted, settings_=replace(settings(), run_limit=limit))
    return page, observed(*there, specs=wanted)


@given(st.integers(1, 12), lives, st.integers(1, 60), every, st.sampled_from(["", LETSENCRYPT]))
def test_without_an_outage_nothing_expires(number: int, life: int, days: int, gap: timedelta, ca: str) -> None:
    page, world = page_of(number, life, days, ca)
    done = rehearse(page, world, Question(NOW, 120, gap))
    assert done.lapses == ()
    assert not done.stuck
    assert sum(load.refused for load in done.loads) == 0


@given(st.integers(1, 12), lives, st.integers(1, 60), every)
def test_totals_are_those_of_the_lives(number: int, life: int, days: int, gap: timedelta) -> None:
    page, world = page_of(number, life, days, "")
    done = rehearse(page, world, Question(NOW, 300, gap))
    most = least = 0
    for item in page.certificates:
        present = world.lineages[item.alias].leaf
        assert present is not None
        usual = usual_time(item.alias, present, item.renew) - present.not_before
        rest = 300 * DAY - max(present.not_before + usual - NOW, timedelta(0))
        assert usual >= life * DAY - renew_before(present, item.renew) - life * DAY / 10
        most += rest // usual + 1
        least += max((rest - gap) // (usual + gap), 0)
    assert least <= done.issued <= most


@given(st.integers(1, 40), st.integers(1, 10), every)
def test_a_cap_is_never_exceeded_where_nothing_is_pressing(number: int, limit: int, gap: timedelta) -> None:
    page, world = page_of(number, 90, 32, "", limit=limit)
    # All with twenty days left: the cap has time enough.
    there = [lineage(str(item.alias), leaf(str(item.alias), left=20 * DAY)) for item in page.certificates]
    world = replace(world, lineages={item.alias: item for item in there})
    done = rehearse(page, world, Question(NOW, 40, gap))
    if number * gap <= 15 * DAY * limit:
        assert max(load.run for load in done.loads) <= limit
    assert done.lapses == ()
    assert done.issued >= number
