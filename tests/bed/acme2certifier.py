"""acme2certifier, a CA that somebody else wrote (GPL: a program of its own), with a name server on port 53 for it."""

import json
import os
import shutil
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import trustme

from bed import binaries, ports
from bed.faults import HoleyDns
from bed.process import Process

NAME_SERVER = (f"127.53.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}", 53)
"""It asks servers by address only, so at port 53: an address of loopback that no other process has."""
_HINT = "scripts/test --long gets it; its name server needs port 53, so run as root"


class Acme2certifier:
    """Issues under a root that is new each time it starts, and looks challenges up at the DNS server given."""

    def __init__(self, folder: Path, *, dns_server: tuple[str, int], holes: Collection[str] = ()) -> None:
        """It does not find the names in `holes`."""
        program = shutil.which(binaries.cache_folder() / "acme2certifier/bin/gunicorn")
        if program is None:
            program = binaries.missing("acme2certifier is not here", _HINT)
        (folder / "issued").mkdir(parents=True, exist_ok=True)
        self.log = folder / "acme2certifier.log"
        self.ca_bundle, self.root = folder / "api-ca.pem", folder / "root.pem"
        api, root = (trustme.CA(key_type=trustme.KeyType.ECDSA) for _ in range(2))
        api.cert_pem.write_to_path(self.ca_bundle)
        leaf = api.issue_cert("localhost", key_type=trustme.KeyType.ECDSA)
        leaf.private_key_and_cert_chain_pem.write_to_path(folder / "api.pem")
        root.cert_pem.write_to_path(self.root)
        root.private_key_pem.write_to_path(folder / "root.key")
        config = folder / "acme_srv.cfg"
        config.write_text(_config(folder, self.root), encoding="utf-8")
        with ExitStack() as stack:
            try:
                stack.enter_context(HoleyDns(dns_server, holes, address=NAME_SERVER))
            except OSError as error:
                binaries.missing(f"port 53 at {NAME_SERVER[0]} cannot be had: {error}", _HINT)

            def start(free: tuple[int, ...]) -> Process:
                self.port = free[0]
                return Process(
                    "acme2certifier",
                    [
                        program,
                        "acme2certifier.share.acme2certifier_wsgi:application",
                        *("--bind", f"127.0.0.1:{self.port}", "--threads", "8", "--timeout", "60"),
                        *("--certfile", folder / "api.pem", "--keyfile", folder / "api.pem"),
                        *("--access-logfile", "-", "--worker-tmp-dir", folder),
                    ],
                    self.log,
                    ready=lambda: ports.accepts_tcp("127.0.0.1", self.port),
                    env={
                        "ACME_SRV_CONFIGFILE": str(config),
                        "ACME2CERTIFIER_BASE_DIR": str(folder),
                        "HOME": str(folder),
                    },
                )

            stack.callback(lambda: ports.release(self.port))
            stack.enter_context(ports.on_free_ports(1, start))
            self._stack = stack.pop_all()

    @property
    def directory_url(self) -> str:
        return f"https://localhost:{self.port}/directory"

    def asked(self, part: str) -> int:
        """Requests so far whose line in the log holds that."""
        return sum(part in line for line in self.log.read_text(errors="replace").splitlines())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _config(folder: Path, root: Path) -> str:
    return f"""\
[DEFAULT]
debug: False
dns_server_list: {json.dumps([NAME_SERVER[0]])}
[DBhandler]
handler_module: acme2certifier.dbhandlers.wsgi_handler
dbfile: {folder / "acme.db"}
[CAhandler]
handler_module: acme2certifier.cahandlers.openssl_ca_handler
issuing_ca_key: {folder / "root.key"}
issuing_ca_cert: {root}
issuing_ca_crl: {folder / "crl.pem"}
cert_validity_days: 90
cert_save_path: {folder / "issued"}
[Directory]
tos_url: https://localhost/terms
"""
