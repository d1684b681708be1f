"""uacme, with the hook of benchmarks/hooks: one run per certificate, since it has no list of them."""

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from benchmarks.forge import Forged
from benchmarks.internet import Internet
from benchmarks.model import Scenario, Wanted
from benchmarks.programs import HOOK, Job, Program, hook_environment, program, said

NOT_YET = 1
"""The exit code of a run that finds its certificate good for long enough."""


class Uacme(Program):
    name = "uacme"
    settings: ClassVar[tuple[str, ...]] = (
        "P-256 keys for the account and the certificates",
        "one run per certificate, in turn, from one shell: it has no list of certificates",
        "its version knows no renewal information (ARI)",
        "left out where something is due: it does not take dns-persist-01, whose challenges this Pebble offers, too",
    )

    def __init__(self, folder: Path, internet: Internet) -> None:
        super().__init__(folder, internet)
        # It has no option for whom to trust, and benchmarks/run has put this file in the system's place.
        Path(os.environ["BENCHMARK_TRUST"]).write_bytes(internet.pebble.ca_bundle.read_bytes())

    @staticmethod
    def executable() -> str | None:
        return program("uacme-bookworm/usr/bin/uacme", "uacme")

    @classmethod
    def version(cls) -> str:
        """`uacme: version 1.7.4`"""
        return said(cls.executable() or "false", "--version").split()[2]

    @classmethod
    def suits(cls, scenario: Scenario) -> bool:
        return super().suits(scenario) and not scenario.due

    def _command(self, *what: str) -> tuple[str, ...]:
        store = ("--confdir", str(self.folder / "uacme"), "--type", "EC", "--bits", "256")
        ca = ("--acme-url", self.internet.pebble.directory_url, "--yes")
        return (self.executable() or "false", *ca, *store, "--hook", str(HOOK), *what)

    def _issue(self, wanted: Wanted) -> tuple[str, ...]:
        return self._command("issue", *wanted.names)

    def registration(self) -> Job:
        return Job(self._command("new"))

    def _empty(self) -> None:
        for name in ("uacme", "uacme/private"):
            folders = (self.folder / name).iterdir() if (self.folder / name).is_dir() else ()
            self.empty(*(f"{name}/{each.name}" for each in folders if each.is_dir() and each.name != "private"))

    def job(self, wanted: Sequence[Wanted], *, wait: int) -> Job:
        self._empty()
        return Job(self.script(self._issue(each) for each in wanted), hook_environment(self.internet, wait))

    def certificate(self, wanted: Wanted) -> Path:
        return self.folder / "uacme" / wanted.names[0] / "cert.pem"

    def forge(self, certificates: Iterable[tuple[Wanted, Forged]]) -> Job:
        self._empty()
        commands = []
        for wanted, forged in certificates:
            name = wanted.names[0]
            for folder, file, text in (
                (self.folder / "uacme" / name, "cert.pem", forged.certificate + forged.chain),
                (self.folder / "uacme/private" / name, "key.pem", forged.key),
            ):
                folder.mkdir(parents=True)
                (folder / file).write_text(text, encoding="ascii")
            commands.append(self._issue(wanted))
        path = self.folder / "idle.sh"
        lines = (f"{shlex.join(each)}; [ $? = {NOT_YET} ] || exit 2" for each in commands)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return Job(("/bin/sh", str(path)), hook_environment(self.internet, 0))
