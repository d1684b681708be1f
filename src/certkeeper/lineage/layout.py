"""dehydrated's file names, and ours beside them.

    certs/<alias>/
      .versions/<stamp>/{privkey,cert,chain,fullchain}.pem, cert.csr   a complete version
      .versions/<stamp>.partial/                                        a version in the making
      .versions/<stamp>.adopting/                                       the present state, becoming a version
      .live -> .versions/<stamp>                                        the one link that switches everything
      {privkey,cert,chain,fullchain}.pem, cert.csr -> .live/…           the names that services use
      {privkey,cert,chain,fullchain}-<stamp>.pem, cert-<stamp>.csr      dehydrated's view of the same files

A stamp is epoch seconds. Names are text, nothing here looks at a disk.
"""

import re
from collections.abc import Collection, Iterable
from enum import StrEnum

from certkeeper.lineage.model import VersionFiles

PRIVKEY = "privkey.pem"
CERT = "cert.pem"
CHAIN = "chain.pem"
FULLCHAIN = "fullchain.pem"
CSR = "cert.csr"
# The order in which dehydrated sets its links.
NAMES = (PRIVKEY, CHAIN, FULLCHAIN, CSR, CERT)

CONFIG = "config"
LIVE = ".live"
VERSIONS = ".versions"

_PARTIAL = ".partial"
_ADOPTING = ".adopting"
# Nineteen digits fit any clock; a leading zero would not survive the way through a number.
_STAMP = r"(0|[1-9][0-9]{0,18})"
_VERSION = re.compile(_STAMP)
_IN_THE_MAKING = re.compile(_STAMP + re.escape(_PARTIAL))
_LIVE_TARGET = re.compile(re.escape(VERSIONS) + "/" + _STAMP)
_STAMPED = re.compile(rf"(?:(?:privkey|cert|chain|fullchain)-{_STAMP}\.pem|cert-{_STAMP}\.csr|ocsp-{_STAMP}\.der)")
_REVOKED = "-revoked"


class Place(StrEnum):
    """What one of the names that services use is."""

    ABSENT = "absent"
    OURS = "ours"
    """A link through `.live`."""
    STAMPED = "stamped"
    """A link of dehydrated's to a stamped file beside it."""
    ELSEWHERE = "elsewhere"
    """Any other link: the operator's."""
    PLAIN = "plain"
    """A regular file."""
    BLOCKED = "blocked"
    """A folder, a socket, a device: nothing that a certificate could be in."""


def link_place(name: str, target: str) -> Place:
    """What the link `name` with that target is."""
    if target == live_target(name):
        return Place.OURS
    return Place.STAMPED if stamp_of(target) is not None else Place.ELSEWHERE


def live_target(name: str) -> str:
    return f"{LIVE}/{name}"


def version_target(stamp: int) -> str:
    """What `.live` points to while that version is live."""
    return f"{VERSIONS}/{stamp}"


def live_stamp(target: str) -> int | None:
    """The stamp in the target of `.live`; None where it is not one of ours."""
    match = _LIVE_TARGET.fullmatch(target)
    return int(match[1]) if match else None


def version_name(stamp: int) -> str:
    return str(stamp)


def partial_name(stamp: int) -> str:
    return f"{stamp}{_PARTIAL}"


def adopting_name(stamp: int) -> str:
    return f"{stamp}{_ADOPTING}"


def stamped_name(name: str, stamp: int) -> str:
    """`cert.csr` and 1700000000 make `cert-1700000000.csr`."""
    base, dot, extension = name.rpartition(".")
    return f"{base}-{stamp}{dot}{extension}"


def stamp_of(name: str) -> int | None:
    """The stamp in a stamped name of dehydrated's, revoked or not; None for any other name."""
    match = _STAMPED.fullmatch(name.removesuffix(_REVOKED))
    return next((int(digits) for digits in match.groups() if digits), None) if match else None


def partial_stamps(version_names: Iterable[str]) -> tuple[int, ...]:
    """The versions in the making, newest first."""
    matches = (_IN_THE_MAKING.fullmatch(name) for name in version_names)
    return tuple(sorted((int(match[1]) for match in matches if match), reverse=True))


def taken_stamps(folder_names: Iterable[str], version_names: Iterable[str]) -> frozenset[int]:
    """The stamps that a new version must not have: of versions, of those in the making, of dehydrated's files."""
    stamped = {stamp for name in folder_names if (stamp := stamp_of(name)) is not None}
    bare = (name.removesuffix(_PARTIAL).removesuffix(_ADOPTING) for name in version_names)
    return frozenset(stamped | {int(name) for name in bare if _VERSION.fullmatch(name)})


def free_stamp(wanted: int, taken: Collection[int]) -> int:
    """That stamp, increased by one until it is unique in its lineage."""
    stamp = max(wanted, 0)
    while stamp in taken:
        stamp += 1
    return stamp


def by_name(files: VersionFiles) -> dict[str, bytes]:
    """The contents of a version under their file names, the key first."""
    return {
        PRIVKEY: files.privkey,
        CHAIN: files.chain,
        FULLCHAIN: files.fullchain,
        CSR: files.csr,
        CERT: files.cert,
    }
