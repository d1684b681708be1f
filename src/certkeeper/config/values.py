"""Assigned text -> typed values, where an invalid one is an error at its assignment."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from certkeeper.base.errors import Location, printable
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.shell import Assignment
from certkeeper.config.variables import DEFAULTS

E = TypeVar("E", bound=StrEnum)

_TRUTH = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "on", "enable", "enabled"), True),
    **dict.fromkeys(("no", "n", "false", "f", "0", "off", "disable", "disabled"), False),
}
_LONGEST_WAIT = 7 * 86400


class Values:
    """Reads the settings that files have assigned.

    Attributes:
        assigned: the last assignment of each name. The environment is never in it.
        findings: what was odd about the values read so far.
    """

    def __init__(self, assigned: Mapping[str, Assignment], config_file: str) -> None:
        self.assigned = assigned
        self.findings: list[Finding] = []
        self._config_file = config_file

    def has(self, name: str) -> bool:
        """Whether a file gives it any text."""
        return bool(self.text(name))

    def text(self, name: str, default: str = "") -> str:
        """The text; an empty one counts as unset, as it does to dehydrated."""
        found = self.assigned.get(name)
        return (found.value if found else "") or default

    def where(self, name: str) -> Location:
        found = self.assigned.get(name)
        return found.where if found else Location(self._config_file)

    def error(self, name: str, reason: str, hint: str = "") -> ConfigError:
        return ConfigError(self.where(name), f"{name}: {reason}", hint=hint)

    def find(
        self, code: str, severity: Severity, name: str, message: str, consequence: str = "", fix: str = ""
    ) -> None:
        """Note a finding about this name's assignment."""
        self.findings.append(Finding(code, severity, f"{name}: {message}", consequence, fix, self.where(name)))

    def path(self, name: str, default: str) -> str:
        """A path without its final slash."""
        text = self.text(name, default)
        if not text.isprintable():
            raise self.error(name, f"{printable(text, 80)!r} holds control characters", "write a path")
        return text.rstrip("/") or "/"

    def number(self, name: str, default: int, lowest: int, highest: int, example: int | None = None) -> int:
        """A whole number. An empty text is no number, as to dehydrated. `example` is for the hint."""
        found = self.assigned.get(name)
        if found is None:
            return default
        text = found.value.strip(" \t")
        # Length first: Python refuses to convert numbers of thousands of digits.
        if not (text.isascii() and text.isdigit() and len(text) < 12 and lowest <= int(text) <= highest):
            raise self.error(
                name,
                f"{printable(text, 40)!r} is no number from {lowest} to {highest}",
                f'write {name}="{default if example is None else example}"',
            )
        return int(text)

    def seconds(self, name: str, example: int = 0) -> timedelta | None:
        """A bound on waiting; 0, like nothing at all, means that there is none."""
        return timedelta(seconds=self.number(name, 0, 0, _LONGEST_WAIT, example)) or None

    def truth(self, name: str, *, default: bool, besides: str = "") -> bool:
        """A yes or no. Other spellings mean what they say, with a finding, since dehydrated takes them for no.

        `besides` is a further word that the caller takes, for the error.
        """
        found = self.assigned.get(name)
        if found is None:
            return default
        if not found.value:
            return self._empty_truth(name, default=default)
        value = _TRUTH.get(found.value.strip().lower())
        if value is None:
            words = f"neither yes nor no nor {besides}" if besides else "neither yes nor no"
            raise self.error(name, f"{printable(found.value, 40)!r} is {words}", f'write {name}="no"')
        word = "yes" if value else "no"
        if found.value != word:
            self.find(
                "truth-value",
                Severity.WARNING if value else Severity.NOTE,
                name,
                f"{printable(found.value)!r} is read as {word}",
                "dehydrated takes everything but yes for no",
                f'write {name}="{word}"',
            )
        return value

    def _empty_truth(self, name: str, *, default: bool) -> bool:
        """To dehydrated an empty text is a no, also where its default is yes."""
        if name not in DEFAULTS or not default:
            return default
        self.find(
            "truth-value", Severity.NOTE, name, "empty, which is read as no", "so does dehydrated", f'write {name}="no"'
        )
        return False

    def word(self, name: str, default: E) -> E:
        """One of an enumeration's words."""
        found = self.assigned.get(name)
        if found is None:
            return default
        words = type(default)
        try:
            return words(found.value)
        except ValueError:
            raise self.error(
                name, f"{printable(found.value, 40)!r} is not known", f"one of: {listed(word.value for word in words)}"
            ) from None


def listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def inside(folder: str, name: str) -> str:
    """A path below a folder."""
    return f"{folder.rstrip('/')}/{name}"


def folder_of(path: str) -> str:
    """The folder that a file is in, as dirname(1) says it."""
    head, slash, _ = path.rpartition("/")
    return head.rstrip("/") or slash or "."
