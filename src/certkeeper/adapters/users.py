"""DEHYDRATED_USER and DEHYDRATED_GROUP: from root to that user, for good."""

import grp
import os
import pwd

from certkeeper.config.reading import Became, Become, NotBecome


def become(step: Become) -> Became | NotBecome:
    """Give up root, unless this is that user already."""
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
    try:
        drop(user, gid)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return NotBecome("DEHYDRATED_USER", f"cannot become {step.user}: {reason}", f"start it as {step.user}")
    # Modules are loaded when they are needed, by that user from now on.
    if not os.access(__file__, os.R_OK):
        return NotBecome(
            "DEHYDRATED_USER",
            f"{step.user} cannot read {os.path.dirname(__file__)}",  # noqa: PTH120 - text
            "install certkeeper where that user can read it, as in /opt or by the system's packages",
        )
    # What a login has: hooks and their programs look for their files there.
    environment = {"HOME": user.pw_dir, "USER": step.user, "LOGNAME": step.user, "SHELL": user.pw_shell}
    os.environ.update(environment)
    return Became(tuple(environment.items()))


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
