"""Who may read the private keys of a page's folders. Only their modes are looked at."""

import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from certkeeper.config.moving import KeyFile

_LINEAGE_KEYS = ("privkey.pem", "privkey.roll.pem")
_ACCOUNT_KEY = "account_key.pem"


def key_files(certdirs: Iterable[str], accountdir: str) -> tuple[KeyFile, ...]:
    """The keys that are there, of certificates and of accounts. What cannot be looked at is passed over."""
    found = [path for folder in certdirs for name in _LINEAGE_KEYS for path in _below(folder, name)]
    return tuple(key for path in (*found, *_below(accountdir, _ACCOUNT_KEY)) if (key := _key(path)) is not None)


def _below(folder: str, name: str) -> Iterator[Path]:
    return iter(sorted(Path(folder).glob(f"*/{name}")))


def _key(path: Path) -> KeyFile | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return KeyFile(
        str(path),
        others_may_read=bool(status.st_mode & stat.S_IROTH),
        group=_group(status),
        group_may_read=bool(status.st_mode & stat.S_IRGRP),
    )


def _group(status: os.stat_result) -> str:
    """Its name, where it is not the group that its owner's files have anyway."""
    try:
        if pwd.getpwuid(status.st_uid).pw_gid == status.st_gid:
            return ""
        return grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        return str(status.st_gid)
