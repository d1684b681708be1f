"""Revoking certificates (RFC 8555 §7.6)."""

from enum import IntEnum

from certkeeper.acme.body import MalformedBody
from certkeeper.acme.jws import b64url
from certkeeper.acme.problem import ErrorType, Problem
from certkeeper.acme.session import Session
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, printable
from certkeeper.base.wire import Exchange


class RevocationReason(IntEnum):
    """RFC 5280 §5.3.1, CRLReason. 7 is not used there. CAs take few of them from their customers."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    REMOVE_FROM_CRL = 8
    PRIVILEGE_WITHDRAWN = 9
    AA_COMPROMISE = 10

    @property
    def word(self) -> str:
        """As RFC 5280 writes it."""
        first, *rest = self.name.split("_")
        return first.lower() + "".join(part if part == "CRL" else part.capitalize() for part in rest)


_OFFERED = ("unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation")


class UnknownReason(CertkeeperError):
    """No reason of RFC 5280's."""

    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


def read_reason(text: str) -> RevocationReason:
    """A reason by its word or by its number.

    Raises:
        UnknownReason: there is no such reason.
    """
    for reason in RevocationReason:
        if text.lower() in {str(reason.value), reason.word.lower()}:
            return reason
    raise UnknownReason(
        f"reason {printable(text, 40)!r}: RFC 5280 has none of that name or number",
        hint=f"one of {', '.join(_OFFERED)}",
    )


def revoke(session: Session, certificate: bytes, reason: RevocationReason) -> Exchange[bool]:
    """Have a certificate (DER) revoked; False where it was revoked before.

    The session is the account's that it was issued to, or one with the certificate's own key and no account.

    Raises:
        Problem: the CA refused.
    """
    directory = yield from session.directory()
    if not directory.revoke_cert:
        raise MalformedBody(f"directory {session.directory_url}: no revokeCert in it")
    payload: dict[str, object] = {"certificate": b64url(certificate)}
    if reason is not RevocationReason.UNSPECIFIED:
        # RFC 5280 §5.3.1: "unspecified" is said by saying nothing.
        payload["reason"] = reason.value
    try:
        yield from session.post(directory.revoke_cert, payload, context="revocation: ")
    except Problem as problem:
        if problem.type != ErrorType.ALREADY_REVOKED:
            raise
        return False
    return True
