"""A page whose certificates services take, and what the services show: by openssl, not by the product."""

import json
import re
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bed.services.nginx import NginxHosts
from bed.world import World
from builders.page import DEADLINE, Done, Page, certkeeper

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
Table = Mapping[str, object]


class Served(Page):
    """A page with services, which deploy.toml describes."""

    def __init__(self, folder: Path, world: World, *lines: str, **settings: str) -> None:
        self.tables = folder / "deploy.toml"
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.describe()
        super().__init__(folder, world, *lines, DEPLOY_CONFIG=str(self.tables), **settings)

    def describe(self, **tables: Table) -> None:
        """A table for each service."""
        text = _tables({f"target.{name}": said for name, said in tables.items()})
        self.tables.write_text(text, encoding="utf-8")

    def native(self, tables: Mapping[str, Table]) -> Path:
        """The same page as a certkeeper.toml, with these tables."""
        lists = {"CHALLENGETYPE", "NAMESERVERS"}
        # It has its services itself, and its certificates.
        said = {name: value for name, value in self.settings.items() if name not in {"DEPLOY", "DEPLOY_CONFIG"}}
        lines = [_line(name.lower(), value.split() if name in lists else value) for name, value in said.items()]
        written = self.folder / "certkeeper.toml"
        written.write_text("".join(lines) + _tables(tables), encoding="utf-8")
        written.chmod(0o600)
        return written

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def typed(self, command: str, *arguments: str) -> Done:
        return certkeeper(command, "--config", self.config, *arguments, cwd=self.folder)

    def pair(self, alias: str) -> tuple[Path, Path]:
        """What a server that reads in place is told."""
        return self.place(alias) / "fullchain.pem", self.place(alias) / "privkey.pem"

    def leaf(self, alias: str, stamp: int | None = None) -> bytes:
        """The live certificate, or that of a version."""
        place = self.place(alias) if stamp is None else self.place(alias) / ".versions" / str(stamp)
        return ssl.PEM_cert_to_DER_cert((place / "cert.pem").read_text(encoding="ascii"))

    def live_stamp(self, alias: str) -> int:
        return int((self.place(alias) / ".live").readlink().name)

    def deployments(self) -> list[tuple[str, str, str]]:
        """What the journal holds: service, certificate, and what was shown."""
        import sqlite3  # noqa: PLC0415 - few look there

        with sqlite3.connect(f"file:{self.state}/journal.db?mode=ro", uri=True) as journal:
            return journal.execute("SELECT target, alias, shown FROM deployments ORDER BY 1, 2").fetchall()


def _tables(tables: Mapping[str, Table]) -> str:
    return "".join(f"\n[{name}]\n" + "".join(_line(*item) for item in said.items()) for name, said in tables.items())


def _line(key: str, value: object) -> str:
    return f"{key} = {_toml(value)}\n"


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f'"{key}" = {_toml(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value) if isinstance(value, int) else json.dumps(str(value))


def by_pid_file(path: Path, program: str) -> Sequence[str]:
    return ("start-stop-daemon", "--status", "--pidfile", str(path), "--exec", program)


def probes(ports: Mapping[str, int], *words: str) -> Sequence[str]:
    return tuple(f"{word}://{{name}}:{ports[word]}@127.0.0.1" for word in words)


def shown(port: int, name: str, starttls: str = "") -> bytes | None:
    """The leaf that a client gets, as DER; None where there is no handshake."""
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name]
    words += ["-starttls", starttls, *(["-xmpphost", name] if starttls.startswith("xmpp") else [])] if starttls else []
    ended = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    found = _PEM.search(ended.stdout)
    return ssl.PEM_cert_to_DER_cert(found[0]) if found else None


def described(nginx: NginxHosts) -> Table:
    """The table of an nginx of the bed."""
    return {
        "config": nginx.config,
        "running": by_pid_file(nginx.pid_file, "/usr/sbin/nginx"),
        "probe": probes(nginx.ports, "https"),
    }
