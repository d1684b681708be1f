"""What an operator does with an account: look at it, change it, give it up, take it over. Each is one exchange."""

from collections.abc import Sequence

from certkeeper.acme.account import (
    AccountObject,
    AccountStatus,
    deactivate_account,
    fetch_account,
    find_account,
    update_contact,
)
from certkeeper.acme.jws import AccountKey
from certkeeper.acme.problem import ErrorType, Problem
from certkeeper.acme.session import Session
from certkeeper.apply.account import claimed, known_or_new, open_session
from certkeeper.apply.effects import (
    KeepRegistration,
    ReadAccount,
    RetireAccount,
    SaveAccount,
    SaveAccountKey,
    do,
)
from certkeeper.apply.rollover import change_over, settle
from certkeeper.apply.scheduler import shield
from certkeeper.base.accounts import StoredAccount
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.events import Tell
from certkeeper.base.keys import KeyPair
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange
from certkeeper.config.settings import Settings


class NoAccount(CertkeeperError):
    """There is no account here for that CA."""

    label = "ca-account"
    fault = Fault.OPERATOR
    exit_code = ExitCode.FAILED


class AccountThere(CertkeeperError):
    """Another key is the account's already, and is never overwritten."""

    label = "ca-account"
    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True)
class Care:
    """What all of them need. `settings.ca` is the CA that they are about."""

    settings: Settings
    user_agent: str
    tell: Tell

    def session(self, key: KeyPair, kid: str | None = None) -> Session:
        return Session(self.settings.ca, AccountKey(key.private), user_agent=self.user_agent, kid=kid, tell=self.tell)


@dataclass(frozen=True, slots=True)
class Seen:
    """An account as the CA has it, and its key here. `terms` is the URL of the terms of service, or empty."""

    url: str
    account: AccountObject
    key_id: str
    kind: str
    thumbprint: str
    terms: str = ""


@dataclass(frozen=True, slots=True)
class Rolled:
    """`unfinished`: a run before had begun it, and the CA knew the new key already."""

    key: KeyPair
    unfinished: bool = False


def look(care: Care) -> Exchange[Seen]:
    """The account as the CA has it now.

    Raises:
        NoAccount: there is none here.
        CertkeeperError: the CA refused or cannot be reached.
    """
    session = yield from _session(care)
    return (yield from _seen(care, session))


def register(care: Care, *, terms_accepted: bool) -> Exchange[Seen]:
    """The account as the CA has it, made where there is none yet. Raises as `open_session` does."""
    session = yield from _session(care, terms_accepted=terms_accepted, make=True)
    return (yield from _seen(care, session))


def set_contact(care: Care, contact: Sequence[str]) -> Exchange[tuple[AccountObject, AccountObject]]:
    """The account before and after it has these contact URLs; where they are its own already, nothing is sent."""
    session = yield from _session(care)
    before = yield from fetch_account(session)
    if before.contact == tuple(contact):
        return before, before
    after = yield from update_contact(session, contact)
    yield from do(KeepRegistration(care.settings.ca, after.body))
    return before, after


def roll_key(care: Care) -> Exchange[Rolled]:
    """Give the account another key; or finish that, where a run was killed after the CA knew the new one."""
    return (yield from claimed(care.settings.ca, _roll(care), care.tell))


def _roll(care: Care) -> Exchange[Rolled]:
    ca = care.settings.ca
    stored = yield from _stored(care)
    settled = yield from settle(ca, stored, user_agent=care.user_agent, tell=care.tell)
    if settled.key.key_id != stored.key.key_id:
        return Rolled(settled.key, unfinished=True)
    session = care.session(settled.key, settled.kid)
    if session.kid is None:
        found = yield from find_account(session)
        yield from do(SaveAccount(ca, found.url, found.body))
    new = yield from change_over(session, care.settings.account_key, user_agent=care.user_agent, tell=care.tell)
    return Rolled(new)


def deactivate(care: Care) -> Exchange[str]:
    """Give the account up for good; its URL. Its files are kept under other names."""
    session = yield from _session(care)
    try:
        yield from deactivate_account(session)
    except Problem as problem:
        # A run before may have come as far as this; §7.3.6 has the CA refuse every further request.
        if not _says_deactivated(problem):
            raise
    yield from shield()
    yield from do(RetireAccount(care.settings.ca))
    return session.kid or ""


def _says_deactivated(problem: Problem) -> bool:
    return problem.type == ErrorType.UNAUTHORIZED and AccountStatus.DEACTIVATED in problem.detail.lower()


def recover(care: Care) -> Exchange[tuple[str | None, str]]:
    """Ask the CA for the account's URL, and write it down; the one that was written here before, and the CA's."""
    return (yield from claimed(care.settings.ca, _recover(care), care.tell))


def _recover(care: Care) -> Exchange[tuple[str | None, str]]:
    ca = care.settings.ca
    before = yield from _stored(care)
    stored = yield from settle(ca, before, user_agent=care.user_agent, tell=care.tell)
    account = yield from find_account(care.session(stored.key))
    yield from do(SaveAccount(ca, account.url, account.body))
    return before.kid, account.url


def take_over(care: Care, key: KeyPair, *, terms_accepted: bool) -> Exchange[str]:
    """Make this key the account's; the account's URL. Nothing is written before the CA knows the key.

    Raises:
        AccountThere: another key is the account's.
        TermsNotAccepted: the CA does not know the key, and nobody agreed to its terms.
    """
    return (yield from claimed(care.settings.ca, _take_over(care, key, terms_accepted=terms_accepted), care.tell))


def _take_over(care: Care, key: KeyPair, *, terms_accepted: bool) -> Exchange[str]:
    ca = care.settings.ca
    stored = yield from do(ReadAccount(ca))
    if stored is not None and stored.key.key_id != key.key_id:
        raise AccountThere(
            f"{ca}: there is an account with another key here already",
            hint="move its folder away first; certkeeper account show says where it is",
        )
    account = yield from known_or_new(care.session(key), care.settings, terms_accepted=terms_accepted)
    if stored is None:
        yield from do(SaveAccountKey(ca, key))
    yield from do(SaveAccount(ca, account.url, account.body))
    return account.url


def _stored(care: Care) -> Exchange[StoredAccount]:
    stored = yield from do(ReadAccount(care.settings.ca))
    if stored is None:
        raise NoAccount(
            f"{care.settings.ca}: there is no account here",
            hint="make one: certkeeper account register --accept-terms; or take over a key: certkeeper account import",
        )
    return stored


def _session(care: Care, *, terms_accepted: bool = False, make: bool = False) -> Exchange[Session]:
    if not make:
        yield from _stored(care)
    return (
        yield from open_session(
            care.settings, user_agent=care.user_agent, terms_accepted=terms_accepted, tell=care.tell
        )
    )


def _seen(care: Care, session: Session) -> Exchange[Seen]:
    directory = yield from session.directory()
    account = yield from fetch_account(session)
    stored = yield from _stored(care)
    return Seen(
        url=session.kid or "",
        account=account,
        key_id=stored.key.key_id,
        kind=stored.key.description,
        thumbprint=session.key.thumbprint,
        terms=directory.terms_of_service,
    )
