"""PowerDNS's HTTP API: records are added to and taken from what is there, and what others keep there stays.

One request carries all changes of a zone: the server takes them all or none. Where it can, it adds and takes away
single records; elsewhere whole RRsets are read, merged and written, and looked at again, since another program may
have done the same at that moment.
"""

import threading
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from certkeeper.adapters.dns.powerdns_ability import Ability, Rectifying, Turns
from certkeeper.adapters.dns.powerdns_api import PowerDnsApi, PowerDnsError, ServerFailed, foreign
from certkeeper.adapters.dns.powerdns_lookup import ZoneLookup, zone_details
from certkeeper.adapters.dns.powerdns_rrsets import (
    Held,
    Json,
    read_rrsets,
    replacement,
    single_records,
    suits_single_records,
)
from certkeeper.adapters.http import AnswerTooLarge, HttpClient
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import DnsName
from certkeeper.config.settings import PowerDnsSettings
from certkeeper.zone.apex import Cut, aliases_refused, names_between
from certkeeper.zone.changes import ChangeSet, Key, RecordChange, fold, taken_away
from certkeeper.zone.rrset import RRset, Zone, ZoneKind

_WRITES = 5
_LOOKS_AT_ONCE = 4
_FEW = 4


class RecordsLost(CertkeeperError):
    """Another program writes the same RRset and takes our records away each time."""

    label = "dns-provider"
    fault = Fault.OPERATOR


