"""Dynamic updates (RFC 2136), signed with a TSIG key (RFC 8945): BIND, Knot, NSD's and PowerDNS's primaries.

An update adds and removes single records, so what others have in the same RRset is not written at all. The server
raises the serial and notifies its secondaries by itself.
"""

import socket
import struct
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias, TypeVar

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update
import dns.wire
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TSIG import TSIG

from certkeeper.adapters.dnslines import ServerSilent, trouble
from certkeeper.adapters.dnsquestions import Question, ask, exchange
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import TransportError
from certkeeper.config.settings import Rfc2136Settings
from certkeeper.zone.apex import Cut, ZoneSearch, aliases_refused, find_zones
from certkeeper.zone.changes import ChangeSet, Key, fold
from certkeeper.zone.propagation import Server
from certkeeper.zone.rrset import RRset, Zone, ZoneKind, canonical_txt

_SECONDS = 20.0
"""A server may sign the zone again before it answers."""
_LARGEST = 60_000
"""Octets of records in one update: a message holds 65535 (RFC 1035 §4.2.2), and its signature is to fit, too."""
_RECORD_HEADER = 10
_FUDGE = 300

T = TypeVar("T")
Rdatas: TypeAlias = Mapping[str, tuple[dns.rdata.Rdata, ...]]


class UpdateRefused(CertkeeperError):
    """The server said no, or does not know the key."""

    label = "dns-provider"
    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True)
class _Present:
    """An RRset as the server has it: canonical text, and the records that it stands for, however they are split."""

    rrset: RRset
    records: Rdatas = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Edit:
    """One record to add to, or to remove from, the owner's RRset."""

    owner: dns.name.Name
    ttl: int
    rdata: dns.rdata.Rdata
    adds: bool

    @property
    def size(self) -> int:
        """Octets in a message, without compression."""
        return len(self.owner.to_wire() or b"") + _RECORD_HEADER + len(self.rdata.to_wire() or b"")


