"""Accounts at CAs that certificates name beside the page's: each has a file of its own, `ACCOUNTDIR/<CA>/config`."""

from collections.abc import Iterator, Mapping

from certkeeper.base.accounts import account_folder
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy
from certkeeper.base.value import dataclass, field, replace
from certkeeper.base.wire import Exchange
from certkeeper.config.binding import external_account
from certkeeper.config.certificates import key_spec
from certkeeper.config.dehydrated import contact
from certkeeper.config.evaluating import Evaluator, evaluated
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.lint import unknown_variables
from certkeeper.config.reading import read_if_there
from certkeeper.config.settings import AccountSettings, Settings
from certkeeper.config.shell import Assignment, Script, Shell
from certkeeper.config.tables import Native
from certkeeper.config.values import Values, inside
from certkeeper.config.variables import KNOWN

TEST_CA = "TEST_CA"
_COUNT = frozenset({"ACCOUNT_KEYSIZE", "ACCOUNT_KEY_ALGO", "CONTACT_EMAIL", "EAB_HMAC_KEY", "EAB_KID", TEST_CA})


@dataclass(frozen=True, slots=True)
class OtherAccount:
    """`test_ca` is the file's word on that, where it has one."""

    settings: AccountSettings
    test_ca: Assignment | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Main:
    """The page without the file of any account: what all accounts have in common."""

    shell: Shell
    evaluator: Evaluator
    assigned: Mapping[str, Assignment] = field(repr=False)
    file: str
    native: Native | None = None


class OtherAccounts:
    """Reads the file of each account once."""

    def __init__(self, main: Main, settings: Settings) -> None:
        self._main = main
        self._settings = settings
        self._scripts: dict[str, Script] = {}
        self.found: dict[str, OtherAccount] = {}

    @property
    def own(self) -> dict[str, tuple[Assignment, ...]]:
        """What is set for each account alone, the last assignment of each name."""
        return {ca: tuple(_last(script).values()) for ca, script in self._scripts.items()}

    def read(self, ca: str) -> Exchange[None]:
        """Read the file of the account at the CA with that directory URL, whatever its values are.

        Raises:
            ConfigError: it cannot be read.
        """
        if ca not in self._scripts:
            self._scripts[ca] = yield from _read(self._main, self._settings, ca)

    def at(self, ca: str) -> Exchange[OtherAccount]:
        """The account there.

        Raises:
            ConfigError: its file cannot be read, or holds an invalid value.
        """
        yield from self.read(ca)
        if ca not in self.found:
            self.found[ca] = _account(self._main, ca, self._scripts[ca])
        return self.found[ca]


def account_file(accountdir: str, ca: str) -> str:
    return inside(accountdir, f"{account_folder(ca)}/config")


def known_to(shell: Shell, basedir: str, accountdir: str, ca: str) -> Shell:
    """What an account's file sees."""
    own = {"BASEDIR": basedir, "CA": ca, "ACCOUNTDIR": accountdir, "CAHASH": account_folder(ca)}
    return replace(shell, variables={**shell.variables, **own})


def _read(main: Main, settings: Settings, ca: str) -> Exchange[Script]:
    file = account_file(settings.accountdir, ca)
    if main.native is not None:
        return Script(main.native.of_account(ca), main.shell)
    text = yield from read_if_there(file)
    if text is None:
        return Script((), main.shell)
    shell = known_to(main.shell, settings.basedir, settings.accountdir, ca)
    return (yield from evaluated(text, file, shell, main.evaluator))


def _last(script: Script) -> dict[str, Assignment]:
    return {found.name: found for found in script.assignments}


def _account(main: Main, ca: str, script: Script) -> OtherAccount:
    own = _last(script)
    file = script.assignments[0].where.file if script.assignments else main.file
    values = Values({**main.assigned, **own}, main.file)
    account = AccountSettings(
        ca,
        contact_email=contact(values),
        account_key=key_spec(values, "ACCOUNT_KEY_ALGO", "ACCOUNT_KEYSIZE", KeyAlgorithm.RSA, KeyPolicy.NEW),
        # What the page or the environment says is meant for the page's CA: no other one is shown it.
        external_account=external_account(Values(own, file), {}),
    )
    findings = (*script.findings, *unknown_variables(script.assignments), *_without_effect(own))
    return OtherAccount(account, own.get(TEST_CA), findings)


def _without_effect(own: Mapping[str, Assignment]) -> Iterator[Finding]:
    for name, found in own.items():
        if name in KNOWN and name not in _COUNT:
            yield Finding(
                "not-per-account",
                Severity.WARNING,
                f"{name}: counts here only while this CA is the page's",
                "ignored for certificates that name this CA themselves",
                "set it in the certificate's own file",
                found.where,
            )
