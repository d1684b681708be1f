"""SOA-EDIT and SOA-EDIT-API of a zone: shown, and set."""

from collections.abc import Mapping
from urllib.parse import quote

from certkeeper.adapters.dns.powerdns_api import PowerDnsApi, foreign, http_client, objects, text
from certkeeper.adapters.dns.powerdns_lookup import name_of
from certkeeper.adapters.dns.powerdns_versions import found_out
from certkeeper.base.names import DnsName
from certkeeper.config.settings import PowerDnsSettings, ProviderSettings
from certkeeper.zone.apex import ZoneError


class SoaEdit:
    """At one server. Every method raises CertkeeperError."""

    def __init__(self, settings: ProviderSettings) -> None:
        """Only PowerDNS has these settings."""
        if not isinstance(settings, PowerDnsSettings):
            raise TypeError(settings)
        client = http_client(settings)
        found, zero = found_out(settings, client)
        self._api = PowerDnsApi(found, client, prefix="" if zero else "/api/v1")

    def shown(self, zone: DnsName) -> str:
        details = self._details(zone)
        return (
            f"SOA-EDIT is {text(details, 'soa_edit') or 'not set'}, "
            f"SOA-EDIT-API is {text(details, 'soa_edit_api') or 'not set'}"
        )

    def set(self, zone: DnsName, soa_edit: str, soa_edit_api: str) -> None:
        """The kind goes along, since PowerDNS 3 forgets it otherwise."""
        details = self._details(zone)
        body = {"soa_edit": soa_edit, "soa_edit_api": soa_edit_api, "kind": text(details, "kind")}
        self._api.put(f"/zones/{text(details, 'id')}", body, subject=f"zone {zone}: ")

    def _details(self, zone: DnsName) -> Mapping[str, object]:
        listed = self._api.get(f"/zones?zone={quote(zone.absolute, safe='')}")
        entry = next((item for item in objects(listed) if name_of(item) == zone), None)
        if entry is None:
            raise ZoneError(f"zone {zone}: {self._api.url} does not hold it", hint="correct the name")
        details = self._api.get(f"/zones/{text(entry, 'id')}", subject=f"zone {zone}: ")
        if not isinstance(details, dict):
            raise foreign(self._api, f"zone {zone}: ", details)
        return details
