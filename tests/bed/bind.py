"""BIND as a primary that takes dynamic updates signed with a TSIG key, on a port of its own."""

import itertools
import os
import re
import shutil
import signal
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from dns import rcode

from bed import binaries, lookups, ports
from bed.process import Process
from bed.waiting import wait_until

KEY_NAME = "certkeeper"
ALGORITHM = "hmac-sha256"
SECRET = b64encode(b"made up, 32 octets for sha256 ..").decode()


class Bind:
    """A server that is ready. `key_file` is in the form of tsig-keygen."""

    def __init__(
        self,
        folder: Path,
        *,
        address: str = "127.0.0.1",
        env: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        # A copy: AppArmor confines /usr/sbin/named to Debian's own folders.
        program = binaries.require("named")
        folder.mkdir(parents=True, exist_ok=True)
        copy = shutil.copy(program, folder / "named")
        self.folder = folder
        self.log = folder / "named.log"
        self.key_file = folder / "key.conf"
        self.key_file.write_text(
            f'key "{KEY_NAME}" {{\n\talgorithm {ALGORITHM};\n\tsecret "{SECRET}";\n}};\n', encoding="utf-8"
        )
        self._zones: dict[str, str] = {}
        self._numbers = itertools.count(1)

        def start(free: tuple[int, ...]) -> Process:
            self._reserved = free
            self.dns = (address, free[0])
            self._configure()
            command: list[str | Path] = [copy, "-g", "-n", "1", "-c", folder / "named.conf"]
            return Process("named", command, self.log, ready=lambda: lookups.answers(self.dns), env=env, prefix=prefix)

        self.process = ports.on_free_ports(1, start, address=address)

    @property
    def server(self) -> str:
        """ADDR:PORT, as RFC2136_SERVER wants it."""
        return f"{self.dns[0]}:{self.dns[1]}"

    def new_zone(self, name: str = "", *, writable: bool = True, records: Iterable[str] = ()) -> str:
        """A zone, without the final dot. `records` are lines of its file; what is not `writable` takes no updates."""
        name = name or f"zone{next(self._numbers)}.example"
        file = self.folder / f"zone{next(self._numbers)}.db"
        # Names of elsewhere: a zone like _acme-challenge.www can have no host in it.
        lines = ["$TTL 3600", "@ SOA ns1.bed. hostmaster.bed. 1 3600 600 86400 60", "@ NS ns1.bed.", *records]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        grant = f'update-policy {{ grant "{KEY_NAME}" zonesub ANY; }};' if writable else ""
        self._zones[name] = f'zone "{name}" {{ type primary; file "{file}"; {grant} }};\n'
        self._reload()
        wait_until(lambda: self.serial(name) is not None, f"{name} on {self.server}\n{self.process.tail(5)}")
        return name

    def break_zone(self, name: str) -> None:
        """A zone that is configured and cannot be loaded."""
        self._zones[name] = f'zone "{name}" {{ type primary; file "{self.folder}/missing.db"; }};\n'
        self._reload()
        wait_until(lambda: lookups.ask(self.dns, f"{name}.", "SOA").rcode() == rcode.SERVFAIL, f"{name} is broken")

    def drop_zone(self, name: str) -> None:
        del self._zones[name]
        self._reload()
        wait_until(lambda: self.serial(name) is None, f"no {name} on {self.server}")

    def serial(self, zone: str) -> int | None:
        return lookups.serial(self.dns, f"{zone}.")

    def updates(self) -> int:
        """How many updates changed something so far; each comes over a connection of its own."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return len(set(re.findall(r"#(\d+)/key \S+: updating zone .*: (?:adding|deleting) an RR", text)))

    def _reload(self) -> None:
        self._configure()
        os.kill(self.process.pid, signal.SIGHUP)

    def _configure(self) -> None:
        lines = [
            f'include "{self.key_file}";\n',
            "controls { };\n",
            "options {\n",
            f'  directory "{self.folder}";\n',
            f"  listen-on port {self.dns[1]} {{ {self.dns[0]}; }};\n",
            "  listen-on-v6 { none; };\n",
            "  pid-file none;\n",
            "  session-keyfile none;\n",
            "  recursion no;\n",
            "  notify no;\n",
            "  dnssec-validation no;\n",
            "  empty-zones-enable no;\n",
            "};\n",
            *self._zones.values(),
        ]
        (self.folder / "named.conf").write_text("".join(lines), encoding="utf-8")

    def stop(self) -> None:
        self.process.stop()
        ports.release(*self._reserved)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
