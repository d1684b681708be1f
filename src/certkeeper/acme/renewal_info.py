"""When a CA wants a certificate renewed (RFC 9773)."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from certkeeper.acme.body import MalformedBody, member_text, members
from certkeeper.base.errors import printable
from certkeeper.base.times import parse_retry_after
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Response

WITHOUT_RETRY_AFTER = timedelta(hours=6)
SOONEST = timedelta(minutes=1)
LATEST = timedelta(days=1)
_LONGEST_URL = 300


@dataclass(frozen=True, slots=True)
class Window:
    """The suggestedWindow (§4.2): aware UTC, whole seconds; `end` is later than `start`."""

    start: datetime
    end: datetime

    def choose(self, whose: str) -> datetime:
        """An instant in it, spread evenly over different texts and always the same for one text.

        A choice that fell anew on every run would be biased towards early ones.
        """
        seed = f"{self.start.timestamp():.0f} {self.end.timestamp():.0f} {whose}"
        number = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()[:8], "big")
        return self.start + timedelta(seconds=number % int((self.end - self.start).total_seconds()))


@dataclass(frozen=True, slots=True)
class RenewalInfo:
    """§4.2. `explanation` is the URL of a page for people, empty where there is none."""

    window: Window
    explanation: str = ""


def cert_id(authority_key_id: bytes, serial: int) -> str:
    """How a certificate is named (§4.1); empty where it has no name: no keyIdentifier, or no positive serial.

    The serial is named by the content of its DER, where a leading 00 keeps a high first bit from being a sign.
    """
    if not authority_key_id or serial <= 0:
        return ""
    return f"{_b64url(authority_key_id)}.{_b64url(serial.to_bytes(serial.bit_length() // 8 + 1, 'big'))}"


def renewal_info_url(base: str, id_: str) -> str:
    """Where a CA whose directory has that renewalInfo is asked (§4.1)."""
    return f"{base.rstrip('/')}/{id_}"


def read_renewal_info(response: Response) -> RenewalInfo:
    """Read a RenewalInfo object.

    Raises:
        MalformedBody: it is none, or its window ends before it begins.
    """
    document = members(response, "renewal info")
    window = document.get("suggestedWindow")
    if not isinstance(window, dict):
        raise MalformedBody("renewal info: no suggestedWindow in it")
    start, end = _instant(window, "start"), _instant(window, "end")
    if end <= start:
        raise MalformedBody(f"renewal info: the window ends at {end}, before it begins")
    url = member_text(document, "explanationURL")
    known = url.startswith(("https://", "http://")) and len(url) <= _LONGEST_URL
    return RenewalInfo(Window(start, end), printable(url) if known else "")


def ask_again_after(response: Response) -> timedelta:
    """How long to wait before the next question (§4.3): Retry-After from a minute to a day, six hours without it."""
    wait = parse_retry_after(response.header("retry-after") or "", response.at)
    return WITHOUT_RETRY_AFTER if wait is None else min(max(wait, SOONEST), LATEST)


def _b64url(data: bytes) -> str:
    # As in acme.jws, which loads cryptography; every plan needs this one.
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _instant(window: dict[str, object], name: str) -> datetime:
    text = member_text(window, name)
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        pass
    raise MalformedBody(f"renewal info: {printable(text, 40)!r} is no instant")
