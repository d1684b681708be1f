"""A script of the operator's that writes challenge records, called as dehydrated calls its hooks.

    HOOK deploy_challenge DOMAIN TOKEN VALUE [DOMAIN TOKEN VALUE ...]
    HOOK clean_challenge  DOMAIN TOKEN VALUE [...]

Several records in one call only with HOOK_CHAIN; else a call for each. What zones there are only the script knows, so
the world is asked, and a name whose zone cannot be found out counts as a zone of its own.
"""

from collections.abc import Collection, Mapping

from certkeeper.adapters.dns.apexes import Apexes
from certkeeper.adapters.scripts import script_trouble
from certkeeper.apply.ports import HookCall, Hooks
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.config.settings import HookSettings
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone, ZoneKind

_LABEL = "_acme-challenge."


class HookDns:
    """Implements the port Dns by the operator's script."""

    def __init__(
        self,
        settings: HookSettings,
        hooks: Hooks,
        apexes: Apexes,
        environment: tuple[tuple[str, str], ...],
        functions: Collection[str],
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._apexes = apexes
        self._environment = environment
        self._functions = functions

    def describe(self) -> str:
        return f"hook {self._settings.script}"

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        script = self._settings.script
        if script not in self._functions and (trouble := script_trouble(script)) is not None:
            raise trouble
        try:
            found = self._apexes.zones(owners)
        except CertkeeperError:
            found = {}
        names = {owner: found[owner].name if owner in found else owner.parent for owner in owners}
        return {owner: Zone(name, name.text, ZoneKind.SCRIPTED, 0) for owner, name in names.items()}

    def aliases(self, names: Mapping[Zone, Collection[DnsName]]) -> Mapping[DnsName, DnsName]:
        """None: the script is told of the name itself, and follows what it follows."""
        del names
        return {}

    def change(self, zone: Zone, changes: ChangeSet) -> None:
        """Withdrawals first, as with one change."""
        del zone
        self._call("clean_challenge", [_triple(item, rdata) for item in changes.changes for rdata in item.remove])
        self._call("deploy_challenge", [_triple(item, rdata) for item in changes.changes for rdata in item.add])

    def notify(self, zone: Zone) -> None:
        """Whatever is needed, the script does."""

    def _call(self, name: str, triples: list[tuple[str, str, str]]) -> None:
        ordered = sorted(triples)
        calls = [ordered] if self._settings.chain and ordered else [[triple] for triple in ordered]
        for call in calls:
            arguments = tuple(word for triple in call for word in triple)
            settings, environment = self._settings, (*self._environment, ("CHALLENGETYPE", "dns-01"))
            self._hooks.call(HookCall(settings.script, name, arguments, environment, settings.timeout))


def _triple(change: RecordChange, rdata: str) -> tuple[str, str, str]:
    """A challenge value is base64url, so its rdata is that in quotes."""
    return change.owner.text.removeprefix(_LABEL), dict(change.tokens).get(rdata, ""), rdata.strip('"')