class PowerDns:
    """Implements the port Dns for one API server."""

    def __init__(self, settings: PowerDnsSettings, client: HttpClient) -> None:
        self._api = PowerDnsApi(settings, client)
        self._ability = Ability(self._api)
        self._turns = Turns()
        self._notify = settings.notify
        self._zones = settings.zones
        self._locks: dict[str, threading.Lock] = {}
        self._locks_guard = threading.Lock()

    def describe(self) -> str:
        return f"PowerDNS {self._api.url}"

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        return ZoneLookup(self._api, self._zones).find(owners)

    def aliases(self, names: Mapping[Zone, Collection[DnsName]]) -> Mapping[DnsName, DnsName | Cut]:
        """One look per zone, side by side."""
        with ThreadPoolExecutor(_LOOKS_AT_ONCE) as threads:
            found = threads.map(lambda zone: self._aliases(zone, names[zone]), names)
        return {owner: target for aliases in found for owner, target in aliases.items()}

    def change(self, zone: Zone, changes: ChangeSet) -> int:
        """Read, fold and write, until nothing is left to write."""
        with self._lock(zone):
            seen: list[int] = []
            if self._until_done(zone, changes, seen):
                self._rectify(zone)
            return seen[0]

    def notify(self, zone: Zone) -> None:
        if self._notify:
            self._api.put(f"/zones/{zone.id}/notify", subject=f"zone {zone.name}: ")

    def _until_done(self, zone: Zone, changes: ChangeSet, seen: list[int]) -> bool:
        """Whether anything was written; `seen` gets how much each look found that is to be taken away.

        The look after the last writing shows whether somebody else's put our records away, or back; then ours comes
        again. Single records need no such look, since nobody overwrites them who does not overwrite everything.
        """
        failure: ServerFailed | None = None
        for written in range(_WRITES):
            held = self._read(zone, changes, checking=written > 0 and failure is None)
            self._refuse_aliases(zone, changes, held.rrsets)
            seen.append(taken_away(changes, held.rrsets))
            rrsets = fold(changes, held.rrsets)
            if not rrsets:
                return written > 0
            singly = self._ability.single_records()
            try:
                self._write(zone, rrsets, held, singly=singly)
            except ServerFailed as error:
                # The whole request failed, or its answer was lost: the next look tells.
                failure = error
                self._turns.one_at_a_time()
                time.sleep(0.1 * 2**written)
                continue
            except PowerDnsError as error:
                if not (singly and error.status == 422 and "changetype" in str(error).lower()):
                    raise
                self._ability.refuses_single_records()
                continue
            failure = None
            if singly and all(suits_single_records(rrset, held) for rrset in rrsets):
                return True
        if failure is not None:
            raise failure
        if not fold(changes, self._read(zone, changes, checking=True).rrsets):
            return True
        raise RecordsLost(
            f"{self._api.url}: zone {zone.name}: another program undoes our change each time",
            hint="look for what else writes these names: "
            + ", ".join(change.owner.text for change in changes.changes[:_FEW]),
        )

    def _write(self, zone: Zone, rrsets: Collection[RRset], held: Held, *, singly: bool) -> None:
        body: list[Json] = []
        for rrset in rrsets:
            if singly and suits_single_records(rrset, held):
                body += single_records(rrset, held)
            else:
                body.append(replacement(rrset, held))
        if zone.kind is ZoneKind.PRIMARY and not zone.raises_serial:
            body.append(self._raised_soa(zone))
        if self._ability.one_writer():
            self._turns.one_at_a_time()
        with self._turns.turn():
            self._api.patch(f"/zones/{zone.id}", {"rrsets": body}, subject=f"zone {zone.name}: ")

    def _read(self, zone: Zone, changes: ChangeSet, *, checking: bool) -> Held:
        """The RRsets to be changed, and those beside them.

        The whole zone is read, since the server leaves disabled records out of an answer for one name. It is read
        name by name where it is too large for that, or where few names have only to be checked.
        """
        owners = list(dict.fromkeys(change.owner for change in changes.changes))
        if checking and len(owners) <= _FEW:
            found = self._read_owners(zone, owners)
            if not fold(changes, found.rrsets):
                return found
        try:
            return self._rrsets(zone, "")
        except AnswerTooLarge:
            return self._read_owners(zone, owners)

    def _read_owners(self, zone: Zone, owners: Collection[DnsName]) -> Held:
        every = [self._rrsets(zone, f"?rrset_name={quote(owner.absolute, safe='')}") for owner in owners]
        return Held(
            {key: rrset for held in every for key, rrset in held.rrsets.items()},
            {key: forms for held in every for key, forms in held.spelled.items()},
        )

    def _rrsets(self, zone: Zone, query: str) -> Held:
        """RRsets of the zone. Servers before 4.7 do not know the filter and answer with all of them."""
        subject = f"zone {zone.name}: "
        document = self._api.get(f"/zones/{zone.id}{query}", subject=subject)
        if not isinstance(document, dict) or not isinstance(document.get("rrsets"), list):
            # Taken for an empty zone, it would be written over.
            raise foreign(self._api, subject, document)
        return read_rrsets(document)

    def _aliases(self, zone: Zone, names: Collection[DnsName]) -> dict[DnsName, DnsName | Cut]:
        """What stands below a cut is not served, so the cut counts first, and the highest one."""
        path = dict.fromkeys(name for owner in names for name in names_between(owner, zone.name))
        held = self._read(zone, ChangeSet(tuple(RecordChange(name, "CNAME") for name in path)), checking=False).rrsets
        found: dict[DnsName, DnsName | Cut] = {}
        for name in names:
            cuts = [at for at in names_between(name, zone.name) if (at, "NS") in held and held[at, "NS"].rdata]
            alias = held[name, "CNAME"].rdata if (name, "CNAME") in held else None
            if cuts:
                found[name] = Cut(cuts[-1], tuple(sorted(held[cuts[-1], "NS"].rdata)))
            elif alias:
                found[name] = DnsName.parse(next(iter(alias)))
        return found

    def _refuse_aliases(self, zone: Zone, changes: ChangeSet, current: Mapping[Key, RRset]) -> None:
        """Nothing may stand beside a CNAME (RFC 1034 §3.6.2), so the server would refuse the whole change."""
        aliases = {
            change.owner: target
            for change in changes.changes
            for target in current.get((change.owner, "CNAME"), RRset(change.owner, "CNAME", 0, frozenset())).rdata
            if change.add
        }
        if aliases:
            raise aliases_refused(zone.name, aliases)

    def _raised_soa(self, zone: Zone) -> Json:
        """The zone's SOA with the next serial (RFC 1982), for zones whose server does not raise it by itself."""
        query = f"?rrset_name={quote(zone.name.absolute, safe='')}&rrset_type=SOA"
        soa = self._rrsets(zone, query).rrsets.get((zone.name, "SOA"))
        fields = next(iter(soa.rdata)).split() if soa and soa.rdata else []
        if soa is None or len(fields) != 7 or not fields[2].isdigit():
            raise self._api.error(f"zone {zone.name} has no SOA record that can be read")
        # Asked anew: the zone that we were given is from before our own last change.
        fields[2] = str(zone_details(self._api, zone.name, zone.id).next_serial)
        return replacement(RRset(zone.name, "SOA", soa.ttl, frozenset({" ".join(fields)})), Held({}, {}))

    def _rectify(self, zone: Zone) -> None:
        """Make the names between a new owner and its zone exist, where the server does not do it after a change.

        Otherwise it denies them, and resolvers that ask for a name label by label never come to the owner
        (RFC 8020, RFC 9156). What it answered in between stands in its caches.
        """
        rectifying = self._ability.rectifying(zone)
        if rectifying is Rectifying.SERVER:
            return
        try:
            with self._turns.turn():
                self._retried(f"/zones/{zone.id}/rectify", zone)
            self._retried(f"/cache/flush?domain={quote(zone.name.absolute, safe='')}", zone)
        except PowerDnsError:
            if rectifying is Rectifying.NOBODY:
                raise

    def _retried(self, path: str, zone: Zone) -> None:
        """Something that may be done twice."""
        for attempt in range(_WRITES - 1):
            try:
                self._api.put(path, subject=f"zone {zone.name}: ")
            except ServerFailed:
                self._turns.one_at_a_time()
                time.sleep(0.1 * 2**attempt)
            else:
                return
        self._api.put(path, subject=f"zone {zone.name}: ")

    def _lock(self, zone: Zone) -> threading.Lock:
        with self._locks_guard:
            return self._locks.setdefault(zone.id, threading.Lock())
