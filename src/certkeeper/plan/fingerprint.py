"""A hash of a plan's inputs, the same in every process."""

import hashlib
from datetime import datetime, timedelta
from enum import Enum

from certkeeper.base.errors import Location
from certkeeper.base.times import iso
from certkeeper.base.value import field_names
from certkeeper.config.settings import Secret, Spread
from certkeeper.lineage.request import ReceivedCsr


def fingerprint(*values: object) -> str:
    """Lower-case hex SHA-256 over a canonical form.

    Places in files do not count, nor how many lines there are: moving or adding one changes nothing. Secrets do not
    either: the journal keeps the hash.
    """
    return hashlib.sha256(_canonical(values).encode()).hexdigest()


def _canonical(value: object) -> str:
    if isinstance(value, Location | Secret | Spread):
        return ""
    if isinstance(value, ReceivedCsr):
        # A script may sign its request anew for every run.
        return value.key_id
    if (names := field_names(value)) is not None:
        inner = ",".join(f"{name}={_canonical(getattr(value, name))}" for name in names)
        return f"{type(value).__name__}({inner})"
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return repr(value.total_seconds())
    if isinstance(value, frozenset):
        # Sets are written in sorted order: their own order differs from process to process.
        return "{" + ",".join(sorted(_canonical(item) for item in value)) + "}"
    if isinstance(value, tuple):
        return "(" + ",".join(_canonical(item) for item in value) + ")"
    return repr(value)
