"""The way from what a folder shows to names that all go through `.live`, so that one rename can switch them together.

Each step is safe by itself: a name is replaced only while the same content is behind `.live`. Where it is not (a
folder of dehydrated's, plain files, or a mixture that dehydrated made when it wrote last), the present state becomes
a version of its own first, and `.live` leads to it.
"""

from collections.abc import Collection, Mapping

from certkeeper.base.value import dataclass, field
from certkeeper.lineage.layout import CERT, FULLCHAIN, NAMES, PRIVKEY, Place, stamp_of

OPERATORS = frozenset({Place.PLAIN, Place.ELSEWHERE})
"""What a person put there: it is kept before anything takes its name."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One of the names that services use.

    `content` is what a reader gets through the name, `live` what `.live` has under it; None where there is nothing.
    """

    place: Place
    target: str | None = None
    content: bytes | None = field(default=None, repr=False)
    live: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Passage:
    """What has to be done before `.live` may move.

    `adopt`: the present state becomes a version, and `.live` leads to it.
    `keep_key`: privkey.pem is a person's, and its name is about to be taken.
    `lead`: the names that become links through `.live`.
    """

    adopt: bool
    keep_key: bool
    lead: tuple[str, ...]


def passage(shown: Mapping[str, Shown], left_alone: Collection[str]) -> Passage:
    """The steps for a folder that shows this; the names that are left alone keep the file that they have."""
    lead = tuple(name for name in NAMES if name not in left_alone and shown[name].place is not Place.OURS)
    something = any(entry.content is not None for entry in shown.values())
    differs = any(shown[name].content != shown[name].live for name in lead)
    key = shown[PRIVKEY]
    return Passage(
        adopt=something and differs,
        keep_key=PRIVKEY in lead and key.place in OPERATORS and key.content is not None,
        lead=lead,
    )


def present_stamp(shown: Mapping[str, Shown], modified: Mapping[str, int]) -> int:
    """The stamp of the present state: dehydrated's, else the time (mtime, epoch seconds) of the certificate or key."""
    for name in (CERT, FULLCHAIN):
        target = shown[name].target
        if target is not None and (stamp := stamp_of(target)) is not None:
            return stamp
    return next((modified[name] for name in (CERT, FULLCHAIN, PRIVKEY) if name in modified), 0)
