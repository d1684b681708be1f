"""The manual pages: made of the documents that they repeat, complete, and what man takes without a word."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from bed import binaries
from certkeeper.apply.hookcalls import Occasion
from certkeeper.config.native import CONFIG_VERSION
from certkeeper.config.spelling import SHELLS_OWN
from certkeeper.config.variables import KNOWN, LEGACY_PDNS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.iterdir() if re.fullmatch(r"\.[1-8]", path.suffix))


def test_they_are_up_to_date() -> None:
    ended = subprocess.run(
        [ROOT / "scripts" / "manuals", "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_all_four_are_there_and_go_where_man_looks() -> None:
    assert [page.name for page in PAGES] == [
        "certkeeper-dane.7",
        "certkeeper-hooks.7",
        "certkeeper.1",
        "certkeeper.toml.5",
    ]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for page in PAGES:
        assert f'"docs/{page.name}" = "share/man/man{page.suffix[1:]}/{page.name}"' in project


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_man_has_nothing_to_say_against_them(page: Path) -> None:
    command = [binaries.require("man"), "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(page)]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def words_in_bold(page: str) -> set[str]:
    """What stands at the head of an entry, or is set in bold in the text."""
    text = (DOCS / page).read_text(encoding="utf-8").replace("\\-", "-")
    return {*re.findall(r"^\.BR? (\S+)$", text, re.MULTILINE), *re.findall(r"\\fB([^\\]+)\\fR", text)}


def test_every_setting_has_an_entry() -> None:
    wanted = {name.lower() for name in KNOWN - SHELLS_OWN - set(LEGACY_PDNS)}
    unneeded = {"api", "chaincache", "debug", "keep_going", "license", "openssl", "openssl_cnf"}
    assert wanted - unneeded <= words_in_bold("certkeeper.toml.5")
    assert any(CONFIG_VERSION in word for word in words_in_bold("certkeeper.toml.5"))


def test_every_call_of_a_hook_has_an_entry() -> None:
    assert {call.value for call in Occasion if call is not Occasion.UNKNOWN} <= words_in_bold("certkeeper-hooks.7")
