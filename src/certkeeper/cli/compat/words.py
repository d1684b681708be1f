"""What can be typed behind `certkeeper dehydrated`, word by word as dehydrated reads it.

Each word is taken as it is: no `--name=value`, no bundled letters, no `--`. The first thing that is wrong ends the
reading, and so does `--help`, whatever follows.
"""

from collections.abc import Sequence
from enum import StrEnum

from certkeeper.base.errors import printable
from certkeeper.base.value import dataclass, field, replace
from certkeeper.cli.compat.usage import usage


class Command(StrEnum):
    """The commands, by the names that hooks find in COMMAND."""

    VERSION = "version"
    TERMS = "terms"
    REGISTER = "register"
    ACCOUNT = "account"
    CRON = "sign_domains"
    SIGN = "sign_csr"
    REVOKE = "revoke"
    DEACTIVATE = "deactivate"
    CLEANUP = "cleanup"
    CLEANUP_DELETE = "cleanupdelete"
    ENV = "env"


class Flag(StrEnum):
    """Parameters without a value that are no setting of the page's."""

    ACCEPT_TERMS = "accept-terms"
    FULL_CHAIN = "full-chain"
    FORCE = "force"
    FORCE_VALIDATION = "force-validation"
    NO_LOCK = "no-lock"
    SOURCE_CONFIG = "source-config"
    """Ours, not dehydrated's."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed. `file` is what the command is about; `settings` are variables of the page's with their values.

    `domain` are the names of the one certificate that is meant, in the grammar of domains.txt.
    """

    command: Command | None = None
    file: str = ""
    flags: frozenset[Flag] = frozenset()
    settings: dict[str, str] = field(default_factory=dict)
    domain: str = ""
    alias: str = ""
    config: str = ""
    privkey: str = ""
    lock_suffix: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """All that there is to do: print, and end."""

    code: int
    out: str = ""
    err: str = ""


_COMMANDS = {
    "--version": Command.VERSION,
    "-v": Command.VERSION,
    "--display-terms": Command.TERMS,
    "--register": Command.REGISTER,
    "--account": Command.ACCOUNT,
    "--cron": Command.CRON,
    "-c": Command.CRON,
    "--deactivate": Command.DEACTIVATE,
    "--cleanup": Command.CLEANUP,
    "-gc": Command.CLEANUP,
    "--cleanup-delete": Command.CLEANUP_DELETE,
    "-gcd": Command.CLEANUP_DELETE,
    "--env": Command.ENV,
    "-e": Command.ENV,
}
_COMMANDS_ON_FILES = {
    "--signcsr": Command.SIGN,
    "-s": Command.SIGN,
    "--revoke": Command.REVOKE,
    "-r": Command.REVOKE,
}
_FLAGS = {
    "--accept-terms": Flag.ACCEPT_TERMS,
    "--full-chain": Flag.FULL_CHAIN,
    "-fc": Flag.FULL_CHAIN,
    "--force": Flag.FORCE,
    "-x": Flag.FORCE,
    "--force-validation": Flag.FORCE_VALIDATION,
    "--no-lock": Flag.NO_LOCK,
    "-n": Flag.NO_LOCK,
    "--source-config": Flag.SOURCE_CONFIG,
}
_SWITCHES = {
    "--ipv4": ("IP_VERSION", "4"),
    "-4": ("IP_VERSION", "4"),
    "--ipv6": ("IP_VERSION", "6"),
    "-6": ("IP_VERSION", "6"),
    "--keep-going": ("KEEP_GOING", "yes"),
    "-g": ("KEEP_GOING", "yes"),
    "--ocsp": ("OCSP_MUST_STAPLE", "yes"),
}
_SETTINGS = {
    "--ca": "CA",
    "--domains-txt": "DOMAINS_TXT",
    "--hook": "HOOK",
    "-k": "HOOK",
    "--preferred-chain": "PREFERRED_CHAIN",
    "--out": "CERTDIR",
    "-o": "CERTDIR",
    "--alpn": "ALPNCERTDIR",
    "--challenge": "CHALLENGETYPE",
    "-t": "CHALLENGETYPE",
    "--algo": "KEY_ALGO",
    "-a": "KEY_ALGO",
    "--acme-profile": "ACME_PROFILE",
    "--order-timeout": "ORDER_TIMEOUT",
    "--validation-timeout": "VALIDATION_TIMEOUT",
}
_TEXTS = {
    "--domain": "domain",
    "-d": "domain",
    "--alias": "alias",
    "--config": "config",
    "-f": "config",
    "--privkey": "privkey",
    "-p": "privkey",
    "--lock-suffix": "lock_suffix",
}
_ONCE = {"--ca": "CA", "--alias": "Alias"}


class _End(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def read_words(words: Sequence[str], program: str) -> Typed | Answer:
    """What they ask for, or what to answer at once. `program` is how it was called, for the usage."""
    if list(words) in ([], [""]):
        return Answer(0, out=usage(program))
    try:
        typed = _Reading(words, program).run()
    except _End as end:
        return end.answer
    return Answer(1, out=usage(program)) if typed.command is None else typed


class _Reading:
    def __init__(self, words: Sequence[str], program: str) -> None:
        self._rest = list(words)
        self._program = program
        self._typed = Typed()

    def run(self) -> Typed:
        while self._rest:
            self._word(self._rest.pop(0))
        return self._typed

    def _word(self, word: str) -> None:
        typed = self._typed
        if word in ("--help", "-h"):
            raise _End(Answer(0, out=usage(self._program)))
        if command := _COMMANDS.get(word):
            self._typed = self._with_command(command)
        elif command := _COMMANDS_ON_FILES.get(word):
            self._typed = replace(self._with_command(command), file=self._value())
        elif flag := _FLAGS.get(word):
            self._typed = replace(typed, flags=typed.flags | {flag})
        elif switch := _SWITCHES.get(word):
            self._typed = replace(typed, settings={**typed.settings, **dict([switch])})
        elif (name := _SETTINGS.get(word)) or word in _TEXTS:
            self._typed = self._with_value(word, name)
        else:
            line = f"Unknown parameter detected: {printable(word, 200)}"
            raise _End(Answer(1, err=f"{line}\n\n{usage(self._program)}"))

    def _with_command(self, command: Command) -> Typed:
        if self._typed.command is not None:
            raise _refused("Only one command can be executed at a time. See help (-h) for more information.")
        return replace(self._typed, command=command)

    def _with_value(self, word: str, name: str | None) -> Typed:
        typed, value = self._typed, self._value()
        if word in _ONCE and (typed.alias if name is None else typed.settings.get(name)):
            raise _refused(f"{_ONCE[word]} can only be specified once!")
        if name is not None:
            return replace(typed, settings={**typed.settings, name: value})
        match _TEXTS[word]:
            case "domain":
                return replace(typed, domain=f"{typed.domain} {value}".lstrip())
            case "alias":
                return replace(typed, alias=value)
            case "config":
                return replace(typed, config=value)
            case "privkey":
                return replace(typed, privkey=value)
            case _:
                return replace(typed, lock_suffix=value)

    def _value(self) -> str:
        value = self._rest.pop(0) if self._rest else ""
        if not value:
            line = "The specified command requires additional parameters. See help:"
            raise _End(Answer(1, err=f"{line}\n\n{usage(self._program)}"))
        if value.startswith("-"):
            raise _refused(f"Invalid argument: {printable(value, 200)}")
        return value


def _refused(message: str) -> _End:
    return _End(Answer(1, err=f"ERROR: {message}\n"))
