"""From a provider's settings to the provider."""

from certkeeper.apply.ports import Dns, Hooks
from certkeeper.config.settings import HookSettings, ManualSettings, PowerDnsSettings, ProviderSettings


def open_provider(settings: ProviderSettings, hooks: Hooks, environment: tuple[tuple[str, str], ...]) -> Dns:
    """Loads what this kind of provider needs, and asks nobody yet. `environment` is what hooks find in theirs."""
    match settings:
        case PowerDnsSettings():
            from certkeeper.adapters.dns.powerdns import PowerDns  # noqa: PLC0415 - only where it is used
            from certkeeper.adapters.http import HttpClient  # noqa: PLC0415 - as above

            return PowerDns(settings, HttpClient())
        case HookSettings():
            from certkeeper.adapters.dns.apexes import apexes  # noqa: PLC0415 - as above
            from certkeeper.adapters.dns.hook import HookDns  # noqa: PLC0415 - as above

            return HookDns(settings, hooks, apexes, environment)
        case ManualSettings():
            raise NotImplementedError
