"""domains.txt and its drop-ins -> lines: names and an alias, each line for itself.

dehydrated's rules: carriage returns are dropped, letters become lower case, blanks and tabs separate, `#` starts a
comment line, `> alias` may stand anywhere. Without an alias the folder is called as the first name is written, so that
dehydrated's is found: with a final dot, in Unicode, an address in whatever form. In the certificate names are in the
form that CAs take. Unlike dehydrated, a line that cannot be read never stops the others.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from certkeeper.base.errors import Location, printable
from certkeeper.base.names import Alias, Identifier, InvalidName
from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import Rejected
from certkeeper.config.source import Source

MOST_NAMES = 100
TYPED = Location("command line")
_SHOWN_NAMES = 3
# Only ASCII: dehydrated leaves the rest as it is, and an alias is the name of a folder that it made.
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_BLANKS = " \t\v\f"
_COMMENT = pattern(r"[ \t\v\f]#.*")
_ARROW = pattern(r">[ \t\v\f]*")
_WORD = pattern(r"[^ \t\v\f]+")


@dataclass(frozen=True, slots=True)
class DomainLine:
    """One certificate's line."""

    alias: Alias
    identifiers: tuple[Identifier, ...]
    where: Location


@dataclass(frozen=True, slots=True)
class DomainList:
    """All lines that can be read, those that cannot, and what is odd about them."""

    lines: tuple[DomainLine, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    findings: tuple[Finding, ...] = ()


def parse_domains(
    files: Iterable[tuple[str, str]], before: Iterable[tuple[str, Location | ConfigError]] = ()
) -> DomainList:
    """Read files (path and text) one after the other; a line never goes on in the next file.

    `before` are lines from elsewhere with their places; for an alias in the place of one, the error says why not.
    """
    reading = _Reading()
    for line, where in before:
        reading.line(line, where)
    for file, text in files:
        reading.file(file, text)
    return DomainList(tuple(reading.lines), tuple(reading.rejected), tuple(reading.findings))


def typed_line(words: Iterable[str]) -> DomainList:
    """One line, as it was typed to a command."""
    line = _COMMENT.sub("", " ".join(words).strip(_BLANKS)).translate(_LOWER)
    return parse_domains((), [(line, TYPED)])


class _Reading:
    def __init__(self) -> None:
        self.lines: list[DomainLine] = []
        self.rejected: list[Rejected] = []
        self.findings: list[Finding] = []
        self._aliases: dict[str, Location] = {}

    def file(self, file: str, text: str) -> None:
        source = Source(file, text.replace("\r", ""))
        self.findings.extend(source.findings)
        commented: list[Location] = []
        for number, raw in enumerate(source.text.split("\n"), 1):
            line = raw.strip(_BLANKS)
            if not line or line.startswith("#"):
                continue
            where = Location(file, number)
            bare = _COMMENT.sub("", line)
            if bare != line:
                commented.append(where)
            self._line(bare.translate(_LOWER), where)
        if commented:
            self.findings.append(_trailing_comment(commented))

    def line(self, line: str, where: Location | ConfigError) -> None:
        """A line that was read before, or an alias and why there is none."""
        if isinstance(where, ConfigError):
            self.rejected.append(Rejected(printable(line, 80), where))
        else:
            self._line(line, where)

    def _line(self, line: str, where: Location) -> None:
        words = _WORD.findall(_ARROW.sub(" >", line))
        names = [word for word in words if not word.startswith(">")]
        aliases = [word[1:] for word in words if word.startswith(">")]
        label = printable(aliases[0] if aliases and aliases[0] else (names or [line])[0], 80)
        try:
            alias = self._alias(line, names, aliases, where)
            identifiers = tuple(Identifier.parse(name) for name in names)
        except InvalidName as error:
            self.rejected.append(Rejected(label, ConfigError(where, str(error), hint=error.hint or _hint(line))))
        except ConfigError as error:
            self.rejected.append(Rejected(label, error))
        else:
            unique = tuple(dict.fromkeys(identifiers))
            self.findings.extend(_lint(identifiers, unique, where))
            self.lines.append(DomainLine(alias, unique, where))

    def _alias(self, line: str, names: Sequence[str], aliases: Sequence[str], where: Location) -> Alias:
        if line.endswith("\\"):
            raise ConfigError(where, "a line does not go on after a backslash", hint="write all names on one line")
        if len(aliases) > 1:
            raise ConfigError(where, "more than one alias on the line", hint="keep one > ALIAS")
        if not names:
            raise ConfigError(where, "no name on the line", hint="write the names before > ALIAS")
        if aliases and not aliases[0]:
            raise ConfigError(
                where, f"{printable(names[0], 80)}: no alias after >", hint="write > ALIAS, or remove the >"
            )
        alias = Alias.parse(aliases[0] if aliases else _own_alias(names[0]))
        first = self._aliases.setdefault(alias.text, where)
        if first is not where:
            raise ConfigError(
                where, f"{alias}: the same certificate as at {first}", hint="join the lines, or give this one > ALIAS"
            )
        return alias


def _own_alias(name: str) -> str:
    """The folder of a certificate without alias: its first name as it is written, which is what dehydrated takes, too.

    Raises:
        InvalidName: it is no name, or a wildcard.
    """
    if name.startswith("*."):
        raise InvalidName(
            f"{printable(name, 80)}: a wildcard cannot name a folder",
            hint=f"write > ALIAS at the end of the line: {name} > NAME",
        )
    Identifier.parse(name)
    return name


def _hint(line: str) -> str:
    if line.startswith(";"):
        return "start comments with #"
    return "correct the name, or remove it"


def _lint(identifiers: Sequence[Identifier], unique: Sequence[Identifier], where: Location) -> Iterable[Finding]:
    if len(unique) < len(identifiers):
        doubled = [str(name) for name, count in Counter(identifiers).items() if count > 1]
        yield Finding(
            "duplicate-name",
            Severity.NOTE,
            f"{_some(doubled)}: more than once on the line",
            "asked for once",
            "remove the repetition",
            where,
        )
    wildcards = {name.domain.text for name in unique if name.wildcard}
    covered = [str(name) for name in unique if not name.wildcard and name.value.partition(".")[2] in wildcards]
    if covered:
        yield Finding(
            "redundant-name",
            Severity.WARNING,
            f"{_some(covered)}: covered by a wildcard on the same line",
            "CAs such as Let's Encrypt refuse such an order",
            "remove the name that the wildcard covers",
            where,
        )
    if len(unique) > MOST_NAMES:
        yield Finding(
            "many-names",
            Severity.WARNING,
            f"{unique[0]}: {len(unique)} names on the line",
            f"most CAs allow {MOST_NAMES} names in a certificate",
            "make several lines of it",
            where,
        )


def _trailing_comment(places: Sequence[Location]) -> Finding:
    more = f" (and on {len(places) - 1} more lines of the file)" if len(places) > 1 else ""
    return Finding(
        "trailing-comment",
        Severity.WARNING,
        f"a comment after the names{more}; left out",
        "dehydrated takes its words for names and dies",
        "put comments on lines of their own",
        places[0],
    )


def _some(names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))
    more = f" and {len(shown) - _SHOWN_NAMES} more" if len(shown) > _SHOWN_NAMES else ""
    return ", ".join(shown[:_SHOWN_NAMES]) + more
