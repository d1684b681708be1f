"""dehydrated's cleanup: which stamped files of a folder no name leads to any more.

It looks at dehydrated's own files only. Versions of ours have `retention`; of those only the stamped names go, which
are second names of files that stay. A file without a stamp is a person's, whatever else its name is like.
"""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

from certkeeper.base.value import dataclass
from certkeeper.lineage.layout import (
    CERT,
    CHAIN,
    CSR,
    FULLCHAIN,
    PRIVKEY,
    STAPLE,
    Place,
    revoked_name,
    stamp_of,
    stamped_name,
)

CLEANED = (CSR, CERT, CHAIN, FULLCHAIN, PRIVKEY, STAPLE)
"""The names whose stamped files are looked at, in dehydrated's order."""


class Clearing(StrEnum):
    """What becomes of an unused name."""

    UNLINKED = "unlinked"
    """A link to nothing is removed."""
    ARCHIVED = "archived"
    DELETED = "deleted"


class Kind(StrEnum):
    LINK = "link"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Unused:
    """A stamped file that no name leads to, or one of the names itself where it leads to nothing."""

    name: str
    kind: Kind = Kind.FILE


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was done: to which name, in which folder of CERTDIR, whose path is `folder`."""

    folder: str
    name: str
    clearing: Clearing


@dataclass(frozen=True, slots=True)
class Named:
    """One of the names that services use: what it is, what it says, and whether a file is behind it."""

    place: Place
    target: str | None = None
    leads: bool = False


def unused(names: Mapping[str, Named], files: Collection[str], in_use: Collection[str]) -> tuple[Unused, ...]:
    """What may go, in the order in which dehydrated tells it.

    `names` are those of CLEANED, `files` all regular files of the folder, `in_use` those that a link leads to or that
    are other names of what is live.
    """
    return tuple(item for name in CLEANED for item in _unused(name, names[name], files, in_use))


def _unused(name: str, named: Named, files: Collection[str], in_use: Collection[str]) -> Iterator[Unused]:
    kept = set(in_use)
    if named.target is not None and not named.leads:
        revoked = revoked_name(named.target)
        if revoked in files:
            # The next run sees by this that the certificate was revoked, and orders another one.
            kept.add(revoked)
        elif named.place is not Place.OURS:
            yield Unused(name, Kind.LINK)
    stamped = [file for file in files if file not in kept and _is_stamped(name, file)]
    # All that were revoked come after all that were not.
    yield from (Unused(file) for file in sorted(stamped, key=lambda file: (file.endswith(revoked_name("")), file)))


def _is_stamped(name: str, file: str) -> bool:
    stamp = stamp_of(file)
    return stamp is not None and file.removesuffix(revoked_name("")) == stamped_name(name, stamp)
