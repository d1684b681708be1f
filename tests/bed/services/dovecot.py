"""Dovecot: IMAP, POP3, LMTP and ManageSieve, each with STARTTLS, and IMAP with TLS at once."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bed import binaries, ports
from bed.process import Process
from bed.services.listening import Listening

PROTOCOLS = ("imap", "imaps", "pop3", "lmtp", "sieve")


class Dovecot(Listening):
    """Reads certificate and key from one file, or from two, as root, when it starts and when it is told to.

    `program` is the command of another one than this machine's.
    """

    def __init__(
        self, folder: Path, certificate: Path, key: Path, program: Sequence[str] = (), at: tuple[int, ...] = ()
    ) -> None:
        if not program:
            program = (binaries.require("dovecot"),)
            binaries.require("doveadm")
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.config = folder / "dovecot.conf"

        def start(free: tuple[int, ...]) -> Process:
            self.config.write_text(_config(program, folder, certificate, key, free), encoding="utf-8")
            return Process(
                "dovecot",
                [*program, "-F", "-c", self.config],
                folder / "dovecot.log",
                ready=lambda: all(ports.accepts_tcp("127.0.0.1", port) for port in free),
            )

        self.launch(PROTOCOLS, start, at)


_2_3 = """
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=0 gid=0 home={folder}/home
}}
"""

_2_4 = """
ssl_server_cert_file = {certificate}
ssl_server_key_file = {key}
mail_driver = maildir
mail_path = {folder}/mail
passdb static {{
  fields {{
    nopassword = yes
  }}
}}
userdb static {{
  fields {{
    uid = 0
    gid = 0
    home = {folder}/home
  }}
}}
"""

_BOTH = """
base_dir = {folder}/run
log_path = /dev/stderr
protocols = imap pop3 lmtp sieve
ssl = required
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = 0
service imap-login {{
  chroot =
  inet_listener imap {{
    {listen} = 127.0.0.1
    port = {0}
  }}
  inet_listener imaps {{
    {listen} = 127.0.0.1
    port = {1}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    {listen} = 127.0.0.1
    port = {2}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    {listen} = 127.0.0.1
    port = {3}
  }}
}}
service managesieve-login {{
  chroot =
  inet_listener sieve {{
    {listen} = 127.0.0.1
    port = {4}
  }}
}}
service anvil {{
  chroot =
}}
"""


def _config(program: Sequence[str], folder: Path, certificate: Path, key: Path, free: tuple[int, ...]) -> str:
    """In the form of 2.3, or from 2.4 on in that one, which has to begin with its version."""
    me = pwd.getpwuid(os.geteuid()).pw_name
    internal, login, group = ("dovecot", "dovenull", "dovecot") if os.geteuid() == 0 else (me, me, me)
    shutil.rmtree(folder / "run", ignore_errors=True)
    said = subprocess.run([*program, "--version"], check=True, capture_output=True, text=True).stdout.split()[0]
    old = tuple(int(part) for part in said.split(".")[:2]) < (2, 4)
    version = said.partition("-")[0]
    begin = "" if old else f"dovecot_config_version = {version}\ndovecot_storage_version = {version}\n"
    words = {"folder": folder, "certificate": certificate, "key": key, "internal": internal, "login": login}
    words |= {"group": group, "listen": "address" if old else "listen"}
    return begin + (_BOTH + (_2_3 if old else _2_4)).format(*free, **words)
