"""The account that a run works with: found on disk, recovered from its key, or registered."""

from typing import TypeVar

from certkeeper.acme.account import Account, TermsNotAccepted, find_account, register
from certkeeper.acme.binding import Binding
from certkeeper.acme.directory import Directory
from certkeeper.acme.hmackey import decode_hmac_key
from certkeeper.acme.jws import AccountKey
from certkeeper.acme.problem import ErrorType, Problem
from certkeeper.acme.session import Session
from certkeeper.apply.credentials import as_customer
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
from certkeeper.apply.rollover import settle
from certkeeper.apply.scheduler import monotonic
from certkeeper.base.accounts import StoredAccount
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.events import AccountRegistered, Noted, Tell
from certkeeper.base.traces import AccountRequested, AccountSought
from certkeeper.base.wire import Exchange, pause
from certkeeper.config.authority import BINDINGS, BY_MAIL
from certkeeper.config.settings import ExternalAccount, Settings

_T = TypeVar("_T")
_PATIENCE = 60.0
"""Seconds that another process is waited for. It has the account for one registration only."""
_PACE = 0.1
_OF_BINDING = frozenset({ErrorType.EXTERNAL_ACCOUNT_REQUIRED, ErrorType.MALFORMED, ErrorType.UNAUTHORIZED})
"""What CAs answer to a key id that they do not know, to one that was used before, and to a signature that is wrong."""


class BindingRequired(CertkeeperError):
    """The CA wants accounts bound to a customer (RFC 8555 §7.3.4), and the page does not say to which."""

    label = "ca-account"
    fault = Fault.OPERATOR


class BindingRefused(CertkeeperError):
    """The CA does not take the key id or the HMAC key that are set."""

    label = "ca-account"
    fault = Fault.OPERATOR


def open_session(settings: Settings, *, user_agent: str, terms_accepted: bool, tell: Tell) -> Exchange[Session]:
    """A session whose account the CA knows.

    Raises:
        TermsNotAccepted: there is no account yet, and nobody agreed to the CA's terms.
        Busy: another process is about to register it, and does not come to an end.
        BindingRequired, BindingRefused: the CA makes accounts for its customers only.
        CredentialsRefused: it gives out nothing for CONTACT_EMAIL that a new one could be bound with.
        Problem, TransportError: the CA refused or cannot be reached.
    """
    stored = yield from do(ReadAccount(settings.ca))
    if stored is not None and stored.kid is not None and stored.pending is None:
        return (yield from _known(stored, settings, user_agent, tell))
    setting_up = _set_up(settings, user_agent, terms_accepted=terms_accepted, tell=tell)
    return (yield from claimed(settings.ca, setting_up, tell))


def claimed(ca: str, exchange: Exchange[_T], tell: Tell) -> Exchange[_T]:
    """The exchange, while nobody else sets that account up or changes its key.

    Raises:
        Busy: another process is at it, and does not come to an end.
    """
    yield from _claim(ca, tell)
    try:
        result = yield from exchange
    except CertkeeperError:
        yield from do(FreeAccount(ca))
        raise
    yield from do(FreeAccount(ca))
    return result


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
    if stored is not None and stored.pending is not None:
        stored = yield from settle(settings.ca, stored, user_agent=user_agent, tell=tell)
    if stored is None:
        return (yield from _register(settings, user_agent, terms_accepted=terms_accepted, tell=tell))
    if stored.kid is not None:
        return (yield from _known(stored, settings, user_agent, tell))
    session = Session(settings.ca, AccountKey(stored.key.private), user_agent=user_agent, tell=tell)
    tell(AccountSought(settings.ca))
    account = yield from known_or_new(session, settings, terms_accepted=terms_accepted)
    yield from do(SaveAccount(settings.ca, account.url, account.body))
    return session


def _known(stored: StoredAccount, settings: Settings, user_agent: str, tell: Tell) -> Exchange[Session]:
    session = Session(settings.ca, AccountKey(stored.key.private), user_agent=user_agent, kid=stored.kid, tell=tell)
    yield from session.directory()
    return session


