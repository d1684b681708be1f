"""Reads key and certificates of lineages again and again, as services do, and says what it met.

    reader.py WATCHED REPORT

WATCHED has a generation in its first line and one folder in each other one; it may be replaced at any time. REPORT is
written, in JSON, when that was noticed, and at the end (SIGTERM).

A look opens the key, the certificate, the chain and the key again, each through the links. Files that come from two
versions are a mixed set only if nothing was switched meanwhile: the key is the same both times, and so is `.live`.
"""

import json
import os
import select
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

PERIOD = 0.001
"""Seconds from one look at a lineage to the next one."""
_MOST = 1 << 20
_TOLD = 20
Set = tuple[bytes, bytes, bytes]


def trouble_of(key: bytes, cert: bytes, fullchain: bytes) -> str:
    """Why the three do not belong together; empty where they do."""
    try:
        public = load_pem_private_key(key, None).public_key()
        own = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        leaf = x509.load_pem_x509_certificate(cert)
        certified = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        first = x509.load_pem_x509_certificates(fullchain)[0]
    except ValueError as error:
        return f"unreadable: {error}"
    if own != certified:
        return "the key is another certificate's"
    return "" if first == leaf else "the chain is another certificate's"


@dataclass(slots=True)
class Seen:
    """One lineage."""

    live: str
    files: tuple[str, str, str, str]
    began: float
    served: bool = False
    looks: int = 0
    unstable: int = 0
    keys: set[bytes] = field(default_factory=set)
    sets: set[Set] = field(default_factory=set)
    last: Set | None = None

    @classmethod
    def of(cls, folder: str) -> "Seen":
        key, cert, fullchain = (f"{folder}/{name}.pem" for name in ("privkey", "cert", "fullchain"))
        return cls(f"{folder}/.live", (key, cert, fullchain, key), time.monotonic())


class Reader:
    def __init__(self, watched: str, report: Path) -> None:
        self._watched = watched
        self._report = report
        self._mark: tuple[int, int] | None = None
        self._generation = ""
        self._lineages: dict[str, Seen] = {}
        self._now: list[Seen] = []
        self._judged: dict[Set, str] = {}
        self._mixed = 0
        self._missing = 0
        self._troubles: list[str] = []
        self._watching = 0.0
        self._stopped = False
        signal.signal(signal.SIGTERM, self._stop)

    def run(self) -> None:
        due = time.monotonic()
        while not self._stopped:
            self._reload()
            for seen in self._now:
                self._look(seen)
            due = max(due + PERIOD, time.monotonic())
            select.select([], [], [], max(0.0, due - time.monotonic()))
        self._tell()

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def _reload(self) -> None:
        status = os.stat(self._watched)  # noqa: PTH116 - a thousand times a second
        if self._mark == (status.st_ino, status.st_mtime_ns):
            return
        self._count_time()
        self._mark = status.st_ino, status.st_mtime_ns
        self._generation, *folders = Path(self._watched).read_text(encoding="utf-8").splitlines()
        for folder in folders:
            self._lineages.setdefault(folder, Seen.of(folder))
        self._now = [self._lineages[folder] for folder in folders]
        for seen in self._now:
            seen.began = time.monotonic()
        self._tell()

    def _count_time(self) -> None:
        self._watching += sum(time.monotonic() - seen.began for seen in self._now)
        for seen in self._now:
            seen.began = time.monotonic()

    def _look(self, seen: Seen) -> None:
        before = _target(seen.live)
        try:
            key, cert, fullchain, again = map(_content, seen.files)
        except OSError as error:
            if seen.served:
                self._missing += 1
                self._note(f"{error.strerror}: {error.filename}")
            return
        seen.looks += 1
        if key != again or _target(seen.live) != before:
            seen.unstable += 1
            return
        found = key, cert, fullchain
        if found == seen.last:
            return
        seen.served, seen.last = True, found
        seen.keys.add(key)
        seen.sets.add(found)
        if found not in self._judged:
            self._judged[found] = trouble_of(*found)
        if self._judged[found]:
            self._mixed += 1
            self._note(f"{seen.live} -> {before}: {self._judged[found]}")

    def _note(self, trouble: str) -> None:
        if len(self._troubles) < _TOLD:
            self._troubles.append(f"{time.time():.3f} {trouble}")

    def _tell(self) -> None:
        self._count_time()
        report = {
            "generation": self._generation,
            "looks": sum(seen.looks for seen in self._lineages.values()),
            "watched": self._watching,
            "unstable": sum(seen.unstable for seen in self._lineages.values()),
            "sets": len(self._judged),
            "mixed": self._mixed,
            "missing": self._missing,
            "keys": {folder: len(seen.keys) for folder, seen in self._lineages.items()},
            "changes": {folder: len(seen.sets) for folder, seen in self._lineages.items()},
            "troubles": self._troubles,
        }
        new = self._report.with_suffix(".new")
        new.write_text(json.dumps(report), encoding="utf-8")
        new.replace(self._report)


def _target(link: str) -> str | None:
    try:
        return os.readlink(link)  # noqa: PTH115 - a thousand times a second
    except OSError:
        return None


def _content(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, _MOST)
    finally:
        os.close(fd)


if __name__ == "__main__":
    Reader(sys.argv[1], Path(sys.argv[2])).run()
