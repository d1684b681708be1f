"""Looks at the OCSP responses beside live certificates. What was proven of files that are as they were is not proven
again: that a response is about the certificate and by its issuer, time does not change; when it ends is remembered.

This module loads no cryptography: that comes with the first response that has to be proven.
"""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

from certkeeper.adapters.folders import Folders
from certkeeper.adapters.index import Index, Seen
from certkeeper.apply.ports import StapledFiles
from certkeeper.base.names import Alias
from certkeeper.base.times import from_epoch
from certkeeper.lineage import layout
from certkeeper.ocsp.model import TOLERANCE, CertStatus, Staple, Subject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.apply.stapling import StapleLook

_KIND = "staple"
_SEEN = (layout.CERT, layout.CHAIN, layout.STAPLE, layout.LIVE)


class StapleLooks:
    """Looks through the index. `read` is what the port Staples reads."""

    def __init__(self, folders: Folders, index: Index, read: Callable[[Alias], StapledFiles | None]) -> None:
        self._folders = folders
        self._index = index
        self._read = read

    def known(self, alias: Alias, now: datetime) -> tuple[Subject, Staple] | None:
        """The certificate and its good response, without the response's octets; None where somebody has to look."""
        row = self._index.known(_KIND, self._folders.path(alias), self._seen(alias))
        if row is None:
            return None
        subject, staple = _parsed(cast("Sequence[object]", row))
        return (subject, staple) if staple.this_update <= now + TOLERANCE and now < staple.until else None

    def is_there(self, alias: Alias) -> bool:
        """There is something of the name of a response."""
        return os.path.lexists(f"{self._folders.path(alias)}/{layout.STAPLE}")

    def look(self, alias: Alias, now: datetime) -> "StapleLook":
        """As `apply.stapling.look` at what is live.

        Raises:
            NoStaple: there is no certificate, or what follows it is not its issuer's.
            FileTrouble: a file is there and cannot be read.
        """
        from certkeeper.apply.stapling import look  # noqa: PLC0415 - cryptography, only where something is to be proven

        seen = self._seen(alias)
        found = look(alias, self._read(alias), now)
        if found.held is not None:
            self._index.learn(_KIND, self._folders.path(alias), seen, _row(found.issued.subject, found.held))
        return found

    def _seen(self, alias: Alias) -> Seen:
        return self._index.see(self._folders.path(alias), _SEEN)


def _row(subject: Subject, held: Staple) -> list[object]:
    times = (subject.not_after, held.this_update, held.next_update, held.until)
    return [subject.name, subject.url, held.signer, *(int(time.timestamp()) for time in times)]


def _parsed(row: Sequence[object]) -> tuple[Subject, Staple]:
    name, url, signer = cast("tuple[str, str | None, str]", tuple(row[:3]))
    not_after, this_update, next_update, until = (from_epoch(cast("int", time)) for time in row[3:])
    return Subject(name, not_after, url), Staple(b"", CertStatus.GOOD, this_update, next_update, until, signer)
