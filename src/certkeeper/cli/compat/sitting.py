"""One call of `certkeeper dehydrated`: its page, its lock, its account, and the hooks at its beginning and end."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from certkeeper.apply.manner import Answers, Manner, Proofs
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.value import replace
from certkeeper.cli.compat.telling import Telling
from certkeeper.cli.compat.words import Command, Flag, Typed
from certkeeper.cli.compose import USER_AGENT, HookOutput, Machine, open_machine
from certkeeper.cli.hooking import Hooking
from certkeeper.config.domains import TYPED, DomainList, parse_domains
from certkeeper.config.evaluating import Evaluator
from certkeeper.config.settings import Configuration, Settings
from certkeeper.config.shell import Assignment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.apply.accountcare import Care
    from certkeeper.base.wire import Exchange

_T = TypeVar("_T")

_PLACES = ("/etc/dehydrated/config", "/usr/local/etc/dehydrated/config", "config")


class LockPresent(CertkeeperError):
    """The lock file is there; or it could not be made."""

    label = "locked"
    fault = Fault.OPERATOR


class Refused(CertkeeperError):
    """What was typed does not go together."""

    label = "usage"
    fault = Fault.OPERATOR


class Sitting:
    """What was typed, and what this machine has for it. `program` is how it was called."""

    def __init__(self, typed: Typed, program: str) -> None:
        self.typed = typed
        self.program = program
        self.telling = Telling(sys.stdout, sys.stderr)
        self._hooking: Hooking | None = None
        self._said_main = False

    def open(self, asked: DomainList | None = None) -> Machine:
        """The page, with what was typed on top; `asked` are certificates in the place of those in domains.txt.

        Raises:
            CertkeeperError: it cannot be read.
        """
        try:
            machine = self._opened(asked)
        except CertkeeperError:
            self.say_what_is_read()
            raise
        self._hooking = Hooking(machine.settings, lambda: machine.hooks, self.telling.tell)
        self._say_where_from(machine.configuration)
        if Flag.FORCE_VALIDATION in self.typed.flags and Flag.FORCE not in self.typed.flags:
            raise Refused("Argument --force-validation can only be used in combination with --force (-x)")
        return machine

    def say_what_is_read(self) -> None:
        """Name the main file before an error, as far as it is known without reading it."""
        file = self._config(_beside()) or os.environ.get("CONFIG")
        found = file or next((place for place in _PLACES if Path(place).is_file()), None)
        if found and Path(found).is_file():
            self._say_main(found)

    @property
    def hooking(self) -> Hooking:
        if self._hooking is None:
            raise TypeError("no page was opened")
        return self._hooking

    def asked(self) -> DomainList | None:
        """The one certificate that --domain names."""
        typed = self.typed
        if not typed.domain:
            return None
        line = f"{typed.domain} > {typed.alias}" if typed.alias else typed.domain
        return parse_domains([("--domain", line)])

    def end(self, fatal: CertkeeperError | None = None) -> None:
        """Call exit_hook, once; after a fatal error with its message."""
        if self._hooking is None:
            # The page may be in order but for its certificates; then its script is told.
            machine = self._opened_somehow()
            if machine is None:
                return
            self._hooking = Hooking(machine.settings, lambda: machine.hooks, self.telling.tell)
        if self._hooking.end(fatal) is not None:
            sys.stderr.write("exit_hook returned with non-zero exit code!\n")

    def care(self, machine: Machine) -> "Care":
        from certkeeper.apply.accountcare import Care  # noqa: PLC0415 - only commands that ask the CA need it

        return Care(machine.settings, USER_AGENT, self.telling.tell)

    def converse(self, machine: Machine, exchange: "Exchange[_T]") -> _T:
        """Run one exchange with the CA; the script is told where the CA refuses.

        Raises:
            CertkeeperError: what the exchange raises.
        """
        from certkeeper.apply.hooks import refusals_told  # noqa: PLC0415 - as above

        return machine.converse(refusals_told(exchange, machine.settings, self.telling.tell))

    @property
    def manner(self) -> Manner:
        """Names are proven as dehydrated proves them."""
        anew = Flag.FORCE_VALIDATION in self.typed.flags
        return Manner(Answers.IN_TURN, Proofs.GIVEN_BACK if anew else Proofs.COUNT)

    @property
    def terms_accepted(self) -> bool:
        return Flag.ACCEPT_TERMS in self.typed.flags

    def _opened_somehow(self) -> Machine | None:
        """Without certificates, and if need be without what was typed but for the script."""
        hook = {name: value for name, value in self.typed.settings.items() if name == "HOOK"}
        for typed in (self.typed, replace(self.typed, settings=hook)):
            self.typed = typed
            with suppress(CertkeeperError):
                return self._opened(DomainList())
        return None

    def _opened(self, asked: DomainList | None) -> Machine:
        typed = tuple(Assignment(name, value, TYPED) for name, value in self.typed.settings.items())
        beside = _beside()
        evaluator = Evaluator.BASH if Flag.SOURCE_CONFIG in self.typed.flags else Evaluator.PARSER
        machine = open_machine(
            self._config(beside), asked, test_ca_live=True, typed=typed, fallback=beside, evaluator=evaluator
        )
        configuration = _as_dehydrated(machine.configuration)
        settings = replace(
            configuration.settings,
            command=self.typed.command or "",
            lockfile=self._lockfile(configuration.settings),
        )
        configuration = replace(configuration, settings=settings)
        # With --signcsr standard output is for the certificate.
        output = HookOutput.ASIDE if self.typed.command is Command.SIGN else HookOutput.SHOWN
        machine = replace(machine, configuration=configuration, hook_output=output)
        return machine.with_account_key(self.typed.privkey) if self.typed.privkey else machine

    def _config(self, beside: str) -> str | None:
        """The file that was typed; or dehydrated's last place to look, the folder that it is in itself."""
        if self.typed.config or os.environ.get("CONFIG"):
            return self.typed.config or None
        own = f"{beside}/config"
        return own if Path(own).is_file() and not any(Path(place).is_file() for place in _PLACES) else None

    def _lockfile(self, settings: Settings) -> str | None:
        if Flag.NO_LOCK in self.typed.flags or settings.lockfile is None:
            return None
        return f"{settings.lockfile}-{self.typed.lock_suffix}" if self.typed.lock_suffix else settings.lockfile

    def _say_where_from(self, configuration: Configuration) -> None:
        if configuration.settings.config_file:
            self._say_main(configuration.settings.config_file)
        else:
            sys.stderr.write("#\n# !! WARNING !! No main config file found, using default config!\n#\n")
        for file in configuration.drop_ins:
            sys.stdout.write(f"# INFO: Using additional config file {file}\n")
        sys.stdout.flush()

    def _say_main(self, file: str) -> None:
        if not self._said_main:
            sys.stdout.write(f"# INFO: Using main config file {file}\n")
            sys.stdout.flush()
        self._said_main = True


def _beside() -> str:
    """The folder that the program is in."""
    return os.path.dirname(sys.argv[0]) or "."  # noqa: PTH120 - a path as it was typed


@contextmanager
def locked(machine: Machine) -> Iterator[None]:
    """Under the lock file of dehydrated's.

    Raises:
        LockPresent: it is there already.
    """
    path = machine.settings.lockfile
    lock = machine.lock()
    try:
        lock.__enter__()
    except CertkeeperError as error:
        if error.exit_code != ExitCode.LOCKED:
            raise
        raise LockPresent(f"Lock file '{path}' present, aborting. ({error})", hint=error.hint) from error
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def _as_dehydrated(configuration: Configuration) -> Configuration:
    """The CA's own suggestion when to renew, and chains that are only preferred, count where dehydrated knows them."""
    said = configuration.assigned.get("ARI")
    settings = configuration.settings
    if said is None:
        settings = replace(settings, ari=False)
    specs = tuple(replace(spec, chain_required=True) for spec in configuration.certificates)
    return replace(configuration, settings=settings, certificates=specs)
