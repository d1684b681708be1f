"""Accounts (RFC 8555 §7.1.2, §7.3)."""

from collections.abc import Sequence
from enum import StrEnum

from certkeeper.acme.binding import Binding
from certkeeper.acme.body import MalformedBody, member_text, member_texts, members
from certkeeper.acme.session import Session
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, printable
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Exchange, Response


@dataclass(frozen=True, slots=True)
class Account:
    """`url` is the key id (kid) of all later requests; `body` the account object as the CA sent it."""

    url: str
    body: bytes


class AccountStatus(StrEnum):
    """§7.1.6."""

    VALID = "valid"
    DEACTIVATED = "deactivated"
    REVOKED = "revoked"
    """By the CA."""


_MOST_CONTACTS = 20


@dataclass(frozen=True, slots=True)
class AccountObject:
    """What a CA says of an account (§7.1.2); texts are safe to print. `body` is the object as it came.

    `agreed` is None where the CA does not say whether its terms were agreed to. Some CAs keep no contact.
    """

    status: AccountStatus
    contact: tuple[str, ...]
    agreed: bool | None
    body: bytes


class TermsNotAccepted(CertkeeperError):
    """The CA has terms of service that nobody has agreed to yet. `terms` is their URL, empty where it names none."""

    label = "ca-terms"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str = "", terms: str = "") -> None:
        super().__init__(message, hint=hint)
        self.terms = printable(terms)


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


def fetch_account(session: Session) -> Exchange[AccountObject]:
    """The session's account as the CA has it now: a POST-as-GET at its URL."""
    response = yield from session.read(_url(session), context="account: ")
    return _read_account(response)


def update_contact(session: Session, contact: Sequence[str]) -> Exchange[AccountObject]:
    """Have the CA keep these contact URLs, and no others (§7.3.2)."""
    response = yield from session.post(_url(session), {"contact": list(contact)}, context="account: ")
    return _read_account(response)


def deactivate_account(session: Session) -> Exchange[AccountObject]:
    """For good (§7.3.6): the CA takes no request of this account any more."""
    response = yield from session.post(_url(session), {"status": "deactivated"}, context="account: ")
    return _read_account(response)


def _url(session: Session) -> str:
    if session.kid is None:
        raise TypeError("the account's URL is not known")
    return session.kid


def _read_account(response: Response) -> AccountObject:
    document = members(response, "account")
    try:
        status = AccountStatus(member_text(document, "status"))
    except ValueError as error:
        raise MalformedBody(f"account: {error}") from error
    agreed = document.get("termsOfServiceAgreed")
    return AccountObject(
        status,
        tuple(printable(text, 300) for text in member_texts(document, "contact")[:_MOST_CONTACTS]),
        agreed if isinstance(agreed, bool) else None,
        response.body,
    )


def _new_account(session: Session, payload: dict[str, object]) -> Exchange[Account]:
    directory = yield from session.directory()
    response = yield from session.post(directory.new_account, payload, context="account: ")
    url = response.header("location")
    if not url:
        raise MalformedBody(f"{directory.new_account}: an account without a Location")
    session.kid = url
    return Account(url, response.body)
