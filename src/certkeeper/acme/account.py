"""Accounts (RFC 8555 §7.1.2, §7.3)."""

from dataclasses import dataclass

from certkeeper.acme.binding import Binding
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.session import Session
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.wire import Exchange


@dataclass(frozen=True, slots=True)
class Account:
    """`url` is the key id (kid) of all later requests; `body` the account object as the CA sent it."""

    url: str
    body: bytes


class TermsNotAccepted(CertkeeperError):
    """The CA has terms of service that nobody has agreed to yet."""

    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


def find_account(session: Session) -> Exchange[Account]:
    """The account of the session's key (§7.3.1, onlyReturnExisting).

    Raises:
        Problem: accountDoesNotExist where the CA does not know the key.
    """
    return _new_account(session, {"onlyReturnExisting": True})


def register(session: Session, *, contact_email: str, binding: Binding | None = None) -> Exchange[Account]:
    """Make an account, agreeing to the CA's terms; a key that has one already gets that one (§7.3.1).

    `contact_email` may be empty. With a binding, the account is one of the CA's customer (§7.3.4).
    """
    payload: dict[str, object] = {"termsOfServiceAgreed": True}
    if contact_email:
        payload["contact"] = [f"mailto:{contact_email}"]
    if binding is not None:
        directory = yield from session.directory()
        payload["externalAccountBinding"] = binding.sign(session.key.jwk, directory.new_account)
    return (yield from _new_account(session, payload))


def _new_account(session: Session, payload: dict[str, object]) -> Exchange[Account]:
    directory = yield from session.directory()
    response = yield from session.post(directory.new_account, payload, context="account: ")
    url = response.header("location")
    if not url:
        raise MalformedBody(f"{directory.new_account}: an account without a Location")
    session.kid = url
    return Account(url, response.body)
