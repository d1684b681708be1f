"""Dovecot: IMAP, POP3, LMTP and ManageSieve, each with STARTTLS, and IMAP with TLS at once."""

import os
import pwd
import shutil
from pathlib import Path
from typing import Self

from bed import binaries, ports
from bed.process import Process

PROTOCOLS = ("imap", "imaps", "pop3", "lmtp", "sieve")


class Dovecot:
    """Reads certificate and key from one file, or from two, as root, when it starts and when it is told to."""

    def __init__(self, folder: Path, certificate: Path, key: Path) -> None:
        program = binaries.require("dovecot")
        binaries.require("doveadm")
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.config = folder / "dovecot.conf"

        def start(free: tuple[int, ...]) -> Process:
            self._reserved = free
            self.config.write_text(_config(folder, certificate, key, free), encoding="utf-8")
            return Process(
                "dovecot",
                [program, "-F", "-c", self.config],
                folder / "dovecot.log",
                ready=lambda: all(ports.accepts_tcp("127.0.0.1", port) for port in free),
            )

        self._process = ports.on_free_ports(len(PROTOCOLS), start)
        self.ports = dict(zip(PROTOCOLS, self._reserved, strict=True))

    def stop(self) -> None:
        self._process.stop()
        ports.release(*self._reserved)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _config(folder: Path, certificate: Path, key: Path, free: tuple[int, ...]) -> str:
    """In the form of 2.3, or of 2.4 where that is installed."""
    me = pwd.getpwuid(os.geteuid()).pw_name
    internal, login, group = ("dovecot", "dovenull", "dovecot") if os.geteuid() == 0 else (me, me, me)
    imap, imaps, pop3, lmtp, sieve = free
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    return f"""
base_dir = {run}
log_path = /dev/stderr
protocols = imap pop3 lmtp sieve
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = 0
mail_location = maildir:{folder}/mail
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    address = 127.0.0.1
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service managesieve-login {{
  chroot =
  inet_listener sieve {{
    address = 127.0.0.1
    port = {sieve}
  }}
}}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=0 gid=0 home={folder}/home
}}
service anvil {{
  chroot =
}}
"""
