"""The algebra of changes: foreign values survive, withdrawals restore, order does not matter."""

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.names import DnsName
from certkeeper.zone.changes import ChangeSet, Key, RecordChange, fold
from certkeeper.zone.rrset import RRset

OURS = frozenset("abcd")
FOREIGN = frozenset("WXYZ")
OWNERS = [DnsName("_acme-challenge.example.org"), DnsName("_acme-challenge.www.example.org")]
TYPES = ["TXT", "TLSA"]

owners = st.sampled_from(OWNERS)
types = st.sampled_from(TYPES)
ours = st.frozensets(st.sampled_from(sorted(OURS)))
foreign = st.frozensets(st.sampled_from(sorted(FOREIGN)))
anything = st.frozensets(st.sampled_from(sorted(OURS | FOREIGN)))
ttls = st.integers(0, 3600)
changes = st.lists(st.builds(RecordChange, owners, types, ours, ours, ttls), max_size=6)
additions = st.lists(st.builds(RecordChange, owners, types, ours, st.just(frozenset()), ttls), max_size=6)

Rrsets = dict[Key, RRset]


def world(values: st.SearchStrategy[frozenset[str]]) -> st.SearchStrategy[Rrsets]:
    """RRsets that are there; one without records is not there."""
    found = st.dictionaries(st.tuples(owners, types), st.tuples(values, ttls))
    return found.map(lambda items: {key: RRset(*key, ttl, rdata) for key, (rdata, ttl) in items.items() if rdata})


def applied(change: ChangeSet, current: Rrsets) -> Rrsets:
    written = {(item.owner, item.type): item for item in fold(change, current)}
    return {key: item for key, item in (current | written).items() if item.rdata}


def rdata(rrsets: Rrsets) -> dict[Key, frozenset[str]]:
    return {key: item.rdata for key, item in rrsets.items()}


@given(changes, world(anything))
def test_foreign_values_always_survive(some: list[RecordChange], current: Rrsets) -> None:
    after = applied(ChangeSet.of(some), current)
    for key, before in current.items():
        assert before.rdata & FOREIGN == (after[key].rdata if key in after else frozenset()) & FOREIGN
    assert all(item.rdata & FOREIGN <= current[key].rdata for key, item in after.items() if item.rdata & FOREIGN)


@given(additions, world(foreign))
def test_the_withdrawal_restores_what_was_there(some: list[RecordChange], current: Rrsets) -> None:
    change = ChangeSet.of(some)
    assert applied(change.invert(), applied(change, current)) == current


@given(changes, world(anything))
def test_a_change_done_twice_writes_nothing_the_second_time(some: list[RecordChange], current: Rrsets) -> None:
    change = ChangeSet.of(some)
    assert fold(change, applied(change, current)) == ()


@given(changes, world(anything))
def test_after_a_change_all_is_as_it_says(some: list[RecordChange], current: Rrsets) -> None:
    after = rdata(applied(ChangeSet.of(some), current))
    for change in ChangeSet.of(some).changes:
        assert change.add <= after.get(change.key, frozenset())
        assert not (change.remove - change.add) & after.get(change.key, frozenset())


@given(st.data(), changes)
def test_the_order_of_merging_does_not_matter(data: st.DataObject, some: list[RecordChange]) -> None:
    assert ChangeSet.of(data.draw(st.permutations(some))) == ChangeSet.of(some)


@given(changes, changes)
def test_merging_in_steps_is_merging_at_once(some: list[RecordChange], more: list[RecordChange]) -> None:
    whole = ChangeSet.of([*some, *more])
    assert ChangeSet.of([*ChangeSet.of(some).changes, *ChangeSet.of(more).changes]) == whole


@given(changes)
def test_inverting_twice_changes_nothing(some: list[RecordChange]) -> None:
    change = ChangeSet.of(some)
    assert change.invert().invert() == change


@given(changes)
def test_a_merged_change_never_removes_what_it_adds(some: list[RecordChange]) -> None:
    assert all(not change.add & change.remove for change in ChangeSet.of(some).changes)
