"""nginx as operators have it on their hosts: http-01 out of a folder, tls-alpn-01 out of another one."""

import os
from pathlib import Path
from typing import Self

from bed import binaries
from bed.ports import accepts_tcp
from bed.process import Process

_STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")


class WebServer:
    """Serves `webroot` as /.well-known/acme-challenge/ and, for acme-tls/1, the certificates in `certificates`."""

    def __init__(self, folder: Path, http_port: int, tls_port: int, webroot: Path, certificates: Path) -> None:
        program = binaries.require("nginx")
        if not _STREAM.exists():
            binaries.missing(f"{_STREAM} is not here", "install the Debian package libnginx-mod-stream")
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "nginx.conf"
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config.write_text(
            f"""load_module {_STREAM};
            daemon off; pid {folder}/nginx.pid; worker_processes 1; error_log stderr;
            {"user root;" if os.geteuid() == 0 else ""}
            events {{ }}
            http {{
                access_log off; {temporary}
                server {{
                    listen 127.0.0.1:{http_port}; listen [::1]:{http_port};
                    location /.well-known/acme-challenge/ {{ alias {webroot}/; default_type text/plain; }}
                }}
            }}
            stream {{
                server {{
                    listen 127.0.0.1:{tls_port} ssl; listen [::1]:{tls_port} ssl;
                    ssl_alpn acme-tls/1;
                    ssl_certificate {certificates}/$ssl_server_name.crt.pem;
                    ssl_certificate_key {certificates}/$ssl_server_name.key.pem;
                    return "";
                }}
            }}
            """,
            encoding="utf-8",
        )
        self.process = Process(
            "nginx",
            [program, "-e", "stderr", "-c", config],
            folder / "nginx.log",
            ready=lambda: accepts_tcp("127.0.0.1", http_port) and accepts_tcp("127.0.0.1", tls_port),
        )

    def stop(self) -> None:
        self.process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
