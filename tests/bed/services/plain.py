"""Servers of which only the way into TLS is tried: OpenLDAP, PostgreSQL, MariaDB, vsftpd."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bed import binaries, ports
from bed.process import Process
from bed.services.listening import Listening


class OneServer(Listening):
    """A daemon on one port, with key and certificate in a folder that is its own."""

    user = ""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"bed-{type(self).__name__.lower()}-"))
        self.folder.chmod(0o755)
        self.certificate = Path(shutil.copy(certificate, self.folder / "cert.pem"))
        self.key = Path(shutil.copy(key, self.folder / "key.pem"))
        self.key.chmod(0o600)
        self.prefix: tuple[str, ...] = ()
        if os.geteuid() == 0 and self.user:
            self._belongs_to(self.user)

        def start(free: tuple[int, ...]) -> Process:
            self.port = free[0]
            return Process(
                type(self).__name__.lower(),
                self.command(),
                self.folder / "process.log",
                ready=lambda: ports.accepts_tcp("127.0.0.1", free[0]),
                prefix=self.prefix,
            )

        self.launch((type(self).__name__,), start)

    def _belongs_to(self, name: str) -> None:
        user = pwd.getpwnam(name)
        for path in (self.folder, self.certificate, self.key):
            os.chown(path, user.pw_uid, user.pw_gid)
        self.prefix = (binaries.require("setpriv"), "--reuid", name, "--regid", str(user.pw_gid), "--init-groups", "--")

    def command(self) -> Sequence[str | Path]:
        raise NotImplementedError

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Slapd(OneServer):
    def command(self) -> Sequence[str | Path]:
        config = self.folder / "slapd.conf"
        config.write_text(
            f"pidfile {self.folder}/slapd.pid\nTLSCertificateFile {self.certificate}\n"
            f"TLSCertificateKeyFile {self.key}\ndatabase config\n",
            encoding="utf-8",
        )
        return [binaries.require("slapd"), "-d", "0", "-f", config, "-h", f"ldap://127.0.0.1:{self.port}/"]


class Vsftpd(OneServer):
    def command(self) -> Sequence[str | Path]:
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        config = self.folder / "vsftpd.conf"
        config.write_text(
            f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={self.port}\nbackground=NO\nssl_enable=YES\n"
            f"anonymous_enable=NO\nlocal_enable=YES\nsecure_chroot_dir={empty}\n"
            f"rsa_cert_file={self.certificate}\nrsa_private_key_file={self.key}\nseccomp_sandbox=NO\n",
            encoding="utf-8",
        )
        return [binaries.require("vsftpd"), config]


class MariaDbTls(OneServer):
    def command(self) -> Sequence[str | Path]:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        return [
            binaries.require("mariadbd"),
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={self.folder}/m.sock",
            f"--pid-file={self.folder}/m.pid",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-grant-tables",
            *(("--user=root",) if os.geteuid() == 0 else ()),
            "--innodb-buffer-pool-size=16M",
            f"--ssl-cert={self.certificate}",
            f"--ssl-key={self.key}",
        ]


class Postgres(OneServer):
    """Refuses to run as root, and a key that others can read."""

    user = "postgres"

    def command(self) -> Sequence[str | Path]:
        folder = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
        if folder is None:
            binaries.missing("PostgreSQL is not here", "install the Debian package postgresql")
            raise AssertionError("unreachable")
        data = self.folder / "data"
        if not data.exists():
            subprocess.run(
                [*self.prefix, folder / "initdb", "-D", data, "-N", "-A", "trust"],
                check=True,
                capture_output=True,
                cwd=self.folder,
            )
        settings = {
            "ssl": "on",
            "ssl_cert_file": self.certificate,
            "ssl_key_file": self.key,
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
        }
        return [folder / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())]
