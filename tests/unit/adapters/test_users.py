"""A page that wishes for another user, started by root and by somebody else."""

import grp
import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

import certkeeper
from builders.effects import in_child
from builders.page import certkeeper as run
from certkeeper.adapters import users
from certkeeper.adapters.files import Folder
from certkeeper.adapters.hooks import Hooks
from certkeeper.adapters.page import Files
from certkeeper.apply.ports import HookCall
from certkeeper.config.errors import ConfigError
from certkeeper.config.evaluating import Evaluator
from certkeeper.config.load import load
from certkeeper.config.reading import Become
from certkeeper.config.settings import Configuration

NOBODY, GROUP = "nobody", "daemon"
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
readable = pytest.mark.skipif(
    any(parent.stat().st_mode & 5 != 5 for parent in Path(users.__file__).parents),
    reason="the checkout is where only root may read",
)


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder of nobody's; pytest's own are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="certkeeper-test-"))
    shutil.chown(folder, NOBODY)
    (folder / "domains.txt").write_text("example.org\n", encoding="utf-8")
    hook = folder / "hook"
    hook.write_text('#!/bin/sh\necho "$(id -un):$(id -gn):$(id -Gn):$HOME"\n', encoding="utf-8")
    hook.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def config(base: Path, text: str) -> Path:
    """Root's alone: it may hold a key."""
    path = base / "config"
    path.write_text(f"CHALLENGETYPE=http-01\n{text}", encoding="utf-8")
    path.chmod(0o600)
    return path


def read(path: Path, evaluator: Evaluator = Evaluator.PARSER) -> Configuration:
    """The page, by a program all of whose modules are loaded: where they are, only root may be able to read."""
    files, exchange = Files(), load(str(path), cwd="/", environment=os.environ.copy(), evaluator=evaluator)
    answer: object = None
    try:
        while True:
            step = exchange.send(answer)
            answer = users.become(step, ()) if isinstance(step, Become) else files.perform(step)
    except StopIteration as stop:
        return cast("Configuration", stop.value)


def checked(act: Callable[[], None]) -> None:
    assert in_child(act) == 0


@root
@readable
@pytest.mark.parametrize("evaluator", list(Evaluator))
def test_root_becomes_that_user_for_good_before_anything_else_is_touched(
    base: Path, tmp_path: Path, evaluator: Evaluator
) -> None:
    # What bash runs as root has to be root's.
    place = tmp_path if evaluator is Evaluator.BASH else base
    path = config(place, f"BASEDIR={base}\nDEHYDRATED_USER={NOBODY}\nHOOK={base}/hook\n")
    (base / "certs/example.org").mkdir(parents=True)
    (base / "certs/example.org/config").write_text("RENEW_DAYS=$UID\n", encoding="utf-8")
    user = pwd.getpwnam(NOBODY)

    def act() -> None:
        os.setgroups([0])
        if evaluator is Evaluator.PARSER:
            (base / "certs/example.org/config").unlink()
        found = read(path, evaluator)
        assert os.getresuid() == (user.pw_uid,) * 3
        assert os.getresgid() == (user.pw_gid,) * 3
        if evaluator is Evaluator.BASH:
            # bash said who it was: 65534 is no number of days.
            assert str(user.pw_uid) in str(found.rejected[0].error)
        with Folder.make(f"{base}/state") as folder:
            folder.put("x", b"")
        assert (base / "state/x").stat().st_uid == user.pw_uid
        said = Hooks(shell=found.shell).call(HookCall(f"{base}/hook", "exit_hook", ()))
        assert said.startswith(f"{NOBODY}:{grp.getgrgid(user.pw_gid).gr_name}:")
        assert said.rstrip().endswith(user.pw_dir)
        assert "root" not in said
        with pytest.raises(PermissionError):
            path.read_bytes()

    checked(act)


@root
@readable
def test_the_group_may_be_another_where_root_alone_says_so(base: Path, tmp_path: Path) -> None:
    path = config(tmp_path, f"BASEDIR={base}\nDEHYDRATED_USER={NOBODY}\nDEHYDRATED_GROUP={GROUP}\n")
    gid = grp.getgrnam(GROUP).gr_gid

    def act() -> None:
        read(path)
        assert os.getresgid() == (gid,) * 3
        assert os.geteuid() == pwd.getpwnam(NOBODY).pw_uid
        assert 0 not in os.getgroups()
        # Doing it again changes nothing, and needs no root.
        read(base / "again")

    (base / "again").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    checked(act)


@root
@readable
def test_somebody_else_is_told_whom_to_ask(base: Path) -> None:
    path = config(base, f"\nDEHYDRATED_USER={GROUP}\n")
    path.chmod(0o644)

    def act() -> None:
        os.setuid(pwd.getpwnam(NOBODY).pw_uid)
        with pytest.raises(ConfigError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}:3: DEHYDRATED_USER: daemon is to run this, and nobody cannot")
        assert "sudo -u daemon" in caught.value.hint

    checked(act)


@root
def test_an_installation_that_this_user_cannot_read_is_one_error_with_the_path(base: Path) -> None:
    path = config(base, f"DEHYDRATED_USER={NOBODY}\n")
    package = shutil.copytree(Path(certkeeper.__file__).parent, base / "lib/certkeeper")
    (base / "lib").chmod(0o700)
    done = run("status", "--config", path, cwd=base, env={"PYTHONPATH": str(base / "lib")})
    assert done.code == 2
    error = done.only_error()
    assert error.startswith(f"{path}:2: DEHYDRATED_USER: {NOBODY} cannot read ")
    # Where the checkout is root's, its Python may be, too.
    assert str(package) in error or not readable_for_all()
    assert "namei -l " in done.hints[0]


def readable_for_all() -> bool:
    return all(parent.stat().st_mode & 5 == 5 for parent in Path(os.__file__).parents)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("DEHYDRATED_USER=no-such-user", "DEHYDRATED_USER: there is no user no-such-user"),
        ("DEHYDRATED_USER=root DEHYDRATED_GROUP=no-such-group", "DEHYDRATED_GROUP: there is no group no-such-group"),
    ],
)
def test_a_user_or_group_that_is_not_there_is_an_error(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "domains.txt").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=reason):
        read(config(tmp_path, text))
