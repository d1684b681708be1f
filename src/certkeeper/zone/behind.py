"""Name servers whose serial is behind the others', and since when: a secondary that no transfer reaches any more.

One look cannot tell a secondary that is late from one that is frozen, so what was seen is remembered between runs.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from certkeeper.base.value import dataclass
from certkeeper.zone.facts import newer


@dataclass(frozen=True, slots=True)
class ServedSoa:
    """What the SOA record of one server says, times in seconds: `refresh` and `retry` are how soon a secondary asks."""

    server: str
    serial: int
    refresh: int
    retry: int


@dataclass(frozen=True, slots=True)
class Behind:
    """A server that has been at this serial since then, while another one was ahead of it."""

    serial: int
    since: datetime


def behind(before: Mapping[str, Behind], seen: Collection[ServedSoa], now: datetime) -> Mapping[str, Behind]:
    """What is to be remembered of a zone's servers after another look, by server.

    One whose serial moved is alive, however far it is behind. Of one that said nothing, what was known stays.
    """
    found = {server: known for server, known in before.items() if server not in {item.server for item in seen}}
    for item in seen:
        if not any(newer(other.serial, item.serial) for other in seen):
            continue
        known = before.get(item.server)
        stays = known is not None and known.serial == item.serial and known.since <= now
        found[item.server] = known if known is not None and stays else Behind(item.serial, now)
    return found


def frozen(remembered: Mapping[str, Behind], seen: Collection[ServedSoa], now: datetime) -> frozenset[str]:
    """The servers that have been behind for longer than their SOA lets a secondary be."""
    allowed = {item.server: timedelta(seconds=item.refresh + item.retry) for item in seen}
    return frozenset(
        server for server, known in remembered.items() if server in allowed and now - known.since > allowed[server]
    )
