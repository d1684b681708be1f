"""The text of one file, prepared for reading: which character stands on which line, and what editors left in it."""

from bisect import bisect_right

from certkeeper.base.errors import Location
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity

_BYTE_ORDER_MARK = "\ufeff"


class Source:
    """A file's text without the byte order mark and the carriage returns of line ends.

    Attributes:
        text: what is left; offsets into it are what `error` and `where` take.
        findings: what had to be dropped.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.text = self._without_returns(self._without_mark(text))
        self._starts: list[int] | None = None

    def where(self, at: int) -> Location:
        if self._starts is None:
            # Made at the first question only: most files of a large page are empty or never complained about.
            self._starts = [0]
            found = self.text.find("\n")
            while found >= 0:
                self._starts.append(found + 1)
                found = self.text.find("\n", found + 1)
        return Location(self.file, bisect_right(self._starts, at))

    def error(self, at: int, reason: str, hint: str = "") -> ConfigError:
        return ConfigError(self.where(at), reason, hint=hint)

    def _without_mark(self, text: str) -> str:
        if not text.startswith(_BYTE_ORDER_MARK):
            return text
        self.findings.append(
            Finding(
                "byte-order-mark",
                Severity.WARNING,
                "the file starts with a byte order mark",
                "dehydrated takes it for a part of the first word",
                "save the file as UTF-8 without a byte order mark",
                Location(self.file, 1),
            )
        )
        return text.removeprefix(_BYTE_ORDER_MARK)

    def _without_returns(self, text: str) -> str:
        lines = text.split("\n")
        guilty = next((number for number, line in enumerate(lines, 1) if line.endswith("\r")), 0)
        if not guilty:
            return text
        self.findings.append(
            Finding(
                "crlf",
                Severity.WARNING,
                "lines end in a carriage return, as Windows writes them",
                "bash keeps it as the last character of a value",
                f"remove them: sed -i 's/\\r$//' {self.file}",
                Location(self.file, guilty),
            )
        )
        return "\n".join(line.removesuffix("\r") for line in lines)
