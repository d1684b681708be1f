"""Finding zones in PowerDNS: by exact name, and where that takes many requests, by what is below a common name.

The list of all zones is never asked for: it has megabytes on a large server.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import cast
from urllib.parse import quote

from certkeeper.adapters.dns.powerdns_api import (
    PowerDnsApi,
    PowerDnsError,
    ServerFailed,
    foreign,
    number,
    objects,
    text,
)
from certkeeper.adapters.http import AnswerTooLarge
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.zone.apex import ZoneSearch, ZonesUnknown, common_ancestors, find_zones
from certkeeper.zone.rrset import Zone, ZoneKind

_AT_ONCE = 4
_WORTH_A_SEARCH = 16
"""Look-ups. A search costs the server a walk over all its zones: with 100,000 of them as much as 200 look-ups."""
_SEARCHES = 8
_MOST_FOUND = 1000
_KINDS: Mapping[str, ZoneKind] = {
    "master": ZoneKind.PRIMARY,
    "primary": ZoneKind.PRIMARY,
    "producer": ZoneKind.PRIMARY,
    "native": ZoneKind.NATIVE,
    "slave": ZoneKind.SECONDARY,
    "secondary": ZoneKind.SECONDARY,
    "consumer": ZoneKind.SECONDARY,
}


class ZoneLookup:
    """One search for the zones of some names; what was learned on the way is kept for as long as it lasts."""

    def __init__(self, api: PowerDnsApi, only: Collection[DnsName] = ()) -> None:
        """`only` are the zones that count, where there are any; the server is not asked about others."""
        self._api = api
        self._only = frozenset(only)
        self._below: dict[DnsName, frozenset[DnsName] | None] = {}
        self._failed: dict[DnsName, CertkeeperError] = {}

    def find(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        """The zone of each owner that has one.

        Raises:
            CertkeeperError: the server cannot be asked.
            ZonesUnknown: it can, but not about all of these names.
        """
        found = self._find(owners)
        errors = {owner: error for owner in owners if (error := self._trouble(owner, found.get(owner))) is not None}
        if not errors:
            return found
        if len(errors) == len(owners):
            raise next(iter(errors.values()))
        raise ZonesUnknown({owner: zone for owner, zone in found.items() if owner not in errors}, errors)

    def _trouble(self, owner: DnsName, zone: Zone | None) -> CertkeeperError | None:
        """Why it is not known whether a closer zone than that one holds the owner."""
        closer = (
            error
            for name, error in self._failed.items()
            if owner.is_within(name) and (zone is None or len(name.labels) > len(zone.name.labels))
        )
        return next(closer, None)

    def _find(self, owners: Collection[DnsName]) -> dict[DnsName, Zone]:
        search: ZoneSearch[Zone] = find_zones(owners)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            try:
                names = next(search)
                while True:
                    zones = threads.map(self._zone_or_trouble, self._possible(names))
                    names = search.send({zone.name: zone for zone in zones if zone is not None})
            except StopIteration as stop:
                return cast("dict[DnsName, Zone]", stop.value)

    def _possible(self, names: Collection[DnsName]) -> list[DnsName]:
        """Those that may be zones, as far as searches can tell."""
        if self._only:
            return [name for name in names if name in self._only]
        left = [name for name in names if not self._excluded(name)]
        for ancestor in common_ancestors(left, _WORTH_A_SEARCH):
            if len(self._below) >= _SEARCHES:
                break
            if ancestor not in self._below:
                self._below[ancestor] = self._search(ancestor)
        return [name for name in left if not self._excluded(name)]

    def _excluded(self, name: DnsName) -> bool:
        return any(
            zones is not None and name not in zones and name != ancestor and name.is_within(ancestor)
            for ancestor, zones in self._below.items()
        )

    def _search(self, ancestor: DnsName) -> frozenset[DnsName] | None:
        """All zones below a name; None where there are too many, or the server (or a proxy) does not tell."""
        query = f"q=*.{quote(ancestor.text, safe='')}&object_type=zone&max={_MOST_FOUND}"
        try:
            listed = self._api.get(f"/search-data?{query}")
        except PowerDnsError as error:
            if error.status == 401:
                raise
            return None
        except AnswerTooLarge:
            return None
        if not isinstance(listed, list) or len(listed) >= _MOST_FOUND:
            return None
        found = (name_of(item) for item in objects(listed) if text(item, "object_type") == "zone")
        return frozenset(name for name in found if name is not None)

    def _zone_or_trouble(self, name: DnsName) -> Zone | None:
        """A server that answers, and cannot tell about one zone, has others."""
        try:
            return self._zone(name)
        except PowerDnsError as error:
            if error.status in (401, 404):
                raise
            self._failed[name] = error
        except (ServerFailed, AnswerTooLarge) as error:
            self._failed[name] = error
        return None

    def _zone(self, name: DnsName) -> Zone | None:
        """The zone of exactly that name: the filtered list is 200 and empty where there is none, in every version."""
        listed = self._api.get(f"/zones?zone={quote(name.absolute, safe='')}&dnssec=false")
        if not isinstance(listed, list) or not all(isinstance(item, dict) and text(item, "name") for item in listed):
            raise foreign(self._api, "", listed)
        entry = next((item for item in objects(listed) if name_of(item) == name), None)
        if entry is None:
            return None
        id_ = entry.get("id")
        if not isinstance(id_, str) or not id_:
            raise self._api.error(f"zone {name} is listed without an id")
        return zone_details(self._api, name, id_)


def zone_details(api: PowerDnsApi, name: DnsName, id_: str) -> Zone:
    """What the server says about a zone, without its records."""
    details = api.get(f"/zones/{id_}?rrsets=false", subject=f"zone {name}: ")
    if not isinstance(details, dict) or not text(details, "kind"):
        raise foreign(api, f"zone {name}: ", details)
    return zone_of(name, id_, details, "edited_serial")


def zone_of(name: DnsName, id_: str, details: Mapping[str, object], served: str) -> Zone:
    """A zone by the API's words; `served` is the one that holds the serial which DNS shows."""
    return Zone(
        name=name,
        id=id_,
        kind=_kind_of(text(details, "kind")),
        serial=number(details, "serial"),
        served_serial=number(details, served),
        soa_edit_api=text(details, "soa_edit_api"),
        soa_edit=text(details, "soa_edit"),
    )


def _kind_of(word: str) -> ZoneKind:
    """What is not known is left alone, as a secondary is."""
    return _KINDS.get(word.lower(), ZoneKind.SECONDARY)


def name_of(document: Mapping[str, object]) -> DnsName | None:
    """The object's name; None for owners that only other people's records have, such as wildcards and escapes."""
    try:
        return DnsName.parse(text(document, "name"))
    except InvalidName:
        return None
