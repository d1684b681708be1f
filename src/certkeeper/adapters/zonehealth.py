"""STATEDIR/zones.json: how zones were at the last look. A cache, which may be deleted at any time."""

import json
import os
from collections.abc import Mapping
from typing import Any

from certkeeper.adapters.caches import USELESS, read_cache, write_cache
from certkeeper.base.times import from_epoch
from certkeeper.config.findings import Finding, Severity
from certkeeper.plan.zonehealth import Health, ServerHealth, ZoneHealth

NAME = "zones.json"
SCHEMA = 1
_LARGEST = 64 << 20


class ZoneHealthFile:
    """The last look."""

    def __init__(self, statedir: str) -> None:
        self._statedir = statedir

    def read(self) -> Health | None:
        """None where nobody looked, or the file is of no use."""
        return read_cache(self._statedir, NAME, _LARGEST, parse)

    def write(self, health: Health) -> None:
        """Put this in the place of what is there; nothing where there is no STATEDIR yet: a look makes none.

        Raises:
            CertkeeperError: the folder is not ours alone, or cannot be written to.
        """
        if os.path.isdir(self._statedir):  # noqa: PTH112 - text
            write_cache(self._statedir, NAME, render(health))


def render(health: Health) -> bytes:
    """The file's content."""
    zones = [
        {
            "name": zone.name,
            "looked": int(zone.looked.timestamp()),
            "summary": zone.summary,
            "servers": [[item.server, item.said, item.trouble] for item in zone.servers],
            "findings": [_finding(item) for item in zone.findings],
        }
        for zone in health.zones.values()
    ]
    general = [_finding(item) for item in health.general]
    return json.dumps({"version": SCHEMA, "zones": zones, "general": general}).encode() + b"\n"


def parse(content: bytes) -> Health | None:
    """What such a file says; None where a part of it is not as it should be."""
    try:
        document = json.loads(content)
        if document["version"] != SCHEMA:
            return None
        zones = [_zone(item) for item in document["zones"]]
        return Health({zone.name: zone for zone in zones}, tuple(map(_found, document["general"])))
    except USELESS:
        return None


def _finding(finding: Finding) -> Mapping[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "consequence": finding.consequence,
        "fix": finding.fix,
    }


def _zone(item: Mapping[str, Any]) -> ZoneHealth:
    return ZoneHealth(
        str(item["name"]),
        from_epoch(int(item["looked"])),
        str(item["summary"]),
        tuple(ServerHealth(str(server), str(said), bool(trouble)) for server, said, trouble in item["servers"]),
        tuple(map(_found, item["findings"])),
    )


def _found(item: Mapping[str, Any]) -> Finding:
    return Finding(
        str(item["code"]), Severity(item["severity"]), str(item["message"]), str(item["consequence"]), str(item["fix"])
    )
