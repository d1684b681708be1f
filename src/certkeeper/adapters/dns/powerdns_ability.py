"""What a PowerDNS server can do and does by itself. Asked of it when it matters, and once."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from certkeeper.adapters.dns.powerdns_api import PowerDnsApi, PowerDnsError, objects, text
from certkeeper.adapters.http import AnswerTooLarge
from certkeeper.zone.rrset import Zone

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})")
_WRITERS = 4


def has_single_records(version: str) -> bool:
    """Whether that version has the changetypes EXTEND and PRUNE: 4.9.12 and 5.0.2 brought them."""
    found = _VERSION.match(version)
    if found is None:
        return False
    numbers = tuple(map(int, found.groups()))
    return (4, 9, 12) <= numbers < (5,) or numbers >= (5, 0, 2)


class Rectifying(StrEnum):
    """Who sees to the empty non-terminals and the order of names after a change through the API."""

    SERVER = "server"
    NOBODY = "nobody"
    UNKNOWN = "unknown"


class Ability:
    """One server's. A proxy that keeps an answer from us counts as a server that does not have the ability."""

    def __init__(self, api: PowerDnsApi) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._single_records: bool | None = None
        self._config: dict[str, str] | None = None
        self._rectifying: dict[str, Rectifying] = {}

    def single_records(self) -> bool:
        """Whether single records can be added and taken away."""
        with self._lock:
            if self._single_records is None:
                server = self._ask("")
                self._single_records = has_single_records(text(server, "version") if isinstance(server, dict) else "")
            return self._single_records

    def refuses_single_records(self) -> None:
        """The server said so itself, whatever its version."""
        with self._lock:
            self._single_records = False

    def one_writer(self) -> bool:
        """Whether its database is one that refuses a second writer."""
        with self._lock:
            return "sqlite" in self._setting("launch")

    def rectifying(self, zone: Zone) -> Rectifying:
        """The zone's own setting, which only the list of its metadata shows, else the server's default."""
        with self._lock:
            if zone.id not in self._rectifying:
                self._rectifying[zone.id] = self._find_rectifying(zone)
            return self._rectifying[zone.id]

    def _find_rectifying(self, zone: Zone) -> Rectifying:
        listed = self._ask(f"/zones/{zone.id}/metadata")
        for item in objects(listed):
            values = item.get("metadata")
            if text(item, "kind") == "API-RECTIFY" and isinstance(values, list) and values:
                return Rectifying.SERVER if values[0] == "1" else Rectifying.NOBODY
        default = self._setting("default-api-rectify")
        if not isinstance(listed, list) or not default:
            return Rectifying.UNKNOWN
        # PowerDNS takes every other word for yes.
        return Rectifying.NOBODY if default in ("no", "off") else Rectifying.SERVER

    def _setting(self, name: str) -> str:
        """Of pdns.conf; empty where the server does not tell."""
        if self._config is None:
            self._config = {text(item, "name"): text(item, "value") for item in objects(self._ask("/config"))}
        return self._config.get(name, "")

    def _ask(self, path: str) -> object:
        try:
            return self._api.get(path)
        except (PowerDnsError, AnswerTooLarge):
            return None


class Turns:
    """How many write to a server at once: several, or one.

    SQLite knows one writer at a time, and PowerDNS passes "database is locked" on instead of waiting. Where the server
    does not tell what it works with, the first failure does.
    """

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._writing = 0
        self._most = _WRITERS

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until there is room, and write."""
        with self._free:
            self._free.wait_for(lambda: self._writing < self._most)
            self._writing += 1
        try:
            yield
        finally:
            with self._free:
                self._writing -= 1
                self._free.notify()

    def one_at_a_time(self) -> None:
        """From now on; those that write already end first."""
        with self._free:
            self._most = 1
