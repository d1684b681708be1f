"""An account goes over to another key (RFC 8555 §7.3.5), and what a run that was killed meanwhile left of that.

The new key is on disk, as pending, before the CA hears of it. From then on the CA alone knows which of the two keys is
the account's; it is asked whenever there is a pending one.
"""

from certkeeper.acme.account import fetch_account, find_account
from certkeeper.acme.jws import AccountKey
from certkeeper.acme.keychange import change_key
from certkeeper.acme.problem import ErrorType, Problem
from certkeeper.acme.session import Session
from certkeeper.apply.effects import AdoptPendingKey, DropPendingKey, MakeKey, SaveAccount, SavePendingKey, do
from certkeeper.apply.scheduler import shield
from certkeeper.base.accounts import StoredAccount
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.events import Noted, Tell
from certkeeper.base.keys import KeyPair, KeySpec
from certkeeper.base.wire import Exchange, TransportError

_NOT_THE_CAS = frozenset(
    {ErrorType.ACCOUNT_DOES_NOT_EXIST, ErrorType.BAD_SIGNATURE_ALGORITHM, ErrorType.BAD_PUBLIC_KEY}
)
"""What a CA says of a key that is no account's; one of a kind that it does not take cannot be."""


class RolloverStuck(CertkeeperError):
    """There are two keys, and neither is the account's."""

    label = "ca-account"
    fault = Fault.OPERATOR


class KeyInUse(CertkeeperError):
    """The CA says that the new key is another account's."""

    label = "ca-account"
    fault = Fault.REMOTE


def settle(ca: str, stored: StoredAccount, *, user_agent: str, tell: Tell) -> Exchange[StoredAccount]:
    """The account with the one key that the CA knows; the other one is gone. The account is claimed.

    Raises:
        RolloverStuck: the CA knows neither key, or the pending one as another account's. Both stay.
        Problem, TransportError: the CA cannot be asked. Both stay.
    """
    pending = stored.pending
    if pending is None:
        return stored
    owner = yield from _account_of(ca, pending, stored.kid, user_agent)
    if owner is not None and stored.kid in {None, owner}:
        yield from do(AdoptPendingKey(ca))
        tell(Noted("account", "its change of keys is finished: the CA knows the new key"))
        return StoredAccount(pending, stored.kid)
    if owner is not None:
        raise RolloverStuck(
            f"{ca}: account_key.pending.pem is the key of another account, {owner}",
            hint="move that file out of the account's folder",
        )
    if (yield from _account_of(ca, stored.key, stored.kid, user_agent)) is None:
        raise RolloverStuck(
            f"{ca}: knows neither account_key.pem nor account_key.pending.pem",
            hint="if this is the right CA, move the account's folder away and register anew: "
            "certkeeper account register --accept-terms",
        )
    yield from do(DropPendingKey(ca))
    tell(Noted("account", "its change of keys was cut off before the CA heard of it: the present key stays"))
    return StoredAccount(stored.key, stored.kid)


def change_over(session: Session, spec: KeySpec, *, user_agent: str, tell: Tell) -> Exchange[KeyPair]:
    """Make a new key, and have the session's account go over to it. The account is claimed, and has no pending key.

    Raises:
        Problem, KeyInUse: the CA refused; the present key stays, and nothing is pending.
        TransportError: the CA may have done it; whoever opens the account next finds out.
    """
    ca, kid = session.directory_url, session.kid
    new = yield from do(MakeKey(spec))
    yield from do(SavePendingKey(ca, new))
    try:
        yield from change_key(session, AccountKey(new.private))
    except TransportError:
        tell(Noted("account", "whether the CA took the new key is not known yet: the next command finds out"))
        raise
    except Problem as problem:
        # The answer to an earlier try may have been lost: then the CA refuses the next one, since the key is changed.
        if (yield from _account_of(ca, new, kid, user_agent)) != kid:
            yield from do(DropPendingKey(ca))
            raise _in_use(problem) from problem
    yield from shield()
    yield from do(AdoptPendingKey(ca))
    yield from _refresh(session, new, user_agent, tell)
    return new


def _in_use(problem: Problem) -> CertkeeperError:
    if problem.status != 409 or not problem.location:
        return problem
    return KeyInUse(
        f"{problem} (the account {problem.location})",
        hint="run it again: another key is made, and the present one stays",
    )


def _refresh(session: Session, new: KeyPair, user_agent: str, tell: Tell) -> Exchange[None]:
    """The account object holds the key. Nobody depends on it, so no failure counts."""
    fresh = Session(session.directory_url, AccountKey(new.private), user_agent=user_agent, kid=session.kid)
    try:
        account = yield from fetch_account(fresh)
        yield from do(SaveAccount(session.directory_url, session.kid or "", account.body))
    except CertkeeperError as error:
        tell(Noted("account", f"registration_info.json still describes the key before: {error}"))


def _account_of(ca: str, key: KeyPair, kid: str | None, user_agent: str) -> Exchange[str | None]:
    """The URL of the account that the CA knows this key for; None where it does not know it."""
    try:
        account = yield from find_account(Session(ca, AccountKey(key.private), user_agent=user_agent))
    except Problem as problem:
        if problem.type in _NOT_THE_CAS:
            return None
        # Some CAs look for a binding first, even where nothing but a look is asked for.
        if problem.type != ErrorType.EXTERNAL_ACCOUNT_REQUIRED or kid is None:
            raise
        return (yield from _signs_for(ca, key, kid, user_agent))
    return account.url


def _signs_for(ca: str, key: KeyPair, kid: str, user_agent: str) -> Exchange[str | None]:
    """The account's URL where the CA takes this key's signature for it."""
    try:
        yield from fetch_account(Session(ca, AccountKey(key.private), user_agent=user_agent, kid=kid))
    except Problem as problem:
        if problem.in_passing:
            raise
        return None
    return kid
