"""A page with TLSA records: a signed zone at a primary and a secondary, a validating resolver, and nginx."""

import json
import os
import re
import signal
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import load_der_x509_certificate

from bed.api import Json
from bed.powerdns import rrset
from bed.resolver import Resolver
from bed.services.nginx import NginxHosts
from bed.waiting import wait_until
from bed.world import World
from builders.oldfolders import leave_as_dehydrated
from builders.page import Done, certkeeper
from certkeeper.dane.tlsa import Tlsa, TlsaType
from integration.services.deployed import Served, described, shown

TTL = 1
FOREIGN = f"3 1 1 {'f' * 64}"
"""Somebody else's, at the same owner."""
READY = "the next certificate gets the next key"
_311 = TlsaType(3, 1, 1)
_DUE = re.compile(r"next due (\S+Z)")
_ROUNDED = timedelta(seconds=1)
_MOST_RUNS = 6


def of_key(pem: bytes) -> str:
    """The 3 1 1 record of a private key, or of a leaf in DER, by way of cryptography."""
    key = load_pem_private_key(pem, None).public_key()
    return str(Tlsa.of(_311, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)))


def of_leaf(der: bytes) -> str:
    key = load_der_x509_certificate(der).public_key()
    return str(Tlsa.of(_311, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)))


class Published(Served):
    """One certificate for one name. nginx reads it in place; what it has at first is what dehydrated left."""

    def __init__(
        self,
        place: Path,
        stack: ExitStack,
        world: World,
        zone: str,
        *,
        above: str = "",
        ports: tuple[int, int] | None = None,
        ttl: int = TTL,
        **settings: str,
    ) -> None:
        """The validating resolver trusts the zone's keys, or those of the one `above` it. `ports` are its own and
        that of nginx, where they are not to be any.
        """
        self.zone = zone
        self.absolute = f"{zone}."
        self.ttl = ttl
        soa = f"ns1.{zone}. hostmaster.{zone}. 2100000000 10800 3600 604800 {ttl}"
        # Resolvers remember for that long that there is nothing.
        world.primary.patch(zone, rrset(zone, "SOA", [soa], ttl=ttl), rrset(zone, "A", ["127.0.0.1"], ttl=ttl))
        anchors = world.primary.trust_anchors(above or zone)
        self.world = world
        self.transfer()
        if above:
            self.transfer(above)
        servers = [server.dns for server in (world.primary, *world.secondaries)]
        self.unbound = stack.enter_context(
            Resolver(
                place / "unbound",
                zones=dict.fromkeys([self.absolute, *([f"{above}."] if above else [])], servers),
                trust_anchors=anchors,
                port=ports[0] if ports else None,
            )
        )
        own = {
            "DEPLOY": "nginx",
            "TLSA": "yes",
            "TLSA_TTL": str(ttl),
            "TLSA_MARGIN": "0",
            "VALIDATING_RESOLVER": self.unbound.server,
        }
        super().__init__(place / "page", world, zone, **{**own, **settings})
        leave_as_dehydrated(self.place(zone), [zone])
        hosts = {zone: self.pair(zone)}
        self.nginx = stack.enter_context(NginxHosts(place / "nginx", hosts, at=ports[1:] if ports else ()))
        self.port = self.nginx.ports["https"]
        self.describe(nginx=described(self.nginx))
        self.owner = f"_{self.port}._tcp.{zone}"

    def publish(self, *records: str) -> None:
        """By hand, in the place of what is there; all servers have it then."""
        self.put(rrset(self.owner, "TLSA", records, ttl=self.ttl))

    def put(self, *rrsets: Mapping[str, Json]) -> None:
        """The same of any records."""
        self.world.primary.patch(self.zone, *rrsets)
        self.transfer()

    def transfer(self, zone: str = "") -> None:
        """All secondaries get the zone now."""
        primary, zone = self.world.primary, zone or self.zone
        for secondary in self.world.secondaries:
            secondary.api.call("PUT", f"/zones/{zone}./axfr-retrieve")
            wait_until(lambda one=secondary: one.serial(zone) == primary.serial(zone), "it is everywhere")  # type: ignore[misc]

    def records(self) -> set[str]:
        """What the primary has at the owner."""
        return set(self.world.primary.records(self.zone).get((f"{self.owner}.", "TLSA"), ()))

    def patches(self) -> list[list[str]]:
        """The changes of TLSA records that went to PowerDNS: for each request, its owners."""
        found = []
        for request in self.world.primary.recorder.requests():
            if request.method != "PATCH" or self.zone not in request.path:
                continue
            rrsets = json.loads(request.body)["rrsets"]
            if owners := [item["name"] for item in rrsets if item["type"] == "TLSA"]:
                found.append(owners)
        return found

    @property
    def current(self) -> str:
        """The record of the live key."""
        return self.key_of(self.zone)

    @property
    def next(self) -> str:
        """The record of the key that was made ahead."""
        return self.key_of(self.zone, "privkey.roll.pem")

    def key_of(self, alias: str, file: str = "privkey.pem") -> str:
        """The record of a key in a certificate's folder."""
        return of_key((self.place(alias) / file).read_bytes())

    def served(self) -> str:
        """The record of the key that nginx shows."""
        leaf = shown(self.port, self.zone)
        assert leaf is not None
        return of_leaf(leaf)

    def wait_for(self, due: datetime) -> None:
        """Until then, as a run counts it."""
        wait_until(lambda: datetime.now(UTC) >= due + _ROUNDED, f"it is {due}", deadline=60)

    def ready(self) -> Done:
        """Runs until nothing is in the way of the next key, each when the one before said so; the last of them."""
        return self.run_until(READY)

    def run_until(self, text: str) -> Done:
        """Runs until one of them says that."""
        for _ in range(_MOST_RUNS):
            done = self.run()
            assert done.code == 0, done.text
            if text in done.out:
                return done
            due = datetime.fromisoformat(_DUE.findall(done.out)[-1])
            self.wait_for(due)
        raise AssertionError(f"{text!r} was not said: {done.text}")

    def serve_too(self, alias: str) -> None:
        """nginx gets another certificate for the same name; with a key of another family it shows both."""
        certificate, key = self.pair(alias)
        text = self.nginx.config.read_text(encoding="utf-8")
        more = f"ssl_certificate {certificate}; ssl_certificate_key {key};\n        location"
        self._reload(text.replace("location", more))

    def swap(self, certificate: Path, key: Path) -> None:
        """What others do: the server gets another key, and nobody is told."""
        text = self.nginx.config.read_text(encoding="utf-8")
        for before, after in zip(self.pair(self.zone), (certificate, key), strict=True):
            text = text.replace(str(before), str(after))
        self._reload(text)

    def _reload(self, text: str) -> None:
        self.nginx.config.write_text(text, encoding="utf-8")
        os.kill(int(self.nginx.pid_file.read_text(encoding="ascii")), signal.SIGHUP)


def typed(page: Published, *words: str) -> Done:
    """What a person types about keys: `tlsa ...` or `why ...`."""
    at = 2 if words[0] == "tlsa" else 1
    return certkeeper(*words[:at], "--config", page.config, *words[at:], cwd=page.folder)


def said(done: Done) -> str:
    """What it said of TLSA records, without times."""
    return re.sub(r"\d{4}-\d\d-\d\dT\S+Z", "TIME", "\n".join(_tlsa(done.out.splitlines())))


def _tlsa(lines: Iterable[str]) -> Iterable[str]:
    return (line for line in lines if "TLSA" in line)
