"""Key id and HMAC key of external account binding, from a CA that gives them out for a mail address."""

from urllib.parse import urlencode

from certkeeper.acme.body import MalformedBody, member_text, members
from certkeeper.acme.hmackey import BadHmacKey, decode_hmac_key
from certkeeper.acme.session import Session
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.events import CredentialsRequested
from certkeeper.base.value import replace
from certkeeper.base.wire import Exchange, Request, Response, TransportError, ask
from certkeeper.config.authority import BINDINGS, BY_MAIL
from certkeeper.config.settings import ExternalAccount, Secret, Settings


class CredentialsRefused(CertkeeperError):
    """The CA gives out no pair for CONTACT_EMAIL. What it sent is not in the message, since it may hold a key."""

    label = "ca-refused"
    fault = Fault.REMOTE


def as_customer(session: Session, settings: Settings) -> Exchange[Settings]:
    """The page with a pair for a new account: its own, or at a preset that gives out pairs by mail address, a new one.

    Without CONTACT_EMAIL, or at another CA, it stays as it is.

    Raises:
        CredentialsRefused: the CA gives out none for that address.
        TransportError: nobody answers there.
    """
    service = BY_MAIL.get(settings.ca)
    if service is None or settings.external_account is not None or not settings.contact_email:
        return settings
    session.tell(CredentialsRequested(service, settings.contact_email))
    return replace(settings, external_account=(yield from _pair(session, settings, service)))


def _pair(session: Session, settings: Settings, service: str) -> Exchange[ExternalAccount]:
    body = urlencode({"email": settings.contact_email}).encode()
    headers = (*session.headers, ("content-type", "application/x-www-form-urlencoded"))
    try:
        response = yield from ask(Request("POST", service, headers, body))
    except TransportError as error:
        error.hint = "; or ".join(filter(None, (error.hint, _by_hand(settings.ca))))
        raise
    try:
        document = members(response, service)
        kid, key = member_text(document, "eab_kid"), member_text(document, "eab_hmac_key")
        good = response.status == 200 and kid.isprintable() and bool(kid and decode_hmac_key(key))
    except (MalformedBody, BadHmacKey):
        good = False
    if not good:
        # Nothing of the answer is shown but a refusal's own word: a part of it may be a key.
        raise CredentialsRefused(
            f"{service}: no key id and HMAC key for CONTACT_EMAIL {printable(settings.contact_email, 100)}: "
            f"{_refusal(response)}",
            hint=f"see that CONTACT_EMAIL is right and run again; or {_by_hand(settings.ca)}",
        )
    return ExternalAccount(kid, Secret(key), by_mail=True)


def _refusal(response: Response) -> str:
    """Its status, and the type of the error where that is named, such as caller_email_missing."""
    try:
        error = members(response, "").get("error")
    except MalformedBody:
        error = None
    named = member_text(error, "type") if isinstance(error, dict) else ""
    return f"HTTP {response.status}{f', {printable(named, 80)}' if named else ''}"


def _by_hand(ca: str) -> str:
    return f"get a pair {BINDINGS[ca]}, and set EAB_KID and EAB_HMAC_KEY"
