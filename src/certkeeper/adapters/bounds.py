"""How long a server's HTTP may take. Apart from what speaks it, which is slow to load."""

from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds: until there is a connection, without anything new, and for a whole answer."""

    connect: float = 10.0
    read: float = 30.0
    whole: float = 50.0


WORKING = Bounds()
LOOKING = Bounds(connect=4.0, read=7.0, whole=12.0)
"""For commands that only look, where somebody waits at a terminal."""
