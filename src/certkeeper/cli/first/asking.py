"""Questions to a person on a terminal. Where nobody can be asked, what was typed and found counts."""

import sys
from collections.abc import Callable, Sequence

from certkeeper.base.errors import CertkeeperError, UsageError
from certkeeper.config.domains import parse_domains
from certkeeper.config.firstpage import Wanted


class Missing(UsageError):
    """Nobody can be asked for what is missing."""


class Asking:
    """Asks where there is a terminal and nobody said --yes. Enter takes what is in brackets."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes
        self._terminal = sys.stdin is not None and sys.stdin.isatty()
        self.asks = self._terminal and not yes

    def text(self, what: str, typed: str | None, default: str, check: Callable[[str], object] = str) -> str:
        """What was typed as an option, else the answer; asked again until `check` raises nothing.

        Raises:
            CertkeeperError: what was typed as an option cannot be.
        """
        if typed is not None or not self.asks:
            check(default if typed is None else typed)
            return default if typed is None else typed
        while True:
            said = self._line(f"{what} [{default}]: " if default else f"{what}: ") or default
            try:
                check(said)
            except CertkeeperError as error:
                sys.stdout.write(f"    {error}\n    {error.hint}\n")
            else:
                return said

    def needed(self, what: str, typed: str | None, default: str, option: str) -> str:
        """The same, which may not be empty. Raises Missing where nobody can be asked."""
        while True:
            said = self.text(what, typed, default)
            if said:
                return said
            if typed is not None or not self.asks:
                raise Missing(f"{what}: not known", hint=f"name it: {option}")

    def choice(self, what: str, typed: str | None, default: str, words: Sequence[str]) -> str:
        """One of some words."""
        while True:
            said = self.text(f"{what} ({', '.join(words)})", typed, default)
            if said in words:
                return said
            sys.stdout.write(f"    one of {', '.join(words)}\n")

    def agreed(self, question: str) -> bool:
        """Yes unless somebody says no."""
        return not self.asks or self._line(f"{question} [Y/n] ").lower() not in {"n", "no"}

    def certificates(self, found: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
        """Those, or others that are typed, a line for each."""
        sys.stdout.write("certificates:\n")
        for item in found:
            to = f" -> {', '.join(item.services)}" if item.services else ""
            sys.stdout.write(f"    {' '.join(map(str, item.names))}{to}\n")
        while self.asks:
            sys.stdout.write("Enter takes these; or type each certificate's names on a line, then an empty one\n")
            lines = []
            while line := self._line("names: "):
                lines.append(line)
            if not lines:
                break
            try:
                return named_on(lines, "typed", found)
            except CertkeeperError as error:
                sys.stdout.write(f"    {error}\n    {error.hint}\n")
        return found

    def may_write(self, out: str, text: str) -> bool:
        """Whether the file may be written; where nobody can say so, it is shown."""
        if self._yes:
            return True
        if self.asks:
            return self._line(f"write {out}? [Y/n] ").lower() not in {"n", "no"}
        sys.stdout.write(f"\n{out} would be:\n\n{text}\n")
        sys.stderr.write("certkeeper: hint: nobody can be asked here: --yes writes it\n")
        return False

    def _line(self, prompt: str) -> str:
        """Raises Missing at the end of input."""
        sys.stdout.write(prompt)
        sys.stdout.flush()
        said = sys.stdin.readline()
        if not said:
            sys.stdout.write("\n")
            raise Missing("the terminal is gone", hint="answers may be options, too: certkeeper init --help")
        return said.strip()


def named_on(lines: Sequence[str], where: str, found: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """The certificates of lines as in domains.txt, for the services that were found to serve one of their names.

    Raises:
        CertkeeperError: a line cannot be read.
    """
    read = parse_domains([(where, "\n".join(lines))])
    for rejected in read.rejected:
        raise rejected.error
    return tuple(
        Wanted(
            str(line.alias),
            line.identifiers,
            tuple(
                dict.fromkeys(kind for item in found if {*item.names} & {*line.identifiers} for kind in item.services)
            ),
        )
        for line in read.lines
    )
