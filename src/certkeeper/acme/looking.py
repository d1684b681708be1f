"""A single challenge that was answered, until the CA has looked (RFC 8555 §7.5.1)."""

from datetime import timedelta

from certkeeper.acme.body import members
from certkeeper.acme.challenge import Challenge, read_challenge, unmet
from certkeeper.acme.order import FIRST_POLL, SLOWEST_POLL, OrderTimeout
from certkeeper.acme.session import Session
from certkeeper.base.times import duration_text, parse_retry_after
from certkeeper.base.wire import Exchange, pause


def await_verdict(session: Session, challenge: Challenge, name: str, bound: timedelta) -> Exchange[None]:
    """Ask how an answered challenge stands, at the CA's pace, until the CA has found what it wants to see.

    Raises:
        ChallengeFailed: it has not.
        OrderTimeout: it did not say within the bound.
    """
    delay, waited, current = FIRST_POLL, 0.0, challenge
    asked: timedelta | None = None
    while current.status in {"pending", "processing"}:
        left = bound.total_seconds() - waited
        if left <= 0:
            raise OrderTimeout(
                f"{name}: its challenge is still {current.status} after {duration_text(bound)}",
                hint="the CA is slow or stuck: run again later; the next run goes on with this order",
            )
        seconds = min(asked.total_seconds() if asked else delay, left)
        yield from pause(seconds)
        waited, delay = waited + seconds, min(delay * 1.5, SLOWEST_POLL)
        response = yield from session.read(challenge.url, context=f"{name}: ")
        current = read_challenge(members(response, f"challenge {challenge.url}"))
        asked = parse_retry_after(response.header("retry-after") or "", response.at)
    if current.status != "valid":
        raise unmet(name, current)
