"""Having a certificate revoked: by the account that it was issued to, or by its own key (RFC 8555 §7.6)."""

from certkeeper.acme.problem import ErrorType, Problem
from certkeeper.acme.revoke import RevocationReason, revoke
from certkeeper.apply.account import open_session
from certkeeper.apply.accountcare import Care
from certkeeper.base.keys import KeyPair
from certkeeper.base.wire import Exchange


def revoke_certificate(
    care: Care, certificate: bytes, reason: RevocationReason, key: KeyPair | None = None
) -> Exchange[bool]:
    """Have a certificate (DER) revoked, by its key where that is given; False where it was revoked before.

    Raises:
        Problem: the CA refused, and nothing is changed.
    """
    if key is not None:
        return (yield from revoke(care.session(key), certificate, reason))
    session = yield from open_session(care.settings, user_agent=care.user_agent, terms_accepted=False, tell=care.tell)
    try:
        return (yield from revoke(session, certificate, reason))
    except Problem as problem:
        if problem.type == ErrorType.UNAUTHORIZED:
            problem.hint = "it may be another account's or another CA's: try --by-certificate-key, or --ca"
        raise
