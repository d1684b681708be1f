"""What is on this machine before there is a page."""

from collections.abc import Collection

from certkeeper.adapters.discovery import Discovered, discover
from certkeeper.adapters.dns.powerdns import PowerDns
from certkeeper.adapters.dns.powerdns_api import http_client
from certkeeper.base.names import DnsName
from certkeeper.config.pdnsconf import PdnsConf
from certkeeper.config.secret import Secret
from certkeeper.config.settings import PowerDnsSettings
from certkeeper.zone.apex import ZonesUnknown

__all__ = ["Discovered", "discover", "names_in_zones"]


def names_in_zones(conf: PdnsConf, key: Secret, names: Collection[DnsName]) -> frozenset[DnsName]:
    """Those of the names that a zone of this PowerDNS holds. It is only asked.

    Raises:
        CertkeeperError: it cannot be asked.
    """
    host = f"[{conf.host}]" if ":" in conf.host else conf.host
    url = conf.host if conf.host.startswith("unix:") else f"http://{host}:{conf.port}"
    settings = PowerDnsSettings(url, key)
    try:
        found = PowerDns(settings, http_client(settings)).zones(names)
    except ZonesUnknown as partly:
        # What it cannot tell about may well be there: that is for a plan to say.
        return frozenset({*partly.found, *partly.errors})
    return frozenset(found)
