"""prune, heal and unlock as people meet them: on real folders, with their words and exit codes."""

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders.certificates import Wish, new_key, version_files
from builders.effects import KILLED, in_child
from builders.listing import names
from builders.page import Done, certkeeper, tree_hash
from certkeeper.adapters.lock import LockFile
from certkeeper.adapters.store import Store
from certkeeper.base.names import Alias
from contract.store.folders import link, look, private_file

ALIAS = Alias("example.org")
DAY = timedelta(days=1)
NOW = datetime.now(tz=UTC).replace(microsecond=0)
KEYS = [new_key() for _ in range(3)]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page that needs no server; its folder."""
    configure(tmp_path)
    (tmp_path / "domains.txt").write_text("example.org\nmail.example.org > post\n")
    return tmp_path


def configure(page: Path, **settings: str) -> None:
    given = {"CHALLENGETYPE": "dns-01", "PDNS_HOST": "127.0.0.1", "PDNS_PORT": "9", "PDNS_KEY": "secret", **settings}
    (page / "config").write_text("".join(f'{name}="{value}"\n' for name, value in given.items()))


def command(page: Path, *words: str) -> Done:
    done = certkeeper(words[0], "--config", page / "config", *words[1:], cwd=page)
    assert "Traceback" not in done.text
    return done


def issued(page: Path, number: int, days_ago: int, alias: Alias = ALIAS) -> int:
    """A renewal that many days ago."""
    began = NOW - days_ago * DAY
    store = Store(str(page / "certs"))
    draft = store.begin(alias, int(began.timestamp()))
    store.stage(draft, version_files(KEYS[number], Wish(not_before=began, not_after=began + 90 * DAY)))
    store.activate(alias, draft.stamp)
    return draft.stamp


def three_versions(page: Path) -> list[int]:
    return [issued(page, number, days) for number, days in enumerate((130, 70, 10))]


def test_old_versions_are_said_then_removed_then_gone(page: Path) -> None:
    configure(page, KEEP_VERSIONS="0")
    stamps = three_versions(page)
    before, lock = tree_hash(page / "certs"), names(page)
    said = f"{NOW - 130 * DAY:%Y-%m-%d} to {NOW - 40 * DAY:%Y-%m-%d}"
    done = command(page, "prune", "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"example.org: version {stamps[0]} ({said}) would be removed\n1 version would be removed\n"
    assert (tree_hash(page / "certs"), names(page)) == (before, lock)
    done = command(page, "prune", "post")
    assert (done.code, done.out) == (0, "nothing to remove\n")
    done = command(page, "prune")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"example.org: version {stamps[0]} ({said}) removed\n1 version removed\n"
    assert names(page / "certs" / "example.org" / ".versions") == [str(stamp) for stamp in stamps[1:]]
    assert command(page, "prune").out == "nothing to remove\n"


def test_a_certificate_may_keep_more_than_the_others(page: Path) -> None:
    configure(page, KEEP_VERSIONS="0", KEEP_DAYS="0")
    three_versions(page)
    (page / "certs" / "example.org" / "config").write_text('KEEP_VERSIONS="1"\n')
    assert command(page, "prune").out.count("removed") == 2
    (page / "certs" / "example.org" / "config").write_text('KEEP_VERSIONS="-1"\n')
    done = command(page, "prune")
    assert "KEEP_VERSIONS" in done.only_error()
    assert done.out == "nothing to remove\n"


def test_the_defaults_keep_three_versions_for_thirty_days(page: Path) -> None:
    for number in range(6):
        issued(page, number % 3, 300 - 50 * number)
    assert command(page, "prune").out.count(") removed") == 2


def test_what_cannot_be_removed_is_named_and_the_rest_goes(page: Path) -> None:
    configure(page, KEEP_VERSIONS="0", KEEP_DAYS="0")
    stamps = three_versions(page)
    note = page / "certs" / "example.org" / ".versions" / str(stamps[0]) / "note.txt"
    note.write_text("mine")
    done = command(page, "prune")
    assert done.code == 1
    assert "note.txt" in done.only_error()
    assert f"version {stamps[1]} " in done.out
    assert note.read_text() == "mine"


def test_a_torn_certificate_is_healed_once(page: Path) -> None:
    stamps = three_versions(page)
    folder = page / "certs" / "example.org"
    link(folder / "privkey.pem", f"privkey-{stamps[0]}.pem")
    done = command(page, "prune", "--dry-run")
    assert done.code == 0, "what is within number and days is no business of pruning"
    done = command(page, "heal")
    assert (done.code, done.err) == (0, "")
    said = f"example.org: mended: privkey.pem did not belong to cert.pem; version {stamps[2]} is live again\n"
    assert done.out == said + "nothing is torn\n"
    before = tree_hash(page / "certs")
    done = command(page, "heal")
    assert (done.code, done.out) == (0, "nothing is torn\n")
    assert tree_hash(page / "certs") == before


def test_a_torn_certificate_is_not_pruned(page: Path) -> None:
    configure(page, KEEP_VERSIONS="0", KEEP_DAYS="0")
    three_versions(page)
    (page / "certs" / "example.org" / "chain.pem").unlink()
    done = command(page, "prune")
    assert done.code == 1
    assert done.only_error() == "example.org: nothing is removed while chain.pem is missing"
    assert done.hints == ["certkeeper heal example.org"]


def test_a_key_that_somebody_put_there_is_left_to_the_next_run(page: Path) -> None:
    issued(page, 0, 10)
    private_file(page / "certs" / "example.org" / "privkey.pem", KEYS[1].pem)
    before = tree_hash(page / "certs")
    done = command(page, "heal")
    assert done.code == 1
    assert (
        "example.org: left as it is: privkey.pem is a key that no version has; certkeeper run example.org" in done.out
    )
    assert tree_hash(page / "certs") == before


def test_where_nothing_is_whole_the_hint_is_to_run(page: Path) -> None:
    issued(page, 0, 10)
    shutil.rmtree(page / "certs" / "example.org" / ".versions")
    for path in (page / "certs" / "example.org").glob("cert-*"):
        path.unlink()
    done = command(page, "heal")
    assert done.code == 1
    assert "there is no whole version to mend it from" in done.only_error()
    assert done.hints == ["certkeeper run example.org"]
    assert done.out == "1 of 2 certificates still torn\n"


@pytest.mark.parametrize("words", [("prune",), ("heal",), ("unlock",)], ids=" ".join)
def test_a_running_certkeeper_is_respected(page: Path, words: tuple[str, ...]) -> None:
    with LockFile(str(page / "lock"), NOW):
        done = command(page, *words)
        assert done.code == 3
        assert f"locked by certkeeper, process {os.getpid()}" in done.only_error()
        assert command(page, "prune", "--dry-run").code == 0


def test_a_killed_runs_lock_is_taken_away(page: Path) -> None:
    lock = page / "lock"
    done = command(page, "unlock")
    assert (done.code, done.out) == (0, f"{lock}: there is no lock\n")

    def killed() -> None:
        LockFile(str(lock), NOW).__enter__()
        os._exit(KILLED)

    assert in_child(killed) == KILLED
    done = command(page, "unlock")
    assert done.code == 0
    assert f"{lock}: removed; it was left by certkeeper, process " in done.out
    assert not lock.exists()
    configure(page, LOCKFILE="")
    assert command(page, "unlock").out == "no lock file is used: LOCKFILE is empty\n"


def test_no_certdir_is_nothing_to_do(page: Path) -> None:
    assert command(page, "prune").out == "nothing to remove\n"
    assert command(page, "heal").out == "nothing is torn\n"
    assert not (page / "certs").exists()


def test_a_read_only_certdir_is_called_by_its_name(page: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespace can be made here")
    configure(page, KEEP_VERSIONS="0", KEEP_DAYS="0")
    three_versions(page)
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    prefix = [unshare, "-m", "sh", "-c", script, str(page / "certs")]
    done = certkeeper("prune", "--config", page / "config", cwd=page, prefix=prefix)
    assert done.code == 1
    assert "read-only file system" in done.err
    assert "findmnt" in done.err
    link(page / "certs" / "example.org" / ".live", ".versions/99")
    done = certkeeper("heal", "--config", page / "config", cwd=page, prefix=prefix)
    assert done.code == 1
    assert "read-only file system" in done.only_error()
    assert look(page / "certs" / "example.org") is None
