"""A file that describes services: only root, and who runs this, may be able to change it."""

import os
from pathlib import Path

import pytest

from certkeeper.adapters.page import Files
from certkeeper.config.reading import FailureKind, Holds, Read, ReadFailure


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_s_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "deploy.toml"
    file.write_text("[target.nginx]\n")
    assert Files().perform(Read(str(file), Holds.TARGETS)) == "[target.nginx]\n"
    os.chown(file, 65534, -1)
    found = Files().perform(Read(str(file), Holds.TARGETS))
    assert isinstance(found, ReadFailure)
    assert (found.kind, "can change it" in found.reason) == (FailureKind.EXPOSED, True)
    assert found.hint == f"chown root {file}"


def test_nor_is_one_that_a_group_or_everybody_can_change(tmp_path: Path) -> None:
    file = tmp_path / "deploy.toml"
    file.write_text("[target.nginx]\n")
    file.chmod(0o666)
    found = Files().perform(Read(str(file), Holds.TARGETS))
    assert isinstance(found, ReadFailure)
    assert found.kind is FailureKind.EXPOSED
