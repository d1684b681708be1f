"""PowerDNS's HTTP API. Zones are found by exact name, and the ids that it gives them are opaque.

PowerDNS replaces whole RRsets, so changes are folded into what is there. One request carries all changes of a zone:
the server takes them all or none.
"""

import threading
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import cast
from urllib.parse import quote

from certkeeper.adapters.dns.powerdns_api import PowerDnsApi, number, objects, text
from certkeeper.adapters.http import AnswerTooLarge, HttpClient
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.config.settings import PowerDnsSettings
from certkeeper.zone.apex import OwnersRefused, ZoneSearch, find_zones
from certkeeper.zone.changes import ChangeSet, Key, fold
from certkeeper.zone.rrset import RRset, Zone, ZoneKind, canonical_txt

_LOOKUPS_AT_ONCE = 4
_KINDS: Mapping[str, ZoneKind] = {
    "master": ZoneKind.PRIMARY,
    "primary": ZoneKind.PRIMARY,
    "producer": ZoneKind.PRIMARY,
    "native": ZoneKind.NATIVE,
    "slave": ZoneKind.SECONDARY,
    "secondary": ZoneKind.SECONDARY,
    "consumer": ZoneKind.SECONDARY,
}


class PowerDns:
    """Implements the port Dns for one API server."""

    def __init__(self, settings: PowerDnsSettings, client: HttpClient) -> None:
        self._api = PowerDnsApi(settings, client)
        self._notify = settings.notify
        self._locks: dict[str, threading.Lock] = {}
        self._locks_guard = threading.Lock()
        self._writing = threading.Lock()

    def describe(self) -> str:
        return f"PowerDNS {self._api.url}"

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        search: ZoneSearch[Zone] = find_zones(owners)
        with ThreadPoolExecutor(_LOOKUPS_AT_ONCE) as threads:
            try:
                names = next(search)
                while True:
                    zones = threads.map(self._zone, names)
                    names = search.send({zone.name: zone for zone in zones if zone is not None})
            except StopIteration as stop:
                return cast("dict[DnsName, Zone]", stop.value)

    def change(self, zone: Zone, changes: ChangeSet) -> None:
        """Read, fold, replace; under a lock, since the server would let a second writer of ours undo the first."""
        with self._lock(zone):
            current = self._current(zone, changes)
            self._refuse_aliases(zone, changes, current)
            rrsets = fold(changes, current)
            if not rrsets:
                return
            body = [_replacement(rrset) for rrset in rrsets]
            if zone.kind is ZoneKind.PRIMARY and not zone.raises_serial:
                body.append(self._raised_soa(zone))
            # One at a time: PowerDNS's SQLite backend refuses a second writer, whatever the zone.
            with self._writing:
                self._api.patch(f"/zones/{zone.id}", {"rrsets": body}, subject=f"zone {zone.name}: ")

    def notify(self, zone: Zone) -> None:
        if self._notify:
            self._api.put(f"/zones/{zone.id}/notify", subject=f"zone {zone.name}: ")

    def _zone(self, name: DnsName) -> Zone | None:
        """The zone of exactly that name: the filtered list is 200 and empty where there is none, in every version."""
        listed = self._api.get(f"/zones?zone={quote(name.absolute, safe='')}&dnssec=false")
        entry = next((item for item in objects(listed) if _name(item) == name), None)
        if entry is None:
            return None
        id_ = entry.get("id")
        if not isinstance(id_, str) or not id_:
            raise self._api.error(f"zone {name} is listed without an id")
        return self._details(name, id_)

    def _details(self, name: DnsName, id_: str) -> Zone:
        details = self._api.get(f"/zones/{id_}?rrsets=false", subject=f"zone {name}: ")
        if not isinstance(details, dict):
            raise self._api.error(f"zone {name}: the answer is no JSON object")
        return Zone(
            name=name,
            id=id_,
            kind=_KINDS.get(text(details, "kind").lower(), ZoneKind.SECONDARY),
            serial=number(details, "serial"),
            served_serial=number(details, "edited_serial"),
            soa_edit_api=text(details, "soa_edit_api"),
            soa_edit=text(details, "soa_edit"),
        )

    def _current(self, zone: Zone, changes: ChangeSet) -> dict[Key, RRset]:
        """The RRsets to be changed.

        The whole zone is read, since the server leaves disabled records out of an answer for one name. A zone that
        is too large for that is read name by name.
        """
        keys = [change.key for change in changes.changes]
        try:
            return self._rrsets(zone, "")
        except AnswerTooLarge:
            pass
        current: dict[Key, RRset] = {}
        for owner, type_ in keys:
            current.update(self._rrsets(zone, f"?rrset_name={quote(owner.absolute, safe='')}&rrset_type={type_}"))
        return current

    def _rrsets(self, zone: Zone, query: str) -> dict[Key, RRset]:
        """RRsets of the zone. Servers before 4.7 do not know the filter and answer with all of them."""
        answer = self._api.get(f"/zones/{zone.id}{query}", subject=f"zone {zone.name}: ")
        found: dict[Key, RRset] = {}
        for item in objects(answer.get("rrsets") if isinstance(answer, dict) else None):
            owner, type_, ttl = _name(item), text(item, "type"), item.get("ttl")
            if owner is not None and isinstance(ttl, int):
                records = objects(item.get("records"))
                enabled = frozenset(_content(record, type_) for record in records if record.get("disabled") is not True)
                disabled = frozenset(_content(record, type_) for record in records if record.get("disabled") is True)
                found[owner, type_] = RRset(owner, type_, ttl, enabled, disabled - enabled)
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
            listed = ", ".join(f"{owner} (to {target})" for owner, target in sorted(aliases.items()))
            raise OwnersRefused(
                f"zone {zone.name}: a CNAME stands where the challenge record has to go: {listed}",
                frozenset(aliases),
                hint="this version does not follow delegated challenges: remove the CNAME",
            )

    def _raised_soa(self, zone: Zone) -> dict[str, object]:
        """The zone's SOA with the next serial (RFC 1982), for zones whose server does not raise it by itself."""
        soa = self._rrsets(zone, f"?rrset_name={quote(zone.name.absolute, safe='')}&rrset_type=SOA").get(
            (zone.name, "SOA")
        )
        fields = next(iter(soa.rdata)).split() if soa and soa.rdata else []
        if soa is None or len(fields) != 7 or not fields[2].isdigit():
            raise self._api.error(f"zone {zone.name} has no SOA record that can be read")
        # Asked anew: the zone that we were given is from before our own last change.
        fields[2] = str(self._details(zone.name, zone.id).next_serial)
        return _replacement(RRset(zone.name, "SOA", soa.ttl, frozenset({" ".join(fields)})))

    def _lock(self, zone: Zone) -> threading.Lock:
        with self._locks_guard:
            return self._locks.setdefault(zone.id, threading.Lock())


def _replacement(rrset: RRset) -> dict[str, object]:
    if not rrset.rdata and not rrset.disabled:
        return {"name": rrset.owner.absolute, "type": rrset.type, "changetype": "DELETE"}
    return {
        "name": rrset.owner.absolute,
        "type": rrset.type,
        "ttl": rrset.ttl,
        "changetype": "REPLACE",
        "records": [
            {"content": content, "disabled": content in rrset.disabled}
            for content in sorted(rrset.rdata | rrset.disabled)
        ],
    }


def _content(record: Mapping[str, object], type_: str) -> str:
    content = text(record, "content")
    return canonical_txt(content) if type_ == "TXT" else content


def _name(document: Mapping[str, object]) -> DnsName | None:
    """The object's name; None for owners that only other people's records have, such as wildcards and escapes."""
    try:
        return DnsName.parse(text(document, "name"))
    except InvalidName:
        return None
