"""Prosody: client and server connections, with STARTTLS and with TLS at once, as the user prosody where it can."""

import os
import pwd
import shutil
from pathlib import Path

from bed import binaries, ports
from bed.process import Process
from bed.services.listening import Listening

PROTOCOLS = ("xmpp-client", "xmpp-server", "xmpps-client")

_COMMON = """
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
plugin_paths = {{}}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {0} }}
s2s_ports = {{ {1} }}
c2s_direct_tls_ports = {{ {2} }}
http_ports = {{ }}
https_ports = {{ }}
authentication = "internal_hashed"
storage = "memory"
log = {{ info = "*console" }}
"""

_CONFIG = f"""{_COMMON}
modules_enabled = {{{{ "saslauth", "tls", "disco" }}}}
modules_disabled = {{{{ "posix" }}}}
c2s_direct_tls_ssl = {{{{ certificate = "{{certificate}}", key = "{{key}}" }}}}
certificates = "{{folder}}/certs"
VirtualHost "{{host}}"
ssl = {{{{ certificate = "{{certificate}}", key = "{{key}}" }}}}
"""

_BY_FOLDER = f"""{_COMMON}
modules_enabled = {{{{ "saslauth", "tls", "disco", "posix" }}}}
s2s_direct_tls_ports = {{{{ {{3}} }}}}
certificates = "{{certificates}}"
VirtualHost "{{host}}"
"""


class Prosody(Listening):
    """Serves one host with one certificate. `group` is one that the user prosody is in, beside its own.

    Without a key that it can read it opens the ports for STARTTLS only: those are what is waited for if not `whole`.
    """

    def __init__(
        self, folder: Path, host: str, certificate: Path, key: Path, group: str = "", *, whole: bool = True
    ) -> None:
        program = binaries.require("prosody")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)
        (folder / "certs").mkdir(exist_ok=True)
        self.config = folder / "prosody.cfg.lua"
        self.log = folder / "prosody.log"
        self.key = key

        def start(free: tuple[int, ...]) -> Process:
            text = _CONFIG.format(*free, folder=folder, host=host, certificate=certificate, key=key)
            self.config.write_text(text, encoding="utf-8")
            return Process(
                "prosody",
                [program, "-F", "--config", self.config],
                self.log,
                ready=lambda: all(ports.accepts_tcp("127.0.0.1", port) for port in (free if whole else free[:2])),
                prefix=_as_prosody(folder, group),
            )

        self.launch(PROTOCOLS, start)


def _as_prosody(folder: Path, group: str) -> tuple[str, ...]:
    """Prosody refuses to run as root."""
    if os.geteuid() != 0:
        return ()
    user = pwd.getpwnam("prosody")
    for path in (folder, folder / "data", folder / "certs"):
        shutil.chown(path, user.pw_uid, user.pw_gid)
    groups = ("--groups", group) if group else ("--init-groups",)
    return (binaries.require("setpriv"), "--reuid", "prosody", "--regid", "prosody", *groups, "--")


class ProsodyByFolder(Listening):
    """Finds `HOST.crt` and `HOST.key` in a folder, as Debian's finds them in /etc/prosody/certs."""

    def __init__(self, folder: Path, host: str, certificates: Path, at: tuple[int, ...] = ()) -> None:
        program = binaries.require("prosody")
        (folder / "data").mkdir(parents=True, exist_ok=True)
        (folder / "certs").mkdir(exist_ok=True)
        self.config = folder / "prosody.cfg.lua"
        self.pid_file = folder / "prosody.pid"

        def start(free: tuple[int, ...]) -> Process:
            text = _BY_FOLDER.format(*free, folder=folder, host=host, certificates=certificates)
            self.config.write_text(text, encoding="utf-8")
            return Process(
                "prosody",
                [program, "-F", "--config", self.config],
                folder / "prosody.log",
                ready=lambda: all(ports.accepts_tcp("127.0.0.1", port) for port in free) and self.pid_file.exists(),
                prefix=_as_prosody(folder, ""),
            )

        self.launch((*PROTOCOLS, "xmpps-server"), start, at)
