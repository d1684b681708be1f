"""Version 0 of PowerDNS's API, that of PowerDNS 3.4: no prefix, names without a final dot, records in one list.

It knows neither single records nor a way to ask for one zone by its name, and rectifies nothing.
"""

import threading
from collections.abc import Collection, Mapping
from typing import cast

from certkeeper.adapters.dns.powerdns_api import PowerDnsApi, foreign, objects, text
from certkeeper.adapters.dns.powerdns_lookup import name_of, zone_of
from certkeeper.adapters.dns.powerdns_rrsets import Held, Json, read_rrsets, replacement
from certkeeper.adapters.http import HttpClient
from certkeeper.base.names import DnsName
from certkeeper.config.settings import PowerDnsSettings
from certkeeper.zone.apex import Cut, ZoneSearch, aliases_refused, find_zones, names_between
from certkeeper.zone.changes import ChangeSet, fold, taken_away
from certkeeper.zone.rrset import RRset, Zone, ZoneKind


class PowerDnsZero:
    """Implements the port Dns for one API server."""

    def __init__(self, settings: PowerDnsSettings, client: HttpClient) -> None:
        self._api = PowerDnsApi(settings, client, prefix="")
        self._notify = settings.notify
        self._only = settings.zones
        self._lock = threading.Lock()

    def describe(self) -> str:
        return f"PowerDNS {self._api.url}"

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        """All zones are listed once; those that hold an owner are looked at."""
        listed = self._api.get("/zones")
        if not isinstance(listed, list):
            raise foreign(self._api, "", listed)
        ids = {name: text(item, "id") for item in objects(listed) if (name := name_of(item)) is not None}
        known = {name: id_ for name, id_ in ids.items() if id_ and (not self._only or name in self._only)}
        search: ZoneSearch[Zone] = find_zones(owners)
        try:
            names = next(search)
            while True:
                names = search.send({name: self._zone(name, known[name]) for name in names if name in known})
        except StopIteration as stop:
            return cast("dict[DnsName, Zone]", stop.value)

    def aliases(self, names: Mapping[Zone, Collection[DnsName]]) -> Mapping[DnsName, DnsName | Cut]:
        found: dict[DnsName, DnsName | Cut] = {}
        for zone, owners in names.items():
            held = self._read(zone).rrsets
            for owner in owners:
                cuts = [at for at in names_between(owner, zone.name) if (at, "NS") in held]
                if cuts:
                    found[owner] = Cut(cuts[-1], tuple(sorted(held[cuts[-1], "NS"].rdata)))
                elif (owner, "CNAME") in held:
                    found[owner] = DnsName.parse(next(iter(held[owner, "CNAME"].rdata)))
        return found

    def change(self, zone: Zone, changes: ChangeSet) -> int:
        """Read, fold, and write the RRsets that change."""
        with self._lock:
            held = self._read(zone)
            aliases = {
                change.owner: next(iter(held.rrsets[change.owner, "CNAME"].rdata))
                for change in changes.changes
                if change.add and (change.owner, "CNAME") in held.rrsets
            }
            if aliases:
                raise aliases_refused(zone.name, aliases)
            rrsets = fold(changes, held.rrsets)
            if not rrsets:
                return 0
            body = [_old_form(rrset, held) for rrset in rrsets]
            if zone.kind is ZoneKind.PRIMARY and not zone.raises_serial:
                body.append(_old_form(self._raised_soa(zone, held), held))
            self._api.patch(f"/zones/{zone.id}", {"rrsets": body}, subject=f"zone {zone.name}: ")
            return taken_away(changes, held.rrsets)

    def notify(self, zone: Zone) -> None:
        if self._notify:
            self._api.put(f"/zones/{zone.id}/notify", subject=f"zone {zone.name}: ")

    def _zone(self, name: DnsName, id_: str) -> Zone:
        return zone_of(name, id_, self._details(name, id_), "serial")

    def _details(self, name: DnsName, id_: str) -> Mapping[str, object]:
        details = self._api.get(f"/zones/{id_}", subject=f"zone {name}: ")
        if not isinstance(details, dict) or not isinstance(details.get("records"), list):
            raise foreign(self._api, f"zone {name}: ", details)
        return details

    def _read(self, zone: Zone) -> Held:
        """The records by RRset, as version 1 has them."""
        rrsets: dict[tuple[str, str], Json] = {}
        for record in objects(self._details(zone.name, zone.id)["records"]):
            name, kind = text(record, "name"), text(record, "type")
            rrset = rrsets.setdefault(
                (name.lower(), kind), {"name": name, "type": kind, "ttl": record.get("ttl"), "records": []}
            )
            cast("list[object]", rrset["records"]).append(record)
        return read_rrsets({"rrsets": list(rrsets.values())})

    def _raised_soa(self, zone: Zone, held: Held) -> RRset:
        soa = held.rrsets.get((zone.name, "SOA"))
        fields = next(iter(soa.rdata)).split() if soa is not None and soa.rdata else []
        if soa is None or len(fields) != 7 or not fields[2].isdigit():
            raise self._api.error(f"zone {zone.name} has no SOA record that can be read")
        fields[2] = str((int(fields[2]) + 1) % 2**32)
        return RRset(zone.name, "SOA", soa.ttl, frozenset({" ".join(fields)}))


def _old_form(rrset: RRset, held: Held) -> Json:
    """Name, type and TTL stand in each record, too, and no name ends with a dot."""
    body = replacement(rrset, held)
    body["name"] = rrset.owner.text
    records = body.get("records")
    if isinstance(records, list):
        again = {"name": rrset.owner.text, "type": rrset.type, "ttl": rrset.ttl}
        body["records"] = [{**record, **again} for record in records]
    return body
