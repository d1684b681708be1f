"""Revoking certificates (RFC 8555 §7.6)."""

from enum import IntEnum

from certkeeper.acme.body import MalformedBody
from certkeeper.acme.jws import b64url
from certkeeper.acme.problem import ErrorType, Problem
from certkeeper.acme.session import Session
from certkeeper.base.errors import UsageError, printable
from certkeeper.base.wire import Exchange


class RevocationReason(IntEnum):
    """Those of RFC 5280 §5.3.1, CRLReason, that are a certificate's owner's to give."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5

    @property
    def word(self) -> str:
        """As RFC 5280 writes it."""
        first, *rest = self.name.split("_")
        return first.lower() + "".join(part.capitalize() for part in rest)


class UnknownReason(UsageError):
    """No reason that a certificate's owner can give."""


def read_reason(text: str) -> RevocationReason:
    """A reason by its word or by its number.

    Raises:
        UnknownReason: there is no such reason, or it is not its owner's to give.
    """
    for reason in RevocationReason:
        if text.lower() in {str(reason.value), reason.word.lower()}:
            return reason
    raise UnknownReason(
        f"reason {printable(text, 40)!r}: not one that the owner of a certificate can give",
        hint=f"one of {', '.join(f'{reason.word} ({reason.value})' for reason in RevocationReason)}",
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
