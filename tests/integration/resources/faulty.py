"""Runs certkeeper on a disk that fails: `fiu-run -x python faulty.py ERRNO FIRST LAST REPORT python -m certkeeper ...`

Calls of the C library that the adapters for files, and SQLite on their behalf, make are counted from 0, and those from
FIRST to LAST fail with that errno. Connections are left alone. REPORT gets the names of all that were counted.
"""

import ctypes
import json
import sys
import threading
from pathlib import Path
from types import FrameType

_POINTS = (
    b"posix/io/rw/write",
    b"posix/io/rw/pwrite",
    b"posix/io/rw/ftruncate",
    b"posix/io/sync/fsync",
    b"posix/io/sync/fdatasync",
)
_ADAPTERS = ("accounts", "claims", "files", "journal", "journal_tables", "lock", "state")
_FILES = tuple(f"certkeeper/adapters/{name}.py" for name in _ADAPTERS)
_Decide = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p
)


class Disk:
    """Decides about each call."""

    def __init__(self, number: int, first: int, last: int) -> None:
        self._number, self._first, self._last = number, first, last
        self._lock = threading.Lock()
        self.counted: list[str] = []
        # Kept, since the library calls it as long as the process lives.
        self._decide = _Decide(self.decide)

    def attach(self) -> None:
        library = ctypes.CDLL("libfiu.so.0")
        library.fiu_init(0)
        for point in _POINTS:
            failed = library.fiu_enable_external(point, 1, ctypes.c_void_p(self._number), 0, self._decide)
            if failed:
                raise SystemExit(f"faulty.py: {point.decode()} cannot be enabled")

    def decide(self, name: bytes, _failnum: int, info: object, _flags: int) -> int:
        frame: FrameType | None = sys._getframe()
        while frame is not None and "/certkeeper/" not in frame.f_code.co_filename:
            frame = frame.f_back
        if frame is None or not frame.f_code.co_filename.endswith(_FILES):
            return 0
        with self._lock:
            number = len(self.counted)
            self.counted.append(f"{name.decode()} {Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}")
        if not self._first <= number <= self._last:
            return 0
        info.contents.value = self._number  # type: ignore[attr-defined]
        return 1


def main() -> None:
    number, first, last, report, _, _, _, *arguments = sys.argv[1:]
    disk = Disk(int(number), int(first), int(last))
    from certkeeper.cli.main import program  # noqa: PLC0415 - imported before anything can fail

    disk.attach()
    sys.argv[1:] = arguments
    try:
        code = program()
    finally:
        Path(report).write_text(json.dumps(disk.counted), encoding="utf-8")
    sys.exit(code)


if __name__ == "__main__":
    main()
