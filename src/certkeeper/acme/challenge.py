"""Challenges (RFC 8555 §8): what has to be published, and telling the CA to look."""

import hashlib
import re
from collections.abc import Mapping

from certkeeper.acme.body import MalformedBody, member_text, member_texts, members
from certkeeper.acme.jws import AccountKey, b64url
from certkeeper.acme.persist import usable_issuers
from certkeeper.acme.problem import Problem, problem_from_document
from certkeeper.acme.session import Session
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, replace
from certkeeper.base.wire import Exchange

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
"""§8.1: base64url without padding; anything else is as good as no token."""
DNS_LABEL = "_acme-challenge"
PERSIST = "dns-persist-01"


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to prove control. Types that we do not know, and challenges without a token, are kept as they come.

    `issuers` are the names that the CA goes by in standing records, `account` the account that these have to name:
    both are of dns-persist-01, which has no token; `account` is empty with CAs of its first draft.
    """

    type: str
    url: str
    status: str
    token: str = ""
    error: Problem | None = None
    issuers: tuple[str, ...] = ()
    account: str = ""

    @property
    def usable(self) -> bool:
        """Whether it says all that an answer needs."""
        return bool(self.issuers if self.type == PERSIST else self.token)


class ChallengeFailed(CertkeeperError):
    """The CA did not find what it wants to see. It does not look again (§7.1.6).

    Attributes:
        problem: the CA's reason, where it names one.
    """

    label = "challenge-failed"
    fault = Fault.REMOTE

    def __init__(self, message: str, problem: Problem | None = None) -> None:
        super().__init__(
            message, hint="see whether the CA reaches what proves the name; for DNS: certkeeper dns doctor"
        )
        self.problem = problem


def read_challenge(document: Mapping[str, object]) -> Challenge:
    error, token = document.get("error"), member_text(document, "token")
    return Challenge(
        type=printable(member_text(document, "type"), 100),
        url=member_text(document, "url"),
        status=printable(member_text(document, "status"), 100),
        token=token if _TOKEN.fullmatch(token) else "",
        error=problem_from_document(error) if isinstance(error, dict) else None,
        issuers=usable_issuers(member_texts(document, "issuer-domain-names")),
        account=member_text(document, "accounturi"),
    )


def dns01_owner(domain: DnsName) -> DnsName:
    """Where a dns-01 value is looked for (§8.4); the same for a name and its wildcard."""
    return domain.child(DNS_LABEL)


def key_authorization(token: str, key: AccountKey) -> str:
    """What binds a challenge to the account (§8.1); for http-01 it is the resource's whole content (§8.3)."""
    return f"{token}.{key.thumbprint}"


def dns01_value(token: str, key: AccountKey) -> str:
    """The TXT value (§8.4): base64url of the SHA-256 of the key authorization."""
    return b64url(hashlib.sha256(key_authorization(token, key).encode("ascii")).digest())


def answer(session: Session, challenge: Challenge, name: str) -> Exchange[Challenge]:
    """Tell the CA that the challenge for this name can be validated now (§7.5.1); the challenge as it is then.

    Where an earlier try got through but its reply was lost, the challenge is no longer pending, and all is well.

    Raises:
        Problem: the CA does not take the answer.
        MalformedBody: what came is no challenge, so somebody else answered in the CA's place.
        ChallengeFailed: the CA has looked already, in vain.
    """
    try:
        response = yield from session.post(challenge.url, {}, context=f"{name}: ")
        now = read_challenge(members(response, f"challenge {challenge.url}"))
    except (Problem, MalformedBody) as refused:
        before = yield from _answered_before(session, challenge)
        if before is None:
            raise refused from None
        return before
    if now.status == "invalid":
        # Some CAs look at once, and leave the order pending for ever where they find nothing.
        raise unmet(name, now)
    return replace(challenge, status=now.status, error=now.error)


def unmet(name: str, challenge: Challenge) -> ChallengeFailed:
    """What the CA says of a challenge that it does not find met."""
    silent = f"the CA finds the challenge {challenge.status}, and does not say why"
    return ChallengeFailed(f"{name}: {challenge.error or silent}", challenge.error)


def _answered_before(session: Session, challenge: Challenge) -> Exchange[Challenge | None]:
    """§7.1.6: from `pending` a challenge goes on to one of these only by an answer."""
    try:
        response = yield from session.read(challenge.url)
        now = read_challenge(members(response, f"challenge {challenge.url}"))
    except CertkeeperError:
        return None
    if now.status not in {"processing", "valid", "invalid"}:
        return None
    return replace(challenge, status=now.status, error=now.error)
