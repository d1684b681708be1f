"""How much a run says, and in which way."""

import os
import sys
from enum import StrEnum

_NO_CURSOR = frozenset({"", "dumb", "unknown"})
"""Values of TERM of terminals on which nothing can be drawn anew."""
PLAIN = "CERTKEEPER_PLAIN"
"""Set to anything, it asks for plain lines on terminals, too: for screen readers."""


def painted(text: str, colour: str) -> str:
    """In that colour (a number of SGR) where a person sees it and wants it so."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in _NO_CURSOR and sys.stdout.isatty()
    return f"\x1b[{colour}m{text}\x1b[0m" if wanted else text


class Saying(StrEnum):
    ALL = "all"
    """A line for each thing that happens, and on a terminal what is under way below them."""
    PLAIN = "plain"
    """The same, but that nothing on the screen is ever drawn anew."""
    CHANGES = "changes"
    """What is different now, and what is wrong."""
    PROBLEMS = "problems"

    @property
    def everything(self) -> bool:
        return self in {Saying.ALL, Saying.PLAIN}

    @property
    def changes(self) -> bool:
        return self is not Saying.PROBLEMS

    @property
    def live(self) -> bool:
        """Whether a person watches who can see lines change."""
        drawn = os.environ.get("TERM", "") not in _NO_CURSOR and not os.environ.get(PLAIN)
        return self is Saying.ALL and drawn and sys.stdout.isatty()
