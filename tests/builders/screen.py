"""A terminal as a person sees it: what is on the screen after everything that was written to it."""

import fcntl
import os
import pty
import re
import struct
import termios
import threading
from types import TracebackType
from typing import Self

_PIECE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+|\x1b.")


class Screen:
    """So many columns and lines; what scrolls out at the top is kept."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns = columns
        self._ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hand_over()
        self._reader.join(timeout=10)

    def hand_over(self) -> None:
        """Whoever runs on the terminal has it, and nobody else."""
        if self.theirs >= 0:
            os.close(self.theirs)
            self.theirs = -1

    @property
    def raw(self) -> str:
        return self._written.decode("utf-8", "replace")

    def rows(self) -> list[str]:
        """The rows as they are now, those above the screen first."""
        rows, row, column = [""], 0, 0
        for piece in _PIECE.finditer(self.raw):
            text, code = piece[0], piece[2]
            if text == "\r":
                column = 0
            elif text == "\n":
                row += 1
                rows += [""] * (row + 1 - len(rows))
            elif code == "A":
                row = max(0, row - int(piece[1] or 1))
            elif code == "K":
                rows[row] = rows[row][:column] if piece[1] != "2" else ""
            elif code is None and not text.startswith("\x1b"):
                line = rows[row].ljust(column)
                rows[row] = line[:column] + text + line[column + len(text) :]
                column += len(text)
        return [line.rstrip() for line in rows]

    def _read(self) -> None:
        try:
            while part := os.read(self._ours, 1 << 16):
                self._written += part
        except OSError:
            pass
        finally:
            os.close(self._ours)
