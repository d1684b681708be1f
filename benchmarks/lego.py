"""lego, with its own PowerDNS provider: one run per certificate, since it has no list of them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from benchmarks.forge import Forged
from benchmarks.internet import API_KEY, RESOLVER
from benchmarks.model import Scenario, Wanted
from benchmarks.programs import Job, Program, program, said

MAIL = "webmaster@example.org"


class Lego(Program):
    name = "lego"
    settings: ClassVar[tuple[str, ...]] = (
        "P-256 keys for the account and the certificates, as it comes",
        "one run per certificate, in turn, from one shell: it has no list of certificates",
        "its limit of 18 requests per second to the CA is off (`--overall-request-limit 10000`)",
        "it asks every name server of the zone before it lets the CA look, as it comes",
        "in nothing-due, `--ari-disable` and `--no-random-sleep`: only the date counts, and at once",
    )
    options: ClassVar[tuple[str, ...]] = ()
    variables: ClassVar[dict[str, str]] = {}

    @staticmethod
    def executable() -> str | None:
        return program("lego/usr/bin/lego", "lego")

    @classmethod
    def version(cls) -> str:
        """`lego version 4.35.2 linux/amd64`"""
        return said(cls.executable() or "false", "--version").split()[2]

    def _command(self, wanted: Wanted, *what: str) -> tuple[str, ...]:
        names = tuple(word for name in wanted.names for word in ("--domains", name))
        return (
            self.executable() or "false",
            "--server",
            self.internet.pebble.directory_url,
            "--email",
            MAIL,
            "--accept-tos",
            "--path",
            str(self.folder / "lego"),
            "--key-type",
            "ec256",
            "--overall-request-limit",
            "10000",
            "--dns",
            "pdns",
            "--dns.resolvers",
            f"{RESOLVER}:53",
            *self.options,
            *names,
            *what,
        )

    def _environment(self) -> dict[str, str]:
        trust = {"LEGO_CA_CERTIFICATES": str(self.internet.pebble.ca_bundle)}
        return {**trust, "PDNS_API_URL": self.internet.api_url, "PDNS_API_KEY": API_KEY, **self.variables}

    def registration(self) -> Job:
        first = Wanted("first", (f"{self.name}-registers.{self.internet.zones[0]}",))
        return self.job([first], wait=0)

    def job(self, wanted: Sequence[Wanted], *, wait: int) -> Job:  # noqa: ARG002 - it needs no fixed wait
        self.empty("lego/certificates")
        return Job(self.script(self._command(each, "run") for each in wanted), self._environment())

    def certificate(self, wanted: Wanted) -> Path:
        return self.folder / "lego/certificates" / f"{wanted.names[0]}.crt"

    def forge(self, certificates: Iterable[tuple[Wanted, Forged]]) -> Job:
        self.empty("lego/certificates")
        store = self.folder / "lego/certificates"
        store.mkdir(parents=True)
        commands = []
        for wanted, forged in certificates:
            name = wanted.names[0]
            about = {"domain": name, "certUrl": "", "certStableUrl": ""}
            files = {"crt": forged.certificate + forged.chain, "key": forged.key, "issuer.crt": forged.chain}
            files |= {"json": json.dumps(about)}
            for extension, content in files.items():
                (store / f"{name}.{extension}").write_text(content, encoding="ascii")
            commands.append(self._command(wanted, "renew", "--ari-disable", "--no-random-sleep"))
        return Job(self.script(commands), self._environment())


class LegoUnchecked(Lego):
    """For those who want to see what its look at the name servers costs."""

    name = "lego-unchecked"
    settings = (
        "lego without its look at the name servers (`--dns.propagation-disable-ans`, `PDNS_POLLING_INTERVAL=0`)",
        "left out where a name server is late: it would fail",
    )
    options = ("--dns.propagation-disable-ans",)
    variables: ClassVar[dict[str, str]] = {"PDNS_POLLING_INTERVAL": "0"}

    @classmethod
    def suits(cls, scenario: Scenario) -> bool:
        return super().suits(scenario) and scenario.due and scenario.lag is None
