"""Journals that were cut, overwritten or meddled with: an error with a name, or sound records; never anything else."""

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders.journals import opened, read, write
from certkeeper.adapters import journal_tables
from certkeeper.adapters.journal import JournalOfTheFuture
from certkeeper.apply.ports import JournalDamaged
from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.plan.records import Records
from contract.journal.entries import EVERY_KIND, A, challenge, debt, order

Damage = Callable[[Path], object]
# The first page holds the header and the schema, where a bit has most to say.
_PLACES = st.one_of(st.integers(0, 110), st.integers(0, 4095), st.integers(0, 1 << 20))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_a_newer_schema_is_refused_and_left_alone(state: Path) -> None:
    write(state, order())
    path = state / "journal.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version={journal_tables.VERSION + 1}")
    before = path.read_bytes()
    for action in (read, lambda place: write(place, debt())):
        with pytest.raises(JournalOfTheFuture, match="schema 7, and this certkeeper knows 6") as caught:
            action(state)
        assert str(caught.value).startswith(f"{path}: ")
        assert f"mv {path}" in caught.value.hint
        assert caught.value.exit_code is ExitCode.USAGE
    assert path.read_bytes() == before


def test_a_damaged_one_is_set_aside_with_all_that_belongs_to_it(state: Path) -> None:
    write(state, order())
    (state / "journal.db").write_bytes(b"garbage" * 1000)
    with opened(state) as journal:
        with pytest.raises(JournalDamaged):
            journal.records()
        (state / "journal.db-journal").write_bytes(b"more of it")
        assert journal.set_aside(1234) == f"{state}/journal.db.damaged-1234"
        assert journal.records() == Records()
        journal.write((debt(),), ())
        assert journal.records().debts == {A: debt()}
    assert (state / "journal.db.damaged-1234").read_bytes() == b"garbage" * 1000
    assert (state / "journal.db.damaged-1234-journal").read_bytes() == b"more of it"


def _dropped(table: str) -> Damage:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database:
            database.execute(f"DROP TABLE {table}")

    return damage


def _row(statement: str) -> Damage:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database:
            database.execute(statement)
            database.commit()

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"garbage" * 1000), id="garbage"),
        pytest.param(lambda path: path.write_bytes(b"SQLite format 3\0"), id="the first words"),
        pytest.param(lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(4080)), id="the first words, zeros"),
        pytest.param(lambda path: path.write_bytes(bytes(8192)), id="zeros"),
        pytest.param(_dropped("orders"), id="no orders"),
        pytest.param(_dropped("challenges"), id="no challenges"),
        pytest.param(_dropped("debts"), id="no debts"),
        pytest.param(_dropped("backoffs"), id="no backoffs"),
        pytest.param(_dropped("names"), id="no names"),
        pytest.param(_dropped("limits"), id="no limits"),
        pytest.param(_dropped("budgets"), id="no budgets"),
        pytest.param(_row("UPDATE limits SET retry_at=1e300"), id="a limit after the end of time"),
        pytest.param(_row("ALTER TABLE orders DROP COLUMN stamp"), id="a column less"),
        pytest.param(_row("ALTER TABLE orders ADD COLUMN more TEXT"), id="a column more"),
        pytest.param(_row("UPDATE orders SET identifiers='nothing'"), id="no JSON"),
        pytest.param(_row("UPDATE orders SET identifiers='[1]'"), id="JSON of another shape"),
        pytest.param(_row("UPDATE orders SET identifiers='[[\"dns\"]]'"), id="half a pair"),
        pytest.param(_row('UPDATE orders SET identifiers=\'[["x", "y"]]\''), id="no such type"),
        pytest.param(_row("UPDATE orders SET identifiers='" + "[" * 100_000 + "'"), id="deep JSON"),
        pytest.param(_row("UPDATE backoffs SET retry_at=1e300"), id="after the end of time"),
        pytest.param(_row("UPDATE backoffs SET retry_at=9e999"), id="infinity"),
        pytest.param(_row("UPDATE backoffs SET retry_at=-1e15"), id="before the beginning of time"),
        pytest.param(_row("UPDATE backoffs SET message=CAST(x'ff' AS TEXT)"), id="no UTF-8"),
    ],
)
def test_a_damaged_journal_is_called_that(state: Path, damage: Damage) -> None:
    write(state, *EVERY_KIND)
    damage(state / "journal.db")
    with pytest.raises(JournalDamaged, match=r"journal\.db: damaged: ") as caught:
        read(state)
    assert caught.value.hint
    with suppress(CertkeeperError):
        write(state, *EVERY_KIND)


@pytest.mark.parametrize("table", ["orders", "challenges", "debts", "backoffs", "names", "limits", "budgets"])
def test_a_table_that_goes_away_meanwhile_is_a_damage(state: Path, table: str) -> None:
    with opened(state) as journal:
        journal.write(EVERY_KIND, ())
        _dropped(table)(state / "journal.db")
        with pytest.raises(JournalDamaged, match=table):
            journal.write(EVERY_KIND, ())


def test_a_mark_of_a_run_leads_nowhere(state: Path) -> None:
    write(state, challenge())
    _row("UPDATE challenges SET run='../../../etc/passwd'")(state / "journal.db")
    (found,) = read(state).left
    with opened(state) as journal:
        journal.write((), (found,))
    assert read(state) == Records()


@cache
def sound() -> bytes:
    """A journal of a busy site."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        with opened(state) as journal:
            journal.write([*EVERY_KIND, *(challenge(f"{number:040}") for number in range(60))], ())
            journal.write((), [challenge(f"{number:040}") for number in range(0, 60, 2)])
        return (state / "journal.db").read_bytes()


def assert_survives(content: bytes) -> None:
    """Sound records, or an error with a name; and writing does no worse."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        state = Path(folder) / "state"
        state.mkdir(mode=0o700)
        (state / "journal.db").write_bytes(content)
        damaged = False
        with opened(state) as journal:
            try:
                journal.records()
            except JournalOfTheFuture:
                return
            except JournalDamaged:
                damaged = True
            with suppress(CertkeeperError):
                journal.write(EVERY_KIND, ())
            if damaged:
                journal.set_aside(1)
                journal.write(EVERY_KIND, ())
                assert journal.records().orders == {A: order()}


def test_a_journal_cut_at_any_page_or_sector() -> None:
    for size in range(0, len(sound()), 512):
        assert_survives(sound()[:size])


@pytest.mark.parametrize("size", [1, 15, 16, 17, 99, 100, 101, 511, 4095, 4097])
def test_a_journal_cut_in_the_middle_of_something(size: int) -> None:
    assert_survives(sound()[:size])
    assert_survives(sound()[:size] + bytes(len(sound()) - size))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_PLACES, st.integers(0, 7)), min_size=1, max_size=6))
def test_flipped_bits(flips: list[tuple[int, int]]) -> None:
    content = bytearray(sound())
    for place, bit in flips:
        content[place % len(sound())] ^= 1 << bit
    assert_survives(bytes(content))


def test_every_bit_of_the_header() -> None:
    for place in range(100):
        for bit in range(8):
            assert_survives(sound()[:place] + bytes([sound()[place] ^ 1 << bit]) + sound()[place + 1 :])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=9000))
@example(b"")
def test_any_octets(content: bytes) -> None:
    assert_survives(content)
    assert_survives(b"SQLite format 3\0" + content)
