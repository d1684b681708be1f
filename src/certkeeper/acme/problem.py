"""What a CA says when it says no: RFC 7807 problem documents with ACME's error types (RFC 8555 §6.7)."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from certkeeper.acme.link import resolved, targets
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.patterns import pattern
from certkeeper.base.times import RETRY_AFTER_MAX, parse_retry_after
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Response

_SUBPROBLEMS_TOLD = 10
_PAUSED = pattern(r"unpause|\bpaused\b|temporarily prevented|self-service", re.IGNORECASE)
"""How a CA says that names stay refused until a person asks for them again; there is no error type for it."""
_URL = pattern(r"https://[^\s\"'<>]+")
_LONGEST_LINK = 1500
_PAUSE = timedelta(days=1)
"""Nothing changes before a person has acted, so a paused name is asked for once a day."""
_SHORTEST_WAIT = timedelta(seconds=1)
_LONGEST_URL = 300
"""Characters of a URL that is shown."""
_REPLACEMENT = pattern(r"replac|\bARI\b|cert(ificate)? ?id|given certificate", re.IGNORECASE)
_PREFIX = "urn:ietf:params:acme:error:"


class ErrorType(StrEnum):
    """The error types that change what we do; the table of RFC 8555 §6.7 has more, which are only shown."""

    BAD_CSR = "badCSR"
    ALREADY_REPLACED = "alreadyReplaced"
    """RFC 9773 §7.4."""
    BAD_NONCE = "badNonce"
    BAD_PUBLIC_KEY = "badPublicKey"
    BAD_SIGNATURE_ALGORITHM = "badSignatureAlgorithm"
    ORDER_NOT_READY = "orderNotReady"
    INVALID_PROFILE = "invalidProfile"
    RATE_LIMITED = "rateLimited"
    SERVER_INTERNAL = "serverInternal"
    MALFORMED = "malformed"
    UNAUTHORIZED = "unauthorized"
    ACCOUNT_DOES_NOT_EXIST = "accountDoesNotExist"
    EXTERNAL_ACCOUNT_REQUIRED = "externalAccountRequired"
    REJECTED_IDENTIFIER = "rejectedIdentifier"
    UNSUPPORTED_IDENTIFIER = "unsupportedIdentifier"
    USER_ACTION_REQUIRED = "userActionRequired"
    ALREADY_REVOKED = "alreadyRevoked"
    BAD_REVOCATION_REASON = "badRevocationReason"


class Remedy(StrEnum):
    """What a problem asks of whom."""

    WAIT = "wait"
    """Until `retry_at`, or for a while that is ours to choose."""
    HUMAN = "human"
    """A person has to do something, at `link` where the CA names it."""
    TRANSIENT = "transient"
    """The CA is out of order: the same may go well in a moment."""
    CHANGE = "change"
    """Asking the same again gets the same answer."""


@dataclass(frozen=True, slots=True)
class Subproblem:
    """RFC 8555 §6.7.1: one identifier's part in a problem; `identifier` is the CA's text, or empty."""

    identifier: str
    type: str
    detail: str

    def __str__(self) -> str:
        said = f"{self.type}: {self.detail}" if self.detail else self.type
        return f"{self.identifier}: {said}" if self.identifier else said


class Problem(CertkeeperError):
    """A problem document as an exception. The text is the CA's own words, made safe to print.

    Attributes:
        type: the ACME error type without its URN prefix, or the whole type where it is not ACME's.
        status: the HTTP status, 0 where the problem came inside another object.
        subproblems: one per identifier that the CA names.
        documented: False where no problem document came, so that it may not have been the CA that said no.
        link: where the CA sends a person to; empty where it does not.
        url: what was asked for; empty where the problem came inside another object.
        location: the URL of another resource that the refusal is about (§7.3.5: the account that has the key).
        answer: the whole response that it came in, to a request with that `method` (lower case); else None.
    """

    label = "ca-refused"
    fault = Fault.REMOTE

    def __init__(
        self,
        type_: str,
        detail: str,
        *,
        status: int = 0,
        subproblems: tuple[Subproblem, ...] = (),
        retry_at: datetime | None = None,
        context: str = "",
        link: str = "",
        url: str = "",
        hint: str = "",
        location: str = "",
        documented: bool = True,
    ) -> None:
        said = f"{type_}: {detail}" if detail else type_
        parts = "".join(f"; {sub}" for sub in subproblems[:_SUBPROBLEMS_TOLD])
        if subproblems[_SUBPROBLEMS_TOLD:]:
            parts += f"; and {len(subproblems) - _SUBPROBLEMS_TOLD} more"
        super().__init__(f"{context}{said}{parts}", retry_at=retry_at, hint=hint or _HINTS.get(type_, ""))
        self.link = link
        self.url = url
        self.type = type_
        self.detail = detail
        self.status = status
        self.subproblems = subproblems
        self.documented = documented
        self.location = location
        self.answer: Response | None = None
        self.method = ""
        if self.remedy is Remedy.HUMAN and link and not hint:
            self.hint = f"open this link: {printable(link)}"

    @property
    def document(self) -> str:
        """It as a problem document (RFC 7807) again, as far as we know it, in one line of JSON."""
        said: dict[str, object] = {"type": self.type if ":" in self.type else f"{_PREFIX}{self.type}"}
        said |= {"detail": self.detail} if self.detail else {}
        said |= {"status": self.status} if self.status else {}
        return json.dumps(said)

    @property
    def remedy(self) -> Remedy:
        """What makes it go away."""
        if self.paused or self.type in {ErrorType.USER_ACTION_REQUIRED, ErrorType.EXTERNAL_ACCOUNT_REQUIRED}:
            return Remedy.HUMAN
        if self.limited or (self.status == 503 and self.retry_at is not None):
            return Remedy.WAIT
        if self.status >= 500 or self.status == 408 or self.type in _IN_PASSING:
            return Remedy.TRANSIENT
        return Remedy.CHANGE

    @property
    def limited(self) -> bool:
        """The CA has had enough of something for now (RFC 8555 §6.6)."""
        return self.status == 429 or self.type == ErrorType.RATE_LIMITED

    @property
    def paused(self) -> bool:
        """The CA takes no orders for these names until a person asks it to, which is no matter of time."""
        return self.limited and (_PAUSED.search(f"{self.detail} {self.link}") is not None)

    @property
    def in_passing(self) -> bool:
        """The CA is busy or out of order: what it said no to may be taken later."""
        return self.status == 429 or self.status >= 500 or self.type in _IN_PASSING

    @property
    def of_replacement(self) -> bool:
        """The CA objects to what an order says that it replaces, not to the order (RFC 9773 §5)."""
        return self.type == ErrorType.ALREADY_REPLACED or _REPLACEMENT.search(self.detail) is not None


def problem_from_response(response: Response, context: str = "", *, url: str = "", method: str = "post") -> Problem:
    """The problem in an error response; a response without a problem document becomes one that names its status.

    `url` is what was asked for. Retry-After counts from a second to a day; a longer one is told as the CA said it.
    """
    asked = response.header("retry-after") or ""
    wait = parse_retry_after(asked, response.at)
    retry_at = response.at + max(wait, _SHORTEST_WAIT) if wait is not None else None
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and isinstance(document.get("type"), str):
        fields = response.header_all("link")
        others = [
            *targets(fields, "help", url),
            *(item for item in _URL.findall(" ".join(fields)) if _PAUSED.search(item)),
        ]
        problem = problem_from_document(
            document,
            status=response.status,
            retry_at=retry_at,
            context=context,
            url=url,
            links=others,
            hint=_what_to_agree_to(document, response) if _type(document) == ErrorType.USER_ACTION_REQUIRED else "",
            location=response.header("location") or "",
        )
    else:
        text = printable(response.body.decode("utf-8", "replace"), 200)
        problem = Problem(
            f"HTTP {response.status}",
            text,
            status=response.status,
            retry_at=retry_at,
            context=context,
            url=url,
            hint=_NOT_THE_CA,
            documented=False,
        )
    if problem.paused:
        problem.retry_at = response.at + _PAUSE
    elif wait == RETRY_AFTER_MAX and problem.remedy is Remedy.WAIT:
        problem.hint = f"the CA says Retry-After: {printable(asked, 80)}; it is asked again after a day"
    problem.answer, problem.method = response, method
    return problem


def _what_to_agree_to(document: Mapping[str, object], response: Response) -> str:
    """§7.3.3: the CA's terms changed. `instance` is a page for people, and a link leads to the terms."""
    instance = document.get("instance")
    page = resolved("", instance) if isinstance(instance, str) else ""
    terms = next(iter(targets(response.header_all("link"), "terms-of-service", "")), "")
    read = f"read the CA's terms: {terms}; " if 0 < len(terms) <= _LONGEST_URL else ""
    if 0 < len(page) <= _LONGEST_URL:
        return f"{read}open {page} in a browser and do what it asks for; then run again"
    return f"{read}agree to them as the CA says; then run again"


