"""POSIX access lists, as the kernel keeps them beside a file: which users and groups they let write."""

import os
import struct

from certkeeper.base.value import dataclass

_NAME = "system.posix_acl_access"
_HEAD, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_USER, _OWNING_GROUP, _GROUP = 0x02, 0x04, 0x08
_WRITE = 2


@dataclass(frozen=True, slots=True)
class Listed:
    """Who may write by the list, beside the owner and everybody. `owning`: the file's own group may."""

    uids: frozenset[int]
    gids: frozenset[int]
    owning: bool


def listed(place: str) -> Listed | None:
    """None where it has no list. Its mask, the most that these have, is what stat says of the group."""
    try:
        octets = os.getxattr(place, _NAME)
    except OSError:
        return None
    entries = [_ENTRY.unpack_from(octets, at) for at in range(_HEAD.size, len(octets) - _ENTRY.size + 1, _ENTRY.size)]
    may = [(tag, number) for tag, permissions, number in entries if permissions & _WRITE]
    return Listed(
        frozenset(number for tag, number in may if tag == _USER),
        frozenset(number for tag, number in may if tag == _GROUP),
        any(tag == _OWNING_GROUP for tag, _ in may),
    )
