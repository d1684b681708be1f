"""The programs that are compared: how each is found, set up, run, and asked what it has issued."""

import os
import shlex
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from bed import binaries
from benchmarks import ROOT
from benchmarks.forge import Forged
from benchmarks.internet import API_KEY, Internet
from benchmarks.model import Scenario, Wanted

HOOK = ROOT / "benchmarks/hooks/pdns"
PROFILED = ROOT / "benchmarks/profiled.py"


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a program, ready to start."""

    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


class Program(ABC):
    """One program with a folder of its own, in front of one internet."""

    name: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = ()
    """What differs from how it comes, and why: for the report."""
    optional: ClassVar[bool] = False
    """Whether the document is complete without it."""
    beforehand: ClassVar[int] = 0
    """How many runs over certificates that are not due come before the measured ones, each once files have settled."""
    source: ClassVar[str] = "benchmarks/peers --install gets it"

    def __init__(self, folder: Path, internet: Internet) -> None:
        self.folder = folder
        self.internet = internet
        folder.mkdir(parents=True)

    @staticmethod
    @abstractmethod
    def executable() -> str | None:
        """Its path; None where it is not here."""

    @classmethod
    def version(cls) -> str:
        """The last word of the first line that it prints, as most print it."""
        return said(cls.executable() or "false", "--version").splitlines()[0].split()[-1]

    @classmethod
    def suits(cls, scenario: Scenario) -> bool:
        return not scenario.alone and not scenario.only

    @abstractmethod
    def registration(self) -> Job:
        """What has to be run once before anything is measured."""

    @abstractmethod
    def job(self, wanted: Sequence[Wanted], *, wait: int) -> Job:
        """Gets these certificates; what is there from earlier runs, beside the account, is removed first."""

    @abstractmethod
    def certificate(self, wanted: Wanted) -> Path:
        """Where the certificate is once it was issued."""

    @abstractmethod
    def forge(self, certificates: Iterable[tuple[Wanted, Forged]]) -> Job:
        """Fills its store with certificates that are not due; the run that finds nothing to do."""

    def profiled(self, job: Job, out: Path) -> Job | None:  # noqa: ARG002 - most cannot
        """The same run with a CPU profile of it in OUT.pstats and OUT.txt; None where there can be none."""
        return None

    def environment(self, extra: dict[str, str]) -> dict[str, str]:
        """The same few variables for everybody, and the program's own."""
        path = os.pathsep.join((os.environ.get("PATH", os.defpath), *binaries.SBIN))
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", **extra}

    def empty(self, *folders: str) -> None:
        for name in folders:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def script(self, commands: Iterable[Sequence[str]]) -> tuple[str, ...]:
        """One shell that runs them all in turn, for programs that do one certificate at a time."""
        path = self.folder / "run.sh"
        lines = (" ".join(map(shlex.quote, command)) for command in commands)
        path.write_text("set -e\n" + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        return ("/bin/sh", str(path))


def program(cached: str, name: str) -> str | None:
    """Its path: what $CERTKEEPER_<NAME> says, in the cache folder, or on the PATH."""
    own = f"CERTKEEPER_{name.upper()}" in os.environ
    return (None if own else shutil.which(str(binaries.cache_folder() / cached))) or binaries.find(name)


def said(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return (ended.stdout + ended.stderr).strip() or "unknown"


def hook_environment(internet: Internet, wait: int) -> dict[str, str]:
    return {"PDNS_URL": f"{internet.api_url}/api/v1/servers/localhost", "PDNS_KEY": API_KEY, "PDNS_WAIT": str(wait)}


def assignments(settings: dict[str, str]) -> str:
    return "".join(f'{name}="{value}"\n' for name, value in settings.items())


def lines(wanted: Iterable[Wanted]) -> str:
    """domains.txt"""
    return "".join(f"{' '.join(each.names)} > {each.label}\n" for each in wanted)


class Dehydrated(Program):
    name = "dehydrated"
    settings: ClassVar[tuple[str, ...]] = (
        "P-256 keys for the account and the certificates; 0.7.0 has no such account keys and uses RSA-2048",
        "`HOOK_CHAIN` is on, so that the hook changes each zone once for all names of a certificate",
        "the hook is `benchmarks/hooks/pdns`: what pdns_api.sh does, without looking for the API's version",
        "no delay between change and validation, except where a name server is late",
    )

    @staticmethod
    def executable() -> str | None:
        return program("dehydrated/usr/bin/dehydrated", "dehydrated")

    @classmethod
    def version(cls) -> str:
        lines_said = said(cls.executable() or "false", "--version").splitlines()
        return next((line.split()[-1] for line in lines_said if line.startswith("Dehydrated version:")), "unknown")

    def _configure(self, **more: str) -> tuple[str, ...]:
        settings = {
            "CA": self.internet.pebble.directory_url,
            "CURL_OPTS": f"--cacert {self.internet.pebble.ca_bundle}",
            "BASEDIR": str(self.folder),
            "CHALLENGETYPE": "dns-01",
            "HOOK": str(HOOK),
            "HOOK_CHAIN": "yes",
            "KEY_ALGO": "prime256v1",
            "ACCOUNT_KEY_ALGO": "prime256v1",
            "ACCOUNT_KEYSIZE": "2048",
            **more,
        }
        config = self.folder / "config"
        config.write_text(assignments(settings), encoding="utf-8")
        return (self.executable() or "false", "--config", str(config))

    def registration(self) -> Job:
        return Job((*self._configure(), "--register", "--accept-terms"))

    def job(self, wanted: Sequence[Wanted], *, wait: int) -> Job:
        self.empty("certs", "chains")
        (self.folder / "domains.txt").write_text(lines(wanted), encoding="utf-8")
        return Job((*self._configure(), "--cron"), hook_environment(self.internet, wait))

    def certificate(self, wanted: Wanted) -> Path:
        return self.folder / "certs" / wanted.label / "cert.pem"

    def forge(self, certificates: Iterable[tuple[Wanted, Forged]]) -> Job:
        self.empty("certs")
        made = forge_dehydrated(self.folder / "certs", certificates)
        (self.folder / "domains.txt").write_text(lines(made), encoding="utf-8")
        return Job((*self._configure(), "--cron"), hook_environment(self.internet, 0))


class DehydratedPdnsApi(Dehydrated):
    name = "dehydrated-pdns_api.sh"
    settings = (
        "dehydrated, with the pdns_api.sh that `CERTKEEPER_PDNS_API` names as its hook",
        "`PDNS_WAIT` is 0, the least it can be, except where a name server is late; it sends NOTIFY, as it comes",
    )
    optional = True
    source = "CERTKEEPER_PDNS_API names the script, which cannot be shipped here (EUPL)"

    @staticmethod
    def _script() -> str | None:
        return shutil.which(os.environ.get("CERTKEEPER_PDNS_API", ""))

    @staticmethod
    def executable() -> str | None:
        return Dehydrated.executable() if DehydratedPdnsApi._script() else None

    def _configure(self, **more: str) -> tuple[str, ...]:
        """The hook reads dehydrated's own configuration."""
        host, _, port = self.internet.api_url.removeprefix("http://").partition(":")
        server = {"PDNS_HOST": host, "PDNS_PORT": port, "PDNS_KEY": API_KEY}
        return super()._configure(HOOK=self._script() or "false", **server, **more)

    def job(self, wanted: Sequence[Wanted], *, wait: int) -> Job:
        job = super().job(wanted, wait=wait)
        return Job(self._configure(PDNS_WAIT=str(wait)) + job.command[-1:])


def forge_dehydrated(certs: Path, certificates: Iterable[tuple[Wanted, Forged]]) -> tuple[Wanted, ...]:
    """The folders of dehydrated, as dehydrated itself leaves them."""
    stamp = "1700000000"
    made = []
    for wanted, forged in certificates:
        place = certs / wanted.label
        place.mkdir(parents=True, exist_ok=True)
        texts = {"privkey.pem": forged.key, "cert.pem": forged.certificate, "chain.pem": forged.chain}
        texts |= {"fullchain.pem": forged.certificate + forged.chain, "cert.csr": forged.request}
        files = {name: text.encode("ascii") for name, text in texts.items()}
        files |= {"ocsp.der": forged.response} if forged.response else {}
        for name, content in files.items():
            base, _, extension = name.partition(".")
            stamped = place / f"{base}-{stamp}.{extension}"
            stamped.write_bytes(content)
            stamped.chmod(0o600)
            (place / name).unlink(missing_ok=True)
            (place / name).symlink_to(stamped.name)
        made.append(wanted)
    return tuple(made)


class Certkeeper(Program):
    name = "certkeeper"
    settings: ClassVar[tuple[str, ...]] = (
        "P-256 keys for the account and the certificates",
        "nothing is switched off: it asks every name server of the zone before it lets the CA look",
        "in nothing-due, two runs that are not counted come first: the first asks the CA when to renew (ARI)",
    )
    beforehand = 2

    @staticmethod
    def executable() -> str | None:
        return shutil.which(str(ROOT / ".venv/bin/certkeeper"))

    @classmethod
    def suits(cls, scenario: Scenario) -> bool:
        return not scenario.only

    def _configure(self) -> tuple[str, ...]:
        settings = {
            "CA": self.internet.pebble.directory_url,
            "CA_BUNDLE": str(self.internet.pebble.ca_bundle),
            "BASEDIR": str(self.folder),
            "CHALLENGETYPE": "dns-01",
            "PDNS_HOST": self.internet.api_url,
            "PDNS_KEY": API_KEY,
            "KEY_ALGO": "prime256v1",
            "ACCOUNT_KEY_ALGO": "prime256v1",
        }
        config = self.folder / "config"
        config.write_text(assignments(settings), encoding="utf-8")
        return (self.executable() or "false", "run", "--config", str(config))

    def registration(self) -> Job:
        job = self.job([Wanted("first", (f"certkeeper-registers.{self.internet.zones[0]}",))], wait=0)
        return Job((*job.command, "--accept-terms"))

    def job(self, wanted: Sequence[Wanted], *, wait: int) -> Job:  # noqa: ARG002 - it needs no fixed wait
        self.empty("certs")
        (self.folder / "domains.txt").write_text(lines(wanted), encoding="utf-8")
        return Job(self._configure())

    def certificate(self, wanted: Wanted) -> Path:
        return self.folder / "certs" / wanted.label / "cert.pem"

    def profiled(self, job: Job, out: Path) -> Job:
        return Job((sys.executable, str(PROFILED), str(out), *job.command), job.environment)

    def forge(self, certificates: Iterable[tuple[Wanted, Forged]]) -> Job:
        self.empty("certs")
        made = forge_dehydrated(self.folder / "certs", certificates)
        (self.folder / "domains.txt").write_text(lines(made), encoding="utf-8")
        return Job(self._configure())
