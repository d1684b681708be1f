"""Zones as they are: what their providers keep of them, and what DNS shows. `repair` alone changes, and no record."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from certkeeper.adapters.claims import Claims
from certkeeper.adapters.dns.powerdns_api import http_client
from certkeeper.adapters.dns.powerdns_facts import PowerDnsFacts
from certkeeper.apply.locate import locate
from certkeeper.apply.ports import Dns, Nameservers
from certkeeper.base.names import DnsName
from certkeeper.config.settings import PowerDnsSettings, Settings
from certkeeper.plan.doctor import Repair
from certkeeper.plan.observed import Place, Wanted
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.facts import Kept, ZoneFacts
from certkeeper.zone.rrset import Zone

_ZONES_AT_ONCE = 4


class ZoneSurvey:
    """Implements the port Survey. Every method raises CertkeeperError where a provider cannot be asked."""

    def __init__(
        self, settings: Settings, providers: Mapping[str, Dns], nameservers: Nameservers, claims: Claims
    ) -> None:
        self._settings = settings
        self._providers = providers
        self._nameservers = nameservers
        self._claims = claims
        self._powerdns = {
            provider.id: PowerDnsFacts(provider.settings, http_client(provider.settings))
            for provider in settings.providers
            if isinstance(provider.settings, PowerDnsSettings)
        }

    def places(self, owners: Mapping[DnsName, str]) -> Mapping[DnsName, Place]:
        wanted = {id_: Wanted(tuple(names)) for id_, names in _by_provider(owners).items()}
        found: dict[DnsName, Place] = {}
        for zones in locate(wanted, self._settings, self._providers, self._nameservers).values():
            if zones.trouble is not None:
                raise zones.trouble
            found |= zones.places
        return found

    def zones(self, names: Mapping[DnsName, str]) -> Mapping[DnsName, Zone]:
        found: dict[DnsName, Zone] = {}
        for id_, wanted in _by_provider(names).items():
            provider = self._providers.get(id_)
            if provider is None:
                raise ZoneError(f"{id_ or wanted[0]}: no DNS provider is set up", hint="set PDNS_HOST and PDNS_KEY")
            found |= {name: replace(zone, provider=id_) for name, zone in provider.zones(wanted).items()}
        return found

    def apexes(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        if not names:
            return {}
        from certkeeper.adapters.dns.apexes import Apexes  # noqa: PLC0415 - loads dnspython's resolver

        return {name: zone.name for name, zone in Apexes().zones(names).items()}

    def kept(self, zone: Zone) -> Kept | None:
        powerdns = self._powerdns.get(zone.provider)
        return powerdns.kept(zone) if powerdns is not None else None

    def look(self, zones: Mapping[DnsName, Zone | None]) -> tuple[ZoneFacts, ...]:
        with ThreadPoolExecutor(_ZONES_AT_ONCE) as threads:
            return tuple(threads.map(self._look, zones, zones.values()))

    def repair(self, repair: Repair) -> None:
        """Nobody of ours changes the zone meanwhile."""
        with self._claims.zone(repair.zone.name):
            self._powerdns[repair.zone.provider].repair(repair)

    def _look(self, name: DnsName, zone: Zone | None) -> ZoneFacts:
        from certkeeper.adapters.dnsfacts import look  # noqa: PLC0415 - loads dnspython

        # First what was written, then what is served: a change in between makes no server look late.
        kept = self.kept(zone) if zone is not None else None
        seen = look(name, self._nameservers)
        return ZoneFacts(
            name=name,
            kept=kept,
            homeless=zone is None,
            servers=seen.servers,
            servers_trouble=seen.servers_trouble,
            skipped=seen.skipped,
            delegation=seen.delegation,
            delegation_trouble=seen.delegation_trouble,
            unresolved=seen.unresolved,
        )


def _by_provider(names: Mapping[DnsName, str]) -> dict[str, list[DnsName]]:
    found: dict[str, list[DnsName]] = {}
    for name, provider in names.items():
        found.setdefault(provider, []).append(name)
    return found
