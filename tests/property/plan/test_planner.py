"""The planner on any page and any world: same inputs, same plan; what is planned holds together."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NOW
from builders.plans import P256, REUSE, configuration, leaf, lineage, observed, spec, zone
from certkeeper.base.names import Alias
from certkeeper.config.settings import CertSpec, Configuration, OnNameFailure
from certkeeper.lineage.model import KeyPlace, Lineage, Version
from certkeeper.plan.actions import Activate, CallHook, GoLive, LineagePlan, Reason
from certkeeper.plan.due import renew_before
from certkeeper.plan.explain import explain
from certkeeper.plan.holding import needed
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan, wanted_zones
from certkeeper.plan.proving import owners_of
from certkeeper.plan.records import Held, Records
from certkeeper.zone.rrset import Zone

HOSTS = ["example.org", "www.example.org", "*.example.org", "example.net", "a.sub.example.net", "example.com"]
ZONES = [zone("example.org"), zone("example.net"), zone("sub.example.net"), zone("_acme-challenge.example.org")]

spans = st.timedeltas(timedelta(days=-5), timedelta(days=120))
lives = st.sampled_from([timedelta(days=days) for days in (1, 6, 45, 90, 398)])
hosts = st.lists(st.sampled_from(HOSTS), min_size=1, max_size=4, unique=True)


@st.composite
def specs(draw: st.DrawFn, alias: str) -> CertSpec:
    line = spec(
        *draw(hosts),
        alias=alias,
        key=draw(st.sampled_from([P256, REUSE])),
        days=draw(st.integers(0, 400)),
        must_staple=draw(st.booleans()),
    )
    return replace(line, on_name_failure=draw(st.sampled_from(OnNameFailure)))


@st.composite
def lineages(draw: st.DrawFn, alias: str) -> Lineage:
    if draw(st.booleans()):
        return lineage(alias, trouble=draw(st.sampled_from(["", "cert.pem: broken"])))
    present = leaf(*draw(hosts), left=draw(spans), life=draw(lives), key_id=draw(st.sampled_from("ab")))
    return lineage(
        alias,
        present,
        key_place=draw(st.sampled_from([KeyPlace.PLAIN, KeyPlace.LINK])),
        key_id=draw(st.sampled_from([None, "a"])),
    )


Scene = tuple[Configuration, Observed, frozenset[Alias]]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    aliases = [f"lineage{number}" for number in range(draw(st.integers(0, 5)))]
    page = configuration(*(draw(specs(alias)) for alias in aliases))
    held: list[Zone] = draw(st.lists(st.sampled_from(ZONES), unique=True))
    world = observed(*(draw(lineages(alias)) for alias in aliases), specs=page.certificates, zones=held)
    return page, world, frozenset(Alias(alias) for alias in aliases if draw(st.booleans()))


@given(scenes())
def test_the_same_inputs_give_the_same_plan(scene: Scene) -> None:
    page, world, forced = scene
    one, two = plan(page, world, forced), plan(page, world, forced)
    assert list(explain(one)) == list(explain(two))
    assert [item.fingerprint for item in one.lineages] == [item.fingerprint for item in two.lineages]


@given(scenes())
def test_every_lineage_is_current_due_or_blocked(scene: Scene) -> None:
    page, world, forced = scene
    for item in plan(page, world, forced).lineages:
        current = item.reason is Reason.CURRENT
        assert [current, bool(item.actions), item.error is not None].count(True) == 1
        assert not current or item.alias not in forced
        assert not current or (item.wake_at is not None and item.wake_at > world.now)


def as_ordered(item: LineagePlan) -> CertSpec:
    """The certificate without the names that it is ordered without."""
    assert item.order is not None
    left_out = {dropped.name for dropped in item.dropped}
    assert set(item.order.identifiers) == set(item.spec.identifiers) - left_out
    return replace(item.spec, identifiers=item.order.identifiers)


@given(scenes())
def test_every_owner_of_a_due_lineage_is_proven_once_in_its_longest_zone(scene: Scene) -> None:
    page, world, forced = scene
    made = plan(page, world, forced)
    for item in made.due:
        owners = [owner for proof in item.proofs for owner in proof.owners]
        assert sorted(owners) == sorted(owners_of(as_ordered(item)))
        assert all(owner.is_within(proof.zone.name) for proof in item.proofs for owner in proof.owners)
        assert set(owners) <= set(wanted_zones(page, world, forced)[""].owners)
    published = [owner for owners in made.zones.values() for owner in owners]
    assert sorted(published) == sorted({owner for item in made.due for owner in owners_of(as_ordered(item))})


@given(spans, lives, st.integers(0, 400))
def test_a_certificate_just_issued_is_never_due_before_half_of_its_life(
    left: timedelta, life: timedelta, days: int
) -> None:
    wanted = spec("example.org", days=days)
    present = leaf("example.org", left=left, life=life)
    assert renew_before(present, wanted.renew) <= life / 2
    world = observed(lineage("example.org", present), specs=[wanted], now=present.not_before)
    assert plan(configuration(wanted), world).due == ()


@given(spans, lives, st.integers(0, 400))
def test_at_wake_at_the_certificate_is_due_and_just_before_it_is_not(
    left: timedelta, life: timedelta, days: int
) -> None:
    wanted = spec("example.org", days=days)
    present = lineage("example.org", leaf("example.org", left=left, life=life))
    page = configuration(wanted)
    start = NOW + left - life
    wake_at = plan(page, observed(present, specs=[wanted], now=start)).wake_at
    assert wake_at is not None
    before = observed(present, specs=[wanted], now=wake_at - timedelta(microseconds=1))
    assert plan(page, before).due == ()
    assert len(plan(page, observed(present, specs=[wanted], now=wake_at)).due) == 1


@st.composite
def held_scenes(draw: st.DrawFn) -> Scene:
    """All lineages are held by a person, and may have versions on either side of what is live."""
    page, world, forced = draw(scenes())
    versions = {}
    for alias, found in world.lineages.items():
        stamps = draw(st.lists(st.integers(1, 9), max_size=3, unique=True))
        present = draw(st.sampled_from([None, 5]))
        world = replace(world, lineages={**world.lineages, alias: replace(found, stamp=present)})
        versions[alias] = tuple(
            Version(
                stamp,
                key_id="a",
                leaf=leaf(*draw(hosts), left=draw(spans), key_id="a"),
                trouble=draw(st.sampled_from(["", "cert.pem: broken"])),
                live=stamp == present,
            )
            for stamp in sorted(stamps, reverse=True)
        )
    held = {item.entry: Held(item.entry, 0, None, "held") for item in page.certificates}
    return page, replace(world, versions=versions, records=Records(held=held)), forced


@given(held_scenes())
def test_what_a_person_holds_is_never_switched_by_a_plan(scene: Scene) -> None:
    page, world, forced = scene
    for item in plan(page, world, forced).lineages:
        assert not [action for action in item.actions if isinstance(action, Activate | GoLive | CallHook)]


@given(held_scenes())
def test_a_version_that_waits_is_never_pruned(scene: Scene) -> None:
    _, world, _ = scene
    for alias, versions in world.versions.items():
        present = world.lineages[alias]
        kept = needed(alias, present, world.records, versions, world.now)
        for version in versions:
            whole = not version.trouble and version.leaf is not None and version.leaf.not_after > world.now
            begun = version.leaf is not None and version.leaf.not_before <= world.now
            if present.stamp is not None and version.stamp > present.stamp and whole and begun:
                assert version.stamp in kept
