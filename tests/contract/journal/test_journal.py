"""What every journal promises, whether it is SQLite or a test's."""

import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certkeeper.base.names import DnsName
from certkeeper.plan.records import ChallengeIntent, Record, Records, TurnKind
from contract.journal.diaries import Diary, FakeDiary, RealDiary
from contract.journal.entries import (
    CA,
    EVERY_KIND,
    A,
    B,
    backoff,
    budget,
    challenge,
    debt,
    deployment,
    file,
    held,
    limit,
    name_backoff,
    order,
    records,
    tlsa,
    told,
    turn,
)

NOTHING = Records()
DEPLOYED = Records(
    deployments={("nginx", A): deployment(), ("mail", A): deployment("mail", failures=0)},
    held={A: held(), B: held(B, ends=False)},
)
DANE = replace(DEPLOYED, tlsa={tlsa().place: tlsa()}, turns={A: turn(), B: turn(B, TurnKind.COMPROMISE)})
LIMITS = replace(DANE, names={(CA, "example.org"): name_backoff()}, limits={CA: limit()}, budgets={CA: budget()})


@pytest.fixture(params=["fake", "real"])
def diary(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Diary]:
    if request.param == "fake":
        yield FakeDiary()
        return
    real = RealDiary(tmp_path / "state")
    yield real
    real.close()


def left(diary: Diary) -> list[tuple[str, str, str]]:
    return [(item.zone.text, item.owner.text, item.rdata) for item in diary.journal.records().left]


def test_a_journal_begins_empty(diary: Diary) -> None:
    assert diary.journal.records() == NOTHING


def test_what_was_put_is_there_as_it_was(diary: Diary) -> None:
    diary.journal.write(EVERY_KIND, ())
    assert diary.journal.records() == replace(LIMITS, orders={A: order()}, debts={A: debt()}, backoffs={A: backoff()})


def test_what_was_put_outlives_the_run(diary: Diary) -> None:
    diary.journal.write(EVERY_KIND, ())
    diary.die()
    found = diary.journal.records()
    assert (found.orders, found.debts, found.backoffs) == ({A: order()}, {A: debt()}, {A: backoff()})
    assert [replace(item, run="") for item in found.left] == [challenge()]
    assert [replace(item, run="") for item in found.files] == [file()]
    assert [replace(item, run="") for item in found.told] == [told()]


def test_a_newer_entry_of_a_lineage_counts(diary: Diary) -> None:
    diary.journal.write(EVERY_KIND, ())
    newer: Sequence[Record] = (order(url="https://ca.test/order/2"), debt(stamp=7), backoff(failures=3))
    newer = (*newer, name_backoff(failures=3), limit(failures=5), budget(left=0.5))
    newer = (*newer, deployment(stamp=8), held(stamp=9), tlsa(bound=60), turn(kind=TurnKind.RETIRE))
    diary.journal.write(newer, ())
    expected = Records({A: order(url="https://ca.test/order/2")}, {A: debt(stamp=7)}, {A: backoff(failures=3)})
    expected = replace(expected, deployments={**DEPLOYED.deployments, ("nginx", A): deployment(stamp=8)})
    expected = replace(expected, held={**DEPLOYED.held, A: held(stamp=9)})
    expected = replace(expected, tlsa={tlsa().place: tlsa(bound=60)})
    expected = replace(expected, turns={A: turn(kind=TurnKind.RETIRE), B: turn(B, TurnKind.COMPROMISE)})
    expected = replace(expected, names={(CA, "example.org"): name_backoff(failures=3)})
    expected = replace(expected, limits={CA: limit(failures=5)}, budgets={CA: budget(left=0.5)})
    assert diary.journal.records() == expected


def test_lineages_do_not_touch_each_other(diary: Diary) -> None:
    diary.journal.write((order(A), order(B), debt(A), debt(B), backoff(A), backoff(B)), ())
    diary.journal.write((), (order(A), debt(B)))
    assert diary.journal.records() == Records({B: order(B)}, {A: debt(A)}, {A: backoff(A), B: backoff(B)})


