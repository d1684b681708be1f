"""DEHYDRATED_USER and DEHYDRATED_GROUP: from root to that user, for good."""

import grp
import importlib.util
import os
import pwd
from collections.abc import Iterable, Iterator, Sequence

from certkeeper.config.reading import Became, Become, NotBecome


def become(step: Become, needed: Iterable[str]) -> Became | NotBecome:
    """Give up root, unless this is that user already. `needed` are files that the user has to be able to read."""
    try:
        user = pwd.getpwnam(step.user)
    except KeyError:
        return NotBecome("DEHYDRATED_USER", f"there is no user {step.user}", f"make it: adduser --system {step.user}")
    try:
        gid = grp.getgrnam(step.group).gr_gid if step.group else user.pw_gid
    except KeyError:
        return NotBecome("DEHYDRATED_GROUP", f"there is no group {step.group}", f"make it: addgroup {step.group}")
    # As with dehydrated, the group is looked at only where one is named.
    if os.geteuid() == user.pw_uid and (not step.group or os.getegid() == gid):
        return Became()
    if os.geteuid() != 0:
        wanted = f"{step.user}/{step.group}" if step.group else step.user
        with_group = f" -g {step.group}" if step.group else ""
        return NotBecome(
            "DEHYDRATED_USER",
            f"{wanted} is to run this, and {_name(os.geteuid())} cannot become that",
            f"run it as root, or with: sudo -u {step.user}{with_group} certkeeper …",
        )
    if (shut := _unreadable(user, gid, tuple(needed))) is not None:
        return NotBecome(
            "DEHYDRATED_USER",
            f"{step.user} cannot read {shut}, which certkeeper is made of",
            f"install it where that user can read it, as in /opt or by the system's packages; namei -l {shut} says "
            "what is shut",
        )
    try:
        drop(user, gid)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return NotBecome("DEHYDRATED_USER", f"cannot become {step.user}: {reason}", f"start it as {step.user}")
    # What a login has: hooks and their programs look for their files there.
    environment = {"HOME": user.pw_dir, "USER": step.user, "LOGNAME": step.user, "SHELL": user.pw_shell}
    os.environ.update(environment)
    return Became(tuple(environment.items()))


def _unreadable(user: pwd.struct_passwd, gid: int, paths: Sequence[str]) -> str | None:
    """The first of these that the user cannot read, tried as that user; None where there is none."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            drop(user, gid)
            found = next((number for number, path in enumerate(paths) if not os.access(path, os.R_OK)), None)
            os.write(writing, b"" if found is None else b"%d" % found)
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as said:  # noqa: PTH123 - a descriptor
        number = said.read()
    os.waitpid(child, 0)
    return paths[int(number)] if number else None


def parts() -> Iterator[str]:
    """Files of this installation: Python's own modules, those of the package, and one that came with it.

    Modules are loaded when they are needed, by whoever this is then, and be it to tell of an error.
    """
    yield os.__file__
    for folder, _, names in os.walk(os.path.dirname(os.path.dirname(__file__))):  # noqa: PTH120 - text
        yield from (f"{folder}/{name}" for name in names if name.endswith(".py"))
    found = importlib.util.find_spec("cryptography")
    if found is not None and found.origin:
        yield found.origin


def drop(user: pwd.struct_passwd, gid: int) -> None:
    """Be that user and in that group, with the user's other groups and no others, for good."""
    os.initgroups(user.pw_name, gid)
    os.setresgid(gid, gid, gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
