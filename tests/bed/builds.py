"""Which PowerDNS runs: Debian's own one, or that of Debian 13 in a folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bed import binaries


@dataclass(frozen=True, slots=True)
class Build:
    """A pdns_server, how it is started, and the SQLite schema that belongs to it."""

    command: tuple[str, ...]
    schema: Path
    settings: Mapping[str, object] = field(default_factory=dict)


def debian() -> Build:
    """The one that this machine has installed."""
    program = binaries.require("pdns_server")
    schema = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
    if not schema.exists():
        binaries.missing(f"{schema} is not here", binaries.HINTS["pdns_server"])
    return Build((program,), schema)


def trixie() -> Build:
    """The one of Debian 13 (4.9.18 or later), which scripts/lib/trixie.sh unpacks: it knows EXTEND and PRUNE."""
    usr = binaries.cache_folder() / "trixie/usr"
    loader = next(iter(sorted(usr.glob("lib/*/ld-linux*.so.*"))), None)
    if loader is None:
        binaries.missing(f"{usr} is not here", "scripts/test unpacks it with the Debian package mmdebstrap")
        raise AssertionError("unreachable")
    return Build(
        (str(loader), "--library-path", str(loader.parent), str(usr / "sbin/pdns_server")),
        usr / "share/pdns-backend-sqlite3/schema/schema.sqlite3.sql",
        {"module-dir": loader.parent / "pdns"},
    )