class Rfc2136:
    """Implements the port Dns for one name server and one key."""

    def __init__(self, settings: Rfc2136Settings) -> None:
        self._server = settings.server
        self._key = dns.tsig.Key(
            dns.name.from_text(settings.key_name),
            settings.secret.reveal(),
            dns.name.from_text(settings.algorithm),
        )

    def describe(self) -> str:
        return f"name server {self._server}"

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        search: ZoneSearch[Zone] = find_zones(owners)
        try:
            names = next(search)
            while True:
                names = search.send(self._zones_among(names))
        except StopIteration as stop:
            return dict(stop.value)

    def aliases(self, names: Mapping[Zone, Collection[DnsName]]) -> Mapping[DnsName, DnsName | Cut]:
        asked = dict.fromkeys(name for each in names.values() for name in each)
        answers = self._ask([(name, "CNAME") for name in asked])
        found = {name: _records(name, "CNAME", answer) for (name, _), answer in answers.items()}
        aliases = {name: DnsName.parse(str(rdata)) for name, records in found.items() for rdata in records}
        zones = {name: zone for zone, each in names.items() for name in each}
        cuts = {name: _cut(zones[name], answer) for (name, _), answer in answers.items() if name not in aliases}
        return {**aliases, **{name: cut for name, cut in cuts.items() if cut is not None}}

    def change(self, zone: Zone, changes: ChangeSet) -> None:
        """Look what is there, then write the difference; the server does each message as a whole (RFC 2136 §3.7)."""
        present = self._current(zone, changes)
        written = fold(changes, {key: found.rrset for key, found in present.items()})
        edits = [edit for rrset in written for edit in _edits(rrset, present[rrset.owner, rrset.type])]
        for batch in _batches(edits):
            self._update(zone, batch)

    def notify(self, zone: Zone) -> None:
        """The server does that by itself after an update."""

    def _zones_among(self, names: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        answers = self._ask([(name, "SOA") for name in names])
        found = {}
        for (name, _), answer in answers.items():
            if answer.rcode() == dns.rcode.SERVFAIL:
                # It has such a zone and cannot serve it; the zone above would be the wrong one to write to.
                raise TransportError(f"{self.describe()}: answers SERVFAIL for {name}", hint="see the server's log")
            serial = _serial(name, answer)
            if serial is not None:
                # No PowerDNS, but the same is true: a change raises the serial.
                found[name] = Zone(name, name.text, ZoneKind.PRIMARY, serial, soa_edit_api="DEFAULT")
        return found

    def _current(self, zone: Zone, changes: ChangeSet) -> Mapping[Key, _Present]:
        """The RRsets that are to be changed; empty ones where there is nothing yet."""
        present = {}
        aliases = {}
        for (owner, type_), answer in self._ask([change.key for change in changes.changes]).items():
            if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN} or not answer.flags & dns.flags.AA:
                # Taken for empty, it would make a withdrawal of nothing.
                raise UpdateRefused(
                    f"{self.describe()}: zone {zone.name}: the server does not answer for {owner} with authority "
                    f"({dns.rcode.to_text(answer.rcode())})",
                    hint="was the zone deleted meanwhile?",
                )
            target = next((str(rdata) for rdata in _records(owner, "CNAME", answer)), None)
            if target is not None:
                aliases[owner] = target.removesuffix(".")
            present[owner, type_] = _present(owner, type_, answer)
        adding = {change.owner for change in changes.changes if change.add}
        if adding & aliases.keys():
            raise aliases_refused(zone.name, {owner: aliases[owner] for owner in adding & aliases.keys()})
        return present

    def _ask(self, questions: Collection[Question]) -> Mapping[Question, dns.message.Message]:
        if not questions:
            return {}
        return self._at_some_address(lambda server: ask(server, questions))

    def _update(self, zone: Zone, edits: Iterable[_Edit]) -> None:
        message = dns.update.UpdateMessage(dns.name.from_text(zone.name.absolute))
        for edit in edits:
            if edit.adds:
                message.add(edit.owner, edit.ttl, edit.rdata)
            else:
                message.delete(edit.owner, edit.rdata)
        message.use_tsig(self._key, fudge=_FUDGE)
        wire = message.to_wire(max_size=65535)
        answer = self._at_some_address(lambda server: exchange(server, wire, _SECONDS))
        self._judge(zone, message, answer)

    def _judge(self, zone: Zone, message: dns.message.Message, wire: bytes) -> None:
        """Take the answer for what it is worth: signed, or a refusal that cannot be signed (RFC 8945 §5.3)."""
        subject = f"{self.describe()}: zone {zone.name}"
        try:
            # Unverified first: an error of TSIG's own says more than that it does not verify.
            bare, trouble = _without_tsig(wire)
            answer = dns.message.from_wire(bare)
        except (dns.exception.DNSException, ValueError) as error:
            raise TransportError(f"{subject}: answers with something that is no DNS message") from error
        if answer.id != message.id:
            raise TransportError(f"{subject}: answers another question")
        if trouble is not None and trouble.error:
            raise self._unsigned(subject, trouble)
        if answer.rcode() != dns.rcode.NOERROR:
            raise _refusal(subject, self._key.name.to_text(omit_final_dot=True), answer.rcode())
        if trouble is None:
            raise TransportError(f"{subject}: the answer is not signed", hint="is something between here and there?")
        try:
            dns.message.from_wire(wire, keyring=self._key, request_mac=message.mac)
        except dns.tsig.BadTime as error:
            raise _clocks(subject, trouble.time_signed) from error
        except dns.exception.DNSException as error:
            raise TransportError(
                f"{subject}: the answer's signature is not the server's",
                hint="has the key another secret there? or is something between here and there?",
            ) from error

    def _unsigned(self, subject: str, trouble: TSIG) -> CertkeeperError:
        key = self._key.name.to_text(omit_final_dot=True)
        match trouble.error:
            case dns.rcode.BADKEY:
                return UpdateRefused(
                    f"{subject}: key {key} is not known there (BADKEY)",
                    hint="name and algorithm must be those of the server's configuration",
                )
            case dns.rcode.BADSIG:
                return UpdateRefused(
                    f"{subject}: key {key} has another secret there (BADSIG)",
                    hint="copy the secret from the server's configuration",
                )
            case dns.rcode.BADTIME if len(trouble.other) == 6:
                return _clocks(subject, int.from_bytes(trouble.other, "big"))
            case dns.rcode.BADTIME:
                return UpdateRefused(f"{subject}: the clocks differ too much (BADTIME)", hint="set both clocks")
            case other:
                return UpdateRefused(f"{subject}: refuses the signature with key {key} (TSIG error {int(other)})")

    def _at_some_address(self, call: Callable[[Server], T]) -> T:
        """The first address of the server that answers; the last one's trouble where none does."""
        why = "it has no address"
        for server in self._addresses():
            try:
                return call(server)
            except ServerSilent as error:
                why = str(error)
            except OSError as error:
                why = trouble(error)
        raise TransportError(
            f"{self.describe()}: {why}", hint="RFC2136_SERVER is the primary of the zones; updates need TCP"
        )

    def _addresses(self) -> list[Server]:
        host, port = self._server.host, self._server.port
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise TransportError(
                f"{self.describe()}: {host} cannot be resolved", hint="write its address into RFC2136_SERVER"
            ) from error
        return [
            Server(str(self._server), address, port) for address in dict.fromkeys(str(info[4][0]) for info in infos)
        ]


def _records(owner: DnsName, type_: str, answer: dns.message.Message) -> list[dns.rdata.Rdata]:
    """The records of that type at exactly that owner, where the server is authoritative for them."""
    if answer.rcode() != dns.rcode.NOERROR or not answer.flags & dns.flags.AA:
        return []
    name = dns.name.from_text(owner.absolute)
    wanted = dns.rdatatype.from_text(type_)
    return [rdata for rrset in answer.answer if rrset.name == name and rrset.rdtype == wanted for rdata in rrset]


