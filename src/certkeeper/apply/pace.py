"""When a server is looked at next, and whether at everything or at its serial only. No clock: times are arguments.

A change on the primary is there at once, a secondary has it as soon as it has heard of it, and one that missed the
NOTIFY much later. So looks come at times that grow by the same factor: whatever time a server needs, it is seen to
have it after at most GROWTH more of that, and never later than SLOWEST.
"""

FIRST = 0.03
"""Seconds from the first look to the second one."""
GROWTH = 0.3
SLOWEST = 2.0
_DOUBLINGS = 30
"""More than it takes to be the slowest, and less than a number can hold."""
_FIRST_RETRY = 0.1
FEW = 3
"""So many owners are asked for outright; of more, the serial, until the server has something new."""
SOME = 20
"""Of more than so many, FEW are asked for first where it is not clear that the server has them."""
SERIAL_LOOKS = 3
"""So many looks in a row at the serial only: a server may serve the values and say another serial than it has."""
_FIRST_RESOLVER = 0.5
_SLOWEST_RESOLVER = 5.0


def next_look(elapsed: float, usual: float | None) -> float:
    """Seconds until a server is looked at again that has answered and lacks something.

    `usual` is how long it took last time: a look is then due just after that, whatever the growth says.
    """
    delay = min(max(FIRST, elapsed * GROWTH), SLOWEST)
    if usual is not None and elapsed < usual < elapsed + delay:
        return min(max(usual * 1.02 - elapsed, FIRST), delay)
    return delay


def next_try(tries: int) -> float:
    """Seconds until a silent server is asked again, after that many tries."""
    return min(_FIRST_RETRY * 2.0 ** min(max(tries, 1) - 1, _DOUBLINGS), SLOWEST)


def next_resolver_look(looks: int) -> float:
    """Seconds until a resolver is asked again: what it answers with it may remember, so haste does not help."""
    return min(_FIRST_RESOLVER * 2.0 ** (max(looks, 1) - 1), _SLOWEST_RESOLVER)


def names_are_asked_for(lacking: int, serial: int | None, serial_looks: int) -> bool:
    """Whether to ask for names that are lacking, rather than for the serial. `serial` is None where the server has
    been asked and showed none.
    """
    return lacking <= FEW or serial is None or serial_looks >= SERIAL_LOOKS


def first_names(lacking: int) -> int:
    """How many of them to ask for."""
    return lacking if lacking <= SOME else FEW
