"""unbound, asking our own servers only: what is not in `zones` is refused, nothing leaves the machine."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from dns import flags, rcode

from bed import binaries, lookups, ports
from bed.process import Process

Servers = Mapping[str, Iterable[tuple[str, int]]]


def _config(folder: Path, dns: lookups.Server, zones: Servers, anchors: Iterable[str], max_ttl: int | None) -> str:
    lines = [
        "server:",
        f"interface: {dns[0]}",
        f"port: {dns[1]}",
        "access-control: 127.0.0.0/8 allow",
        "do-ip6: no",
        "do-daemonize: no",
        'chroot: ""',
        'username: ""',
        'pidfile: ""',
        'logfile: ""',
        "use-syslog: no",
        "verbosity: 1",
        f'directory: "{folder}"',
        "num-threads: 1",
        "do-not-query-localhost: no",
        "qname-minimisation: no",
        "root-hints: /dev/null",
        'module-config: "validator iterator"',
        'local-zone: "." refuse',
    ]
    if max_ttl is not None:
        lines += [f"cache-max-ttl: {max_ttl}", f"cache-max-negative-ttl: {max_ttl}"]
    lines += [f'local-zone: "{zone}" transparent' for zone in zones]
    lines += [f'trust-anchor: "{anchor}"' for anchor in anchors]
    lines += ["remote-control:", "control-enable: no"]
    for zone, servers in zones.items():
        lines += ["stub-zone:", f'name: "{zone}"']
        lines += [f"stub-addr: {server}@{server_port}" for server, server_port in servers]
    return "\n".join(lines) + "\n"


class Resolver:
    """A caching, validating resolver; with `max_ttl=0` it forgets at once."""

    def __init__(
        self,
        folder: Path,
        *,
        zones: Servers,
        trust_anchors: Iterable[str] = (),
        max_ttl: int | None = None,
        address: str = "127.0.0.1",
        port: int | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        program = binaries.require("unbound")
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "unbound.log"
        anchors = list(trust_anchors)

        def start(free: tuple[int, ...]) -> Process:
            self._reserved = free
            self.dns = (address, port or free[0])
            config = folder / "unbound.conf"
            config.write_text(_config(folder, self.dns, zones, anchors, max_ttl), encoding="utf-8")
            command: list[str | Path] = [program, "-d", "-p", "-c", config]
            return Process("unbound", command, self.log, ready=lambda: lookups.answers(self.dns), prefix=prefix)

        self.process = ports.on_free_ports(1, start, address=address)

    @property
    def server(self) -> str:
        return f"{self.dns[0]}:{self.dns[1]}"

    def secure(self, owner: str, kind: str) -> bool:
        """Whether the answer is there and validated (AD)."""
        reply = lookups.ask(self.dns, owner, kind)
        return reply.rcode() == rcode.NOERROR and bool(reply.flags & flags.AD) and bool(reply.answer)

    def stop(self) -> None:
        self.process.stop()
        ports.release(*self._reserved)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