def _cut(zone: Zone, answer: dns.message.Message) -> Cut | None:
    """Where the server sends us on to others (RFC 1034 §4.3.2)."""
    if answer.rcode() != dns.rcode.NOERROR or answer.flags & dns.flags.AA:
        return None
    for rrset in answer.authority:
        if rrset.rdtype == dns.rdatatype.NS and rrset.name != dns.name.from_text(zone.name.absolute):
            return Cut(DnsName.parse(rrset.name.to_text()), tuple(sorted(str(rdata) for rdata in rrset)))
    return None


def _serial(name: DnsName, answer: dns.message.Message) -> int | None:
    return next((rdata.serial for rdata in _records(name, "SOA", answer) if isinstance(rdata, SOA)), None)


def _present(owner: DnsName, type_: str, answer: dns.message.Message) -> _Present:
    records: dict[str, tuple[dns.rdata.Rdata, ...]] = {}
    for rdata in _records(owner, type_, answer):
        text = canonical_txt(rdata.to_text()) if type_ == "TXT" else rdata.to_text()
        records[text] = (*records.get(text, ()), rdata)
    name = dns.name.from_text(owner.absolute)
    ttl = next((rrset.ttl for rrset in answer.answer if rrset.name == name), 0)
    return _Present(RRset(owner, type_, ttl, frozenset(records)), records)


def _edits(rrset: RRset, present: _Present) -> Iterator[_Edit]:
    """What makes the one of the other. All records are written where the TTL becomes another one (RFC 2181 §5.2)."""
    name = dns.name.from_text(rrset.owner.absolute)
    for text in sorted(present.rrset.rdata - rrset.rdata):
        for rdata in present.records[text]:
            yield _Edit(name, 0, rdata, adds=False)
    keep = present.rrset.rdata if rrset.ttl == present.rrset.ttl else frozenset[str]()
    for text in sorted(rrset.rdata - keep):
        yield _Edit(name, rrset.ttl, dns.rdata.from_text(dns.rdataclass.IN, rrset.type, text), adds=True)


def _batches(edits: Iterable[_Edit]) -> Iterator[list[_Edit]]:
    """As few messages as hold them all."""
    batch: list[_Edit] = []
    size = 0
    for edit in edits:
        if batch and size + edit.size > _LARGEST:
            yield batch
            batch, size = [], 0
        batch.append(edit)
        size += edit.size
    if batch:
        yield batch


def _without_tsig(wire: bytes) -> tuple[bytes, TSIG | None]:
    """A message without its signature, which is its last record (RFC 8945 §5.1), and the signature.

    dnspython hands out neither where the signature reports an error.
    """
    parser = dns.wire.Parser(wire)
    *head, questions, answers, authorities, additional = parser.get_struct("!HHHHHH")
    for _ in range(questions):
        parser.get_name()
        parser.get_struct("!HH")
    for _ in range(answers + authorities + additional - 1):
        parser.get_name()
        parser.get_bytes(parser.get_struct("!HHIH")[3])
    if not additional:
        return wire, None
    start = parser.current
    parser.get_name()
    type_, class_, _, size = parser.get_struct("!HHIH")
    if type_ != dns.rdatatype.TSIG:
        return wire, None
    with parser.restrict_to(size):
        found = dns.rdata.from_wire_parser(class_, type_, parser)
    counts = struct.pack("!HHHHHH", *head, questions, answers, authorities, additional - 1)
    return counts + wire[len(counts) : start], found if isinstance(found, TSIG) else None


def _clocks(subject: str, theirs: int) -> UpdateRefused:
    difference = int(time.time()) - theirs
    side = "ahead of" if difference > 0 else "behind"
    return UpdateRefused(
        f"{subject}: this host's clock is {abs(difference)} s {side} the server's (BADTIME)",
        hint="set the clocks of both by NTP; signatures count for five minutes",
    )


def _refusal(subject: str, key: str, rcode: dns.rcode.Rcode) -> CertkeeperError:
    word = dns.rcode.to_text(rcode)
    match rcode:
        case dns.rcode.REFUSED:
            return UpdateRefused(
                f"{subject}: key {key} may not change it (REFUSED)",
                hint=f'let it, in the zone of named.conf: update-policy {{ grant "{key}" zonesub TXT; }};',
            )
        case dns.rcode.NOTAUTH:
            return UpdateRefused(
                f"{subject}: the server is not its primary (NOTAUTH)", hint="RFC2136_SERVER must be the zone's primary"
            )
        case dns.rcode.NOTZONE:
            return UpdateRefused(f"{subject}: some names of the change are not in it (NOTZONE)")
        case dns.rcode.NOTIMP:
            return UpdateRefused(
                f"{subject}: the server takes no dynamic updates (NOTIMP)",
                hint="switch them on there, or use another DNS_PROVIDER",
            )
        case dns.rcode.SERVFAIL:
            return TransportError(
                f"{subject}: the server failed (SERVFAIL)",
                hint="see its log; it must be able to write the zone's folder",
            )
        case _:
            return UpdateRefused(f"{subject}: refused with {word}")
