from certkeeper.base.names import DnsName
from certkeeper.zone.changes import ChangeSet, RecordChange, fold
from certkeeper.zone.rrset import RRset

OWNER = DnsName("_acme-challenge.example.org")
OTHER = DnsName("_acme-challenge.www.example.org")


def add(*values: str, owner: DnsName = OWNER, ttl: int = 60) -> RecordChange:
    return RecordChange(owner, "TXT", add=frozenset(values), ttl=ttl)


def remove(*values: str, owner: DnsName = OWNER) -> RecordChange:
    return RecordChange(owner, "TXT", remove=frozenset(values))


def rrset(*values: str, ttl: int = 3600) -> dict[tuple[DnsName, str], RRset]:
    return {(OWNER, "TXT"): RRset(OWNER, "TXT", ttl, frozenset(values))}


def test_changes_of_one_rrset_become_one() -> None:
    assert ChangeSet.of([add("a"), add("b"), remove("c")]).changes == (
        RecordChange(OWNER, "TXT", frozenset("ab"), frozenset("c")),
    )


def test_changes_come_in_a_fixed_order() -> None:
    one, two = add("a", owner=OTHER), add("a")
    assert ChangeSet.of([one, two]) == ChangeSet.of([two, one])


def test_what_somebody_adds_nobody_takes_away() -> None:
    for changes in ([add("a"), remove("a")], [remove("a"), add("a")], [remove("a"), add("a"), remove("a")]):
        assert ChangeSet.of(changes).changes == (add("a"),)


def test_the_shortest_ttl_counts() -> None:
    assert ChangeSet.of([add("a", ttl=300), add("b", ttl=60)]).changes[0].ttl == 60


def test_a_new_rrset_gets_the_changes_ttl() -> None:
    assert fold(ChangeSet.of([add("a", ttl=60)]), {}) == (RRset(OWNER, "TXT", 60, frozenset("a")),)


def test_an_rrset_keeps_its_ttl_and_its_other_values() -> None:
    assert fold(ChangeSet.of([add("a")]), rrset("foreign")) == (RRset(OWNER, "TXT", 3600, frozenset({"foreign", "a"})),)


def test_a_change_may_be_about_the_ttl_of_what_is_there() -> None:
    alone = ChangeSet.of([RecordChange(OWNER, "TXT", new_ttl=900)])
    assert alone
    assert fold(alone, rrset("a", "foreign")) == (RRset(OWNER, "TXT", 900, frozenset({"a", "foreign"})),)
    assert fold(alone, rrset("a", ttl=900)) == fold(alone, {}) == ()
    more = ChangeSet.of([RecordChange(OWNER, "TXT", new_ttl=900), add("b"), RecordChange(OWNER, "TXT", new_ttl=1800)])
    assert fold(more, rrset("a")) == (RRset(OWNER, "TXT", 900, frozenset("ab")),)
    assert not alone.invert()


def test_an_rrset_whose_last_value_goes_is_written_empty() -> None:
    assert fold(ChangeSet.of([remove("a")]), rrset("a")) == (RRset(OWNER, "TXT", 3600, frozenset()),)


def test_a_change_that_is_done_writes_nothing() -> None:
    assert fold(ChangeSet.of([add("a")]), rrset("a", "foreign")) == ()
    assert fold(ChangeSet.of([remove("a")]), rrset("foreign")) == ()
    assert fold(ChangeSet.of([remove("a")]), {}) == ()


def test_rrsets_that_nobody_changes_are_not_written() -> None:
    written = fold(ChangeSet.of([add("a", owner=OTHER)]), rrset("foreign"))
    assert [item.owner for item in written] == [OTHER]


def test_a_change_set_without_records_is_false() -> None:
    assert not ChangeSet()
    assert not ChangeSet.of([add()])
    assert ChangeSet.of([remove("a")])


def test_the_withdrawal_takes_away_what_was_added() -> None:
    assert ChangeSet.of([add("a"), remove("b")]).invert() == ChangeSet.of([remove("a"), add("b")])


def test_a_withdrawal_spares_what_another_one_still_needs() -> None:
    ours = ChangeSet.of([RecordChange(OWNER, "TXT", add=frozenset({'"shared"', '"own"'}))])
    withdrawal = ours.invert().sparing({((OWNER, "TXT"), '"shared"'), ((OWNER, "A"), '"own"')})
    assert [change.remove for change in withdrawal.changes] == [frozenset({'"own"'})]
