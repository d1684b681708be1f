"""DEHYDRATED_USER with the real program and a real CA: what root still does, and who hooks are."""

import grp
import json
import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cryptography
import pytest

import certkeeper as package
from bed import binaries
from bed.world import World
from builders.page import Done, Page, certkeeper

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")

USER, GROUP = "nobody", "daemon"
CALLS = ["startup_hook", "generate_csr", "sync_cert", "deploy_cert", "exit_hook"]
HOOK = """#!/bin/sh
echo "$1 $(id -u):$(id -g):$(id -G | tr ' ' ,) $HOME $USER $LOGNAME" >> {log}
case "$1" in
    deploy_challenge|clean_challenge|invalid_challenge|sync_cert|deploy_cert|exit_hook) ;;
    startup_hook|generate_csr|unchanged_cert|request_failure|deploy_ocsp|this_hookscript_is_broken__*) ;;
esac
"""
WATCH = """
import json, os, sys

log = os.open(os.environ["WATCHED"], os.O_WRONLY | os.O_APPEND)
CHANGES = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.chmod", "os.chown"}
OTHERS = {"open", "os.listdir", "os.scandir", "sqlite3.connect", "subprocess.Popen", "os.exec", "os.posix_spawn"}

def seen(event, arguments):
    if os.geteuid() == 0 and event in CHANGES | OTHERS:
        writes = event in CHANGES or (event == "open" and bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)))
        os.write(log, json.dumps([event, str(arguments[0]), writes]).encode() + b"\\n")

sys.addaudithook(seen)
"""
"""What the interpreter asks the system for while it is root."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of that user's, which everybody gets to: pytest's own are root's alone."""
    with tempfile.TemporaryDirectory(prefix="certkeeper-test-") as name:
        shutil.chown(name, USER)
        yield Path(name)


def everybodys_python() -> str:
    """A Python that others than root may run, of the version that the packages here are for."""
    for path in dict.fromkeys((sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")):
        prefix = Path(os.__file__) if path == sys.executable else Path(path)
        if prefix.exists() and all(parent.stat().st_mode & 1 for parent in prefix.resolve().parents):
            return path
    return binaries.missing("no Python that everybody may run", "install the Debian package python3")


def as_root(config: Path, watch: Path, *words: str) -> tuple[Done, list[tuple[str, str, bool]]]:
    """The command, `certkeeper run` where none is named, and what was asked of the system while it was root."""
    watch.mkdir(exist_ok=True)
    (watch / "sitecustomize.py").write_text(WATCH)
    log = watch / "log"
    log.write_text("")
    modules = [watch, Path(package.__file__).parents[1], Path(cryptography.__file__).parents[1]]
    env = {"PYTHONPATH": os.pathsep.join(map(str, modules)), "WATCHED": str(log), "HOME": "/root", "USER": "root"}
    env |= {"PYTHONDONTWRITEBYTECODE": "1"}
    words = words or ("run", "--accept-terms")
    done = certkeeper(*words, "--config", config, cwd=Path("/"), env=env, python=everybodys_python())
    return done, [(event, path, bool(writes)) for event, path, writes in map(json.loads, log.read_text().splitlines())]


@pytest.mark.real
def test_root_reads_the_main_file_and_no_more(zone: str, shared_world: World, place: Path, tmp_path: Path) -> None:
    user = pwd.getpwnam(USER)
    bundle = Path(shutil.copy(shared_world.pebble.ca_bundle, place / "ca.pem"))
    bundle.chmod(0o644)
    hook = place / "hook"
    hook.write_text(HOOK.format(log=place / "calls"))
    hook.chmod(0o755)
    settings = {"HOOK": str(hook), "DNS_PROVIDER": "powerdns", "CA_BUNDLE": str(bundle), "DEHYDRATED_USER": USER}
    page = Page(place, shared_world, zone, **settings, DEHYDRATED_GROUP=GROUP, ARI="no", BASEDIR=str(place))
    # A group that the user is not in is for root to give.
    config = page.config.rename(tmp_path / "config")
    done, seen = as_root(config, tmp_path / "watch")
    assert done.code == 0, done.text
    assert page.live() == {zone}

    # Nothing of the page but its main file was looked at as root, nothing was written, and nothing was run.
    assert {path for _, path, _ in seen if path.startswith(str(place))} == set()
    assert str(config) in {path for _, path, _ in seen}
    assert [
        path for event, path, _ in seen if event == "open" and not path.startswith("/") and not path.isdigit()
    ] == []
    assert [(event, path) for event, path, writes in seen if writes] == []
    assert {event for event, _, _ in seen} <= {"open", "os.listdir", "os.scandir"}

    # Neither is anything root's afterwards, in the page's folders and beside them.
    made = [path for path in place.rglob("*") if path not in {page.domains, hook, bundle}]
    assert {path.lstat().st_uid for path in made} == {user.pw_uid}
    assert {path.lstat().st_gid for path in made} == {grp.getgrnam(GROUP).gr_gid}

    # And each call of a hook is that user's, with the groups that a login of the user's has, and no others.
    calls = [line.split(" ", 1) for line in (place / "calls").read_text().splitlines()]
    assert [name for name, _ in calls if not name.startswith("this_")] == CALLS
    gid = grp.getgrnam(GROUP).gr_gid
    groups = ",".join(map(str, dict.fromkeys([gid, *os.getgrouplist(USER, gid)])))
    assert {who for _, who in calls} == {f"{user.pw_uid}:{gid}:{groups} {user.pw_dir} {USER} {USER}"}


def test_what_the_user_cannot_read_is_one_error_that_says_whose_it_has_to_be(place: Path, tmp_path: Path) -> None:
    config = place / "config"
    config.write_text(f"CHALLENGETYPE=http-01\nWELLKNOWN={place}\nDEHYDRATED_USER={USER}\n")
    (place / "domains.txt").write_text("example.org\n")
    (place / "domains.txt").chmod(0o600)
    done, _ = as_root(config, tmp_path / "watch")
    assert done.code == 2
    assert done.only_error() == f"{place}/domains.txt: cannot be read: permission denied"
    assert f"DEHYDRATED_USER is {USER}" in done.hints[0]


@pytest.mark.parametrize("kind", ["user", "group"])
def test_who_is_not_there_is_one_error_before_anything_is_touched(place: Path, tmp_path: Path, kind: str) -> None:
    config = place / "config"
    # Whoever is not there cannot be trusted with the page.
    shutil.chown(place, "root")
    user, group = ("nobody-at-all", "") if kind == "user" else (USER, "no-group-at-all")
    config.write_text(f"CHALLENGETYPE=http-01\nDEHYDRATED_USER={user}\nDEHYDRATED_GROUP={group}\n")
    done, seen = as_root(config, tmp_path / "watch")
    assert done.code == 2
    assert f"there is no {kind} no" in done.only_error()
    assert {path for _, path, _ in seen if path.startswith(str(place))} == {str(config)}
    assert list(place.iterdir()) == [config]
