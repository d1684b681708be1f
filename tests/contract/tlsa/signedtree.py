"""Zones below one signed zone whose key is the trust anchor, at PowerDNS with a secondary, and a validating unbound."""

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path

from bed import ports
from bed.api import Json
from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from bed.waiting import wait_until
from certkeeper.adapters.resolver import Named, SystemNameservers
from certkeeper.adapters.tlsalooks import TlsaLooks
from certkeeper.adapters.tlsatrust import Validation
from certkeeper.apply.daneports import TlsaLookup
from certkeeper.base.names import DnsName
from certkeeper.config.settings import NameserverOverride, ServerAddress
from certkeeper.zone.propagation import Server

TOP = "dane.test"
OLD, NEW = (f"3 1 1 {digit * 64}" for digit in "ab")
MANY = [f"3 1 1 {number:064x}" for number in range(200)]


_DNAME = {"dname-processing": "yes"}


def name(text: str) -> DnsName:
    return DnsName.parse(f"{text}.{TOP}")


class Tree:
    """The zones. The secondary hears of no change by itself: `transfer` brings it a zone."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.primary = stack.enter_context(PowerDns(folder / "primary", settings=_DNAME))
        self.secondary = stack.enter_context(
            PowerDns(folder / "secondary", role="secondary", primary=self.primary, lag=None, settings=_DNAME)
        )
        self.zones = [TOP]
        self.primary.create_zone(TOP, soa_edit_api="DEFAULT")
        for zone, signed, linked in (
            ("complete", True, True),
            ("lacking", True, True),
            ("unsigned", False, False),
            ("lone", True, False),
            ("wrong", True, False),
            ("hidden", True, True),
            ("elsewhere", True, True),
            ("many", True, True),
            ("served", True, True),
        ):
            self._below(f"{zone}.{TOP}", signed=signed, linked=linked)
        self._link(f"wrong.{TOP}", [f"1 13 2 {'00' * 32}"])
        self.primary.api.call("PUT", f"/zones/hidden.{TOP}.", {"api_rectify": False})
        for zone in ("complete", "unsigned", "lone", "wrong", "hidden", "lacking"):
            self.put(zone, rrset(f"mail.{zone}.{TOP}", "A", ["127.0.0.1"]))
            self.put(zone, rrset(f"_25._tcp.mail.{zone}.{TOP}", "TLSA", [OLD], ttl=77))
        self.put("lacking", rrset(f"_25._tcp.mail.lacking.{TOP}", "TLSA", [OLD, NEW], ttl=77), transfer=False)
        self.put("elsewhere", rrset(f"tlsa._dane.elsewhere.{TOP}", "TLSA", [OLD], ttl=88))
        alias = rrset(f"_443._tcp.mail.complete.{TOP}", "CNAME", [f"tlsa._dane.elsewhere.{TOP}."], ttl=99)
        self.put("complete", alias)
        # Below mail.old all is as below mail.complete; and a wildcard answers for every port of one host.
        self.put("complete", rrset(f"mail.old.complete.{TOP}", "DNAME", [f"mail.complete.{TOP}."], ttl=66))
        self.put("complete", rrset(f"*._tcp.any.complete.{TOP}", "TLSA", [OLD], ttl=55))
        self.put("many", rrset(f"_25._tcp.mail.many.{TOP}", "TLSA", MANY))
        odd = ["9 7 8 abcd", "3 1 1 ab", OLD]
        self.put("many", rrset(f"_26._tcp.mail.many.{TOP}", "TLSA", odd))
        self.transfer(TOP)
        self.unbound = stack.enter_context(
            Resolver(
                folder / "unbound",
                zones={f"{zone}.": [self.primary.dns] for zone in self.zones},
                trust_anchors=self.primary.trust_anchors(TOP),
            )
        )
        self.anchors = {
            DnsName.parse(TOP): frozenset(line.split(" DS ")[1] for line in self.primary.trust_anchors(TOP))
        }

    def _below(self, zone: str, *, signed: bool, linked: bool) -> None:
        self.primary.create_zone(zone, dnssec=signed, soa_edit_api="DEFAULT")
        self.zones.append(zone)
        self.put("", rrset(zone, "NS", [f"ns1.{zone}.", f"ns2.{zone}."]), transfer=False)
        if linked:
            self._link(zone, [line.split(" DS ")[1] for line in self.primary.trust_anchors(zone)])

    def _link(self, zone: str, ds: list[str]) -> None:
        self.put("", rrset(zone, "DS", ds), transfer=False)

    def know_dname(self) -> None:
        """PowerDNS 4.7 may have the CNAME before its DNAME, which unbound takes for bogus. One that it has validated
        already it follows by itself.
        """
        assert self.unbound.secure(f"mail.old.complete.{TOP}", "DNAME")

    def put(self, zone: str, *rrsets: Mapping[str, Json], transfer: bool = True) -> None:
        whole = f"{zone}.{TOP}".removeprefix(".")
        self.primary.patch(whole, *rrsets)
        if transfer:
            self.transfer(whole)

    def transfer(self, zone: str) -> None:
        self.secondary.api.call("PUT", f"/zones/{zone}./axfr-retrieve")
        wait_until(lambda: self.secondary.serial(zone) == self.primary.serial(zone), f"{zone} at the secondary")

    def nameservers(self, *, dead: bool = False) -> SystemNameservers:
        servers = [ServerAddress(*self.primary.dns), ServerAddress(*self.secondary.dns)]
        if dead:
            port = ports.reserve()
            ports.release(port)
            servers[1] = ServerAddress("127.0.0.1", port)
        named = [NameserverOverride(DnsName.parse(zone), tuple(servers)) for zone in self.zones]
        return SystemNameservers(Named(instead=named))

    def homes(self, names: Collection[DnsName]) -> dict[DnsName, DnsName]:
        known = sorted((DnsName.parse(zone) for zone in self.zones), key=lambda zone: -len(zone.labels))
        return {host: next(zone for zone in known if host.is_within(zone)) for host in names}

    def looks(self, validation: Validation, *, dead: bool = False) -> TlsaLookup:
        return TlsaLooks(self.nameservers(dead=dead), self.homes, validation)

    @property
    def resolver(self) -> Validation:
        return Validation((Server("unbound", *self.unbound.dns),))

    @property
    def proof_by_resolver(self) -> Validation:
        """What a resolver hands out unchecked, proven by ourselves."""
        return Validation(anchors=self.anchors, recursors=(Server("unbound", *self.unbound.dns),))

    @property
    def proof(self) -> Validation:
        return Validation(anchors=self.anchors)
