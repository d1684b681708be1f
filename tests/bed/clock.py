"""A clock that is wrong, for one program (libfaketime)."""

from datetime import datetime
from pathlib import Path

from bed import binaries


class Clock:
    """What a program under it takes for the time. Its monotonic clock stays true."""

    def __init__(self, folder: Path) -> None:
        libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not libraries:
            binaries.missing("libfaketime is not here", "install the Debian package faketime")
        self._file = folder / "clock"
        self.step("+0")
        settings = {
            "LD_PRELOAD": str(libraries[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self.prefix = ["env", *(f"{name}={value}" for name, value in settings.items())]

    def step(self, to: str) -> None:
        """To an offset from the true time (`-2h`, `+10y`), from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{to}\n", encoding="ascii")
        new.replace(self._file)

    def set(self, instant: datetime) -> None:
        self.step(f"{round(instant.timestamp() - datetime.now().astimezone().timestamp()):+d}")
