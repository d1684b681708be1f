"""A journal that is cut, overwritten, from the future or gone, before a run and in the middle of it."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bed.powerdns import txt_rrset
from builders.page import Done
from integration.resources.scene import Fault, Scene, interrupted_ca

pytestmark = pytest.mark.real

Spoil = Callable[[Path], object]
LOST = Fault(("unable to open database file", "no such file", "damaged", "journal.db"))


def cut(state: Path) -> None:
    path = state / "journal.db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def garble(state: Path) -> None:
    path = state / "journal.db"
    path.write_bytes(b"\x5a" * path.stat().st_size)


def remove(state: Path) -> None:
    (state / "journal.db").unlink()


def remove_all(state: Path) -> None:
    shutil.rmtree(state)


def empty(state: Path) -> None:
    (state / "journal.db").write_bytes(b"")


def drop_tables(state: Path) -> None:
    with closing(sqlite3.connect(state / "journal.db")) as database:
        database.execute("DROP TABLE orders")


def no_file_format(state: Path) -> None:
    """The schema's format number, beyond all that there are."""
    path = state / "journal.db"
    content = bytearray(path.read_bytes())
    content[44:48] = (9).to_bytes(4)
    path.write_bytes(content)


def no_time(state: Path) -> None:
    with closing(sqlite3.connect(state / "journal.db")) as database:
        database.execute(
            "INSERT INTO backoffs (alias, failures, retry_at, inputs, message) VALUES ('a.example', 1, 1e300, '', '')"
        )
        database.commit()


def no_text(state: Path) -> None:
    with closing(sqlite3.connect(state / "journal.db")) as database:
        database.execute("INSERT INTO debts VALUES (CAST(x'ff' AS TEXT), '', 1)")
        database.commit()


def no_names(state: Path) -> None:
    """A letter of the schema that is no UTF-8 any more."""
    path = state / "journal.db"
    path.write_bytes(path.read_bytes().replace(b"tabledebtsdebts", b"table\xcc\xcc\xcc\xcc\xccdebts"))


def warned(done: Done, state: Path) -> None:
    assert f"warning: {state}/journal.db: damaged: " in done.out
    assert "it is kept as" in done.out


@pytest.mark.parametrize(
    "spoil", [cut, garble, drop_tables, no_file_format, no_time, no_text, no_names], ids=lambda spoil: spoil.__name__
)
def test_a_damaged_journal_is_set_aside_and_the_work_goes_on(scene: Scene, spoil: Spoil) -> None:
    spoil(scene.state)
    before = (scene.state / "journal.db").read_bytes()
    done = scene.page.run()
    assert (done.code, done.err) == (0, ""), done.text
    warned(done, scene.state)
    (aside,) = scene.state.glob("journal.db.damaged-*[0-9]")
    assert aside.read_bytes() == before
    assert scene.renewed() == set(scene.aliases)


@pytest.mark.parametrize("spoil", [remove, remove_all, empty], ids=lambda spoil: spoil.__name__)
def test_a_journal_that_is_gone_or_empty_is_begun_anew(scene: Scene, spoil: Spoil) -> None:
    spoil(scene.state)
    done = scene.page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert "damaged" not in done.out
    assert scene.renewed() == set(scene.aliases)
    scene.assert_settled()


def test_a_newer_certkeepers_journal_stops_the_run_before_anything_begins(scene: Scene) -> None:
    path = scene.state / "journal.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version=99")
    before = path.read_bytes()
    scene.page.world.pebble.forget()
    done = scene.page.run()
    assert done.code == 2
    assert done.only_error().startswith(f"{path}: schema 99")
    assert f"mv {path}" in "".join(done.hints)
    assert scene.page.world.pebble.counts()["POST", "/order-plz"] == 0
    assert path.read_bytes() == before
    path.rename(f"{path}.newer")
    scene.assert_next_run_finishes()


def test_plan_and_status_live_without_a_journal_that_can_be_read(scene: Scene) -> None:
    garble(scene.state)
    before = (scene.state / "journal.db").read_bytes()
    for done in (scene.page.plan(), scene.page.status()):
        assert "Traceback" not in done.text
        assert done.code in {0, 1}, done.text
    assert (scene.state / "journal.db").read_bytes() == before, "only a run sets it aside"


@pytest.mark.parametrize("kind", ["/order-plz", "/chalZ", "/finalize-order"])
@pytest.mark.parametrize("spoil", [remove, remove_all, cut, garble], ids=lambda spoil: spoil.__name__)
@pytest.mark.long
def test_a_journal_that_goes_in_the_middle(scene: Scene, tmp_path: Path, spoil: Spoil, kind: str) -> None:
    goes_in_the_middle(scene, tmp_path, spoil, kind)


@pytest.mark.parametrize("spoil", [remove_all, garble], ids=lambda spoil: spoil.__name__)
def test_a_journal_that_goes_while_names_are_proven(scene: Scene, tmp_path: Path, spoil: Spoil) -> None:
    goes_in_the_middle(scene, tmp_path, spoil, "/chalZ")


def goes_in_the_middle(scene: Scene, tmp_path: Path, spoil: Spoil, kind: str) -> None:
    with interrupted_ca(scene.page, tmp_path, kind, lambda: spoil(scene.state)):
        scene.assert_let_down(scene.page.run(), LOST)
        done = scene.page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert scene.renewed() == set(scene.aliases)


def test_records_of_others_stay_where_a_killed_runs_are_withdrawn(scene: Scene) -> None:
    """An entry of the journal takes away its own value and nothing beside it."""
    zone, owner = scene.zone, f"_acme-challenge.{scene.zone}"
    server = scene.page.world.primary
    server.patch(zone, txt_rrset(owner, "left", "somebody else's"))
    with closing(sqlite3.connect(scene.state / "journal.db")) as database:
        database.execute(
            "INSERT INTO challenges (zone, owner, rdata, run) VALUES (?, ?, ?, ?)", (zone, owner, '"left"', "1-dead")
        )
        database.commit()
    done = scene.page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert server.txt(owner) == {"somebody else's"}
    assert "of an earlier run withdrawn" in done.out
