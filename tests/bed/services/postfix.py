"""Postfix: an instance of its own or several, SMTP and submission with STARTTLS, and SMTP with TLS at once."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bed import binaries, ports
from bed.process import Process
from bed.services.listening import Listening

PROTOCOLS = ("smtp", "smtps", "submission")

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
daemon_directory = {daemons}
command_directory = /usr/sbin
sendmail_path = /usr/sbin/sendmail
mailq_path = /usr/bin/mailq
newaliases_path = /usr/bin/newaliases
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
alias_maps =
smtpd_tls_security_level = may
smtpd_tls_chain_files = {chain}
{more}
smtpd_peername_lookup = no
"""

# Nothing runs in a chroot, since the folder has no copies of the system's files.
_MASTER = """
{smtp} inet n - n - - smtpd
{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
{submission} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_FIRST = """
multi_instance_wrapper = ${{command_directory}}/postmulti -p --
multi_instance_enable = yes
multi_instance_directories = {others}
"""
_OTHER = """
multi_instance_enable = yes
multi_instance_name = postfix-{number}
"""


class Postfix(Listening):
    """Reads key and chain from one file, the key first. It needs root, as Postfix does.

    `names` has such a file for each name that a client may ask for (SNI), through a map that holds copies of them.
    """

    def __init__(self, chain: Path, names: Mapping[str, Path] | None = None, at: tuple[int, ...] = ()) -> None:
        program = binaries.require("postfix")
        if os.geteuid() != 0:
            binaries.missing("Postfix can be started by root only", "run the tests as root")
        # Its sockets' paths have at most 107 bytes, and postfix has to be able to come there.
        self.folder = Path(tempfile.mkdtemp(prefix="bed-postfix-"))
        self.folder.chmod(0o755)
        self.config = self.folder / "etc"
        self.config.mkdir()
        for name, owner in (("queue", "root"), ("data", "postfix")):
            (self.folder / name).mkdir()
            shutil.chown(self.folder / name, owner)
        (self.folder / "postfix.log").touch()
        self.names = self.config / "sni"
        more = f"tls_server_sni_maps = hash:{self.names}" if names else ""
        daemons = _daemons()
        main = _MAIN.format(folder=self.folder, daemons=daemons, chain=chain, more=more)
        self.main = self.config / "main.cf"
        self.main.write_text(main, encoding="utf-8")
        if names:
            self.names.write_text("".join(f"{name} {path}\n" for name, path in names.items()), encoding="utf-8")
            subprocess.run(["postmap", "-c", self.config, "-F", f"hash:{self.names}"], check=True)

        def start(free: tuple[int, ...]) -> Process:
            master = _MASTER.format(**dict(zip(PROTOCOLS, free, strict=True)))
            (self.config / "master.cf").write_text(master, encoding="utf-8")
            # It makes the queue's folders. `postfix start-fg` would, too, but its shell leaves master behind.
            subprocess.run([program, "-c", self.config, "check"], check=True, capture_output=True)
            return Process(
                "postfix",
                [f"{daemons}/master", "-c", self.config, "-s"],
                self.folder / "process.log",
                ready=lambda: all(ports.accepts_tcp("127.0.0.1", port) for port in free),
            )

        self.launch(PROTOCOLS, start, at)

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def made_several(instances: Sequence[Postfix]) -> None:
    """From now on commands for the first are for all of them (postmulti(1)). They have to run already."""
    first, *others = instances
    with first.main.open("a", encoding="utf-8") as main:
        main.write(_FIRST.format(others=" ".join(str(each.config) for each in others)))
    for number, each in enumerate(others, start=2):
        with each.main.open("a", encoding="utf-8") as main:
            main.write(_OTHER.format(number=number))


def _daemons() -> str:
    said = subprocess.run(["postconf", "-d", "-h", "daemon_directory"], check=True, capture_output=True, text=True)
    return said.stdout.strip()
