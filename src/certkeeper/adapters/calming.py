"""After a run that found nothing to do: what it looked at goes into STATEDIR/calm."""

import marshal
import os
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from certkeeper.adapters.caches import write_cache
from certkeeper.adapters.calm import LONGEST, NAME, SETTLED, facts_of, itself, listed, state_of, who
from certkeeper.adapters.looked import Looked

_NOTHING: Mapping[str, object] = {}
_MANY = 500
"""Of more missing files than these in one folder, the folder is watched in their place; BASEDIR, say, changes with
every run, and has not that many."""
_ACCOUNTS = ("/etc/passwd", "/etc/group")
"""Where owners and groups of files come from."""


def remember(
    looked: Looked,
    statedir: str,
    arguments: Sequence[str],
    *,
    text: str,
    until: float,
    whole: bool = True,
    owed: Mapping[str, object] = _NOTHING,
    missing: Iterable[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> bool:
    """Write it down, and say whether it was: not where something changed since the run began, or shortly before.

    `text` is what the run said, `whole` whether it was about all of the page. `until` is when something is due, in
    seconds of the epoch. `owed` is what calm runs tell others. `missing` are paths that would have made a difference if
    they had been there.

    Raises:
        StateRefused, FileTrouble: it cannot be written.
    """
    if looked.beyond:
        return False
    try:
        memory, changed = _memory(looked, statedir, missing)
    except OSError:
        return False
    if changed >= looked.began - SETTLED:
        return False
    now = time.time()
    memory |= {"self": itself(arguments, environment), "text": text, "made": now, "until": min(until, now + LONGEST)}
    memory |= {"whole": whole, "owed": dict(owed)}
    body = marshal.dumps(memory)
    write_cache(statedir, NAME, b"%08x\n%b" % (zlib.crc32(body), body))
    return True


def _memory(looked: Looked, statedir: str, missing: Iterable[str]) -> tuple[dict[str, object], int]:
    """What is to be compared, and when the last of it changed, in nanoseconds of the epoch.

    Raises:
        OSError: something went away meanwhile.
    """
    folders = [
        (folder, tuple(name for name in names if "/" not in name and os.path.exists(f"{folder}/{name}")))  # noqa: PTH110
        for folder, names in looked.folders.items()
        if os.path.isdir(folder)  # noqa: PTH112 - text, as everywhere in the adapters
    ]
    files, absent = _there((*looked.files, *missing, *looked.folders, *_ACCOUNTS), {folder for folder, _ in folders})
    ways = list(dict.fromkeys(way for path in (*files, *absent, statedir) for way in _above(path)))
    facts, state = facts_of(folders, files), state_of(statedir)
    memory: dict[str, object] = {
        "absent": absent,
        "lists": [(folder, suffix, listed(folder, suffix)) for folder, suffix in looked.lists],
        "state": state,
        "ways": ways,
        "who": [who(way) for way in ways],
        "folders": folders,
        "files": files,
        "facts": facts.tobytes(),
    }
    return memory, max((*facts[1::2], *(changed for _, _, changed in state)), default=0)


def _there(paths: Iterable[str], watched: set[str]) -> tuple[list[str], list[str]]:
    """Which of these are there, and which are not. What is missing in a folder that is watched cannot come unseen."""
    files, missing = dict[str, None](), dict[str, list[str]]()
    for path in paths:
        if path in watched:
            continue
        if os.path.exists(path):  # noqa: PTH110 - text
            files[path] = None
        elif (folder := os.path.dirname(path)) not in watched:  # noqa: PTH120 - text
            missing.setdefault(folder, []).append(path)
    absent: list[str] = []
    for folder, gone in missing.items():
        if len(gone) <= _MANY:
            absent += gone
        elif os.path.isdir(folder):  # noqa: PTH112 - text
            # Ten thousand certificates may have as many files of their own there, and have none.
            files[folder] = None
        else:
            absent.append(folder)
    return list(files), absent


def _above(path: str) -> Iterator[str]:
    """The folders on the way to it that are there."""
    while (above := os.path.dirname(path)) != path:  # noqa: PTH120 - text
        path = above
        if os.path.isdir(path):  # noqa: PTH112 - text
            yield path
