"""Whatever the versions: the live one stays, enough of them stay, and time only ever makes more of them go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.times import from_epoch
from certkeeper.lineage.model import Leaf, Version
from certkeeper.lineage.retention import Retention, Unfinished, abandoned, superseded

DAY = 86400
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def version(stamp: int, day: int | None, *, shown: bool) -> Version:
    trouble = "lacks cert.pem" if day is None else ""
    return Version(stamp, leaf=None if day is None else leaf(day), trouble=trouble, shown=shown)


def leaf(day: int) -> Leaf:
    began = from_epoch(START + day * DAY)
    return Leaf("", frozenset(), began, began + timedelta(days=90), "1", "")


@st.composite
def lineages(draw: st.DrawFn, *, live: bool = True) -> list[Version]:
    days = draw(st.lists(st.integers(0, 900), unique=True, min_size=1, max_size=9))
    found = []
    for day in days:
        stamp, began = START + day * DAY + draw(st.integers(0, 3600)), draw(st.sampled_from([day, day + 2, None]))
        found.append(version(stamp, began, shown=draw(st.booleans())))
    if live:
        place = draw(st.integers(0, len(found) - 1))
        old = found[place]
        found[place] = replace(old, live=True)
    return found


RETENTIONS = st.builds(Retention, st.integers(0, 5), st.integers(0, 400))
NOWS = st.integers(0, 2000).map(lambda day: from_epoch(START + day * DAY))


@given(lineages(), RETENTIONS, NOWS, st.data())
def test_what_is_in_use_stays(
    versions: list[Version], retention: Retention, now: datetime, data: st.DataObject
) -> None:
    needed = data.draw(st.sets(st.sampled_from([item.stamp for item in versions])))
    gone = superseded(versions, retention, now, needed)
    assert not [item for item in gone if item.live or item.shown or item.stamp in needed]
    assert [item.stamp for item in gone] == sorted(item.stamp for item in gone)


@given(lineages(), RETENTIONS, NOWS)
def test_enough_whole_versions_stay_beside_the_live_one(
    versions: list[Version], retention: Retention, now: datetime
) -> None:
    gone = superseded(versions, retention, now)
    whole = [item for item in versions if not item.trouble and not item.live]
    left = [item for item in whole if item not in gone]
    assert len(left) >= min(retention.versions, len(whole))
    # Those that stay for the number are the newest.
    assert all(sum(other.stamp > item.stamp for other in whole) >= retention.versions for item in gone)


@given(lineages(), RETENTIONS, NOWS)
def test_nothing_goes_before_its_days_are_over(versions: list[Version], retention: Retention, now: datetime) -> None:
    for item in superseded(versions, retention, now):
        assert now.timestamp() - item.stamp > retention.days * DAY


@given(lineages(), RETENTIONS, NOWS, st.integers(0, 1000))
def test_time_only_makes_more_go(versions: list[Version], retention: Retention, now: datetime, days: int) -> None:
    earlier = superseded(versions, retention, now)
    assert set(earlier) <= set(superseded(versions, retention, now + timedelta(days=days)))


@given(lineages(), RETENTIONS, NOWS)
def test_a_more_generous_setting_only_keeps_more(versions: list[Version], retention: Retention, now: datetime) -> None:
    gone = set(superseded(versions, retention, now))
    for generous in (Retention(retention.versions + 1, retention.days), Retention(retention.versions, 500)):
        if generous.days >= retention.days:
            assert set(superseded(versions, generous, now)) <= gone


@given(lineages(), RETENTIONS, NOWS)
def test_what_was_pruned_once_is_pruned(versions: list[Version], retention: Retention, now: datetime) -> None:
    gone = superseded(versions, retention, now)
    left = [item for item in versions if item not in gone]
    assert set(superseded(left, retention, now)) <= {item for item in left if item.trouble}


@given(lineages(live=False), RETENTIONS, NOWS)
def test_nothing_goes_where_no_version_is_live(versions: list[Version], retention: Retention, now: datetime) -> None:
    assert superseded(versions, retention, now) == ()


@given(
    st.lists(
        st.builds(
            Unfinished,
            st.just("x.partial"),
            st.integers(START, START + 900 * DAY),
            st.integers(START, START + 900 * DAY),
            st.booleans(),
        ),
        max_size=6,
    ),
    RETENTIONS,
    NOWS,
    st.sets(st.integers(START, START + 900 * DAY), max_size=3),
)
def test_what_is_in_the_making_stays_for_the_days(
    unfinished: list[Unfinished], retention: Retention, now: datetime, needed: set[int]
) -> None:
    for item in abandoned(unfinished, retention, now, needed):
        assert item.half_removed or (
            now.timestamp() - max(item.stamp, item.changed) > retention.days * DAY and item.stamp not in needed
        )
    assert {item for item in unfinished if item.half_removed} <= set(abandoned(unfinished, retention, now, needed))
