"""One BASEDIR, worked on in turn by certkeeper and by what Debian 12 and unstable call dehydrated, account included."""

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed import dehydrated
from bed.process import dies_with_us
from bed.waiting import wait_until
from bed.world import World
from builders.listing import names
from builders.page import DEADLINE, Done, certkeeper, openssl
from compat.beside import Side, Step, dehydrateds, ours
from contract.store.folders import private_file

pytestmark = [pytest.mark.real, pytest.mark.long]  # dehydrated takes its time for each step

NUMBERS = itertools.count(1)

OLD = pytest.param(dehydrated.program_of_debian_12, id="0.7.0")
NEW = pytest.param(dehydrated.program, id="0.7.2")
ACCOUNT_FILES = ["account_id.json", "account_key.pem", "registration_info.json"]
Program = Callable[[], str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("turns")
    with World(folder, zones=("example.org",), secondaries=0, dnssec=False, pebble={"always_valid": True}) as world:
        yield world


@pytest.fixture
def zone(world: World) -> str:
    """A name below the world's zone that no other test has."""
    return f"t{next(NUMBERS)}.{world.zone.removesuffix('.')}"


def run(side: Side, *words: str) -> Done:
    done = certkeeper("run", "--config", side.base / "config", *words, cwd=side.base)
    assert (done.code, done.err) == (0, ""), done.text
    return done


def cron(side: Side, *words: str) -> Step:
    step = side.run("--cron", *words)
    assert step.code == 0, step
    return step


def whole(side: Side, alias: str) -> bytes:
    """The key behind privkey.pem, once key, certificate and chain belong together."""
    place = side.certs / alias
    assert openssl("pkey", "-in", place / "privkey.pem", "-pubout") == openssl(
        "x509", "-in", place / "cert.pem", "-noout", "-pubkey"
    )
    assert (place / "fullchain.pem").read_bytes() == (place / "cert.pem").read_bytes() + (
        place / "chain.pem"
    ).read_bytes()
    return (place / "privkey.pem").read_bytes()


def public(key: Path) -> str:
    return openssl("pkey", "-in", key, "-pubout")


def account_of(side: Side) -> dict[str, bytes]:
    (folder,) = (side.base / "accounts").iterdir()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def settled(side: Side, alias: str) -> None:
    """Nothing is due for either, and both leave everything as it is."""
    whole(side, alias)
    assert "nothing due" in run(side).out
    assert any("Skipping renew!" in line for line in cron(side).out)


@pytest.mark.parametrize("program", [OLD, NEW])
def test_the_next_key_is_used_by_whoever_comes_next(tmp_path: Path, world: World, zone: str, program: Program) -> None:
    side = dehydrateds(tmp_path, world, program())
    side.configure(PRIVATE_KEY_ROLLOVER="yes")
    side.lines(zone)
    side.run("--register", "--accept-terms")
    cron(side)
    account = account_of(side)
    assert sorted(account) == ACCOUNT_FILES
    following = side.certs / zone / "privkey.roll.pem"
    for turn in (run, cron, run):
        announced = public(following)
        turn(side, "--force")
        whole(side, zone)
        assert public(side.certs / zone / "privkey.pem") == announced
        assert public(following) != announced
    settled(side, zone)
    side.configure(PRIVATE_KEY_ROLLOVER="no")
    run(side, "--force")
    assert not following.exists()
    settled(side, zone)
    assert account_of(side) == account


@pytest.mark.parametrize("program", [OLD, NEW])
def test_cleanup_archive_and_staples(tmp_path: Path, world: World, zone: str, program: Program) -> None:
    side = dehydrateds(tmp_path, world, program())
    # 0.7.0 knows RSA keys of accounts only, and before it cleans up it insists on a folder for http-01.
    (side.base / "www").mkdir()
    side.configure(AUTO_CLEANUP="yes", WELLKNOWN=str(side.base / "www"), ACCOUNT_KEY_ALGO="rsa")
    side.lines(zone)
    place, archive = side.certs / zone, side.base / "archive" / zone
    run(side, "--accept-terms")
    account = account_of(side)
    assert sorted(account) == ACCOUNT_FILES
    private_file(place / "ocsp-1700000000.der", b"an answer")
    private_file(place / "ocsp-1600000000.der", b"an older one")
    (place / "ocsp.der").symlink_to("ocsp-1700000000.der")
    cron(side, "--force")
    kept = whole(side, zone)
    # The set before had been certkeeper's, and stays a version of its.
    assert {name.partition("-")[0] for name in names(archive)} == {"privkey", "cert", "chain", "fullchain", "ocsp"}
    assert len(names(place / ".versions")) == 1
    said = run(side, "--force").out
    assert f"{zone}: 6 unused files moved to {archive}" in said
    # It was about the certificate before.
    assert not (place / "ocsp.der").is_symlink()
    assert kept in [path.read_bytes() for path in archive.glob("privkey-*.pem")]
    settled(side, zone)
    side.run("--cleanup-delete")
    settled(side, zone)
    assert account_of(side) == account


BLOCKING = """#!/bin/sh
[ "$1" = startup_hook ] || exit 0
touch {here}/started
while [ ! -e {here}/go ]; do sleep 0.05; done
"""


def blocking_hook(side: Side) -> Path:
    """A hook that waits in `startup_hook` until a file `go` is there; the folder of both files."""
    script = side.folder / "blocking.sh"
    script.write_text(BLOCKING.format(here=side.folder), encoding="utf-8")
    script.chmod(0o755)
    return script


def test_certkeeper_stands_back_while_dehydrated_runs(tmp_path: Path, world: World) -> None:
    side = dehydrateds(tmp_path, world)
    side.lines()
    side.run("--register", "--accept-terms")
    side.configure(HOOK=str(blocking_hook(side)))
    command = [*dies_with_us(), *side.command, "--cron", "--config", str(side.base / "config")]
    with subprocess.Popen(command, cwd=side.base, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        wait_until((side.folder / "started").exists, "dehydrated runs")
        done = certkeeper("run", "--config", side.base / "config", cwd=side.base)
        assert done.code == 3
        assert "locked by dehydrated" in done.only_error()
        (side.folder / "go").touch()
        assert running.wait(60) == 0
    assert not (side.base / "lock").exists()
    assert certkeeper("run", "--config", side.base / "config", cwd=side.base).code == 0


def test_dehydrated_stands_back_while_certkeeper_runs(tmp_path: Path, world: World, zone: str) -> None:
    side = dehydrateds(tmp_path, world)
    side.lines(zone)
    side.run("--register", "--accept-terms")
    script = side.folder / "deploying.sh"
    script.write_text(BLOCKING.format(here=side.folder).replace("startup_hook", "deploy_cert"), encoding="utf-8")
    script.chmod(0o755)
    side.configure(HOOK=str(script))
    command = [*dies_with_us(), sys.executable, "-m", "certkeeper", "run", "--config", str(side.base / "config")]
    with subprocess.Popen(command, cwd=side.base, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            wait_until((side.folder / "started").exists, "certkeeper runs", deadline=DEADLINE)
            step = side.run("--cron")
        finally:
            # Without this the end of the block would wait for a script that waits for us.
            (side.folder / "go").touch()
        assert running.wait(60) == 0
    assert step.code == 1
    assert any("present" in line or "lock" in line.lower() for line in step.err), step.err
    assert not (side.base / "lock").exists()
    side.configure(HOOK=str(side.hook.path))
    assert any("Skipping renew!" in line for line in cron(side).out)


SLOW_CHALLENGE = """#!/bin/sh
echo "$1 $2" >>{here}/called
[ "$1" = deploy_challenge ] || exit 0
touch {here}/started
while [ ! -e {here}/go ]; do sleep 0.05; done
"""


@pytest.mark.row("G28")
def test_a_run_that_was_told_to_end_leaves_nothing_to_the_next_one(tmp_path: Path, world: World, zone: str) -> None:
    side = ours(tmp_path, world)
    side.lines(zone)
    side.run("--register", "--accept-terms")
    script = side.folder / "slow.sh"
    script.write_text(SLOW_CHALLENGE.format(here=side.folder), encoding="utf-8")
    script.chmod(0o755)
    (side.base / "www").mkdir()
    side.configure(HOOK=str(script), CHALLENGETYPE="http-01", WELLKNOWN=str(side.base / "www"))
    command = [*dies_with_us(), *side.command, "--cron", "--config", str(side.base / "config")]
    with subprocess.Popen(command, cwd=side.base, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        wait_until((side.folder / "started").exists, "a challenge is deployed", deadline=DEADLINE)
        assert (side.base / "lock").exists()
        assert names(side.base / "www")
        running.terminate()
        (side.folder / "go").touch()
        # As the shell tells it of a program that the signal ended: dehydrated's code, too.
        assert running.wait(60) == 128 + signal.SIGTERM
    assert not (side.base / "lock").exists()
    assert not names(side.base / "www")
    called = (side.folder / "called").read_text(encoding="utf-8").splitlines()
    assert [call for call in called if "challenge" in call] == [f"deploy_challenge {zone}", f"clean_challenge {zone}"]
    assert called[-1].startswith("exit_hook ")
    side.configure(HOOK=str(side.hook.path))
    cron(side)
    whole(side, zone)


@pytest.mark.row("G25")
@pytest.mark.parametrize(
    "after",
    [
        "privkey.pem",
        "fullchain.pem",
        "cert.pem",
    ],
)
def test_a_set_that_dehydrated_left_half_switched(tmp_path: Path, world: World, zone: str, after: str) -> None:
    """It was killed between two of its links; the whole set is served again, and nothing else is left behind."""
    side = dehydrateds(tmp_path, world)
    side.lines(zone)
    side.run("--register", "--accept-terms")
    cron(side)
    place = side.certs / zone
    old = {
        name: str((place / name).readlink())
        for name in ("privkey.pem", "chain.pem", "fullchain.pem", "cert.csr", "cert.pem")
    }
    cron(side, "--force")
    # dehydrated sets its links in this order; those after that one still lead to the old set.
    order = list(old)
    for name in order[order.index(after) + 1 :]:
        (place / name).unlink()
        (place / name).symlink_to(old[name])
    # A failed attempt of its, too.
    private_file(place / f"cert-{int(time.time()) + 5}.pem", b"")
    said = run(side).out
    whole(side, zone)
    assert ("mended" in said) == (after != "cert.pem")
    settled(side, zone)
    assert not list(place.rglob("*certkeeper-tmp*"))
