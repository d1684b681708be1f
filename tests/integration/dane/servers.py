"""A mail, chat and web server with everything on it, and a client that goes from port to port."""

import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from bed.services.dovecot import Dovecot
from bed.services.postfix import Postfix
from bed.services.prosody import ProsodyByFolder
from integration.dane.clients import Clients
from integration.dane.judges import STARTTLS
from integration.dane.published import Published, of_leaf
from integration.services.deployed import described, probes, shown

HTTPS = 443
POSTFIX = (25, 465, 587)
DOVECOT = (143, 993, 110, 24, 4190)
PROSODY = (5222, 5269, 5223, 5270)
"""The ports that they have in the world, in the order of the words of each."""


class EveryPort(Clients):
    """One port after the other."""

    def __init__(self, page: Published, ports: Mapping[str, int]) -> None:
        super().__init__(page.unbound.dns, page.owner, page.port, page.zone)
        self._turns = itertools.cycle(ports.items())
        self.met: dict[str, set[str]] = {word: set() for word in ports}
        self.refused: dict[str, int] = dict.fromkeys(ports, 0)

    def _once(self) -> None:
        word, self.port = next(self._turns)
        self.owner = f"_{self.port}._tcp.{self.name}"
        records = self.records()
        leaf = shown(self.port, self.name, STARTTLS.get(word, ""))
        if leaf is None:
            raise OSError(f"{word}: no handshake")
        record = of_leaf(leaf)
        self.seen[record] += 1
        self.met[word].add(record)
        if record not in records:
            self.refused[word] += 1
            self.failed.append(f"{word} shows {record}, in the cache {sorted(records)}")


class Servers:
    """All of them show what the page's folder has; `ports` has the port of each word."""

    def __init__(self, page: Published, stack: ExitStack, *, at_home: bool = False) -> None:
        """`at_home`: on the ports that they have in the world."""
        folder = page.folder.parent
        fullchain, key = (path.read_bytes() for path in page.pair(page.zone))
        self.page, self._copy, self._certificates = page, folder / "copies" / "chain.pem", folder / "certs"
        for path, content in self._copies(fullchain, key).items():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)
        for path in self._certificates.iterdir():
            shutil.chown(path, "prosody", "prosody")
        pair, certificates = page.pair(page.zone), self._certificates
        self._postfix = stack.enter_context(Postfix(self._copy, at=POSTFIX if at_home else ()))
        self._dovecot = stack.enter_context(Dovecot(folder / "dovecot", *pair, at=DOVECOT if at_home else ()))
        self._prosody = stack.enter_context(
            ProsodyByFolder(folder / "prosody", page.zone, certificates, at=PROSODY if at_home else ())
        )
        self.ports = page.nginx.ports | self._postfix.ports | self._dovecot.ports | self._prosody.ports
        self._describe(certificates)

    def _copies(self, fullchain: bytes, key: bytes) -> dict[Path, bytes]:
        name = self.page.zone
        return {
            self._copy: key + fullchain,
            self._certificates / f"{name}.crt": fullchain,
            self._certificates / f"{name}.key": key,
        }

    def _describe(self, certificates: Path) -> None:
        postfix, dovecot, prosody = self._postfix, self._dovecot, self._prosody
        self.page.describe(
            nginx=described(self.page.nginx),
            postfix={
                "config": postfix.config,
                "files": {"key+fullchain": self._copy},
                "probe": probes(postfix.ports, *postfix.ports),
            },
            dovecot={"config": dovecot.config, "probe": probes(dovecot.ports, *dovecot.ports)},
            prosody={
                "config": prosody.config,
                "files": {"fullchain": certificates / "{name}.crt", "privkey": certificates / "{name}.key"},
                "probe": probes(prosody.ports, *prosody.ports),
            },
        )

    def swap(self, fullchain: Path, key: Path) -> None:
        """What others do: all of them get another key, and nobody is told."""
        self.page.swap(fullchain, key)
        for path, content in self._copies(fullchain.read_bytes(), key.read_bytes()).items():
            path.write_bytes(content)
        text = self._dovecot.config.read_text(encoding="utf-8")
        for before, after in zip(self.page.pair(self.page.zone), (fullchain, key), strict=True):
            text = text.replace(str(before), str(after))
        self._dovecot.config.write_text(text, encoding="utf-8")
        for command in (
            ("doveadm", "-c", self._dovecot.config, "reload"),
            ("postfix", "-c", self._postfix.config, "reload"),
        ):
            subprocess.run(command, check=True, capture_output=True)
        os.kill(int(self._prosody.pid_file.read_text(encoding="ascii")), signal.SIGHUP)
