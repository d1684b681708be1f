"""Downloading the certificate chain (RFC 8555 §7.4.2)."""

from datetime import datetime

from certkeeper.acme.body import MalformedBody
from certkeeper.acme.order import Order
from certkeeper.acme.session import Session
from certkeeper.base.wire import Exchange

_PEM_MARK = b"-----BEGIN CERTIFICATE-----"


def download(session: Session, order: Order) -> Exchange[tuple[bytes, datetime]]:
    """The default chain, leaf first, byte for byte as the CA sent it, and when it came."""
    response = yield from session.read(order.certificate, context="certificate: ")
    if _PEM_MARK not in response.body:
        raise MalformedBody(f"certificate {order.certificate}: the answer holds no PEM certificate")
    return response.body, response.at
