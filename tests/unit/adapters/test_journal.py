import os
import shutil
import signal
import sqlite3
import stat
import struct
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bed.waiting import wait_until
from builders.effects import ended, started
from builders.journals import FIRST_SCHEMA, opened, read, write
from builders.listing import names
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.journal import JournalTrouble
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.base.times import from_epoch
from certkeeper.plan.records import Backoff, ChallengeIntent, Held, Records
from contract.journal.entries import (
    CA,
    EVERY_KIND,
    A,
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
    tlsa,
    told,
    turn,
)

Damage = Callable[[Path], object]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def transactions(path: Path) -> int:
    """How many the file has seen: the file change counter of SQLite's header."""
    return int(struct.unpack(">I", path.read_bytes()[24:28])[0])


# --- the file ---------------------------------------------------------------------------------------------------------


def test_looking_makes_no_file(state: Path) -> None:
    assert read(state) == Records()
    assert not state.exists()


def test_nobody_else_can_read_it(state: Path) -> None:
    before = os.umask(0)
    try:
        write(state, *EVERY_KIND)
    finally:
        os.umask(before)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*") if path.is_file()}
    assert modes == dict.fromkeys(modes, 0o600)
    assert {"journal.db", "journal.db-journal"} == {name for name in modes if name.startswith("journal")}


def test_preparing_makes_it_and_changes_nothing_later(state: Path) -> None:
    with opened(state) as journal:
        journal.prepare()
        before = (state / "journal.db").read_bytes()
        assert before
        journal.prepare()
    assert read(state) == Records()
    assert (state / "journal.db").read_bytes() == before


@pytest.mark.parametrize("name", ["st ate", "100%", "a?b#c", "ü", "x&mode=memory", "%00"])
def test_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, order())
    assert (tmp_path / name / "journal.db").stat().st_size > 0
    assert read(tmp_path / name).orders == {A: order()}


@pytest.mark.parametrize("there", [True, False], ids=["of a journal", "to nothing"])
def test_a_link_in_its_place_is_refused(state: Path, tmp_path: Path, *, there: bool) -> None:
    target = tmp_path / "elsewhere.db"
    if there:
        write(tmp_path / "other", order())
        shutil.move(tmp_path / "other" / "journal.db", target)
    state.mkdir()
    (state / "journal.db").symlink_to(target)
    with pytest.raises(FileTrouble, match=r"journal\.db: cannot open") as caught:
        write(state, debt())
    assert "symbolic link" in caught.value.hint
    if there:
        with pytest.raises(FileTrouble, match=r"journal\.db"):
            read(state)
    else:
        assert not target.exists()


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "fifo"])
def test_what_is_no_file_in_its_place_is_refused(state: Path, make: Callable[[Path], None]) -> None:
    state.mkdir()
    make(state / "journal.db")
    for action in (read, lambda place: write(place, order())):
        with pytest.raises(CertkeeperError, match=r"journal\.db") as caught:
            action(state)
        assert caught.value.hint


# --- writing ----------------------------------------------------------------------------------------------------------


def test_writes_that_wait_share_a_transaction(state: Path) -> None:
    with opened(state) as journal:
        journal.prepare()
        before = transactions(state / "journal.db")
        threads = [threading.Thread(target=journal.write, args=((challenge(str(n)),), ())) for n in range(40)]
        with journal._disk:
            for thread in threads:
                thread.start()
            wait_until(lambda: len(journal._pending) == 40, "everybody waits")
        for thread in threads:
            thread.join()
        assert transactions(state / "journal.db") == before + 1
    assert len(_rows(state)) == 40


def test_a_failure_reaches_everybody_who_waited_and_the_next_write_works(state: Path) -> None:
    with opened(state) as journal:
        journal.prepare()
        (state / "journal.db").chmod(0o600)
        blocker = sqlite3.connect(state / "journal.db", isolation_level=None)
        blocker.execute("DROP TABLE debts")
        blocker.close()
        errors: list[CertkeeperError] = []

        def attempt(number: int) -> None:
            try:
                journal.write((debt(stamp=number),), ())
            except CertkeeperError as error:
                errors.append(error)

        threads = [threading.Thread(target=attempt, args=(number,)) for number in range(4)]
        with journal._disk:
            for thread in threads:
                thread.start()
            wait_until(lambda: len(journal._pending) == 4, "everybody waits")
        for thread in threads:
            thread.join()
        assert len(errors) == 4
        assert len(set(map(id, errors))) == 1, "one reason, told once"
        journal.write((order(),), ())
    with closing(sqlite3.connect(state / "journal.db")) as database:
        assert database.execute("SELECT count(*) FROM orders").fetchone() == (1,)


def test_two_processes_write_at_once(state: Path) -> None:
    def work(who: int) -> None:
        for number in range(30):
            write(state, challenge(f"{who}-{number}"))

    assert [ended(pid) for pid in [started(lambda who=who: work(who)) for who in range(4)]] == [0] * 4  # type: ignore[misc]
    assert len(_rows(state)) == 120
    assert len(read(state).left) == 120


