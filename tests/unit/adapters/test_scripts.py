"""Which files a program's name means."""

import os
from pathlib import Path

import pytest

from builders.effects import in_child
from certkeeper.adapters.scripts import program_files, script_trouble


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody else can become another user")
def test_a_folder_of_path_that_one_does_not_get_into_is_passed_over(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o700)
    path = f"{shut}/bin:/bin"

    def look() -> None:
        os.setuid(65534)
        assert program_files("sh", path) == ("/bin/sh",)
        assert program_files(f"{shut}/bin/sh") == ()
        trouble = script_trouble(f"{shut}/bin/sh")
        assert trouble is not None
        assert "cannot be called" in str(trouble)

    in_child(look)
