"""Questions about a zone as a whole: to each of its name servers (SOA, NS, DNSKEY), and to those of its parent."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.RRSIG import RRSIG
from dns.rdtypes.ANY.SOA import SOA

from certkeeper.adapters.parent import ds_at_parent, referral
from certkeeper.apply.ports import Nameservers
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.base.value import dataclass
from certkeeper.zone.facts import Delegation, Ds, Served, newer
from certkeeper.zone.propagation import Server, ServerSet

_SECONDS = 3.0
_TRIES = 2
_SECOND_LOOK = 3.0
"""Seconds after which a server that was behind is asked again; a secondary that was notified has the zone by then."""
_RESOLVER_SECONDS = 6.0
_MOST_SERVERS = 40
_MOST_NAMES = 40
_EDNS_PAYLOAD = 1232
_AT_ONCE = 8
_DIGESTS = ("SHA1", "SHA256", "SHA384")


class NoAnswer(CertkeeperError):
    """A server that says nothing of use, or a resolver."""

    label = "dns-server"
    fault = Fault.REMOTE


@dataclass(frozen=True, slots=True)
class Seen:
    """A zone as DNS shows it; the fields are those of ZoneFacts."""

    servers: tuple[Served, ...] = ()
    servers_trouble: str = ""
    skipped: tuple[str, ...] = ()
    delegation: Delegation | None = None
    delegation_trouble: str = ""
    unresolved: tuple[DnsName, ...] = ()


def look(zone: DnsName, nameservers: Nameservers, written: int = 0) -> Seen:
    """Ask everybody about the zone. Bounded in time by the number of servers; raises nothing.

    `written` is the serial at the server that we write to, 0 where that is not known.
    """
    trouble = ""
    try:
        found = nameservers.of(zone)
    except CertkeeperError as error:
        found, trouble = ServerSet(()), str(error)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        parent = threads.submit(_delegation_or_trouble, zone)
        servers = tuple(threads.map(lambda server: ask_server(zone, server), found.servers[:_MOST_SERVERS]))
        servers = _again_where_behind(zone, servers, written, threads)
        delegation, delegation_trouble = parent.result()
    named = {name for item in servers for name in item.ns} | (delegation.ns if delegation is not None else set())
    # A resolver that does not find the parent has no say about names either.
    unresolved = tuple(_without_address(sorted(named)[:_MOST_NAMES])) if delegation is not None else ()
    return Seen(servers, trouble, found.skipped, delegation, delegation_trouble, unresolved)


def _again_where_behind(
    zone: DnsName, servers: tuple[Served, ...], written: int, threads: ThreadPoolExecutor
) -> tuple[Served, ...]:
    """A second look at servers with an older serial: the zone may have changed a moment ago, maybe by our own doing."""
    serials = [item.serial for item in servers if not item.trouble] + ([written] if written else [])
    late = {item.server for item in servers if not item.trouble and any(newer(one, item.serial) for one in serials)}
    if not late:
        return servers
    time.sleep(_SECOND_LOOK)
    fresh = dict(zip(late, threads.map(lambda server: ask_server(zone, server), late), strict=True))
    return tuple(fresh.get(item.server, item) for item in servers)


def ask_server(zone: DnsName, server: Server) -> Served:
    """What one server says of the zone; its silence is an answer, too."""
    try:
        soa_answer = _ask(server, zone, "SOA")
        _authoritative(soa_answer)
        found = [(ttl, rdata) for ttl, rdata in _rdata(soa_answer, zone, "SOA") if isinstance(rdata, SOA)]
        if not found:
            return Served(server, "has no SOA record for the zone")
        ttl, soa = found[0]
        signatures = [
            rdata
            for _, rdata in _rdata(soa_answer, zone, "RRSIG")
            if isinstance(rdata, RRSIG) and rdata.type_covered == dns.rdatatype.SOA
        ]
        names = [rdata for _, rdata in _rdata(_ask(server, zone, "NS"), zone, "NS")]
        keys = [rdata for _, rdata in _rdata(_ask(server, zone, "DNSKEY"), zone, "DNSKEY")] if signatures else []
    except NoAnswer as error:
        return Served(server, str(error))
    return Served(
        server,
        serial=soa.serial,
        negative_ttl=min(ttl, soa.minimum),
        signed_until=max((datetime.fromtimestamp(item.expiration, tz=UTC) for item in signatures), default=None),
        ns=_targets(names),
        ds=frozenset(ds for key in keys if isinstance(key, DNSKEY) for ds in _ds_of(zone, key)),
    )


def _delegation_or_trouble(zone: DnsName) -> tuple[Delegation | None, str]:
    try:
        return find_delegation(zone), ""
    except CertkeeperError as error:
        return None, str(error)


def find_delegation(zone: DnsName) -> Delegation:
    """What the parent's servers say, asked themselves: a resolver would answer with the zone's own NS records.

    Raises:
        CertkeeperError: none of them can be found or answers.
    """
    found = referral(zone, _resolver())
    if not found.exists:
        return Delegation(found.parent, frozenset(), exists=False)
    # A server that holds the zone, too, tells the zone's own names.
    names = map(_host_name, found.names if found.ds is not None else ())
    ds = frozenset(map(_parent_ds, ds_at_parent(zone, found)))
    return Delegation(found.parent, frozenset(name for name in names if name is not None), ds)


def _parent_ds(text: str) -> Ds:
    tag, algorithm, digest_type, digest = text.split()[:4]
    return Ds(int(tag), int(algorithm), int(digest_type), digest)


def _without_address(names: Iterable[DnsName]) -> Iterable[DnsName]:
    """Names that certainly have none: a resolver that fails proves nothing."""
    resolver = _resolver()
    for name in names:
        try:
            if not any(_has(resolver, name, kind) for kind in ("A", "AAAA")):
                yield name
        except dns.exception.Timeout:
            # The next one would take as long.
            return
        except (dns.exception.DNSException, OSError):
            continue


def _has(resolver: dns.resolver.Resolver, name: DnsName, kind: str) -> bool:
    try:
        return bool(resolver.resolve(name.absolute, kind, raise_on_no_answer=False, search=False).rrset)
    except dns.resolver.NXDOMAIN:
        return False


def _resolver() -> dns.resolver.Resolver:
    try:
        resolver = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration as error:
        raise NoAnswer("this host has no resolver (/etc/resolv.conf)") from error
    resolver.lifetime = _RESOLVER_SECONDS
    return resolver


def _ask(server: Server, zone: DnsName, kind: str) -> dns.message.Message:
    """The answer, without recursion and with signatures.

    Raises:
        NoAnswer: nothing came, or nothing that makes sense.
    """
    query = dns.message.make_query(
        zone.absolute, kind, use_edns=0, payload=_EDNS_PAYLOAD, want_dnssec=True, flags=dns.flags.Flag(0)
    )
    trouble = "no answer"
    for _ in range(_TRIES):
        try:
            answer, _tcp = dns.query.udp_with_fallback(query, server.address, timeout=_SECONDS, port=server.port)
        except dns.exception.Timeout:
            continue
        except OSError as error:
            trouble = (error.strerror or "no answer").lower()
            continue
        except (dns.exception.DNSException, ValueError, EOFError):
            trouble = "answers with something that is no DNS message"
            continue
        if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            raise NoAnswer(f"answers {dns.rcode.to_text(answer.rcode())}")
        return answer
    raise NoAnswer(trouble)


def _authoritative(answer: dns.message.Message) -> None:
    if not answer.flags & dns.flags.AA:
        raise NoAnswer("is not authoritative for the zone")


def _rdata(answer: dns.message.Message, zone: DnsName, kind: str) -> list[tuple[int, object]]:
    return _section(answer.answer, zone, kind)


def _section(section: Iterable[object], zone: DnsName, kind: str) -> list[tuple[int, object]]:
    """TTL and rdata of the records of that type at the zone's name."""
    owner, wanted = dns.name.from_text(zone.absolute), dns.rdatatype.from_text(kind)
    return [
        (rrset.ttl, rdata)
        for rrset in section
        if isinstance(rrset, dns.rrset.RRset) and rrset.name == owner and rrset.rdtype == wanted
        for rdata in rrset
    ]


def _targets(records: Iterable[object]) -> frozenset[DnsName]:
    """NS names that a host can have; others are nobody's."""
    names = (_host_name(rdata.target.to_text()) for rdata in records if isinstance(rdata, NS))
    return frozenset(name for name in names if name is not None)


def _host_name(text: str) -> DnsName | None:
    try:
        return DnsName.parse(text)
    except InvalidName:
        return None


def _ds_of(zone: DnsName, key: DNSKEY) -> Iterable[Ds]:
    name = dns.name.from_text(zone.absolute)
    for digest in _DIGESTS:
        try:
            ds = dns.dnssec.make_ds(name, key, digest, policy=dns.dnssec.allow_all_policy)
        except (dns.exception.DNSException, ValueError):
            return
        yield Ds(ds.key_tag, int(ds.algorithm), int(ds.digest_type), ds.digest.hex())
