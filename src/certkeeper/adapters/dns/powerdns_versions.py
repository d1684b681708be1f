"""PowerDNS of any version: which API it speaks, and by which id its server goes, where the page does not say.

Version 1 and the id `localhost` are tried first, since hardly any server has others, and looking costs two requests.
"""

import threading
from collections.abc import Callable, Collection, Mapping

from certkeeper.adapters.dns.powerdns import PowerDns
from certkeeper.adapters.dns.powerdns_api import PowerDnsApi, PowerDnsError, objects, text
from certkeeper.adapters.dns.powerdns_zero import PowerDnsZero
from certkeeper.adapters.http import HttpClient
from certkeeper.apply.ports import Dns
from certkeeper.base.names import DnsName
from certkeeper.base.value import replace
from certkeeper.config.settings import PowerDnsSettings
from certkeeper.zone.apex import Cut
from certkeeper.zone.changes import ChangeSet
from certkeeper.zone.rrset import Zone

_NOT_FOUND = 404


class AnyPowerDns:
    """Implements the port Dns by the provider of the version that the server speaks."""

    def __init__(self, settings: PowerDnsSettings, client: HttpClient) -> None:
        self._settings = settings
        self._client = client
        self._lock = threading.Lock()
        self._known = settings.version is not None and settings.server is not None
        self._dns: Dns = PowerDnsZero(settings, client) if settings.version == 0 else PowerDns(settings, client)

    def describe(self) -> str:
        return self._dns.describe()

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        """Whoever needs a zone asks for it first, so this is where another version shows."""
        try:
            return self._dns.zones(owners)
        except PowerDnsError as error:
            if error.status != _NOT_FOUND or not self._find_out():
                raise
            return self._dns.zones(owners)

    def aliases(self, names: Mapping[Zone, Collection[DnsName]]) -> Mapping[DnsName, DnsName | Cut]:
        return self._dns.aliases(names)

    def change(self, zone: Zone, changes: ChangeSet) -> int | None:
        return self._dns.change(zone, changes)

    def notify(self, zone: Zone) -> None:
        self._dns.notify(zone)

    def _find_out(self) -> bool:
        """Ask the server what it is; False where that changes nothing."""
        with self._lock:
            if self._known:
                return True
            self._known = True
            found, zero = found_out(self._settings, self._client)
            if found == self._settings and not zero:
                return False
            self._dns = PowerDnsZero(found, self._client) if zero else PowerDns(found, self._client)
            return True


def found_out(settings: PowerDnsSettings, client: HttpClient) -> tuple[PowerDnsSettings, bool]:
    """The settings with the server's own id, and whether it speaks version 0.

    Raises:
        CertkeeperError: the server cannot be asked.
    """
    api = PowerDnsApi(settings, client)
    versions = _unless_missing(lambda: api.above("/api"))
    zero = settings.version == 0 or (
        settings.version is None and not any(isinstance(item.get("version"), int) for item in objects(versions))
    )
    if settings.server is not None:
        return settings, zero
    servers = _unless_missing(lambda: api.above("/servers" if zero else "/api/v1/servers"))
    id_ = next((found for item in objects(servers) if (found := text(item, "id"))), None)
    return replace(settings, server=id_), zero


def _unless_missing(look: Callable[[], object]) -> object:
    try:
        return look()
    except PowerDnsError as error:
        if error.status != _NOT_FOUND:
            raise
        return None
