"""What a page needs of this machine, below a folder of the test's own."""

from pathlib import Path

import pytest

from certkeeper.adapters.needs import missing, unmet
from certkeeper.config.settings import Configuration
from unit.config.pages import CONFIG, DOMAINS, Page


def load(tmp_path: Path, config: str) -> Configuration:
    base = f"BASEDIR={tmp_path}\nWELLKNOWN={tmp_path}\n{config.replace('TMP', str(tmp_path))}\n"
    there = {str(path): "" for path in tmp_path.iterdir() if path.is_file()}
    files = {CONFIG: base, DOMAINS: "", f"{tmp_path}/domains.txt": "example.org\n", **there}
    return Page(files).load()


def test_nothing_is_said_of_what_is_there(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert list(unmet(load(tmp_path, "HOOK=TMP/script\nALERT_COMMAND='TMP/script -x'\nCERTDIR=TMP/a/b"))) == []


@pytest.mark.parametrize(
    ("config", "code", "said"),
    [
        ("WELLKNOWN=TMP/nothing", "missing-folder", "WELLKNOWN: TMP/nothing: the folder for challenge files is not"),
        ("HOOK=TMP/nothing", "hook-missing", "HOOK: hook TMP/nothing: cannot be called: no such file"),
        ("HOOK=TMP/file", "hook-missing", "HOOK: hook TMP/file: cannot be called: it is not executable"),
        ("HOOK='/bin/echo hi'", "hook-missing", "HOOK: hook /bin/echo hi: cannot be called: no such file"),
        ("ALERT_COMMAND='TMP/nothing -x'", "alert-command", "ALERT_COMMAND: TMP/nothing: no such file"),
        ("ALERT_COMMAND=TMP/file", "alert-command", "ALERT_COMMAND: TMP/file: cannot be executed"),
        ("LOCKFILE=TMP/nothing/lock", "missing-folder", "LOCKFILE: TMP/nothing: the folder of the lock file is not"),
        ("STATEDIR=TMP/file/state", "missing-folder", "STATEDIR: TMP/file/state cannot be made: TMP/file is no folder"),
        ("CERTDIR=/nothing/at/all", "missing-folder", "CERTDIR: /nothing/at/all: neither the folder nor anything"),
        ("DOMAINS_D=TMP/nothing", "missing-folder", "DOMAINS_D: TMP/nothing: the folder is not there"),
    ],
)
def test_what_is_missing_is_told_with_its_place(tmp_path: Path, config: str, code: str, said: str) -> None:
    (tmp_path / "file").write_text("")
    (finding,) = unmet(load(tmp_path, config))
    assert finding.code == code
    assert finding.message.startswith(said.replace("TMP", str(tmp_path)))
    assert str(finding.where) == f"{CONFIG}:3"


def test_a_hook_with_arguments_is_told_the_way_out(tmp_path: Path) -> None:
    (finding,) = unmet(load(tmp_path, "HOOK='/bin/echo hi'"))
    assert finding.fix == "HOOK takes no arguments: write a script that calls /bin/echo hi"


def test_missing_folders_are_known_by_their_path(tmp_path: Path) -> None:
    assert set(missing(load(tmp_path, "WELLKNOWN=TMP/nothing"))) == {f"{tmp_path}/nothing"}
    assert missing(load(tmp_path, "WELLKNOWN=TMP/nothing\nHTTP_LISTEN=127.0.0.1:80")) == {}
