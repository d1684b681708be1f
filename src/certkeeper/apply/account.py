"""The account that a run works with: found on disk, recovered from its key, or registered."""

from certkeeper.acme.account import Account, TermsNotAccepted, find_account, register
from certkeeper.acme.directory import Directory
from certkeeper.acme.jws import AccountKey
from certkeeper.acme.problem import ErrorType, Problem
from certkeeper.acme.session import Session
from certkeeper.apply.effects import (
    ForgetAccountKey,
    FreeAccount,
    HoldAccount,
    MakeKey,
    ReadAccount,
    SaveAccount,
    SaveAccountKey,
    do,
)
from certkeeper.apply.ports import Busy
from certkeeper.apply.scheduler import monotonic
from certkeeper.base.accounts import StoredAccount
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.events import AccountRegistered, Noted, Tell
from certkeeper.base.wire import Exchange, pause
from certkeeper.config.settings import Settings

_PATIENCE = 60.0
"""Seconds that another process is waited for. It has the account for one registration only."""
_PACE = 0.1


class BindingRequired(CertkeeperError):
    """The CA wants accounts bound to a customer (RFC 8555 §7.3.4)."""

    fault = Fault.OPERATOR


def open_session(settings: Settings, *, user_agent: str, terms_accepted: bool, tell: Tell) -> Exchange[Session]:
    """A session whose account the CA knows.

    Raises:
        TermsNotAccepted: there is no account yet, and nobody agreed to the CA's terms.
        Busy: another process is about to register it, and does not come to an end.
        Problem, TransportError: the CA refused or cannot be reached.
    """
    stored = yield from do(ReadAccount(settings.ca))
    if stored is not None and stored.kid is not None:
        return (yield from _known(stored, settings, user_agent))
    yield from _claim(settings.ca, tell)
    try:
        session = yield from _set_up(settings, user_agent, terms_accepted=terms_accepted, tell=tell)
    except CertkeeperError:
        yield from do(FreeAccount(settings.ca))
        raise
    yield from do(FreeAccount(settings.ca))
    return session


def _claim(ca: str, tell: Tell) -> Exchange[None]:
    began = yield from monotonic()
    told = False
    while True:
        try:
            return (yield from do(HoldAccount(ca)))
        except Busy as busy:
            if (yield from monotonic()) - began >= _PATIENCE:
                raise
            if not told:
                tell(Noted("account", f"{busy}: waiting for it"))
                told = True
        yield from pause(_PACE)


def _set_up(settings: Settings, user_agent: str, *, terms_accepted: bool, tell: Tell) -> Exchange[Session]:
    """Look once more, now that nobody else is at it; then recover or register."""
    stored = yield from do(ReadAccount(settings.ca))
    if stored is None:
        return (yield from _register(settings, user_agent, terms_accepted=terms_accepted, tell=tell))
    if stored.kid is not None:
        return (yield from _known(stored, settings, user_agent))
    session = Session(settings.ca, AccountKey(stored.key.private), user_agent=user_agent)
    account = yield from _recover(session, settings, terms_accepted=terms_accepted)
    yield from do(SaveAccount(settings.ca, account.url, account.body))
    return session


def _known(stored: StoredAccount, settings: Settings, user_agent: str) -> Exchange[Session]:
    session = Session(settings.ca, AccountKey(stored.key.private), user_agent=user_agent, kid=stored.kid)
    yield from session.directory()
    return session


def _recover(session: Session, settings: Settings, *, terms_accepted: bool) -> Exchange[Account]:
    """The account of a key whose URL is not known: its registration may have been cut off, before or after the CA."""
    try:
        return (yield from find_account(session))
    except Problem as problem:
        if problem.type != ErrorType.ACCOUNT_DOES_NOT_EXIST:
            raise
    if not terms_accepted:
        raise _terms_not_accepted(settings, (yield from session.directory()))
    return (yield from register(session, contact_email=settings.contact_email))


def _terms_not_accepted(settings: Settings, directory: Directory) -> TermsNotAccepted:
    return TermsNotAccepted(
        f"{settings.ca}: no account there yet, and its terms of service are not accepted: "
        f"{directory.terms_of_service or 'the CA names none'}",
        hint="read them, then run once: certkeeper run --accept-terms",
    )


def _register(settings: Settings, user_agent: str, *, terms_accepted: bool, tell: Tell) -> Exchange[Session]:
    key = yield from do(MakeKey(settings.account_key))
    session = Session(settings.ca, AccountKey(key.private), user_agent=user_agent)
    directory = yield from session.directory()
    if not terms_accepted:
        raise _terms_not_accepted(settings, directory)
    if directory.external_account_required:
        raise BindingRequired(
            f"{settings.ca}: makes accounts only for its customers (external account binding)",
            hint="register there with another client, and put its account folder under ACCOUNTDIR",
        )
    # On disk first: a key that the CA knows and we lost would be an account that nobody can use.
    yield from do(SaveAccountKey(settings.ca, key))
    try:
        account = yield from register(session, contact_email=settings.contact_email)
    except Problem:
        yield from do(ForgetAccountKey(settings.ca))
        raise
    yield from do(SaveAccount(settings.ca, account.url, account.body))
    tell(AccountRegistered(settings.ca, account.url))
    return session
