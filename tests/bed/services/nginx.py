"""nginx: two virtual hosts on one port, each with a certificate of its own."""

import os
from collections.abc import Mapping
from pathlib import Path

from bed import binaries, ports
from bed.process import Process
from bed.services.listening import Listening

_CONFIG = """
daemon off;
pid {folder}/nginx.pid;
worker_processes 1;
error_log stderr notice;
{user}
events {{ }}
http {{
    access_log off;
    {temporary}
    {servers}
}}
"""
_SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name {name};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        {stapling}
        location / {{ return 204; }}
    }}
"""
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class NginxHosts(Listening):
    """`hosts` has certificate and key of each name; the first is for whoever asks for no name that is known. `staples`
    are the files with the OCSP responses that it sends along.
    """

    def __init__(
        self,
        folder: Path,
        hosts: Mapping[str, tuple[Path, Path]],
        staples: Mapping[str, Path] | None = None,
        at: tuple[int, ...] = (),
    ) -> None:
        stapled = {name: f"ssl_stapling on; ssl_stapling_file {path};" for name, path in (staples or {}).items()}
        program = binaries.require("nginx")
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "nginx.conf"
        self.pid_file = folder / "nginx.pid"

        def start(free: tuple[int, ...]) -> Process:
            servers = "".join(
                _SERVER.format(
                    port=free[0], name=name, certificate=certificate, key=key, stapling=stapled.get(name, "")
                )
                for name, (certificate, key) in hosts.items()
            )
            text = _CONFIG.format(
                folder=folder,
                user="user root;" if os.geteuid() == 0 else "",
                temporary="".join(f"{kind}_temp_path {folder}/{kind}; " for kind in _TEMPORARY),
                servers=servers,
            )
            self.config.write_text(text, encoding="utf-8")
            return Process(
                "nginx",
                [program, "-e", "stderr", "-c", self.config],
                folder / "nginx.log",
                ready=lambda: ports.accepts_tcp("127.0.0.1", free[0]),
            )

        self.launch(("https",), start, at)

    def reloads(self) -> int:
        """How often it was told, by its own log."""
        return self.said().count("(SIGHUP) received")
