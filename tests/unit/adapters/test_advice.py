"""STATEDIR/ari.json: kept between runs, private, and of no account where it is damaged."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from builders.certificates import NOW
from builders.plans import CA
from certkeeper.acme.renewal_info import Window
from certkeeper.adapters.advice import NAME, AdviceFile, render
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.state import StateRefused
from certkeeper.base.names import Alias
from certkeeper.plan.advice import Advice, Suggestion

HOUR = timedelta(hours=1)
WINDOW = Window(NOW, NOW + 24 * HOUR)
KEPT = {
    Alias("example.org"): Advice(
        CA, "aa.bb", NOW + HOUR, Suggestion(WINDOW, NOW + 3 * HOUR, "https://ca.test/why", hurried=True), failures=2
    ),
    Alias("example.net"): Advice(CA, "aa.cc", NOW),
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_what_is_written_is_read_again(state: Path) -> None:
    AdviceFile(str(state)).write(KEPT)
    assert AdviceFile(str(state)).read() == KEPT
    AdviceFile(str(state)).write({})
    assert AdviceFile(str(state)).read() == {}


def test_nothing_is_known_where_there_is_no_file_and_no_folder(state: Path) -> None:
    assert AdviceFile(str(state)).read() == {}
    assert not state.exists()
    state.mkdir()
    assert AdviceFile(str(state)).read() == {}


def test_the_file_is_private_and_nothing_is_left_beside_it(state: Path) -> None:
    AdviceFile(str(state)).write(KEPT)
    assert stat.S_IMODE((state / NAME).stat().st_mode) == 0o600
    assert [path.name for path in state.iterdir()] == [NAME]


def changed(**members: object) -> bytes:
    document = json.loads(render(KEPT))
    document["certificates"]["example.org"].update(members)
    return json.dumps(document).encode()


DAMAGED = {
    "empty": b"",
    "cut": render(KEPT)[:-40],
    "no object": b"[]",
    "another version": render(KEPT).replace(b'"version":1', b'"version":2'),
    "binary": bytes(range(256)),
    "deep": b"[" * 100_000,
    "no map": b'{"version":1,"certificates":[1]}',
    "a member is missing": render(KEPT).replace(b'"ask_at"', b'"asked"'),
    "a time of another kind": changed(ask_at="soon"),
    "a time that no clock has": changed(ask_at=10**30),
    "a choice outside its window": changed(renew_at=int((NOW + 24 * HOUR).timestamp())),
    "a window of three": changed(window=[1, 2, 3]),
    "text that is none": changed(explanation=7),
    "text that a terminal obeys": changed(explanation="\x1b[2J"),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_counts_as_none_and_is_written_anew(state: Path, content: bytes) -> None:
    state.mkdir(mode=0o700)
    (state / NAME).write_bytes(content)
    file = AdviceFile(str(state))
    assert file.read() == {}
    file.write(KEPT)
    assert file.read() == KEPT


def test_what_is_no_file_counts_as_none(state: Path) -> None:
    (state / NAME).mkdir(parents=True)
    assert AdviceFile(str(state)).read() == {}
    with pytest.raises(FileTrouble):
        AdviceFile(str(state)).write(KEPT)


def test_a_folder_that_everybody_may_write_to_is_not_believed(state: Path) -> None:
    AdviceFile(str(state)).write(KEPT)
    state.chmod(0o777)
    assert AdviceFile(str(state)).read() == {}
    with pytest.raises(StateRefused):
        AdviceFile(str(state)).write(KEPT)


def test_ten_thousand_certificates_have_room(state: Path) -> None:
    many = {Alias(f"a-rather-long-name-{number}.example.org"): KEPT[Alias("example.org")] for number in range(10_000)}
    AdviceFile(str(state)).write(many)
    assert AdviceFile(str(state)).read() == many
