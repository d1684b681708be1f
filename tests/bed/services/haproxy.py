"""haproxy: TLS at once, with a master that reloads, and a socket of level admin."""

import shutil
import tempfile
from pathlib import Path

from bed import binaries, ports
from bed.process import Process
from bed.services.listening import Listening

_CONFIG = """
global
    log stderr local0 notice
    stats socket {socket} mode 600 level admin
    pidfile {folder}/haproxy.pid
    tune.ssl.default-dh-param 2048
defaults
    mode http
    log global
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend tls
    bind 127.0.0.1:{port} ssl crt {certificate}
    http-request return status 204
"""


class Haproxy(Listening):
    """Reads certificate, chain and key from one file, or from those of a folder."""

    def __init__(self, certificate: Path) -> None:
        program = binaries.require("haproxy")
        # A socket's path has 107 bytes, and a test's folder may have more.
        self.folder = Path(tempfile.mkdtemp(prefix="bed-haproxy-"))
        self.socket = self.folder / "admin.sock"
        self.config = self.folder / "haproxy.cfg"
        self.pid_file = self.folder / "haproxy.pid"

        def start(free: tuple[int, ...]) -> Process:
            text = _CONFIG.format(folder=self.folder, socket=self.socket, port=free[0], certificate=certificate)
            self.config.write_text(text, encoding="utf-8")
            return Process(
                "haproxy",
                [program, "-W", "-f", self.config, "-p", self.pid_file],
                self.folder / "haproxy.log",
                ready=lambda: ports.accepts_tcp("127.0.0.1", free[0]) and bool(self.workers()),
            )

        self.launch(("https",), start)

    def workers(self) -> frozenset[int]:
        """The processes that the master has now; one of them serves, others may still end."""
        if not self.pid_file.exists() or not (master := self.pid_file.read_text(encoding="ascii").strip()):
            return frozenset()
        children = Path(f"/proc/{master}/task/{master}/children")
        return frozenset(map(int, children.read_text(encoding="ascii").split()))

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)