def test_cas_and_names_do_not_touch_each_other(diary: Diary) -> None:
    other = "https://other.test/directory"
    put: Sequence[Record] = (name_backoff("a.test"), name_backoff("b.test"), name_backoff("a.test", other))
    diary.journal.write((*put, limit(), limit(other), budget(), budget(other)), ())
    diary.journal.write((), (name_backoff("a.test"), limit(other), budget()))
    found = diary.journal.records()
    assert set(found.names) == {(CA, "b.test"), (other, "a.test")}
    assert set(found.limits) == {CA}
    assert set(found.budgets) == {other}


@pytest.mark.parametrize("entry", EVERY_KIND, ids=lambda entry: type(entry).__name__)
def test_what_was_dropped_is_gone(diary: Diary, entry: Record) -> None:
    diary.journal.write(EVERY_KIND, ())
    diary.journal.write((), (entry,))
    diary.die()
    found = diary.journal.records()
    there: list[Record] = [*found.orders.values(), *found.debts.values(), *found.backoffs.values()]
    there += [*found.names.values(), *found.limits.values(), *found.budgets.values()]
    there += [*found.deployments.values(), *found.held.values()]
    there += [*found.tlsa.values(), *found.turns.values()]
    there += [replace(item, run="") for item in found.left]
    there += [replace(item, run="") for item in found.files]
    there += [replace(item, run="") for item in found.told]
    left = [item for item in EVERY_KIND if item != entry]
    assert len(there) == len(left)
    assert all(item in there for item in left)


@pytest.mark.parametrize("entry", EVERY_KIND, ids=lambda entry: type(entry).__name__)
def test_dropping_what_is_not_there_is_no_error(diary: Diary, entry: Record) -> None:
    diary.journal.write((), (entry,))
    diary.die()
    assert diary.journal.records() == NOTHING


def test_a_lineages_entry_is_dropped_whatever_it_says(diary: Diary) -> None:
    diary.journal.write(EVERY_KIND, ())
    others: Sequence[Record] = (order(url="other"), debt(stamp=9), backoff(failures=9))
    diary.journal.write((), (*others, name_backoff(failures=9), limit(failures=9), budget(left=9)))
    diary.journal.write((), (deployment(stamp=9), deployment("mail", stamp=9), held(stamp=9), held(B, stamp=9)))
    diary.journal.write((), (tlsa(bound=9), turn(kind=TurnKind.RETIRE), turn(B, TurnKind.RETIRE)))
    assert diary.journal.records() == NOTHING


@pytest.mark.parametrize("entry", EVERY_KIND, ids=lambda entry: type(entry).__name__)
def test_what_one_write_drops_and_puts_is_there(diary: Diary, entry: Record) -> None:
    diary.journal.write((entry,), (entry,))
    diary.journal.write((entry,), (entry,))
    diary.die()
    found = diary.journal.records()
    there = (
        found.orders,
        found.debts,
        found.backoffs,
        found.left,
        found.files,
        found.names,
        found.limits,
        found.budgets,
        found.deployments,
        found.held,
        found.told,
        found.tlsa,
        found.turns,
    )
    assert sum(len(table) for table in there) == 1


def test_nothing_to_write_is_nothing(diary: Diary) -> None:
    diary.journal.write((), ())
    assert diary.journal.records() == NOTHING


def test_records_of_the_run_that_goes_on_are_not_left(diary: Diary) -> None:
    diary.journal.write((challenge(),), ())
    assert diary.journal.records().left == ()


def test_files_of_the_run_that_goes_on_are_not_left(diary: Diary) -> None:
    diary.journal.write((file(),), ())
    assert diary.journal.records().files == ()


def test_what_scripts_were_told_of_is_dropped_one_by_one_by_all_its_words(diary: Diary) -> None:
    entries = [told(), told(value="other"), told("b.test"), told(alias=B)]
    diary.journal.write(entries, ())
    assert diary.journal.records().told == ()
    diary.die()
    found = diary.journal.records().told
    assert [replace(item, run="") for item in found] == [told("b.test"), told(value="other"), told(), told(alias=B)]
    diary.journal.write((told(),), ())
    diary.journal.write((), (found[2],))
    assert diary.journal.records().told == (found[0], found[1], found[3])
    diary.die()
    assert len(diary.journal.records().told) == 4


