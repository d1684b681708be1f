"""What a run says at its end of when something is due next; whoever starts runs hears it."""

import re
from datetime import datetime

from certkeeper.base.times import iso

_SAID = "; next due "


def due_said(due: datetime | None) -> str:
    """The end of a run's last line; empty where nothing is known."""
    return f"{_SAID}{iso(due)}" if due is not None else ""


def due_heard(line: str) -> datetime | None:
    """What such a line said."""
    found = re.search(rf"{_SAID}(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$", line.rstrip())
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[1])
    except ValueError:
        return None
