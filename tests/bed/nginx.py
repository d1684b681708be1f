"""nginx in front of PowerDNS's API, as operators put it there: TLS, client certificates, a path, a unix socket."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Self

import trustme

from bed import binaries, ports
from bed.process import Process

PATH = "/dns/api"


class Nginx:
    """Passes requests below PATH on. `tls` wants no certificate, `strict` wants one of `authority`, `socket` no TLS."""

    def __init__(self, folder: Path, upstream: str, authority: trustme.CA) -> None:
        program = binaries.require("nginx")
        folder.mkdir(parents=True, exist_ok=True)
        # a socket's path has 107 bytes, a test's folder may have more
        self._sockets = Path(tempfile.mkdtemp(prefix="bed-"))
        self.socket = self._sockets / "api.sock"
        self.ca_bundle = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_bundle)
        certificate = authority.issue_cert("localhost", key_type=trustme.KeyType.ECDSA)
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        tls = f"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;"
        pass_on = f"location {PATH}/ {{ proxy_pass {upstream}/; }}"

        def start(free: tuple[int, ...]) -> Process:
            self._reserved = free
            config = folder / "nginx.conf"
            temporary = "".join(
                f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            )
            config.write_text(
                f"""daemon off; pid {folder}/nginx.pid; worker_processes 1; error_log stderr;
                {"user root;" if os.geteuid() == 0 else ""}
                events {{ }}
                http {{
                    access_log off; {temporary}
                    server {{ listen 127.0.0.1:{free[0]} ssl; {tls} {pass_on} }}
                    server {{
                        listen 127.0.0.1:{free[1]} ssl; {tls} {pass_on}
                        ssl_client_certificate {self.ca_bundle}; ssl_verify_client on;
                    }}
                    server {{ listen unix:{self.socket}; location / {{ proxy_pass {upstream}; }} }}
                }}
                """,
                encoding="utf-8",
            )
            return Process(
                "nginx",
                [program, "-e", "stderr", "-c", config],
                folder / "nginx.log",
                ready=lambda: all(ports.accepts_tcp("127.0.0.1", port) for port in free) and self.socket.exists(),
            )

        try:
            self.process = ports.on_free_ports(2, start)
        except BaseException:
            shutil.rmtree(self._sockets)
            raise
        self.tls = f"https://localhost:{self._reserved[0]}{PATH}"
        self.strict = f"https://localhost:{self._reserved[1]}{PATH}"

    def stop(self) -> None:
        self.process.stop()
        ports.release(*self._reserved)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
