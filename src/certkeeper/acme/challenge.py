"""Challenges (RFC 8555 §8): what has to be published, and telling the CA to look."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from certkeeper.acme.body import member_text
from certkeeper.acme.jws import AccountKey, b64url
from certkeeper.acme.problem import Problem, problem_from_document
from certkeeper.acme.session import Session
from certkeeper.base.names import DnsName
from certkeeper.base.wire import Exchange

DNS_LABEL = "_acme-challenge"


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to prove control. Types that we do not know, and challenges without a token, are kept as they come."""

    type: str
    url: str
    status: str
    token: str = ""
    error: Problem | None = None


def read_challenge(document: Mapping[str, object]) -> Challenge:
    error = document.get("error")
    return Challenge(
        type=member_text(document, "type"),
        url=member_text(document, "url"),
        status=member_text(document, "status"),
        token=member_text(document, "token"),
        error=problem_from_document(error) if isinstance(error, dict) else None,
    )


def dns01_owner(domain: DnsName) -> DnsName:
    """Where a dns-01 value is looked for (§8.4); the same for a name and its wildcard."""
    return domain.child(DNS_LABEL)


def dns01_value(token: str, key: AccountKey) -> str:
    """The TXT value (§8.4): base64url of the SHA-256 of token and thumbprint (§8.1)."""
    return b64url(hashlib.sha256(f"{token}.{key.thumbprint}".encode("ascii")).digest())


def answer(session: Session, challenge: Challenge, name: str) -> Exchange[None]:
    """Tell the CA that the challenge for this name can be validated now (§7.5.1)."""
    yield from session.post(challenge.url, {}, context=f"{name}: ")
