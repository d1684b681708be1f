"""Which certificates of a lineage were revoked, as a file of its folder says: `<serial> <key_id> <reason>` a line.

It is kept apart from the versions, since a key that is compromised stays so after they are gone.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from certkeeper.lineage.model import Leaf

UNSPECIFIED = 0
KEY_COMPROMISE = 1
"""CRLReason keyCompromise (RFC 5280 §5.3.1)."""
_LINE = re.compile(r"([0-9a-f]{1,64}) ([0-9a-f]{64}) ([0-9]{1,2})")
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Revocation:
    """`serial` and `key_id` are those of the certificate, as in Leaf; `reason` is a CRLReason."""

    serial: str
    key_id: str
    reason: int

    def is_of(self, leaf: Leaf) -> bool:
        return (self.serial, self.key_id) == (leaf.serial, leaf.key_id)


def read_revocations(content: bytes) -> tuple[Revocation, ...]:
    """What the file says; lines that say nothing are passed over."""
    lines = content.decode("ascii", "replace").splitlines()
    found = (_LINE.fullmatch(line) for line in lines)
    return tuple(Revocation(match[1], match[2], int(match[3])) for match in found if match)


def write_revocations(known: Iterable[Revocation], new: Revocation) -> bytes:
    """The file with one more; a certificate that is in it already has the new reason, but stays compromised."""
    known = tuple(known)
    # Others have that key, whatever is said of its certificate later.
    if Revocation(new.serial, new.key_id, KEY_COMPROMISE) in known:
        new = replace(new, reason=KEY_COMPROMISE)
    kept = [item for item in known if (item.serial, item.key_id) != (new.serial, new.key_id)]
    entries = [*kept, new][-_MOST:]
    return "".join(f"{item.serial} {item.key_id} {item.reason}\n" for item in entries).encode("ascii")


def reason_of(leaf: Leaf | None, known: Iterable[Revocation]) -> int | None:
    """Why that certificate was revoked; None where it was not."""
    return next((item.reason for item in known if leaf is not None and item.is_of(leaf)), None)


def is_compromised(key_id: str | None, known: Iterable[Revocation]) -> bool:
    """A certificate of that key was revoked because others have the key."""
    return any(item.key_id == key_id and item.reason == KEY_COMPROMISE for item in known)
