"""What PowerDNS keeps of a zone beside its records, and the two settings of it that may be mended.

Lists of keys are read, single keys never: that answer would hold the private key.
"""

from collections.abc import Mapping
from functools import cached_property
from urllib.parse import quote

from certkeeper.adapters.dns.powerdns_api import PowerDnsApi, PowerDnsError, objects, text
from certkeeper.adapters.http import AnswerTooLarge, HttpClient
from certkeeper.base.errors import printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.config.settings import PowerDnsSettings
from certkeeper.plan.doctor import Repair
from certkeeper.zone.facts import Ds, Kept
from certkeeper.zone.rrset import RRset, Zone, canonical_txt

_TYPES = frozenset({"TXT", "TLSA", "CAA", "NS"})
_LONGEST = 2000
_YES = frozenset({"1", "yes", "true", "on"})


class NotRepaired(PowerDnsError):
    """PowerDNS took a setting and does not show it."""


class PowerDnsFacts:
    """Reads one server. Every method raises PowerDnsError or TransportError."""

    def __init__(self, settings: PowerDnsSettings, client: HttpClient) -> None:
        self._api = PowerDnsApi(settings, client)

    def kept(self, zone: Zone) -> Kept:
        """What the server says of the zone, asked anew."""
        subject = f"zone {zone.name}: "
        details = self._api.get(f"/zones/{zone.id}?rrsets=false", subject=subject)
        if not isinstance(details, dict):
            raise self._api.error(f"{subject}the answer is no JSON object")
        metadata = self._metadata(zone)
        keys = objects(self._api.get(f"/zones/{zone.id}/cryptokeys", subject=subject))
        rectify = metadata.get("API-RECTIFY")
        return Kept(
            zone=zone,
            signed=details.get("dnssec") is True,
            presigned=metadata.get("PRESIGNED", "").lower() in _YES,
            rectifies=rectify.lower() in _YES if rectify is not None else self._rectifies_by_default,
            ds=frozenset(ds for key in keys if key.get("active") is True for ds in _ds_of(key)),
            records=self._records(zone),
        )

    def repair(self, repair: Repair) -> None:
        """Set what is to be set, and read it back.

        Raises:
            NotRepaired: the server took it and shows something else.
        """
        zone, subject = repair.zone, f"zone {repair.zone.name}: "
        body: dict[str, object] = {}
        if repair.soa_edit_api is not None:
            body["soa_edit_api"] = repair.soa_edit_api
        if repair.rectify:
            body["api_rectify"] = True
        self._api.put(f"/zones/{zone.id}", body, subject=subject)
        if repair.rectify:
            self._api.put(f"/zones/{zone.id}/rectify", subject=subject)
            self._api.put(f"/cache/flush?domain={quote(zone.name.absolute, safe='')}", subject=subject)
        shown = self._metadata(zone)
        if repair.soa_edit_api is not None and shown.get("SOA-EDIT-API", "") != repair.soa_edit_api:
            raise NotRepaired(f"{subject}SOA-EDIT-API is still {shown.get('SOA-EDIT-API', 'not set')}")
        if repair.rectify and shown.get("API-RECTIFY", "").lower() not in _YES:
            raise NotRepaired(f"{subject}API-RECTIFY is still off")

    @cached_property
    def _rectifies_by_default(self) -> bool:
        """What counts where a zone does not say; the zone's own answer shows false then, whatever happens."""
        settings = objects(self._api.get("/config"))
        value = next((text(item, "value") for item in settings if item.get("name") == "default-api-rectify"), "yes")
        return value.lower() in _YES

    def _metadata(self, zone: Zone) -> Mapping[str, str]:
        """The first value of each kind."""
        found: dict[str, str] = {}
        for item in objects(self._api.get(f"/zones/{zone.id}/metadata", subject=f"zone {zone.name}: ")):
            values = item.get("metadata")
            if isinstance(values, list) and values and isinstance(values[0], str):
                found[text(item, "kind").upper()] = values[0]
        return found

    def _records(self, zone: Zone) -> tuple[RRset, ...] | None:
        try:
            answer = self._api.get(f"/zones/{zone.id}", subject=f"zone {zone.name}: ")
        except AnswerTooLarge:
            return None
        items = objects(answer.get("rrsets") if isinstance(answer, dict) else None)
        return tuple(rrset for item in items if (rrset := _rrset(item)) is not None)


def _rrset(item: Mapping[str, object]) -> RRset | None:
    """One of the RRsets that matter; None for others, and for owners that no name of ours can have."""
    type_, ttl = text(item, "type"), item.get("ttl")
    if type_ not in _TYPES or not isinstance(ttl, int):
        return None
    try:
        owner = DnsName.parse(text(item, "name"))
    except InvalidName:
        return None
    served = [text(record, "content") for record in objects(item.get("records")) if record.get("disabled") is not True]
    contents = (canonical_txt(content) if type_ == "TXT" else printable(content, _LONGEST) for content in served)
    return RRset(owner, type_, ttl, frozenset(contents))


def _ds_of(key: Mapping[str, object]) -> list[Ds]:
    listed = key.get("ds")
    found = []
    for item in listed if isinstance(listed, list) else []:
        fields = item.split() if isinstance(item, str) else []
        if len(fields) >= 4 and all(field.isascii() and field.isdigit() for field in fields[:3]):
            tag, algorithm, digest_type = (int(field) for field in fields[:3])
            found.append(Ds(tag, algorithm, digest_type, "".join(fields[3:]).lower()))
    return found
