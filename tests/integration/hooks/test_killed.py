"""What scripts were told of by a run that was killed."""

from pathlib import Path

import pytest

from bed.world import World
from builders.page import Page
from integration.hooks.logged import Logged

pytestmark = pytest.mark.real

DEADLY = """#!/bin/bash
{{ printf '%s' "$1"; for word in "${{@:2}}"; do printf ' <%s>' "$word"; done; echo; }} >>{log}
env >{log}."$1"
if [[ $1 == deploy_challenge && -e {log}.deadly ]]; then kill -9 $PPID; fi
"""


def killed(world: World, folder: Path, method: str, chain: str) -> tuple[Page, Logged]:
    """A page whose script was told of two names' challenges, and killed the run that told it."""
    script = Logged(folder, DEADLY)
    (wellknown := folder / "wellknown").mkdir()
    page = Page(folder / "page", world, "b.example c.b.example > one")
    page.configure(
        HOOK=str(script.path),
        HOOK_CHAIN=chain,
        CHALLENGETYPE=method,
        WELLKNOWN=str(wellknown),
        ALPNCERTDIR=str(wellknown),
    )
    page.unset("PDNS_HOST", "PDNS_KEY")
    deadly = Path(f"{script.log}.deadly")
    deadly.touch()
    assert page.run().code == -9
    deadly.unlink()
    assert list(wellknown.iterdir())
    return page, script


def triples(words: list[str]) -> list[tuple[str, ...]]:
    return sorted(tuple(words[at : at + 3]) for at in range(0, len(words), 3))


def words_of(script: Logged, name: str) -> list[tuple[str, ...]]:
    return triples([word for call, *words in script.calls() if call == name for word in words])


@pytest.mark.parametrize("method", ["http-01", "tls-alpn-01"])
@pytest.mark.parametrize("chain", ["yes", "no"])
def test_the_next_run_has_them_clean_what_they_were_told_of(
    believer: World, tmp_path: Path, method: str, chain: str
) -> None:
    page, script = killed(believer, tmp_path, method, chain)
    deployed = words_of(script, "deploy_challenge")
    assert len(deployed) == (2 if chain == "yes" else 1)
    script.forget()
    planned = page.plan().out
    assert f"challenge of a killed run for {deployed[0][0]}: {script.path} is told to clean it first" in planned
    # Nothing but that is to be done.
    page.write_lines("# nothing")
    done = page.run()
    assert done.code == 0, done.text
    # Without a chain the second one was about to be told of.
    cleaned = words_of(script, "clean_challenge")
    assert set(deployed) <= set(cleaned)
    assert len(cleaned) == 2
    assert [call for call in script.names() if call == "clean_challenge"] == ["clean_challenge"] * 2
    assert {name: script.environment("clean_challenge")[name] for name in ("alias", "CHALLENGETYPE")} == {
        "alias": "one", "CHALLENGETYPE": method
    }  # fmt: skip
    assert not list((tmp_path / "wellknown").iterdir())
    script.forget()
    assert page.run().code == 0
    assert "clean_challenge" not in script.names()


def test_before_it_tells_them_of_new_ones(believer: World, tmp_path: Path) -> None:
    page, script = killed(believer, tmp_path, "http-01", "yes")
    deployed = words_of(script, "deploy_challenge")
    script.forget()
    done = page.run()
    assert done.code == 0, done.text
    first = next(words for name, *words in script.calls() if name.endswith("_challenge"))
    assert triples(first) == deployed
    names = [name for name in script.names() if name.endswith("_challenge")]
    assert names == ["clean_challenge", "deploy_challenge", "clean_challenge"]


def test_a_script_that_the_page_does_not_name_is_not_called(believer: World, tmp_path: Path) -> None:
    page, script = killed(believer, tmp_path, "http-01", "yes")
    script.forget()
    page.unset("HOOK")
    done = page.run()
    assert done.code == 0, done.text
    assert f"the page does not name the script {script.path}, which was told of 2 challenges" in done.out
    assert script.calls() == []
    done = page.dns("cleanup", "--yes")
    assert (done.code, f"call it: {script.path} clean_challenge b.example" in done.out) == (0, True), done.text
    assert str(script.path) not in page.plan().out
