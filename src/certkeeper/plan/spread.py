"""Renewals of a large list are not all due on one day, although all were issued on one."""

import hashlib
from datetime import timedelta

from certkeeper.base.names import Alias
from certkeeper.config.settings import Spread
from certkeeper.lineage.model import Leaf

PART = 10
"""That part of a certificate's life is the most that it is renewed earlier."""


def earlier(alias: Alias, leaf: Leaf, spread: Spread) -> timedelta:
    """How much earlier than RENEW_DAYS says, always the same for one alias.

    Since it is the same each time, and another one for each certificate, those that were issued together drift apart
    for good: after each renewal by as much again.
    """
    most = min(spread.most, (leaf.not_after - leaf.not_before) / PART)
    return timedelta(seconds=int(most.total_seconds() * _fraction(alias))) if most > timedelta(0) else timedelta(0)


def _fraction(alias: Alias) -> float:
    """From 0 to less than 1, evenly over aliases."""
    digest = hashlib.sha256(alias.text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6], "big") / (1 << 48)