def problem_from_document(
    document: Mapping[str, object],
    *,
    status: int = 0,
    retry_at: datetime | None = None,
    context: str = "",
    url: str = "",
    links: Iterable[str] = (),
    hint: str = "",
    location: str = "",
) -> Problem:
    """The problem in an object's `error` member (RFC 8555 §7.1.3, §8). `links` came along with it."""
    subproblems = document.get("subproblems")
    return Problem(
        _type(document),
        _text(document, "detail"),
        status=status,
        subproblems=tuple(
            Subproblem(_identifier(item), _type(item), _text(item, "detail"))
            for item in (subproblems if isinstance(subproblems, list) else ())
            if isinstance(item, dict)
        ),
        retry_at=retry_at,
        context=context,
        link=_link(document, links),
        url=url,
        hint=hint,
        location=location,
    )


_NOT_THE_CA = "these are not an ACME server's words: see what answers at that URL, or run again later"
_IN_PASSING = frozenset({ErrorType.RATE_LIMITED, ErrorType.SERVER_INTERNAL, ErrorType.BAD_NONCE})
_OTHER_KEY = "this CA does not take account keys of that kind: set ACCOUNT_KEY_ALGO to rsa, prime256v1 or secp384r1"
_HINTS: Mapping[str, str] = {
    ErrorType.RATE_LIMITED: "the CA limits requests: wait, or ask for fewer certificates at once",
    ErrorType.ACCOUNT_DOES_NOT_EXIST: "the CA does not know this account key: move the account folder away and "
    "run again with --accept-terms",
    ErrorType.BAD_CSR: "if the CA does not take the kind of key, set KEY_ALGO to prime256v1, secp384r1 or rsa",
    ErrorType.BAD_PUBLIC_KEY: _OTHER_KEY,
    ErrorType.BAD_SIGNATURE_ALGORITHM: _OTHER_KEY,
    ErrorType.INVALID_PROFILE: "this CA does not offer that profile: correct ACME_PROFILE",
    ErrorType.REJECTED_IDENTIFIER: "this CA does not issue for that name: take it off its line in domains.txt",
    ErrorType.UNSUPPORTED_IDENTIFIER: "this CA does not issue for that name: take it off its line in domains.txt",
    ErrorType.EXTERNAL_ACCOUNT_REQUIRED: "this CA binds accounts to a customer: ask it for a key id and an HMAC key, "
    "and set EAB_KID and EAB_HMAC_KEY",
    ErrorType.BAD_REVOCATION_REASON: "give another --reason; keyCompromise is often taken only with "
    "--by-certificate-key",
}


def _link(document: Mapping[str, object], links: Iterable[str]) -> str:
    """Where a person is to go: `instance` (RFC 8555 §6.7), a link in the detail, or one that came as a header.

    Of several, one that speaks of pauses counts: details also link to the documentation.
    """
    instance, detail = document.get("instance"), document.get("detail")
    found = [instance] if isinstance(instance, str) and _URL.fullmatch(instance) else []
    found += [item.rstrip(".,;:)") for item in _URL.findall(detail if isinstance(detail, str) else "")]
    found += [item for item in links if _URL.fullmatch(item)]
    usable = [item for item in found if len(item) <= _LONGEST_LINK and item.isprintable()]
    return next((item for item in usable if _PAUSED.search(item)), usable[0] if usable else "")


def _text(document: Mapping[str, object], key: str) -> str:
    value = document.get(key)
    return printable(value) if isinstance(value, str) else ""


def _type(document: Mapping[str, object]) -> str:
    return (_text(document, "type") or "about:blank").removeprefix(_PREFIX)


def _identifier(document: Mapping[str, object]) -> str:
    identifier = document.get("identifier")
    return _text(identifier, "value") if isinstance(identifier, dict) else ""
