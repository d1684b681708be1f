"""Providers beside PowerDNS's API, each on a real server: what test_dns.py puts through the suite."""

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import dns.name
import dns.query
import dns.rdatatype
import dns.resolver
import dns.tsig
import dns.update

from bed import lookups
from bed.bind import ALGORITHM, KEY_NAME, SECRET, Bind
from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from certkeeper.adapters.aliases import aliases_of
from certkeeper.adapters.dns.apexes import Apexes
from certkeeper.adapters.dns.lexicon import Lexicon
from certkeeper.adapters.dns.manual import Manual
from certkeeper.adapters.dns.rfc2136 import Rfc2136
from certkeeper.apply.ports import Dns
from certkeeper.base.names import DnsName
from certkeeper.config.settings import LexiconSettings, Rfc2136Settings, Secret, ServerAddress
from certkeeper.zone.propagation import Server, ServerSet
from certkeeper.zone.rrset import ZoneKind, canonical_txt
from contract.dns.offers import EVERYTHING, Offer


def rfc2136(bind: Bind, *, key_name: str = KEY_NAME, algorithm: str = ALGORITHM, secret: str = SECRET) -> Rfc2136:
    return Rfc2136(Rfc2136Settings(ServerAddress(*bind.dns), key_name, algorithm, Secret(secret)))


class BindProvider:
    """Dynamic updates at BIND."""

    offers = EVERYTHING
    kinds: tuple[ZoneKind, ...] = (ZoneKind.PRIMARY,)

    def __init__(self, bind: Bind) -> None:
        self.bind = bind
        self.dns: Dns = rfc2136(bind)

    def make_zone(self, name: str = "", *, kind: ZoneKind = ZoneKind.PRIMARY) -> str:
        assert kind is ZoneKind.PRIMARY
        return self.bind.new_zone(name)

    def put(self, zone: str, owner: str, *contents: str, ttl: int = 60) -> None:
        key = dns.tsig.Key(dns.name.from_text(KEY_NAME), SECRET, ALGORITHM)
        update = dns.update.UpdateMessage(f"{zone}.", keyring=key)
        update.replace(dns.name.from_text(owner), ttl, "TXT", *contents)
        dns.query.tcp(update, self.bind.dns[0], port=self.bind.dns[1], timeout=5)

    def put_alias(self, zone: str, owner: str, target: str) -> None:
        key = dns.tsig.Key(dns.name.from_text(KEY_NAME), SECRET, ALGORITHM)
        update = dns.update.UpdateMessage(f"{zone}.", keyring=key)
        update.replace(dns.name.from_text(owner), 60, "CNAME", f"{target}.")
        dns.query.tcp(update, self.bind.dns[0], port=self.bind.dns[1], timeout=5)

    def get(self, zone: str, owner: str) -> frozenset[str]:  # noqa: ARG002 - the server finds the zone itself
        return served_txt(self.bind.dns, owner)

    def ttl(self, zone: str, owner: str) -> int:  # noqa: ARG002 - as above
        (found,) = lookups.ask(self.bind.dns, f"{owner}.", "TXT").answer
        return found.ttl

    def writes(self) -> int:
        return self.bind.updates()


def apexes_of(unbound: Resolver) -> Apexes:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [unbound.dns[0]]
    resolver.port = unbound.dns[1]
    return Apexes(resolver)