def test_a_writer_that_holds_the_file_is_waited_for_and_named(state: Path) -> None:
    write(state, order())
    with closing(sqlite3.connect(state / "journal.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with opened(state, busy_seconds=0.2) as journal, pytest.raises(JournalTrouble, match="locked") as caught:
            journal.write((debt(),), ())
        assert "fuser" in caught.value.hint
        other.execute("ROLLBACK")
    write(state, debt())
    assert read(state).debts == {A: debt()}


def test_a_record_of_a_process_that_was_killed_is_left_and_one_that_lives_is_not(state: Path) -> None:
    ready, tell = os.pipe()

    def child() -> None:
        with opened(state) as journal:
            journal.write((challenge(),), ())
            os.write(tell, b"x")
            signal.pause()

    pid = started(child)
    assert os.read(ready, 1) == b"x"
    assert read(state).left == ()
    os.kill(pid, signal.SIGKILL)
    assert ended(pid) == -signal.SIGKILL
    (found,) = read(state).left
    assert found.run.startswith(f"{pid}-")
    assert len(names(state / "locks")) == 1
    with opened(state) as journal:
        journal.write((), (found,))
    assert read(state) == Records()
    assert names(state / "locks") == [], "the dead run's mark goes with its last record"


@pytest.mark.parametrize("round_", range(6))
def test_what_was_reported_written_outlives_a_kill(state: Path, round_: int) -> None:
    ready, tell = os.pipe()

    def child() -> None:
        with opened(state) as journal:
            for number in range(10_000):
                journal.write((challenge(str(number)), challenge(f"twin-{number}")), ())
                os.write(tell, number.to_bytes(4))

    pid = started(child)
    reports = b""
    while len(reports) < 4 * (5 + 3 * round_):
        reports += os.read(ready, 4)
    os.kill(pid, signal.SIGKILL)
    assert ended(pid) == -signal.SIGKILL
    os.close(tell)
    while chunk := os.read(ready, 1 << 16):
        reports += chunk
    os.close(ready)
    reported = {int.from_bytes(reports[at : at + 4]) for at in range(0, len(reports), 4)}
    found = {item.rdata.strip('"') for item in read(state).left}
    assert {str(number) for number in reported} <= found
    assert len(found) - 2 * len(reported) in {0, 2}, "half of a transaction is there"


def test_the_hot_journal_of_a_killed_writer_is_rolled_back(state: Path, tmp_path: Path) -> None:
    write(state, *EVERY_KIND)
    expected = read(state).orders
    with closing(sqlite3.connect(state / "journal.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size=1")
        writer.execute("PRAGMA journal_mode=TRUNCATE")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE orders SET url='half'")
        for number in range(2000):
            writer.execute("INSERT INTO debts VALUES (?, 'deploy_cert', 1)", (f"{number}.example.org" * 10,))
        # What is on the disk in the middle of a transaction is what a killed process leaves.
        killed = tmp_path / "killed"
        shutil.copytree(state, killed)
        writer.execute("ROLLBACK")
    assert (killed / "journal.db-journal").stat().st_size > 4096, "no page was on the disk yet"
    assert (killed / "journal.db").stat().st_size > (state / "journal.db").stat().st_size
    assert read(killed).orders == expected
    assert read(killed).debts == {A: debt()}
    write(killed, backoff(failures=5))
    assert read(killed).backoffs == {A: backoff(failures=5)}


def _rows(state: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(state / "journal.db")) as database:
        return database.execute("SELECT * FROM challenges").fetchall()


# --- schemas ----------------------------------------------------------------------------------------------------------

_FIRST_SCHEMA = FIRST_SCHEMA.replace(
    "PRAGMA",
    """INSERT INTO challenges VALUES ('example.org', '_acme-challenge.example.org', '"old"', 'gone');\nPRAGMA""",
)


def test_a_journal_of_the_first_schema_is_read_as_it_is_and_brought_up_to_date_by_the_first_entry(state: Path) -> None:
    state.mkdir(mode=0o700)
    with closing(sqlite3.connect(state / "journal.db")) as database:
        database.executescript(_FIRST_SCHEMA)
    old = ChallengeIntent(DnsName("example.org"), DnsName("_acme-challenge.example.org"), '"old"', "gone")
    before = (state / "journal.db").read_bytes()
    assert read(state).left == (old,)
    assert read(state).files == ()
    assert (state / "journal.db").read_bytes() == before
    mine = replace(challenge(), provider="PowerDNS http://ns1", token="t0ken")
    write(state, mine)
    write(state, file())
    assert [replace(item, run="") for item in read(state).files] == [file()]
    found = read(state).left
    assert old in found
    assert [(item.provider, item.token) for item in found if item != old] == [("PowerDNS http://ns1", "t0ken")]
    with opened(state) as journal:
        journal.write((), (old,))
    assert old not in read(state).left


_SECOND_SCHEMA = (
    (_FIRST_SCHEMA)
    .replace(
        "run TEXT NOT NULL,\n",
        "run TEXT NOT NULL,\n    provider TEXT NOT NULL DEFAULT '', token TEXT NOT NULL DEFAULT '',\n",
    )
    .replace(
        "INSERT INTO challenges VALUES ('example.org', '_acme-challenge.example.org', '\"old\"', 'gone');\n"
        "PRAGMA user_version=1;",
        "INSERT INTO backoffs VALUES ('a.example.org', 2, 1800000000.0, 'inputs', 'no');\nPRAGMA user_version=2;",
    )
)


def test_a_journal_of_the_second_schema_learns_of_limits(state: Path) -> None:
    state.mkdir(mode=0o700)
    with closing(sqlite3.connect(state / "journal.db")) as database:
        database.executescript(_SECOND_SCHEMA)
    old = Backoff(A, 2, from_epoch(1_800_000_000), "inputs", "no")
    before = (state / "journal.db").read_bytes()
    assert read(state) == Records(backoffs={A: old})
    assert (state / "journal.db").read_bytes() == before
    write(state, name_backoff(), limit(), budget())
    assert read(state) == Records(
        backoffs={A: old},
        names={(CA, "example.org"): name_backoff()},
        limits={CA: limit()},
        budgets={CA: budget()},
    )
    write(state, backoff())
    assert read(state).backoffs == {A: backoff()}


_FOURTH_SCHEMA = """
CREATE TABLE files (
    folder TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, run TEXT NOT NULL,
    PRIMARY KEY (folder, name, digest, run)
) STRICT;
ALTER TABLE backoffs ADD COLUMN link TEXT NOT NULL DEFAULT '';
CREATE TABLE names (
    ca TEXT NOT NULL, name TEXT NOT NULL, failures INTEGER NOT NULL, retry_at REAL NOT NULL, inputs TEXT NOT NULL,
    message TEXT NOT NULL, PRIMARY KEY (ca, name)
) STRICT;
CREATE TABLE limits (
    ca TEXT PRIMARY KEY, failures INTEGER NOT NULL, retry_at REAL NOT NULL, message TEXT NOT NULL
) STRICT;
CREATE TABLE budgets (ca TEXT PRIMARY KEY, remaining REAL NOT NULL, at REAL NOT NULL) STRICT;
INSERT INTO files VALUES ('/var/www/dehydrated', 'token', 'aa', 'gone');
PRAGMA user_version=4;
"""


def test_a_journal_of_the_fourth_schema_learns_what_scripts_were_told_and_of_deployments(state: Path) -> None:
    state.mkdir(mode=0o700)
    with closing(sqlite3.connect(state / "journal.db")) as database:
        database.executescript(_SECOND_SCHEMA + _FOURTH_SCHEMA)
    old = Records(backoffs={A: Backoff(A, 2, from_epoch(1_800_000_000), "inputs", "no")}, files=(file(run="gone"),))
    before = (state / "journal.db").read_bytes()
    assert read(state) == old
    assert (state / "journal.db").read_bytes() == before
    write(state, told(), deployment(), held())
    found = read(state)
    assert [replace(item, run="") for item in found.told] == [told()]
    assert replace(found, told=()) == replace(old, deployments={("nginx", A): deployment()}, held={A: held()})


_FIFTH_SCHEMA = """
CREATE TABLE deployments (
    target TEXT NOT NULL, alias TEXT NOT NULL, stamp INTEGER NOT NULL, shown TEXT NOT NULL, failures INTEGER NOT NULL,
    retry_at REAL, message TEXT NOT NULL, PRIMARY KEY (target, alias)
) STRICT;
CREATE TABLE held (alias TEXT PRIMARY KEY, stamp INTEGER NOT NULL, until REAL, message TEXT NOT NULL) STRICT;
CREATE TABLE told (
    alias TEXT NOT NULL, script TEXT NOT NULL, method TEXT NOT NULL, name TEXT NOT NULL, token TEXT NOT NULL,
    value TEXT NOT NULL, run TEXT NOT NULL, PRIMARY KEY (alias, script, method, name, token, value, run)
) STRICT;
INSERT INTO held VALUES ('a.example.org', 7, NULL, 'no');
PRAGMA user_version=5;
"""


def test_a_journal_of_the_fifth_schema_learns_of_tlsa_records(state: Path) -> None:
    state.mkdir(mode=0o700)
    with closing(sqlite3.connect(state / "journal.db")) as database:
        database.executescript(_SECOND_SCHEMA + _FOURTH_SCHEMA + _FIFTH_SCHEMA)
    old = Records(
        backoffs={A: Backoff(A, 2, from_epoch(1_800_000_000), "inputs", "no")},
        files=(file(run="gone"),),
        held={A: Held(A, 7, None, "no")},
    )
    before = (state / "journal.db").read_bytes()
    assert read(state) == old
    assert (state / "journal.db").read_bytes() == before
    write(state, tlsa(), turn())
    assert read(state) == replace(old, tlsa={tlsa().place: tlsa()}, turns={A: turn()})