def known_or_new(session: Session, settings: Settings, *, terms_accepted: bool) -> Exchange[Account]:
    """The account of a key whose URL is not known: its registration may have been cut off, before or after the CA."""
    try:
        return (yield from find_account(session))
    except Problem as problem:
        # Some CAs look for the binding first, even where nothing but a look is asked for.
        if problem.type not in {ErrorType.ACCOUNT_DOES_NOT_EXIST, ErrorType.EXTERNAL_ACCOUNT_REQUIRED}:
            raise
    directory = yield from session.directory()
    if not terms_accepted:
        raise _terms_not_accepted(settings, directory)
    return (yield from _bound(session, (yield from as_customer(session, settings)), directory))


def _bound(session: Session, settings: Settings, directory: Directory) -> Exchange[Account]:
    """A new account, bound to the CA's customer where the page says who that is."""
    external = settings.external_account
    if external is None:
        check_bound(settings, directory)
        return (yield from register(session, contact_email=settings.contact_email))
    binding = Binding(external.kid, decode_hmac_key(external.hmac_key.reveal()))
    try:
        return (yield from register(session, contact_email=settings.contact_email, binding=binding))
    except Problem as problem:
        if problem.type not in _OF_BINDING:
            raise
        raise BindingRefused(
            f"{settings.ca}: no account for EAB_KID {printable(external.kid, 80)}: {problem}",
            hint=_another_pair(settings.ca, external, directory),
        ) from problem


def _another_pair(ca: str, refused: ExternalAccount, directory: Directory) -> str:
    if refused.by_mail:
        return (
            "the CA gave it out for CONTACT_EMAIL: run again, which asks for another one; "
            f"or get a pair {_source(ca)}, and set EAB_KID and EAB_HMAC_KEY"
        )
    if not directory.external_account_required:
        return "this CA does not ask for EAB_KID and EAB_HMAC_KEY: remove them"
    new_pair = f"get a new pair for them {_source(ca)}, since many count for one account only"
    return f"see that EAB_KID and EAB_HMAC_KEY are copied in full, or {new_pair}"


def check_bound(settings: Settings, directory: Directory) -> None:
    """Is it known to whom this CA is to bind an account, where it wants to?

    Raises:
        BindingRequired: it is not; the hint says where the CA tells.
    """
    if directory.external_account_required and settings.external_account is None:
        by_mail = "set CONTACT_EMAIL, for which it gives out what it wants; or " if settings.ca in BY_MAIL else ""
        raise BindingRequired(
            f"{settings.ca}: makes accounts only for its customers (external account binding)",
            hint=f"{by_mail}get a key id and an HMAC key {_source(settings.ca)}, and set EAB_KID and EAB_HMAC_KEY",
        )


def _source(ca: str) -> str:
    return BINDINGS.get(ca, "from that CA")


def _terms_not_accepted(settings: Settings, directory: Directory) -> TermsNotAccepted:
    return TermsNotAccepted(
        f"{settings.ca}: no account there yet, and its terms of service are not accepted: "
        f"{directory.terms_of_service or 'the CA names none'}",
        hint="read them, then agree once: certkeeper account register --accept-terms, or certkeeper run --accept-terms",
        terms=directory.terms_of_service,
    )


def _register(settings: Settings, user_agent: str, *, terms_accepted: bool, tell: Tell) -> Exchange[Session]:
    key = yield from do(MakeKey(settings.account_key))
    session = Session(settings.ca, AccountKey(key.private), user_agent=user_agent, tell=tell)
    directory = yield from session.directory()
    if not terms_accepted:
        raise _terms_not_accepted(settings, directory)
    settings = yield from as_customer(session, settings)
    check_bound(settings, directory)
    tell(AccountRequested(settings.ca))
    # On disk first: a key that the CA knows and we lost would be an account that nobody can use.
    yield from do(SaveAccountKey(settings.ca, key))
    try:
        account = yield from _bound(session, settings, directory)
    except (Problem, BindingRefused):
        yield from do(ForgetAccountKey(settings.ca))
        raise
    yield from do(SaveAccount(settings.ca, account.url, account.body))
    tell(AccountRegistered(settings.ca, account.url))
    return session