class Served:
    """A PowerDNS whose zones a resolver finds: all below `example`."""

    def __init__(self, folder: Path) -> None:
        self.numbers = itertools.count(1)
        self._folder = folder
        with ExitStack() as stack:
            self.server = stack.enter_context(PowerDns(folder / "pdns"))
            self.server.create_zone("example", dnssec=False)
            self.unbound = stack.enter_context(
                Resolver(folder / "unbound", zones={"example": [self.server.dns]}, max_ttl=0)
            )
            self._stack = stack.pop_all()

    @property
    def apexes(self) -> Apexes:
        return apexes_of(self.unbound)

    def aliases(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        servers = ServerSet((Server("ns1.bed", *self.server.dns),))
        return aliases_of(names, lambda _: servers, lambda _: None, self.apexes)

    @contextmanager
    def another(self, name: str) -> Iterator[Apexes]:
        """By a resolver that also finds a zone of that name, at another server."""
        folder = self._folder / f"another{next(self.numbers)}"
        with PowerDns(folder / "pdns") as server:
            server.create_zone(name, dnssec=False, nameservers=["ns1.bed"])
            zones = {"example": [self.server.dns], name: [server.dns]}
            with Resolver(folder / "unbound", zones=zones, max_ttl=0) as unbound:
                yield apexes_of(unbound)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class _OnPowerDns:
    """Zones and records of a PowerDNS that the provider under test does not know as such."""

    kinds: tuple[ZoneKind, ...] = (ZoneKind.NATIVE,)

    def __init__(self, served: Served) -> None:
        self.served = served
        self.server = served.server

    def make_zone(self, name: str = "", *, kind: ZoneKind = ZoneKind.PRIMARY) -> str:  # noqa: ARG002 - it tells one kind
        name = name or f"zone{next(self.served.numbers)}.example"
        self.server.create_zone(name, dnssec=False, nameservers=["ns1.bed"])
        return name

    def put(self, zone: str, owner: str, *contents: str, ttl: int = 60) -> None:
        self.server.patch(zone, rrset(owner, "TXT", contents, ttl=ttl))

    def put_alias(self, zone: str, owner: str, target: str) -> None:
        self.server.patch(zone, rrset(owner, "CNAME", [f"{target}."]))

    def get(self, zone: str, owner: str) -> frozenset[str]:
        return self.server.records(zone).get((f"{owner}.", "TXT"), frozenset())

    def ttl(self, zone: str, owner: str) -> int:
        (found,) = [each for each in self.server.api.rrsets(f"{zone}.") if each["name"] == f"{owner}."]
        return int(found["ttl"])


def lexicon(served: Served, apexes: Apexes | None = None, **options: str) -> Lexicon:
    known = {"pdns_server": served.server.api_url, "auth_token": "secret", **options}
    settings = LexiconSettings("powerdns", tuple((name, Secret(text)) for name, text in sorted(known.items())))
    return Lexicon(settings, apexes or served.apexes, served.aliases)


class LexiconProvider(_OnPowerDns):
    """lexicon's own client for PowerDNS."""

    offers = EVERYTHING - {Offer.TTL, Offer.NEW_TTL, Offer.ONE_WRITE, Offer.ANY_TEXT, Offer.CHALLENGE_ZONES}

    def __init__(self, served: Served) -> None:
        super().__init__(served)
        self.dns: Dns = lexicon(served)

    def writes(self) -> int:
        return sum(1 for request in self.server.recorder.requests() if request.method == "PATCH")


class ManualProvider(_OnPowerDns):
    """An operator who does as told, through an API."""

    kinds: tuple[ZoneKind, ...] = (ZoneKind.BY_HAND,)
    offers = EVERYTHING - {Offer.CHALLENGE_ZONES, Offer.NEW_TTL}

    def __init__(self, served: Served) -> None:
        super().__init__(served)
        self.said: list[str] = []
        self._writes = 0
        self.dns: Dns = Manual(served.apexes, served.aliases, self._obey)

    def writes(self) -> int:
        return self._writes

    def _obey(self, text: str) -> None:
        self.said.append(text)
        zone, removing = "", False
        wanted: dict[str, tuple[int, set[str]]] = {}
        before: dict[str, frozenset[str]] = defaultdict(frozenset)
        for line in text.splitlines():
            if line.startswith(";"):
                heading = re.match(r"; zone (\S+): (publish|remove) ", line)
                assert heading is not None
                zone, removing = heading[1], heading[2] == "remove"
                continue
            owner, ttl, _, _, content = line.split(" ", 4)
            if owner not in wanted:
                before[owner] = self.get(zone, owner.removesuffix("."))
                old_ttl = self.ttl(zone, owner.removesuffix(".")) if before[owner] else int(ttl)
                wanted[owner] = (old_ttl, set(before[owner]))
            there = {each for each in wanted[owner][1] if canonical_txt(each) == content}
            if removing:
                wanted[owner][1].difference_update(there)
            elif not there:
                wanted[owner][1].add(content)
        changed = {owner: each for owner, each in wanted.items() if each[1] != before[owner]}
        if changed:
            self._writes += 1
            self.server.patch(
                zone, *(rrset(owner, "TXT", sorted(texts), ttl=ttl) for owner, (ttl, texts) in changed.items())
            )


def served_txt(server: lookups.Server, owner: str) -> frozenset[str]:
    """TXT contents as served, in canonical form."""
    return frozenset(
        canonical_txt(rdata.to_text())
        for found in lookups.ask(server, f"{owner}.", "TXT").answer
        if found.rdtype == dns.rdatatype.TXT
        for rdata in found
    )
