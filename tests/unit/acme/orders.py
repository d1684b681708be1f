"""Orders and authorizations as a CA sends them."""

from collections.abc import Mapping
from datetime import timedelta

from builders.ca import ORIGIN, Reply
from builders.certificates import NOW
from certkeeper.acme.order import (
    Order,
    OrderStatus,
)
from certkeeper.base.names import Identifier

URL = f"{ORIGIN}/order/1"


FIVE_MINUTES = timedelta(minutes=5)


WAITING = frozenset({OrderStatus.PENDING, OrderStatus.PROCESSING})


NAMES = [Identifier.parse(name) for name in ("example.org", "*.example.org")]


def order_body(status: str = "pending", **members: object) -> dict[str, object]:
    return {
        "status": status,
        "authorizations": [f"{ORIGIN}/authz/1", f"{ORIGIN}/authz/2"],
        "finalize": f"{ORIGIN}/finalize/1",
        **({"certificate": f"{ORIGIN}/certificate/1"} if status == "valid" else {}),
        **members,
    }


def order_reply(status: str = "pending", *, retry_after: str = "", **members: object) -> Reply:
    return Reply(200, order_body(status, **members), {"retry-after": retry_after} if retry_after else {})


def order(status: OrderStatus = OrderStatus.PENDING, *, retry_after: timedelta | None = None) -> Order:
    urls = (f"{ORIGIN}/authz/1", f"{ORIGIN}/authz/2")
    return Order(URL, status, urls, f"{ORIGIN}/finalize/1", NOW, retry_after=retry_after)


def authorization(
    name: str, status: str = "pending", *challenges: Mapping[str, object], wildcard: bool = False, type_: str = "dns"
) -> Reply:
    document: dict[str, object] = {
        "identifier": {"type": type_, "value": name},
        "status": status,
        "challenges": list(challenges) or [challenge("dns-01")],
    }
    return Reply(200, {**document, "wildcard": True} if wildcard else document)


def challenge(type_: str, **members: object) -> dict[str, object]:
    document = {"type": type_, "url": f"{ORIGIN}/challenge/{type_}", "status": "pending", "token": "T", **members}
    return {name: value for name, value in document.items() if value is not None}
