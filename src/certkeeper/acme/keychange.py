"""Account key rollover (RFC 8555 §7.3.5)."""

from certkeeper.acme.body import MalformedBody
from certkeeper.acme.jws import AccountKey, compact, sign_inner
from certkeeper.acme.session import Session
from certkeeper.base.wire import Exchange


def change_key(session: Session, new: AccountKey) -> Exchange[None]:
    """Have the account go over to another key: the new one asks, the present one agrees.

    The session's own key stays what it was: whoever called opens a new one with the new key.

    Raises:
        Problem: the CA refused; `location` is the account that has the new key already (status 409).
        TransportError: it may have been done all the same.
    """
    directory = yield from session.directory()
    if not directory.key_change or session.kid is None:
        raise MalformedBody(f"directory {session.directory_url}: no keyChange in it")
    inner = sign_inner(
        new, url=directory.key_change, payload=compact({"account": session.kid, "oldKey": session.key.jwk})
    )
    yield from session.post(directory.key_change, inner, context="key change: ")
