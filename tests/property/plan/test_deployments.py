"""Which services are due, over every state of journal, files and lineages at once."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.certificates import NOW
from builders.plans import configuration, leaf, lineage, spec
from builders.plans import settings as page_settings
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.times import RETRY_AFTER_MAX
from certkeeper.config.settings import Configuration, Purpose
from certkeeper.lineage.model import Lineage
from certkeeper.plan.deploy import Copies, Deployable, DeployPlan, plan_deployments
from certkeeper.plan.records import Deployment, Held, Records, Shown
from certkeeper.service.target import Form, Kind, Target, TargetFile

TARGETS = {
    target.name: target
    for target in (
        Target("apache2", Kind.APACHE),
        Target("nginx", Kind.NGINX),
        *(Target(name, Kind.POSTFIX, files=(TargetFile(Form.KEY_FULLCHAIN, "/c/{alias}.pem"),)) for name in ("mx",)),
    )
}
NAMES = ("a.example.org", "b.example.org")
STAMPS = (1000, 1001)
TIMES = st.sampled_from(
    [None, *(NOW + delta for delta in (timedelta(0), timedelta(hours=-1), timedelta(hours=1), RETRY_AFTER_MAX * 2))]
)
Case = tuple[Configuration, Deployable]
few = settings(max_examples=40)
"""Each is a whole page with its journal."""


def lineages(name: str) -> st.SearchStrategy[Lineage]:
    whole = lineage(name, leaf(name))
    return st.sampled_from(
        [
            *(replace(whole, stamp=stamp) for stamp in STAMPS),
            replace(whole, stamp=None),
            replace(whole, stamp=1000, key_id="another"),
            replace(whole, stamp=1000, leaf=replace(leaf(name), not_after=NOW)),
            replace(whole, stamp=1000, leaf=None),
        ]
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    named = {Alias(name): draw(lineages(name)) for name in NAMES}
    wanted = st.lists(st.sampled_from([*TARGETS, "unknown"]), unique=True)
    purposes = st.sampled_from([*Purpose])
    specs = [replace(spec(name), targets=tuple(draw(wanted)), purpose=draw(purposes)) for name in NAMES]
    deployments, copies = dict[tuple[str, Alias], Deployment](), dict[tuple[str, Alias], Copies]()
    for target in TARGETS:
        for alias in named:
            if draw(st.booleans()):
                shown, stamp, failures = (
                    draw(st.sampled_from([*Shown])),
                    draw(st.sampled_from(STAMPS)),
                    draw(st.integers(0, 3)),
                )
                deployments[target, alias] = Deployment(target, alias, stamp, shown, failures, draw(TIMES), "why")
            trouble = CertkeeperError("cannot be read") if draw(st.booleans()) else None
            copies[target, alias] = Copies(draw(st.sampled_from([None, *STAMPS])), trouble)
    held = {alias: Held(alias, 1001, draw(TIMES), "") for alias in named if draw(st.booleans())}
    page = configuration(*specs, settings_=replace(page_settings(), targets=TARGETS))
    return page, Deployable(NOW, named, Records(deployments=deployments, held=held), copies)


def pairs(plan: DeployPlan) -> list[tuple[str, Alias]]:
    due = [(part.target.name, item.alias) for part in plan.targets for item in part.due]
    return [
        *due,
        *((wait.target, wait.alias) for wait in plan.waiting),
        *((name, alias) for name, alias, _ in plan.errors),
    ]


@few
@given(cases())
def test_each_pair_that_is_wanted_is_told_of_once_at_most(case: Case) -> None:
    page, world = case
    wanted = [
        (name, item.alias)
        for item in page.certificates
        for name in item.targets
        if item.purpose is not Purpose.REHEARSE
    ]
    found = pairs(plan_deployments(page, world))
    assert len(found) == len(set(found))
    assert set(found) <= set(wanted)
    assert {pair for pair in wanted if pair[0] == "unknown"} <= set(found)


@few
@given(cases(), st.lists(st.sampled_from(NAMES), unique=True))
def test_nobody_is_given_what_is_not_fit_to_be_shown(case: Case, asked: list[str]) -> None:
    page, world = case
    plan = plan_deployments(page, world, [Alias(name) for name in asked])
    for item in (item for part in plan.targets for item in part.due):
        there = world.lineages[item.alias]
        assert there.leaf is not None
        assert there.leaf.not_after > NOW
        assert not there.torn
        assert item.stamp == there.stamp


@few
@given(cases())
def test_those_that_read_in_place_come_first(case: Case) -> None:
    order = [not part.target.in_place for part in plan_deployments(*case).targets]
    assert order == sorted(order)


@few
@given(cases())
def test_where_all_was_seen_nothing_is_done_again(case: Case) -> None:
    page, world = case
    plan = plan_deployments(page, world)
    entries, copies = dict(world.records.deployments), dict(world.copies)
    for part in plan.targets:
        for due in part.due:
            key = part.target.name, due.alias
            entries[key] = Deployment(*key, due.stamp, Shown.SEEN)
            copies[key] = Copies(due.stamp)
    for entry in plan.stale:
        assert isinstance(entry, Deployment)
        del entries[entry.target, entry.alias]
    again = plan_deployments(page, replace(world, records=replace(world.records, deployments=entries), copies=copies))
    assert (again.targets, again.stale) == ((), ())
    assert (again.waiting, [key for *key, _ in again.errors]) == (plan.waiting, [key for *key, _ in plan.errors])


@few
@given(cases())
def test_whoever_asks_waits_for_no_time(case: Case) -> None:
    page, world = case
    asked = plan_deployments(page, world, [Alias(name) for name in NAMES])
    assert all(wait.until is None for wait in asked.waiting)
    assert set(pairs(plan_deployments(page, world))) <= set(pairs(asked))
