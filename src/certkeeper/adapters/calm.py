"""STATEDIR/calm: that a run found nothing to do, and all that it had looked at.

The next run with the same words, environment and user that finds all of it as it was, before the time at which
something becomes due, says the same and ends: ten thousand certificates are decided by a stat of their files. It is a
cache like the index, and may be deleted at any time. Anything that is not as it was leads to a whole run; so does a day
that passed.

What counts as "as it was": the inode and the time of the last change of it (`st_ctime`), which no program can set, of
every file that was read and of the folders they are in, so that nothing new has come there either; that what was
missing still is; and who may write to folders on the way. Nothing of it had changed in the two seconds before that run,
or since it began: see `adapters/index.py`.

Reading imports next to nothing: a whole interpreter's start is no more than stats of some thousand files.
"""

import marshal
import os
import re
import stat
import sys
import time
import zlib
from array import array

from certkeeper import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

NAME = "calm"
GOOD = "last-good-run"
"""An empty file there whose time of change is that of the last good run (`adapters/lastgood.py`)."""
SETTLED = 2_000_000_000
LONGEST = 24 * 3600
"""Seconds after which a whole run looks again, whatever the files say."""
_LARGEST = 256 << 20
_PAGE = 1 << 20
_CACHES = frozenset({NAME, GOOD, "index.json"})
_PASSING = frozenset(
    {"_", "COLUMNS", "INVOCATION_ID", "JOURNAL_STREAM", "LINES", "OLDPWD", "PWD", "SHLVL", "SYSTEMD_EXEC_PID", "TERM"}
)
"""Variables that differ between runs and decide nothing."""
# As people write them; with anything else in it, a run reads the page.
_SHELL = r"^[ \t]*(?:export[ \t]+)?{}=([\"']?)([^\"'$`\\\s#;]+)\1[ \t]*$"
_TOML = r"^[ \t]*{}[ \t]*=[ \t]*([\"'])([^\"'$`\\]+)\1[ \t]*$"
_PLACES = ("/etc/certkeeper/certkeeper.toml", "/etc/dehydrated/config", "/usr/local/etc/dehydrated/config")
_NATIVE_BASEDIR = "/var/lib/certkeeper"


def recall(
    arguments: "Sequence[str]",
    environment: "Mapping[str, str]" = os.environ,
    clock: "Callable[[], float]" = time.time,
) -> "Mapping[str, Any] | None":
    """The run with these words that found nothing to do, where nothing can be to do now; None otherwise.

    `text` is what it said, and `owed` what is to be told of each run, empty where nobody wants to know. It ended `now`,
    after so many `seconds`.
    """
    began = time.monotonic()
    for statedir in _statedirs(arguments, environment):
        try:
            memory: dict[str, Any] = marshal.loads(_content(statedir))  # noqa: S302 - our own file, which nobody else can write
            now = clock()
            if memory["self"] == itself(arguments, environment) and _holds(memory, statedir, now):
                if memory["whole"]:
                    # Where it cannot be told that a run ended well, a whole run tells that.
                    os.utime(f"{statedir}/{GOOD}", (now, now), follow_symlinks=False)
                return memory | {"now": now, "seconds": time.monotonic() - began}
        except (OSError, ValueError, EOFError, TypeError, KeyError):
            continue
    return None


def _holds(memory: "Mapping[str, Any]", statedir: str, now: float) -> bool:
    return (
        memory["made"] <= now < memory["until"]
        and not any(map(os.path.lexists, memory["absent"]))
        and all(listed(folder, suffix) == names for folder, suffix, names in memory["lists"])
        and state_of(statedir) == memory["state"]
        and [who(way) for way in memory["ways"]] == memory["who"]
        and facts_of(memory["folders"], memory["files"]).tobytes() == memory["facts"]
    )


def facts_of(folders: "Iterable[tuple[str, Sequence[str]]]", files: "Iterable[str]") -> "array[int]":
    """Of each: inode, and time of the last change. Most of a run that finds nothing to do is spent here."""
    facts = array("Q")
    look, add = os.stat, facts.append
    for folder, names in folders:
        status = look(folder)
        add(status.st_ino)
        add(status.st_ctime_ns)
        for name in names:
            status = look(f"{folder}/{name}")
            add(status.st_ino)
            add(status.st_ctime_ns)
    for path in files:
        status = look(path)
        add(status.st_ino)
        add(status.st_ctime_ns)
    return facts


