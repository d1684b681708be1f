"""What somebody else wrote into a copy is seen, and what was compared is not read again."""

import time
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from builders.certificates import new_key, version_files
from certkeeper.adapters.comparing import Compared
from certkeeper.adapters.index import SETTLED, Index
from certkeeper.apply.deployports import Placed
from certkeeper.apply.placements import contents
from certkeeper.apply.ports import Store
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.lineage.model import VersionFiles
from certkeeper.service.target import Form
from contract.targetfiles.placed import NEW, placement

FILES = version_files(new_key())
FORMS = {"a.pem": Form.KEY_FULLCHAIN, "a.crt": Form.CERT}


class Versions:
    """Of the port Store, what is asked here."""

    def __init__(self) -> None:
        self.files: VersionFiles | None = FILES
        self.asked = 0
        self.broken = False

    def version(self, _alias: Alias, _stamp: int) -> VersionFiles | None:
        self.asked += 1
        if self.broken:
            raise CertkeeperError("cannot be read")
        return self.files


@pytest.fixture
def versions() -> Versions:
    return Versions()


def compared(versions: Versions, index: Index) -> Compared:
    return Compared(lambda: cast("Store", versions), index)


@pytest.fixture
def folder(tmp_path: Path, versions: Versions) -> Path:
    folder = tmp_path / "certs"
    folder.mkdir()
    files, where = compared(versions, Index(str(tmp_path))), placement(folder, files=FORMS)
    files.stage(where, NEW, contents(FILES, set(FORMS.values())))
    files.switch(where, NEW)
    return folder


def look(tmp_path: Path, folder: Path, versions: Versions) -> Placed:
    """As a run does, long after all files were written."""
    index = Index(str(tmp_path / "state"), lambda: time.time_ns() + 2 * SETTLED)
    found = compared(versions, index).look(placement(folder, files=FORMS))
    index.keep()
    return found


def test_what_was_compared_is_compared_again_where_a_file_changed(
    tmp_path: Path, folder: Path, versions: Versions
) -> None:
    for _ in range(3):
        assert look(tmp_path, folder, versions) == Placed(NEW)
    assert versions.asked == 1
    copy = folder / "a.crt"
    whole = copy.read_bytes()
    copy.write_bytes(b"garbage")
    for asked in (2, 3):
        assert look(tmp_path, folder, versions) == Placed(NEW, astray=True)
        assert versions.asked == asked
    copy.write_bytes(whole)
    assert look(tmp_path, folder, versions) == Placed(NEW)


def test_two_certificates_in_one_folder_are_told_apart(tmp_path: Path, folder: Path, versions: Versions) -> None:
    assert look(tmp_path, folder, versions) == Placed(NEW)
    index = Index(str(tmp_path / "state"), lambda: time.time_ns() + 2 * SETTLED)
    other = replace(placement(folder, files={"b.pem": Form.KEY_FULLCHAIN}), alias=Alias("b"))
    files = compared(versions, index)
    files.stage(other, NEW, contents(FILES, {Form.KEY_FULLCHAIN}))
    files.switch(other, NEW)
    (folder / "b.pem").write_bytes(b"garbage")
    assert files.look(other).astray
    assert not files.look(placement(folder, files=FORMS)).astray


@pytest.mark.parametrize("broken", [True, False])
def test_a_version_that_is_gone_says_nothing_about_its_copies(
    tmp_path: Path, folder: Path, versions: Versions, *, broken: bool
) -> None:
    versions.files, versions.broken = None, broken
    assert look(tmp_path, folder, versions) == Placed(NEW)
