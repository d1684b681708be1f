"""What a change of a zone took: by the servers' logs, with times by stamp.py, and by what certkeeper tells."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.model import ZoneTimes

TOLD = re.compile(r"^zone (\S+): served by .* after (\d+\.\d+) s", re.MULTILINE)
CALLED = re.compile(r'^(\d+\.\d+) .*\[webserver\] .* "(PATCH|PUT) /\S*/zones/([^/ ]+?)\.?(/notify)? HTTP', re.MULTILINE)
COMMITTED = re.compile(r"^(\d+\.\d+) .*XFR-in zone:? '([^']+)'.*zone committed", re.MULTILINE)
Times = Mapping[str, Sequence[float]]


class MissingError(Exception):
    """The logs do not show what has to be in them."""


def _by_zone(found: Iterator[tuple[str, float]]) -> Times:
    times: defaultdict[str, list[float]] = defaultdict(list)
    for zone, at in found:
        times[zone].append(at)
    return times


def proofs(output: str) -> Times:
    """Seconds from the change until certkeeper had seen that all servers serve it."""
    return _by_zone((found[1], float(found[2])) for found in TOLD.finditer(output))


def calls(log: str, method: str) -> Times:
    """When PowerDNS had answered changes (PATCH) or requests to NOTIFY (PUT)."""
    return _by_zone((found[3], float(found[1])) for found in CALLED.finditer(log) if found[2] == method)


def commits(log: str) -> Times:
    """When a secondary began to serve what it had fetched."""
    return _by_zone((found[2], float(found[1])) for found in COMMITTED.finditer(log))


def zone_times(primary: str, secondaries: Sequence[str], output: str) -> tuple[ZoneTimes, ...]:
    """Of every zone that was changed; what the secondaries needed is about its first change."""
    changed, notified, told = calls(primary, "PATCH"), calls(primary, "PUT"), proofs(output)
    served = [commits(log) for log in secondaries]
    return tuple(
        ZoneTimes(
            zone,
            patches=len(times),
            notifies=len(notified.get(zone, ())),
            needed=max(_first_after(zone, times[0], each) for each in served),
            proof=_first_after(zone, 0, told),
        )
        for zone, times in sorted(changed.items())
    )


def _first_after(zone: str, start: float, times: Times) -> float:
    """Seconds from the start to the first time after it."""
    try:
        return min(at - start for at in times.get(zone, ()) if at >= start)
    except ValueError:
        raise MissingError(f"zone {zone}: nothing says when it was served") from None
