"""Standard output and error that cannot break a run: a closed pipe or a full disk makes them silent until its end."""

import os
from typing import TextIO


class Output:
    """A text stream that swallows its own failures. `trouble` is the first one, to be told at the end."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.trouble: Exception | None = None

    @property
    def is_lost(self) -> bool:
        """What is written arrives nowhere, as far as that is known after a `flush`."""
        return self._stream is None

    @property
    def encoding(self) -> str:
        return self._stream.encoding if self._stream is not None else "utf-8"

    def write(self, text: str) -> int:
        if self._stream is not None:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                # A terminal of another time: what it has no sign for is a question mark.
                self.write(text.encode(self.encoding, "replace").decode(self.encoding))
            except (OSError, ValueError) as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._fail(error)

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        if self._stream is None:
            raise OSError("no such stream")
        return self._stream.fileno()

    def _fail(self, error: Exception) -> None:
        self.trouble = self.trouble or error
        stream, self._stream = self._stream, None
        # What is still buffered must not fail again when the interpreter ends.
        if stream is not None:
            try:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
            except (OSError, ValueError):
                return
