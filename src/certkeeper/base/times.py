"""Aware UTC instants. There is no clock here: the time is always an argument."""

from datetime import UTC, datetime, timedelta

RETRY_AFTER_MIN = timedelta(seconds=0)
RETRY_AFTER_MAX = timedelta(days=1)


def from_epoch(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def iso(instant: datetime) -> str:
    """RFC 3339 in UTC, whole seconds: 2026-11-23T20:15:00Z"""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    """How long to wait, from either form of Retry-After (RFC 9110 §10.2.3): seconds or an HTTP date.

    Bounded to one day; a date in the past means now; None where it is neither form.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        # Nine digits are beyond the bound already; longer numbers could overflow a timedelta.
        wait = RETRY_AFTER_MAX if len(text) > 9 else timedelta(seconds=int(text))
    else:
        from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 10 ms for the rarer of the two forms

        try:
            when = parsedate_to_datetime(text)
        except (TypeError, ValueError, OverflowError):
            return None
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
        wait = when - now
    return min(max(wait, RETRY_AFTER_MIN), RETRY_AFTER_MAX)


def duration_text(span: timedelta) -> str:
    """A span as a person would say it: `0.8 s`, `42 s`, `5 min`, `3 h`, `61 days`."""
    seconds = span.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, size, limit in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172800)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"
