"""Apache httpd: one virtual host with TLS."""

import os
from pathlib import Path

from bed import binaries, ports
from bed.process import Process
from bed.services.listening import Listening

_MODULES = ("mpm_event", "authz_core", "ssl", "socache_shmcb")
_CONFIG = """
ServerRoot {folder}
ServerName {name}
PidFile {folder}/apache2.pid
DefaultRuntimeDir {folder}
Mutex file:{folder} default
ErrorLog {folder}/error.log
LogLevel notice
{modules}
{user}
StartServers 1
Listen 127.0.0.1:{port}
SSLSessionCache shmcb:{folder}/sessions(128000)
SSLStaplingCache shmcb:{folder}/responses(128000)
<VirtualHost 127.0.0.1:{port}>
    ServerName {name}
    SSLEngine on
    SSLCertificateFile {certificate}
    SSLCertificateKeyFile {key}
    {more}
</VirtualHost>
"""


class Apache(Listening):
    """Reads key and certificate as root, when it starts and when it is told to.

    `more` goes into the settings of its host.
    """

    def __init__(self, folder: Path, name: str, certificate: Path, key: Path, more: str = "") -> None:
        program = binaries.require("apache2")
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "apache2.conf"
        self.pid_file = folder / "apache2.pid"
        modules = "".join(f"LoadModule {each}_module /usr/lib/apache2/modules/mod_{each}.so\n" for each in _MODULES)

        def start(free: tuple[int, ...]) -> Process:
            text = _CONFIG.format(
                folder=folder,
                name=name,
                modules=modules,
                user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
                port=free[0],
                certificate=certificate,
                key=key,
                more=more,
            )
            self.config.write_text(text, encoding="utf-8")
            return Process(
                "apache2",
                [program, "-f", self.config, "-DFOREGROUND"],
                folder / "apache2.log",
                ready=lambda: ports.accepts_tcp("127.0.0.1", free[0]) and self.pid_file.exists(),
            )

        self.launch(("https",), start)