def listed(folder: str, suffix: str) -> list[str] | None:
    """The names there that end so, as the page asks for them; None where there is no such folder."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(suffix))  # noqa: PTH208 - text
    except OSError:
        return None


def state_of(statedir: str) -> list[tuple[str, int, int]]:
    """What earlier runs left there for later ones; not what only saves them a look."""
    return sorted(
        (entry.name, status.st_ino, status.st_ctime_ns)
        for entry in os.scandir(statedir)
        if entry.name not in _CACHES and entry.is_file()
        for status in (entry.stat(),)
    )


def who(path: str) -> tuple[int, int, int, int]:
    """Who may put other things there; what is in it changes all the time."""
    status = os.stat(path)  # noqa: PTH116 - text, as everywhere in the adapters
    return status.st_ino, status.st_mode, status.st_uid, status.st_gid


def itself(arguments: "Sequence[str]", environment: "Mapping[str, str]") -> tuple[object, ...]:
    # The environment may hold secrets, which nobody finds out from this.
    decides = sorted(item for item in environment.items() if item[0] not in _PASSING)
    octets = repr(decides).encode(errors="surrogateescape")
    environment_is = zlib.crc32(octets), zlib.adler32(octets), len(octets)
    user = os.geteuid(), os.getegid(), tuple(sorted(os.getgroups()))
    return __version__, sys.hexversion, tuple(arguments), os.getcwd(), environment_is, user  # noqa: PTH109 - text


def _content(statedir: str) -> bytes:
    """The memory, as `marshal` has it.

    Raises:
        OSError: it is not there, or not as it should be.
        ValueError: it is damaged, or somebody else can write it.
    """
    around = os.stat(statedir)  # noqa: PTH116 - as above
    descriptor = os.open(f"{statedir}/{NAME}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        ours = status.st_uid == os.geteuid() and around.st_uid in {0, os.geteuid()}
        if not ours or not stat.S_ISREG(status.st_mode) or (status.st_mode | around.st_mode) & stat.S_IWOTH:
            raise ValueError(statedir)
        if status.st_mode & stat.S_IWGRP or status.st_size > _LARGEST:
            raise ValueError(statedir)
        content = b""
        while chunk := os.read(descriptor, status.st_size + 1):
            content += chunk
    finally:
        os.close(descriptor)
    digest, _, body = content.partition(b"\n")
    if int(digest, 16) != zlib.crc32(body):
        raise ValueError(statedir)
    return body


def _statedirs(arguments: "Sequence[str]", environment: "Mapping[str, str]") -> "Iterator[str]":
    """Where the memory may be, by what can be seen of the page without reading it as a shell would.

    Nothing follows from a wrong guess: what is found there says which page it is about, or is not there.
    """
    config = _config(arguments, environment)
    try:
        with open(config, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib costs a third of a run
            text = file.read(_PAGE)
    except OSError:
        return
    toml = config.endswith(".toml")
    state, base = (_value(text, name, toml=toml) for name in ("STATEDIR", "BASEDIR"))
    folder = _NATIVE_BASEDIR if toml else os.path.dirname(os.path.abspath(config))  # noqa: PTH120, PTH100 - text
    found = state or f"{base or folder}/state"
    if found.startswith("/"):
        yield found


def _config(arguments: "Sequence[str]", environment: "Mapping[str, str]") -> str:
    named = environment.get("CONFIG") or ""
    for word, following in zip(arguments, (*arguments[1:], ""), strict=True):
        if word == "--config":
            named = following
        elif word.startswith("--config="):
            named = word.removeprefix("--config=")
    return named or next(filter(os.path.exists, _PLACES), "")


def _value(text: str, name: str, *, toml: bool) -> str:
    written = (_TOML.format(name.lower()) if toml else _SHELL.format(name)).replace("{{", "{")
    found = re.findall(written, text, re.MULTILINE)
    return str(found[-1][1]) if found else ""