def test_files_of_killed_runs_are_dropped_one_by_one_as_they_came(diary: Diary) -> None:
    diary.journal.write((file("one"), file("one", "bb"), file("two")), ())
    diary.die()
    diary.journal.write((file("one"),), ())
    first = diary.journal.records().files[0]
    assert (first.name, first.digest) == ("one", "aa")
    diary.journal.write((), (first,))
    assert [(item.name, item.digest) for item in diary.journal.records().files] == [("one", "bb"), ("two", "aa")]
    diary.die()
    # This one is the second run's.
    assert [item.name for item in diary.journal.records().files] == ["one", "one", "two"]


def test_records_of_a_killed_run_are_left_in_order(diary: Diary) -> None:
    other = DnsName("example.net")
    entries = [challenge("two"), challenge("one"), challenge(zone=other), challenge(owner=DnsName("_acme.example.org"))]
    diary.journal.write(entries, ())
    diary.die()
    assert left(diary) == sorted((item.zone.text, item.owner.text, item.rdata) for item in entries)


def test_left_records_are_dropped_one_by_one(diary: Diary) -> None:
    diary.journal.write((challenge("one"), challenge("two")), ())
    diary.die()
    first, second = diary.journal.records().left
    diary.journal.write((), (first,))
    assert diary.journal.records().left == (second,)
    diary.journal.write((), (second,))
    assert diary.journal.records().left == ()


def test_the_same_record_of_two_runs_is_two_entries(diary: Diary) -> None:
    diary.journal.write((challenge(),), ())
    diary.die()
    diary.journal.write((challenge(),), ())
    (dead,) = diary.journal.records().left
    diary.journal.write((), (dead,))
    assert diary.journal.records().left == ()
    diary.die()
    assert [replace(item, run="") for item in diary.journal.records().left] == [challenge()]


def test_dropping_ones_own_record_leaves_a_killed_runs(diary: Diary) -> None:
    diary.journal.write((challenge(),), ())
    diary.die()
    diary.journal.write((challenge(),), ())
    diary.journal.write((), (challenge(),))
    assert len(diary.journal.records().left) == 1


def test_records_of_two_killed_runs_are_both_left(diary: Diary) -> None:
    for _ in range(2):
        diary.journal.write((challenge(),), ())
        diary.die()
    found = diary.journal.records().left
    assert [replace(item, run="") for item in found] == [challenge(), challenge()]
    assert len({item.run for item in found}) == 2
    diary.journal.write((), found)
    assert diary.journal.records() == NOTHING


def test_threads_write_side_by_side(diary: Diary) -> None:
    entries = [challenge(f"value-{number}") for number in range(100)]

    def work(mine: Sequence[ChallengeIntent]) -> None:
        for entry in mine:
            diary.journal.write((entry,), ())

    threads = [threading.Thread(target=work, args=(entries[number::8],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    diary.die()
    assert left(diary) == sorted((item.zone.text, item.owner.text, item.rdata) for item in entries)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.lists(records, max_size=4), st.lists(records, max_size=4)),
            st.tuples(st.just("die"), st.just([]), st.just([])),
            st.tuples(st.just("withdraw"), st.just([]), st.just([])),
        ),
        max_size=12,
    )
)
def test_any_history_ends_alike_for_both(history: list[tuple[str, list[Record], list[Record]]]) -> None:
    statedir = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    fake, real = FakeDiary(), RealDiary(statedir)
    try:
        for what, put, drop in history:
            for diary in (fake, real):
                if what == "write":
                    diary.journal.write(put, drop)
                elif what == "die":
                    diary.die()
                else:
                    diary.journal.write((), diary.journal.records().left[:1])
            assert _comparable(real.journal.records()) == _comparable(fake.journal.records())
    finally:
        real.close()
        shutil.rmtree(statedir)


def _comparable(found: Records) -> tuple[object, ...]:
    """Marks of runs are names of the journal's own; the first of two equal records may be either run's."""
    left = [(item.zone, item.owner, item.rdata) for item in found.left]
    told_ = [replace(item, run="") for item in found.told]
    return (
        told_,
        found.orders,
        found.debts,
        found.backoffs,
        left,
        found.names,
        found.limits,
        found.budgets,
        found.deployments,
        found.held,
    )
