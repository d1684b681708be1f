"""Orders and authorizations (RFC 8555 §7.1.3, §7.1.4, §7.4)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address

from certkeeper.acme.body import MalformedBody, member_objects, member_text, member_texts, members
from certkeeper.acme.challenge import Challenge, read_challenge
from certkeeper.acme.jws import b64url
from certkeeper.acme.problem import ErrorType, Problem, problem_from_document
from certkeeper.acme.session import Session
from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.names import Identifier, IdentifierType
from certkeeper.base.times import duration_text, parse_retry_after
from certkeeper.base.value import dataclass, replace
from certkeeper.base.wire import Exchange, Response, pause, together

FIRST_POLL = 0.02
SLOWEST_POLL = 10.0
_REASONS_TOLD = 10
_MOST_AUTHORIZATIONS = 5000
_CHALLENGE_FAILED = "invalid"
_OTHERS_LOOKED_AT = (0.5, 1.0, 2.0, 4.0)
"""Seconds between looks at names that the CA had not decided on when another one made the order invalid."""
_LOST_ORDERS = 2
"""Answers to newOrder that may be lost in a row: each may have been to an order that the CA opened and counts."""


class OrderStatus(StrEnum):
    """§7.1.6. Only these five; anything else is malformed."""

    PENDING = "pending"
    READY = "ready"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"


class AuthorizationStatus(StrEnum):
    """§7.1.6."""

    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"
    DEACTIVATED = "deactivated"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Order:
    """§7.1.3. `at` is when this state was told, `retry_after` how long the CA asks to wait before the next question."""

    url: str
    status: OrderStatus
    authorizations: tuple[str, ...]
    finalize: str
    at: datetime
    certificate: str = ""
    error: Problem | None = None
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """§7.1.4. `identifier` is as in the order: with `*.` where the authorization is for a wildcard."""

    url: str
    identifier: Identifier
    status: AuthorizationStatus
    challenges: tuple[Challenge, ...]

    def challenge(self, type_: str) -> Challenge:
        """The challenge of that type.

        Raises:
            OrderFailed: the CA does not offer it for this identifier, or without what an answer needs.
        """
        for challenge in self.challenges:
            if challenge.type == type_ and challenge.usable:
                return challenge
        offered = ", ".join(sorted(challenge.type for challenge in self.challenges)) or "nothing"
        raise OrderFailed(
            f"{self.identifier}: the CA does not offer {type_}, but {offered}",
            hint=f"take {type_} out of CHALLENGETYPE, or put one that the CA offers in its place",
        )


class OrderFailed(CertkeeperError):
    """An order that will never be valid, with the CA's words per identifier.

    Attributes:
        said: why the CA could not validate names, by these names, as far as it says so.
        problems: the same as the CA's own problems, where there are any.
    """

    label = "ca-refused"
    fault = Fault.REMOTE

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        said: Mapping[Identifier, str] | None = None,
        problems: Mapping[Identifier, Problem] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.said = said or {}
        self.problems = problems or {}

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """The names that the CA could not validate."""
        return tuple(self.said)


class OrderTimeout(CertkeeperError):
    """The CA did not come to an end within the bound."""

    label = "ca-slow"
    fault = Fault.REMOTE


def new_order(
    session: Session, identifiers: Sequence[Identifier], *, profile: str = "", replaces: str = ""
) -> Exchange[Order]:
    """Ask for a certificate (§7.4). notBefore and notAfter are never sent: common CAs refuse them.

    `replaces` is the cert id of the certificate that it comes after (RFC 9773 §5).
    """
    directory = yield from session.directory()
    payload: dict[str, object] = {
        "identifiers": [{"type": identifier.type.value, "value": identifier.value} for identifier in identifiers]
    }
    if profile:
        payload["profile"] = profile
    if replaces:
        payload["replaces"] = replaces
    response = yield from session.post(directory.new_order, payload, context="order: ", lost_at_most=_LOST_ORDERS)
    url = response.header("location")
    if not url:
        raise MalformedBody(f"{directory.new_order}: an order without a Location")
    try:
        return _read_order(response, url)
    except MalformedBody:
        # The order is there and counts; an answer that something on the way has spoilt must not cost a second one.
        return (yield from fetch_order(session, url))


def fetch_order(session: Session, url: str) -> Exchange[Order]:
    response = yield from session.read(url, context="order: ")
    return _read_order(response, url)


def fetch_authorizations(session: Session, urls: Sequence[str]) -> Exchange[tuple[Authorization, ...]]:
    """Read authorizations side by side."""
    return together([_fetch_authorization(session, url) for url in urls])


def deactivate_authorization(session: Session, authorization: Authorization) -> Exchange[None]:
    """Give a proof back (§7.5.2): the CA will want the name proven again."""
    context = f"{authorization.identifier}: giving its proof back: "
    yield from session.post(authorization.url, {"status": "deactivated"}, context=context)


def finalize(session: Session, order: Order, csr_der: bytes) -> Exchange[Order]:
    """Send the CSR (§7.4). Where an earlier try got through but its answer was lost, the order tells how it stands.

    Raises:
        Problem: the CA refuses the CSR.
    """
    try:
        response = yield from session.post(order.finalize, {"csr": b64url(csr_der)}, context="finalize: ")
    except Problem as problem:
        if problem.type != ErrorType.ORDER_NOT_READY:
            raise
        current = yield from fetch_order(session, order.url)
        if current.status in {OrderStatus.PENDING, OrderStatus.READY}:
            raise
        return current
    # The Location of this answer is optional, so the URL that we know stays.
    return _read_order(response, order.url)


def wait_while(session: Session, order: Order, statuses: frozenset[OrderStatus], bound: timedelta) -> Exchange[Order]:
    """Poll the order while it is in one of these statuses: one request whatever the number of names.

    The CA's Retry-After decides the pace; without it each wait is half as long again as the one before, from 0.02 s
    to 10 s.

    Raises:
        OrderTimeout: still there after the bound.
    """
    delay, current, waited = FIRST_POLL, order, 0.0
    # What a pending order said of pacing was said before its challenges were answered.
    asked = order.retry_after if order.status is OrderStatus.PROCESSING else None
    while current.status in statuses:
        if waited >= bound.total_seconds():
            raise OrderTimeout(
                f"order {order.url}: still {current.status} after {duration_text(bound)}",
                hint="the CA is slow or stuck: run again later; the next run goes on with this order",
            )
        # A wait of nothing (a date of a CA whose clock is behind ours) is no pace at all.
        wanted = asked.total_seconds() if asked else delay
        seconds = min(wanted, bound.total_seconds() - waited)
        yield from pause(seconds)
        waited, delay = waited + seconds, min(delay * 1.5, SLOWEST_POLL)
        current = yield from fetch_order(session, order.url)
        asked = current.retry_after
    return current


def explain_invalid(session: Session, order: Order) -> Exchange[OrderFailed]:
    """Why an order is invalid: the reasons are in its authorizations, and order.error may be empty (§7.1.6)."""
    found = yield from _decided(session, order.authorizations)
    reasons = list(dict.fromkeys(reason for item in found for reason in _reasons(item)))
    if order.error is not None and not reasons:
        reasons.append(str(order.error))
    told = reasons[:_REASONS_TOLD] + ([f"and {len(reasons) - _REASONS_TOLD} more"] if reasons[_REASONS_TOLD:] else [])
    return OrderFailed(
        "; ".join(told) or f"order {order.url}: invalid, and the CA does not say why",
        hint="mend what the CA names, or take the name off its line in domains.txt",
        said={item.identifier: "; ".join(_reasons(item)) for item in found if _is_refused(item)},
        problems={item.identifier: one.error for item in found for one in item.challenges if one.error is not None},
    )


def _decided(session: Session, urls: Sequence[str]) -> Exchange[list[Authorization]]:
    """Those that can be read, once the CA has decided on all of them, or has had its time.

    One name makes an order invalid at once. Those that the CA is still looking at would cost a failed order each.
    """
    readable = yield from together([_if_readable(session, url) for url in urls])
    found = {item.url: item for item in readable if item is not None}
    for seconds in _OTHERS_LOOKED_AT:
        open_ = [item.url for item in found.values() if _is_open(item)]
        # Where all are open it is not for a name that the order failed.
        if not open_ or not any(_is_refused(item) for item in found.values()):
            break
        yield from pause(seconds)
        readable = yield from together([_if_readable(session, url) for url in open_])
        found.update({item.url: item for item in readable if item is not None})
    return list(found.values())


def _is_refused(authorization: Authorization) -> bool:
    """Whether the CA could not validate it. Some leave the authorization pending then."""
    failed = any(challenge.status == _CHALLENGE_FAILED for challenge in authorization.challenges)
    pending = authorization.status is AuthorizationStatus.PENDING
    return authorization.status is AuthorizationStatus.INVALID or (pending and failed)


def _is_open(authorization: Authorization) -> bool:
    return authorization.status is AuthorizationStatus.PENDING and not _is_refused(authorization)


def _if_readable(session: Session, url: str) -> Exchange[Authorization | None]:
    try:
        return (yield from _fetch_authorization(session, url))
    except CertkeeperError:
        return None


def _reasons(authorization: Authorization) -> list[str]:
    """What the CA holds against this identifier; nothing where it is proven or was not decided."""
    if authorization.status is AuthorizationStatus.VALID or _is_open(authorization):
        return []
    errors = [challenge.error for challenge in authorization.challenges if challenge.error is not None]
    said = [str(error) for error in errors] or [f"authorization is {authorization.status}"]
    return [f"{authorization.identifier}: {text}" for text in said]


def _fetch_authorization(session: Session, url: str) -> Exchange[Authorization]:
    response = yield from session.read(url, context="authorization: ")
    document = members(response, f"authorization {url}")
    identifier = document.get("identifier")
    if not isinstance(identifier, dict) or not member_text(identifier, "value"):
        raise MalformedBody(f"authorization {url}: no identifier in it")
    type_, value = member_text(identifier, "type"), _canonical(member_text(identifier, "value").lower())
    try:
        kind = IdentifierType(type_)
    except ValueError as error:
        raise MalformedBody(f"authorization {url}: an identifier of the type {printable(type_, 40)!r}") from error
    try:
        status = AuthorizationStatus(member_text(document, "status"))
    except ValueError as error:
        raise MalformedBody(f"authorization {url}: {_unknown(document)}") from error
    wildcard = document.get("wildcard") is True and not value.startswith("*.")
    challenges = tuple(read_challenge(item) for item in member_objects(document, "challenges"))
    return Authorization(url, Identifier(kind, f"*.{value}" if wildcard else value), status, challenges)


def _unknown(document: Mapping[str, object]) -> str:
    return f"its status {printable(str(document.get('status')), 40)!r} is none that RFC 8555 knows"


def _canonical(value: str) -> str:
    """An address in the form of RFC 5952, as it was ordered (RFC 8738 §3), however the CA writes it."""
    try:
        return str(ip_address(value))
    except ValueError:
        return value


def _read_order(response: Response, url: str) -> Order:
    document: Mapping[str, object] = members(response, f"order {url}")
    try:
        status = OrderStatus(member_text(document, "status"))
    except ValueError as error:
        raise MalformedBody(f"order {url}: {_unknown(document)}") from error
    error_member = document.get("error")
    authorizations = tuple(dict.fromkeys(member_texts(document, "authorizations")))
    if len(authorizations) > _MOST_AUTHORIZATIONS:
        raise MalformedBody(f"order {url}: it has {len(authorizations)} authorizations, no CA needs that many")
    order = Order(
        url=url,
        status=status,
        authorizations=authorizations,
        finalize=member_text(document, "finalize"),
        at=response.at,
        certificate=member_text(document, "certificate"),
        error=problem_from_document(error_member) if isinstance(error_member, dict) else None,
        retry_after=parse_retry_after(response.header("retry-after") or "", response.at),
    )
    if status is OrderStatus.VALID and not order.certificate:
        raise MalformedBody(f"order {url}: valid, but without a certificate URL")
    return replace(order, finalize=order.finalize or url)
