"""What another user's process prints, on its way to root's terminal: lines of text, and an end to them.

The process has pipes and not the terminal: who holds a terminal open can read what root types there later, and what is
written to one can be commands to it.
"""

import os
import select
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

from certkeeper.base.errors import printable

_PIECE = 1 << 16
_LONGEST_LINE = 4096
MOST_OCTETS = 1 << 20
"""Of each stream; what goes beyond is read, and nobody sees it."""


class Relay:
    """Reads pipes, and writes each one's lines to its stream."""

    def __init__(self, streams: Mapping[int, TextIO]) -> None:
        self._streams = {fd: _Lines(stream) for fd, stream in streams.items()}

    @property
    def open(self) -> tuple[int, ...]:
        """The descriptors to wait for."""
        return tuple(self._streams)

    def read(self, seconds: float = 0.0) -> None:
        """Pass on what comes, and wait no longer than that for it to begin."""
        for fd in select.select(self.open, [], [], seconds)[0]:
            self.pass_on(fd)

    def pass_on(self, fd: int) -> None:
        """What is in that pipe now."""
        if piece := os.read(fd, _PIECE):
            self._streams[fd].add(piece)
        else:
            self._end(fd)

    def close(self) -> None:
        """Pass on what is left. Whoever may still hold the other end is not waited for."""
        for fd in self.open:
            os.set_blocking(fd, False)
            with suppress(BlockingIOError):
                # More cannot be in a pipe (/proc/sys/fs/pipe-max-size), unless somebody fills it on.
                for _ in range(MOST_OCTETS // _PIECE):
                    if fd in self._streams:
                        self.pass_on(fd)
            if fd in self._streams:
                self._end(fd)

    def _end(self, fd: int) -> None:
        self._streams.pop(fd).end()
        os.close(fd)


class _Lines:
    """Octets as they come, written line by line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = b""
        self._left = MOST_OCTETS

    def add(self, piece: bytes) -> None:
        if not self._left:
            return
        *whole, self._begun = (self._begun + piece[: self._left]).split(b"\n")
        self._left = max(0, self._left - len(piece))
        for line in whole:
            self._write(line)
        if not self._left:
            self.end()
            self._write(b"(more was printed, and is not shown)")
        self._stream.flush()

    def end(self) -> None:
        if self._begun:
            self._write(self._begun)
        self._begun = b""
        self._stream.flush()

    def _write(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        # Hints are set in; `printable` would take that away.
        indent = text[: len(text) - len(text.lstrip(" "))][:8]
        self._stream.write(f"{indent}{printable(text, _LONGEST_LINE)}\n")
