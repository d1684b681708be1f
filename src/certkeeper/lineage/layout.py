"""dehydrated's file names, and ours beside them.

    certs/<alias>/
      .versions/<stamp>/{privkey,cert,chain,fullchain}.pem, cert.csr   a complete version
      .versions/<stamp>/origin.json                                     which CA it is from, and what was asked of it
      .versions/<stamp>/ocsp.der                                        an OCSP response about its certificate
      .versions/<stamp>/adopted                                         an empty file: its files are somebody else's
      .versions/<stamp>.partial/                                        a version in the making
      .versions/<stamp>.adopting/                                       the present state, becoming a version
      .versions/<stamp>.removing/                                       an old version, half removed
      .revoked                                                          which certificates were revoked, and why
      .live -> .versions/<stamp>                                        the one link that switches everything
      {privkey,cert,chain,fullchain}.pem, cert.csr -> .live/…           the names that services use
      {privkey,cert,chain,fullchain}-<stamp>.pem, cert-<stamp>.csr      dehydrated's view of the same files
      ocsp.der -> .live/ocsp.der, ocsp-<stamp>.der                      the OCSP response, if any, and that view of it

A stamp is epoch seconds. Names are text, nothing here looks at a disk.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from certkeeper.base.patterns import pattern
from certkeeper.lineage import origin
from certkeeper.lineage.model import VersionFiles

PRIVKEY = "privkey.pem"
CERT = "cert.pem"
CHAIN = "chain.pem"
FULLCHAIN = "fullchain.pem"
CSR = "cert.csr"
# The order in which dehydrated sets its links.
NAMES = (PRIVKEY, CHAIN, FULLCHAIN, CSR, CERT)

ADOPTED = "adopted"
"""Marks a version that was made of files that dehydrated or a person wrote."""
ORIGIN = "origin.json"
STAPLE = "ocsp.der"
"""dehydrated's link to the newest OCSP response, which is a stamped file beside it; in a version, the response."""
VERSION_FILES = (*NAMES, ADOPTED, ORIGIN, STAPLE)
"""All that this program puts into a version."""

CONFIG = "config"
NEXT_KEY = "privkey.roll.pem"
"""dehydrated's name for the key of the next certificate."""
REVOKED = ".revoked"
LIVE = ".live"
VERSIONS = ".versions"

_PARTIAL = ".partial"
_ADOPTING = ".adopting"
_REMOVING = ".removing"
# Nineteen digits fit any clock; a leading zero would not survive the way through a number.
_STAMP = r"(0|[1-9][0-9]{0,18})"
_VERSION = pattern(_STAMP)
_IN_THE_MAKING = pattern(_STAMP + re.escape(_PARTIAL))
_UNFINISHED = pattern(rf"{_STAMP}(?:{re.escape(_PARTIAL)}|{re.escape(_ADOPTING)}|{re.escape(_REMOVING)})")
_LIVE_TARGET = pattern(re.escape(VERSIONS) + "/" + _STAMP)
_STAMPED = pattern(rf"(?:(?:privkey|cert|chain|fullchain)-{_STAMP}\.pem|cert-{_STAMP}\.csr|ocsp-{_STAMP}\.der)")
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


def removing_name(stamp: int) -> str:
    return f"{stamp}{_REMOVING}"


def revoked_name(name: str) -> str:
    """What dehydrated makes of a certificate's name when it revokes it."""
    return name + _REVOKED


def stamped_name(name: str, stamp: int) -> str:
    """`cert.csr` and 1700000000 make `cert-1700000000.csr`."""
    base, dot, extension = name.rpartition(".")
    return f"{base}-{stamp}{dot}{extension}"


def stamp_of(name: str) -> int | None:
    """The stamp in a stamped name of dehydrated's, revoked or not; None for any other name."""
    match = _STAMPED.fullmatch(name.removesuffix(_REVOKED))
    return next((int(digits) for digits in match.groups() if digits), None) if match else None


def version_stamps(version_names: Iterable[str]) -> tuple[int, ...]:
    """The versions, newest first."""
    return tuple(sorted((int(name) for name in version_names if _VERSION.fullmatch(name)), reverse=True))


def partial_stamps(version_names: Iterable[str]) -> tuple[int, ...]:
    """The versions in the making, newest first."""
    matches = (_IN_THE_MAKING.fullmatch(name) for name in version_names)
    return tuple(sorted((int(match[1]) for match in matches if match), reverse=True))


def unfinished(version_names: Iterable[str]) -> Mapping[str, int]:
    """The folders beside the versions that something was begun in, with their stamps."""
    matches = {name: _UNFINISHED.fullmatch(name) for name in version_names}
    return {name: int(match[1]) for name, match in matches.items() if match}


def half_removed(version_name_: str) -> bool:
    return version_name_.endswith(_REMOVING)


def taken_stamps(folder_names: Iterable[str], version_names: Iterable[str]) -> frozenset[int]:
    """The stamps that a new version must not have: of versions, of those in the making, of dehydrated's files."""
    stamped = {stamp for name in folder_names if (stamp := stamp_of(name)) is not None}
    names = tuple(version_names)
    return frozenset(stamped) | frozenset(version_stamps(names)) | frozenset(unfinished(names).values())


def free_stamp(wanted: int, taken: Collection[int]) -> int:
    """That stamp, increased by one until it is unique in its lineage."""
    stamp = max(wanted, 0)
    while stamp in taken:
        stamp += 1
    return stamp


def by_name(files: VersionFiles) -> dict[str, bytes]:
    """The contents of a version under their file names, the key first."""
    contents = {
        PRIVKEY: files.privkey,
        CHAIN: files.chain,
        FULLCHAIN: files.fullchain,
        CSR: files.csr,
        CERT: files.cert,
    }
    if files.origin is None:
        return contents
    if files.origin.key_elsewhere:
        del contents[PRIVKEY]
    return {**contents, ORIGIN: origin.render(files.origin)}


def key_elsewhere(contents: Mapping[str, bytes | None]) -> bool:
    """Whether a version with these contents has no key, since somebody else keeps it."""
    found = contents.get(ORIGIN)
    written = origin.parse(found) if found is not None else None
    return written is not None and written.key_elsewhere
