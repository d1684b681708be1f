"""PowerDNS on SQLite, as primary or secondary, on ports of its own."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

from bed import builds, lookups, ports
from bed.api import Api, Json
from bed.builds import Build
from bed.lag import NotifyForwarder
from bed.process import Process
from bed.recorder import Recorder
from bed.waiting import wait_until

Role = Literal["primary", "secondary"]


def absolute(name: str) -> str:
    return name if name.endswith(".") else name + "."


def _sqlite(build: Build, folder: Path) -> dict[str, object]:
    """A new database, and the settings that name it."""
    file = folder / "pdns.sqlite3"
    database = sqlite3.connect(file)
    database.executescript("PRAGMA journal_mode=WAL;" + build.schema.read_text(encoding="utf-8"))
    database.close()
    return {
        "launch": "gsqlite3",
        "gsqlite3-database": file,
        "gsqlite3-dnssec": "yes",
        "gsqlite3-pragma-synchronous": 0,
    }


def _config(role: Role, dns: lookups.Server, api: lookups.Server, api_key: str) -> dict[str, object]:
    return {
        "local-address": dns[0],
        "local-port": dns[1],
        "query-local-address": dns[0],  # otherwise a NOTIFY may leave from another address and is refused
        "api": "yes",
        "api-key": api_key,
        "webserver": "yes",
        "webserver-address": api[0],
        "webserver-port": api[1],
        "webserver-allow-from": "127.0.0.0/8,::1",
        "primary" if role == "primary" else "secondary": "yes",
        "allow-axfr-ips": "127.0.0.0/8,::1",
        "allow-notify-from": "127.0.0.0/8,::1",
        "default-soa-content": "ns1.@ hostmaster.@ 0 10800 3600 604800 3600",
        "only-notify": "",  # nobody by NS name: those would be asked at port 53; ALSO-NOTIFY of the zone says whom
        "cache-ttl": 0,
        "query-cache-ttl": 0,
        "negquery-cache-ttl": 0,
        "zone-cache-refresh-interval": 0,
        "zone-metadata-cache-ttl": 0,
        "dnssec-key-cache-ttl": 0,
        "xfr-cycle-interval": 3600,  # a secondary that got no NOTIFY stays behind for good
        "max-tcp-connections": 200,  # Pebble opens one for each name that it validates, and gives up soon
        "receiver-threads": 1,
        "distributor-threads": 1,
        "write-pid": "no",
        "daemon": "no",
        "guardian": "no",
        "disable-syslog": "yes",
        "loglevel": 5,
        "security-poll-suffix": "",
    }


class PowerDns:
    """A server that is ready. `api_url` counts what goes through it (`recorder`); the bed's own requests do not."""

    def __init__(
        self,
        folder: Path,
        *,
        role: Role = "primary",
        address: str = "127.0.0.1",
        port: int | None = None,
        api_key: str = "secret",
        primary: "PowerDns | None" = None,
        lag: float | None = 0.0,
        prefix: Sequence[str] = (),
        build: Build | None = None,
        backend: Mapping[str, object] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """`lag`: seconds that a NOTIFY comes late to this secondary; None: it never comes.

        `build`: which PowerDNS, Debian's own if None. `backend`: the settings of a database that is not SQLite.
        `settings` of pdns.conf count before those of the bed.
        """
        build = build or builds.debian()
        self.role: Role = role
        self.api_key = api_key
        self.primary = primary
        self.secondaries: list[PowerDns] = []
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "pdns.log"
        self._sockets = Path(
            tempfile.mkdtemp(prefix="bed-")
        )  # a socket's path has 107 bytes, a test's folder may have more
        own = {**build.settings, **(backend or _sqlite(build, folder)), **(settings or {})}

        def start(free: tuple[int, ...]) -> Process:
            self._reserved = free
            self.dns = (address, port or free[0])
            self.api = Api(f"http://{address}:{free[1]}", api_key)
            base = _config(role, self.dns, (address, free[1]), api_key) | {"socket-dir": self._sockets}
            config = "".join(f"{name}={value}\n" for name, value in (base | own).items())
            (folder / "pdns.conf").write_text(config, encoding="utf-8")
            return Process(
                f"pdns-{role}",
                [*build.command, f"--config-dir={folder}"],
                self.log,
                ready=lambda: ports.accepts_tcp(address, free[1]) and lookups.answers(self.dns),
                prefix=prefix,
            )

        self._start = start
        try:
            self.process = ports.on_free_ports(2, start, address=address)
        except BaseException:  # an interruption, too, would leave the folder behind
            shutil.rmtree(self._sockets)
            raise
        self.recorder = Recorder((address, self._reserved[1]), address=address)
        self.forwarder = NotifyForwarder(self.dns, lag=lag) if role == "secondary" and lag != 0 else None
        if primary:
            primary.secondaries.append(self)

    @property
    def api_url(self) -> str:
        return self.recorder.url

    @property
    def server(self) -> str:
        """ADDR:PORT, as NAMESERVERS wants it."""
        return f"{self.dns[0]}:{self.dns[1]}"

    @property
    def notify_target(self) -> str:
        address, port = self.forwarder.address if self.forwarder else self.dns
        return f"{address}:{port}"

    def create_zone(
        self,
        name: str,
        *,
        nameservers: Iterable[str] = (),
        kind: str = "Master",
        dnssec: bool = True,
        soa_edit_api: str | None = None,
        records: Iterable[Mapping[str, Json]] = (),
    ) -> str:
        """Makes the zone here and on all secondaries, and waits until they serve it. `records` are the API's RRsets."""
        zone = absolute(name)
        names = [absolute(server) for server in nameservers] or [f"ns1.{zone}", f"ns2.{zone}"]
        rrsets = [dict(rrset) for rrset in records]
        given = {(rrset["name"], rrset["type"]) for rrset in rrsets}
        rrsets += [
            rrset(server, "A", ["127.0.0.1"])
            for server in names
            if server.endswith(f".{zone}") and (server, "A") not in given
        ]
        body: dict[str, Json] = {
            "name": zone,
            "kind": kind,
            "dnssec": dnssec,
            "nameservers": list(names),
            "rrsets": list(rrsets),
        }
        if soa_edit_api is not None:
            body["soa_edit_api"] = soa_edit_api
        self.api.call("POST", "/zones", body)
        if self.secondaries:
            targets: list[Json] = [secondary.notify_target for secondary in self.secondaries]
            self.api.call("POST", f"/zones/{zone}/metadata", {"kind": "ALSO-NOTIFY", "metadata": targets})
        for secondary in self.secondaries:
            secondary.follow(zone, self)
        return zone

    def follow(self, zone: str, primary: "PowerDns") -> None:
        """As a secondary: takes the zone from its primary now, whatever NOTIFY does later."""
        self.api.call("POST", "/zones", {"name": zone, "kind": "Slave", "masters": [primary.server], "nameservers": []})
        self.api.call("PUT", f"/zones/{zone}/axfr-retrieve")
        wait_until(
            lambda: self.serial(zone) == primary.serial(zone), f"{zone} on {self.server}\n{self.process.tail(5)}"
        )

    def set_soa_edit_api(self, zone: str, value: str) -> None:
        self.api.call("PUT", f"/zones/{absolute(zone)}", {"soa_edit_api": value})

    def patch(self, zone: str, *rrsets: Mapping[str, Json]) -> None:
        self.api.call("PATCH", f"/zones/{absolute(zone)}", {"rrsets": [dict(rrset) for rrset in rrsets]})

    def notify(self, zone: str) -> None:
        self.api.call("PUT", f"/zones/{absolute(zone)}/notify")

    def serial(self, zone: str) -> int | None:
        """As served, after SOA-EDIT."""
        return lookups.serial(self.dns, absolute(zone))

    def txt(self, owner: str) -> frozenset[str]:
        """As served."""
        return lookups.txt(self.dns, absolute(owner))

    def records(self, zone: str) -> dict[tuple[str, str], frozenset[str]]:
        """As the API lists them: (owner, type) to contents."""
        rrsets = self.api.rrsets(absolute(zone))
        return {
            (each["name"], each["type"]): frozenset(record["content"] for record in each["records"]) for each in rrsets
        }

    def trust_anchors(self, zone: str) -> list[str]:
        """DS records with SHA-256, as unbound's trust-anchor wants them."""
        keys = self.api.call("GET", f"/zones/{absolute(zone)}/cryptokeys")
        return [f"{absolute(zone)} DS {ds}" for key in keys for ds in key.get("ds", []) if ds.split()[2] == "2"]

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody is at its ports meanwhile; it comes back with what it had."""
        self.process.stop()
        try:
            yield
        finally:
            self.process = self._start(self._reserved)

    def stop(self) -> None:
        if self.forwarder:
            self.forwarder.stop()
        self.recorder.stop()
        self.process.stop()
        shutil.rmtree(self._sockets, ignore_errors=True)
        ports.release(*self._reserved)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def rrset(owner: str, kind: str, contents: Iterable[str], *, ttl: int = 60) -> dict[str, Json]:
    """An RRset as the API's PATCH wants it: replaces what is there; no contents, no RRset."""
    records: list[Json] = [{"content": content, "disabled": False} for content in contents]
    name = absolute(owner)
    return {
        "name": name,
        "type": kind,
        "ttl": ttl,
        "changetype": "REPLACE" if records else "DELETE",
        "records": records,
    }


def txt_rrset(owner: str, *values: str, ttl: int = 60) -> dict[str, Json]:
    return rrset(owner, "TXT", [f'"{value}"' for value in values], ttl=ttl)
