"""Zones as they are: what their providers keep of them, and what DNS shows. `repair` alone changes, and no record."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from certkeeper.adapters.asking import locate_all, told_when_long
from certkeeper.adapters.bounds import LOOKING
from certkeeper.adapters.claims import Claims
from certkeeper.adapters.dns.powerdns_api import ServerFailed, http_client
from certkeeper.adapters.dns.powerdns_facts import PowerDnsFacts
from certkeeper.apply.ports import Dns, Nameservers
from certkeeper.apply.survey import Looked
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.base.value import replace
from certkeeper.base.wire import TransportError
from certkeeper.config.settings import PowerDnsSettings, Settings
from certkeeper.plan.doctor import Repair
from certkeeper.plan.observed import Place, Wanted
from certkeeper.zone.apex import ZoneError, ZonesUnknown
from certkeeper.zone.facts import Kept, ZoneFacts
from certkeeper.zone.rrset import Zone, ZoneKind

_ZONES_AT_ONCE = 4


class ZoneSurvey:
    """Implements the port Survey. `say` tells the operator what is being waited for."""

    def __init__(
        self,
        settings: Settings,
        providers: Mapping[str, Dns],
        nameservers: Nameservers,
        claims: Claims,
        say: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._providers = providers
        self._nameservers = nameservers
        self._claims = claims
        self._say = say
        self._down: dict[str, CertkeeperError] = {}
        self._apis = {
            provider.id: provider.settings
            for provider in settings.providers
            if isinstance(provider.settings, PowerDnsSettings)
        }
        self._facts = {id_: PowerDnsFacts(api, http_client(api, LOOKING)) for id_, api in self._apis.items()}

    def places(self, owners: Mapping[DnsName, str]) -> Looked[Place]:
        by_provider = _by_provider(owners)
        wanted = {id_: Wanted(tuple(names)) for id_, names in by_provider.items()}
        found: dict[DnsName, Place] = {}
        errors: dict[DnsName, CertkeeperError] = {}
        for id_, zones in locate_all(wanted, self._settings, self._providers, self._nameservers, self._say).items():
            found |= zones.places
            errors |= zones.errors
            if zones.trouble is not None:
                errors |= dict.fromkeys(by_provider[id_], zones.trouble)
        return Looked({owner: place for owner, place in found.items() if owner not in errors}, errors)

    def zones(self, names: Mapping[DnsName, str]) -> Looked[Zone]:
        by_provider = _by_provider(names)
        found: dict[DnsName, Zone] = {}
        errors: dict[DnsName, CertkeeperError] = {}
        if not by_provider:
            return Looked()
        with ThreadPoolExecutor(len(by_provider)) as threads:
            for looked in threads.map(self._zones_of, by_provider, by_provider.values()):
                found |= looked.found
                errors |= looked.errors
        return Looked(found, errors)

    def _zones_of(self, id_: str, names: Collection[DnsName]) -> Looked[Zone]:
        provider = self._providers.get(id_)
        if provider is None:
            missing = ZoneError(f"{id_ or min(names)}: no DNS provider is set up", hint="set PDNS_HOST and PDNS_KEY")
            return Looked(errors=dict.fromkeys(names, missing))
        errors: Mapping[DnsName, CertkeeperError] = {}
        try:
            with told_when_long(provider.describe(), self._say):
                zones = provider.zones(names)
        except ZonesUnknown as some:
            zones, errors = some.found, some.errors
        except CertkeeperError as error:
            return Looked(errors=dict.fromkeys(names, error))
        return Looked({name: replace(zone, provider=id_) for name, zone in zones.items()}, errors)

    def apexes(self, names: Collection[DnsName]) -> Mapping[DnsName, DnsName]:
        if not names:
            return {}
        from certkeeper.adapters.dns.apexes import Apexes  # noqa: PLC0415 - loads dnspython's resolver

        return {name: zone.name for name, zone in Apexes().zones(names).items()}

    def kept(self, zone: Zone) -> Kept | None:
        """A server that was silent once is not waited for again."""
        facts = self._facts.get(zone.provider)
        if facts is None:
            return None
        if (down := self._down.get(zone.provider)) is not None:
            raise down
        try:
            return facts.kept(zone)
        except ServerFailed:
            # It may fail at this zone only.
            raise
        except TransportError as error:
            self._down[zone.provider] = error
            raise

    def look(self, zones: Mapping[DnsName, Zone | None]) -> tuple[ZoneFacts, ...]:
        who = "name servers, and PowerDNS's settings of zones"
        with told_when_long(who, self._say), ThreadPoolExecutor(_ZONES_AT_ONCE) as threads:
            return tuple(threads.map(self._look, zones, zones.values()))

    def repair(self, repair: Repair) -> None:
        """Nobody of ours changes the zone meanwhile. To rectify a large zone takes longer than to look at it."""
        api = self._apis[repair.zone.provider]
        with self._claims.zone(repair.zone.name):
            PowerDnsFacts(api, http_client(api)).repair(repair)

    def _look(self, name: DnsName, zone: Zone | None) -> ZoneFacts:
        from certkeeper.adapters.dnsfacts import look  # noqa: PLC0415 - loads dnspython

        # First what was written, then what is served: a change in between makes no server look late.
        kept, trouble = None, ""
        try:
            kept = self.kept(zone) if zone is not None else None
        except CertkeeperError as error:
            trouble = str(error)
        writes = kept is not None and kept.zone.kind is not ZoneKind.SECONDARY
        seen = look(name, self._nameservers, kept.zone.served_serial if kept is not None and writes else 0)
        return ZoneFacts(
            name=name,
            kept=kept,
            kept_trouble=trouble,
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
