"""Hooks that fail, and hooks for somebody else's request: what dehydrated 0.7.2 does, and what we do otherwise."""

from dataclasses import replace
from pathlib import Path

import pytest

from bed.world import World
from compat.beside import Side, alike, both, differences, registered, requested
from compat.logger import Call

pytestmark = pytest.mark.real

CRON = "--cron"


@pytest.mark.row("D25")
@pytest.mark.long
@pytest.mark.parametrize("words", [(), ("--keep-going",)], ids=["without", "with"])
def test_two_lines_of_which_the_first_fails(tmp_path: Path, world: World, zone: str, words: tuple[str, ...]) -> None:
    def scenario(side: Side) -> None:
        side.lines(f"a.{zone}", f"b.{zone}")
        registered(side)
        side.hook.fails("deploy_challenge", about=f"a.{zone}")
        side.run(CRON, *words)

    theirs, mine = both(tmp_path, world, scenario)
    assert (mine[-1].code, theirs[-1].code) == (1, 1)
    live = {entry for entry in theirs[-1].tree if entry.endswith("/cert.pem")}
    assert {entry for entry in mine[-1].tree if entry.endswith("/cert.pem")} == live
    assert [line for line in mine[-1].out if line.startswith("Processing")] == [
        line for line in theirs[-1].out if line.startswith("Processing")
    ]
    assert mine[-1].names[-1] == theirs[-1].names[-1] == "exit_hook"
    assert mine[-1].names.count("exit_hook") == 1


PARTS = ("privkey", "cert", "chain", "fullchain")
MATRIX = ("startup_hook", "generate_csr", "deploy_challenge", "clean_challenge", "sync_cert", "deploy_cert")


@pytest.mark.row("G22", "G25", "H10", "H14")
@pytest.mark.long
@pytest.mark.parametrize("name", MATRIX)
def test_a_hook_that_fails(tmp_path: Path, world: World, zone: str, name: str) -> None:
    def scenario(side: Side) -> None:
        side.lines(f"{zone} www.{zone}")
        registered(side)
        side.hook.fails(name)
        side.run(CRON)

    theirs, mine = both(tmp_path, world, scenario)
    one, other = theirs[-1], mine[-1]
    assert (other.code, one.code) == (1, 1)
    assert other.names[-1] == one.names[-1] == "exit_hook"
    assert other.names.count("exit_hook") == 1
    assert other.calls[-1].arguments == one.calls[-1].arguments
    # What is served is the same; of a failed attempt dehydrated leaves files, and challenge records.
    served = {entry for entry in one.tree if "<" not in entry}
    if name == "clean_challenge":
        # With us a certificate whose names were proven is issued all the same.
        served |= {f"certs/{zone}/{file}" for file in ("cert.csr", *(f"{part}.pem" for part in PARTS))}
    assert {entry for entry in other.tree if "<" not in entry} == served
    assert not [entry for entry, what in other.tree.items() if what.endswith("empty")]
    if name == "deploy_cert":
        assert other.tree == one.tree
    elif name not in {"sync_cert", "clean_challenge"}:
        assert not [entry for entry in other.tree if "<" in entry]
    if name == "deploy_challenge":
        assert "clean_challenge" in other.names


@pytest.mark.row("H13")
@pytest.mark.long
@pytest.mark.parametrize("name", ["unchanged_cert", "exit_hook"])
def test_a_hook_that_fails_with_nothing_due(tmp_path: Path, world: World, zone: str, name: str) -> None:
    def scenario(side: Side) -> None:
        side.lines(zone)
        registered(side)
        side.run(CRON)
        side.hook.fails(name)
        side.run(CRON)

    alike(tmp_path, world, scenario)


@pytest.mark.row("I01", "H02", "H18")
@pytest.mark.long
@pytest.mark.parametrize("chain", ["no", "yes"])
def test_a_request_with_a_script(tmp_path: Path, world: World, zone: str, chain: str) -> None:
    """The script hears of the challenges, and of nothing else."""

    def scenario(side: Side) -> None:
        wellknown = side.base / "www"
        wellknown.mkdir(mode=0o755)
        side.configure(CHALLENGETYPE="http-01", WELLKNOWN=str(wellknown), HOOK_CHAIN=chain)
        registered(side)
        side.hook.fails("startup_hook", "generate_csr", "sync_cert", "deploy_cert", "exit_hook")
        side.hook.says()
        side.run("--signcsr", requested(side, zone, f"www.{zone}"))

    theirs, mine = both(tmp_path, world, scenario)
    # Whether the files are gone when it is told to clean, it must not mind.
    told = [replace(story[-1], calls=tuple(map(_cleaning_blindly, story[-1].calls))) for story in (theirs, mine)]
    assert "\n".join(differences(*told)) == ""
    times = 1 if chain == "yes" else 2
    assert mine[-1].names == ("deploy_challenge",) * times + ("clean_challenge",) * times
    assert all(call.there for call in mine[-1].calls if call.name == "deploy_challenge")
    # Standard output is for the certificate.
    assert mine[-1].out[1:] == ("# CERT #", "<CERTIFICATE>", "<CERTIFICATE>", "")
    said = {f"{name}_challenge on {stream}" for name in ("deploy", "clean") for stream in ("stdout", "stderr")}
    assert said <= set(mine[-1].err)
    assert said <= set(theirs[-1].err)


def _cleaning_blindly(call: Call) -> Call:
    return replace(call, there=()) if call.name == "clean_challenge" else call
