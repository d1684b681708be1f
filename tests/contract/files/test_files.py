"""What folders for challenge files promise, whether they are on a disk or a test's."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from builders.fakes import FakeFiles
from certkeeper.adapters.webfolders import WebFolders
from certkeeper.apply.ports import ChallengeFiles, ServedFile
from certkeeper.base.errors import CertkeeperError
from certkeeper.plan.records import FileIntent


@dataclass(frozen=True, slots=True)
class Side:
    files: ChallengeFiles
    folder: str
    put: Callable[[str, bytes], object]
    """Somebody else's file."""
    content: Callable[[], dict[str, bytes]]


@pytest.fixture(params=["fake", "real"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Side:
    if request.param == "real":
        return Side(
            WebFolders(),
            str(tmp_path),
            lambda name, content: (tmp_path / name).write_bytes(content),
            lambda: {path.name: path.read_bytes() for path in tmp_path.iterdir()},
        )
    fake = FakeFiles()
    return Side(
        fake,
        "/web",
        lambda name, content: fake.content.__setitem__(("/web", name), content),
        lambda: {name: content for (_, name), content in fake.content.items()},
    )


def served(side: Side, name: str = "token", content: bytes = b"token.print") -> ServedFile:
    return ServedFile(side.folder, name, content, 0o644)


def test_a_file_is_there_until_it_is_removed(side: Side) -> None:
    side.files.check(side.folder)
    file = served(side)
    side.files.put(file)
    assert side.content() == {"token": b"token.print"}
    assert side.files.remove(file.intent)
    assert side.content() == {}


def test_both_can_be_done_twice(side: Side) -> None:
    file = served(side)
    side.files.put(file)
    side.files.put(file)
    assert side.content() == {"token": b"token.print"}
    assert side.files.remove(file.intent)
    assert not side.files.remove(file.intent)


def test_another_file_of_that_name_is_an_error_and_stays(side: Side) -> None:
    side.put("token", b"foreign")
    with pytest.raises(CertkeeperError, match="token") as caught:
        side.files.put(served(side))
    assert "move it away" in caught.value.hint
    assert not side.files.remove(served(side).intent)
    assert side.content() == {"token": b"foreign"}


def test_what_somebody_changed_meanwhile_stays(side: Side) -> None:
    file = served(side)
    side.files.put(file)
    side.put("token", b"changed")
    assert not side.files.remove(file.intent)
    assert side.content() == {"token": b"changed"}


def test_the_digest_is_that_of_the_content(side: Side) -> None:
    side.put("x", b"abc")
    assert side.files.remove(FileIntent(side.folder, "x", hashlib.sha256(b"abc").hexdigest()))
