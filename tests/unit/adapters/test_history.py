"""STATEDIR/history.jsonl on a real disk."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from builders.certificates import NOW
from builders.effects import KILLED, in_child
from certkeeper.adapters.history import EARLIER, NAME, HistoryFile, parse, render
from certkeeper.plan.history import Happening, Kind

AT = NOW.replace(microsecond=0)


def happening(number: int, text: str = "no such zone") -> Happening:
    return Happening(AT + timedelta(minutes=number), Kind.FAILED, ("a.test",), f"{text} {number}", "nginx", "make it")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def record(tmp_path: Path, told: list[str]) -> Iterator[HistoryFile]:
    found = HistoryFile(str(tmp_path / "state"), told.append)
    yield found
    found.close()


def numbers(record: HistoryFile) -> list[int]:
    return [int(item.text.rsplit(" ", 1)[1]) for item in record.newest()]


def test_what_is_written_is_read_newest_first(record: HistoryFile, tmp_path: Path) -> None:
    assert numbers(record) == []
    for number in range(3):
        record.add(happening(number))
    assert list(record.newest()) == [happening(number) for number in (2, 1, 0)]
    assert (tmp_path / "state" / NAME).stat().st_mode & 0o777 == 0o600


def test_it_never_grows_without_limit(tmp_path: Path, told: list[str]) -> None:
    record = HistoryFile(str(tmp_path / "state"), told.append, largest=2000)
    for number in range(200):
        record.add(happening(number))
    there = sorted(path.name for path in (tmp_path / "state").iterdir())
    assert there == [EARLIER, NAME]
    assert all((tmp_path / "state" / name).stat().st_size <= 2000 for name in there)
    found = numbers(record)
    assert found == list(range(199, 199 - len(found), -1))
    assert len(found) > 10
    assert told == []
    record.close()


def test_two_processes_turn_it_over_once(tmp_path: Path) -> None:
    record, other = (HistoryFile(str(tmp_path / "state"), largest=2000) for _ in range(2))
    for number in range(30):
        (record if number % 2 else other).add(happening(number))
    other.close()
    found = numbers(record)
    assert found == sorted(found, reverse=True)
    assert len(found) > 10
    record.close()


def test_a_kill_loses_nothing_that_was_written(record: HistoryFile) -> None:
    def killed() -> None:
        for number in range(5):
            record.add(happening(number))
        os._exit(KILLED)

    assert in_child(killed) == KILLED
    assert numbers(record) == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("rest", [b'{"v":1,"at":"2026', b"\x00\x00\x00", b"[]", b'{"v":2}', b'{"v":1,"kind":"x"}'])
def test_a_line_that_was_cut_off_spoils_no_other(record: HistoryFile, tmp_path: Path, rest: bytes) -> None:
    record.add(happening(1))
    record.close()
    with (tmp_path / "state" / NAME).open("ab") as file:
        file.write(rest)
    record.add(happening(2))
    assert numbers(record) == [2, 1]


def test_where_it_cannot_be_written_that_is_said_once(record: HistoryFile, tmp_path: Path, told: list[str]) -> None:
    (tmp_path / "state" / NAME).mkdir(parents=True)
    record.add(happening(1))
    record.add(happening(2))
    assert len(told) == 1
    assert "what happens is not written down" in told[0]
    assert numbers(record) == []


def test_no_link_leads_it_elsewhere(record: HistoryFile, tmp_path: Path, told: list[str]) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "elsewhere").write_text("mine\n")
    (tmp_path / "state" / NAME).symlink_to(tmp_path / "elsewhere")
    record.add(happening(1))
    assert (tmp_path / "elsewhere").read_text() == "mine\n"
    assert len(told) == 1
    assert numbers(record) == []


def test_thousands_of_certificates_are_several_lines(record: HistoryFile) -> None:
    many = tuple(f"{number}.test" for number in range(120))
    record.add(Happening(AT, Kind.DEPLOYED, many, "seen", "nginx"))
    found = list(record.newest())
    assert [len(item.certificates) for item in found] == [20, 50, 50]
    assert {alias for item in found for alias in item.certificates} == set(many)


def test_the_form_of_a_line() -> None:
    """Other programs may read it: what is there stays."""
    assert json.loads(render(happening(1))) == {
        "v": 1,
        "at": f"{AT + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
        "kind": "failed",
        "certificates": ["a.test"],
        "text": "no such zone 1",
        "about": "nginx",
        "hint": "make it",
    }


def test_text_of_strangers_is_safe_to_print() -> None:
    found = parse(render(Happening(AT, Kind.FAILED, ("a",), "red \x1b[31m" + "x" * 5000)))
    assert found is not None
    assert found.text.isprintable()
    assert len(found.text) < 700
