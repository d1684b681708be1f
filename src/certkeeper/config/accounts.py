"""Accounts at CAs that certificates name beside the page's: each has a file of its own, `ACCOUNTDIR/<CA>/config`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from certkeeper.base.accounts import account_folder
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy
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


class OtherAccounts:
    """Reads the file of each account once."""

    def __init__(self, main: Main, settings: Settings) -> None:
        self._main = main
        self._settings = settings
        self.found: dict[str, OtherAccount] = {}

    def at(self, ca: str) -> Exchange[OtherAccount]:
        """The account at the CA with that directory URL.

        Raises:
            ConfigError: its file cannot be read, or holds an invalid value.
        """
        if ca not in self.found:
            self.found[ca] = yield from _read(self._main, self._settings, ca)
        return self.found[ca]


def account_file(accountdir: str, ca: str) -> str:
    return inside(accountdir, f"{account_folder(ca)}/config")


def known_to(shell: Shell, basedir: str, accountdir: str, ca: str) -> Shell:
    """What an account's file sees."""
    own = {"BASEDIR": basedir, "CA": ca, "ACCOUNTDIR": accountdir, "CAHASH": account_folder(ca)}
    return replace(shell, variables={**shell.variables, **own})


def _read(main: Main, settings: Settings, ca: str) -> Exchange[OtherAccount]:
    file = account_file(settings.accountdir, ca)
    text = yield from read_if_there(file)
    script = Script((), main.shell, ())
    if text is not None:
        shell = known_to(main.shell, settings.basedir, settings.accountdir, ca)
        script = yield from evaluated(text, file, shell, main.evaluator)
    own = {found.name: found for found in script.assignments}
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
