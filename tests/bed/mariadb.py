"""MariaDB with PowerDNS's tables, on a unix socket, in a folder of its own."""

import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Self

from bed import binaries
from bed.process import Process

SCHEMA = Path("/usr/share/pdns-backend-mysql/schema/schema.mysql.sql")
DATABASE = "pdns"


class MariaDb:
    """A server that is ready; `backend` are the settings of a pdns_server that uses it."""

    def __init__(self, folder: Path) -> None:
        program = binaries.require("mariadbd")
        if not SCHEMA.exists():
            binaries.missing(f"{SCHEMA} is not here", binaries.HINTS["mariadbd"])
        folder.mkdir(parents=True, exist_ok=True)
        # a socket's path has 107 bytes, a test's folder may have more
        self._sockets = Path(tempfile.mkdtemp(prefix="bed-"))
        self.socket = self._sockets / "mariadb.sock"
        data = folder / "data"
        as_us = ("--user=root",) if os.geteuid() == 0 else ()  # otherwise it wants a user mysql
        data.mkdir()  # without system tables, which nobody needs who asks for no user and no grant
        setup = folder / "setup.sql"
        setup.write_text(f"CREATE DATABASE {DATABASE};\nUSE {DATABASE};\n{_on_one_line_each(SCHEMA)}", encoding="utf-8")
        try:
            self.process = Process(
                "mariadb",
                [
                    program,
                    "--no-defaults",
                    f"--datadir={data}",
                    f"--socket={self.socket}",
                    f"--pid-file={folder / 'mariadb.pid'}",
                    f"--init-file={setup}",
                    "--skip-networking",
                    "--skip-grant-tables",
                    *as_us,
                    "--innodb-flush-log-at-trx-commit=0",
                    "--innodb-buffer-pool-size=16M",
                ],
                folder / "mariadb.log",
                ready=self._accepts,
                deadline=60,
            )
        except BaseException:
            shutil.rmtree(self._sockets)
            raise
        self.backend: dict[str, object] = {
            "launch": "gmysql",
            "gmysql-socket": self.socket,
            "gmysql-dbname": DATABASE,
            "gmysql-user": "root",
            "gmysql-dnssec": "yes",
        }

    def _accepts(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def stop(self) -> None:
        self.process.stop(grace=20)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _on_one_line_each(schema: Path) -> str:
    """Its statements, as an init file wants them."""
    lines = [line.partition("--")[0] for line in schema.read_text(encoding="utf-8").splitlines()]
    statements = " ".join(" ".join(lines).split()).split(";")
    return "".join(f"{statement.strip()};\n" for statement in statements if statement.strip())
