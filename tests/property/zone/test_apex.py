"""Zones are found by look-ups, whatever zones there are; and what is searched together is worth it."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.names import DnsName
from certkeeper.zone.apex import ZoneSearch, common_ancestors, find_zones

labels = st.sampled_from(["a", "b", "_acme-challenge", "example"])
names = st.lists(labels, min_size=1, max_size=5).map(lambda parts: DnsName(".".join([*parts, "org"])))
many = st.lists(names, max_size=30)


def longest(owner: DnsName, zones: Iterable[DnsName]) -> DnsName | None:
    above = [zone for zone in zones if owner.is_within(zone)]
    return max(above, key=lambda zone: len(zone.labels), default=None)


@given(many, many)
def test_the_longest_zone_is_found_and_nothing_asked_twice(owners: list[DnsName], zones: list[DnsName]) -> None:
    search: ZoneSearch[DnsName] = find_zones(owners)
    asked: list[DnsName] = []
    try:
        question = next(search)
        while True:
            asked += question
            question = search.send({name: name for name in question if name in zones})
    except StopIteration as stop:
        found = stop.value
    expected = {owner: longest(owner, zones) for owner in owners}
    assert found == {owner: zone for owner, zone in expected.items() if zone is not None}
    assert len(asked) == len(set(asked))


@given(many, st.integers(1, 6))
def test_each_common_ancestor_is_worth_it_and_none_was_overlooked(given_names: list[DnsName], least: int) -> None:
    left = set(given_names)
    for ancestor in common_ancestors(given_names, least):
        assert len(ancestor.labels) >= 2
        below = {name for name in left if name != ancestor and name.is_within(ancestor)}
        assert len(below) >= least
        left -= below
    for name in left:
        above = name.parent
        while len(above.labels) >= 2:
            assert sum(other != above and other.is_within(above) for other in left) < least
            above = above.parent
