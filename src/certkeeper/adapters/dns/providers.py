"""From a provider's settings to the provider."""

from collections.abc import Callable, Collection

from certkeeper.adapters.bounds import WORKING, Bounds
from certkeeper.apply.ports import Dns, Hooks, Nameservers
from certkeeper.config.settings import (
    HookSettings,
    LexiconSettings,
    ManualSettings,
    PowerDnsSettings,
    ProviderSettings,
    Rfc2136Settings,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.adapters.http import Hear


def open_provider(
    settings: ProviderSettings,
    *,
    hooks: Hooks,
    environment: tuple[tuple[str, str], ...],
    functions: Collection[str],
    nameservers: Nameservers,
    say: Callable[[str], None],
    bounds: Bounds = WORKING,
    hear: "Hear | None" = None,
) -> Dns:
    """Loads what this kind of provider needs, and asks nobody yet.

    `environment` is what hooks find in theirs, `functions` are those of the page's that may be one;
    `say` tells the operator what to do by hand; `bounds` is how long an HTTP API may take.
    """
    match settings:
        case PowerDnsSettings():
            from certkeeper.adapters.dns.powerdns_api import http_client  # noqa: PLC0415 - only where it is used
            from certkeeper.adapters.dns.powerdns_versions import AnyPowerDns  # noqa: PLC0415 - as above
            from certkeeper.adapters.http import deaf  # noqa: PLC0415 - as above

            return AnyPowerDns(settings, http_client(settings, bounds, hear or deaf))
        case Rfc2136Settings():
            from certkeeper.adapters.dns.rfc2136 import Rfc2136  # noqa: PLC0415 - as above

            return Rfc2136(settings)
    from certkeeper.adapters.dns.apexes import Apexes  # noqa: PLC0415 - as above

    match settings:
        case LexiconSettings():
            from certkeeper.adapters.dns.lexicon import Lexicon  # noqa: PLC0415 - as above

            return Lexicon(settings, Apexes(), nameservers.aliases)
        case HookSettings():
            from certkeeper.adapters.dns.hook import HookDns  # noqa: PLC0415 - as above

            return HookDns(settings, hooks, Apexes(), environment, functions)
        case ManualSettings():
            from certkeeper.adapters.dns.manual import Manual  # noqa: PLC0415 - as above

            return Manual(Apexes(), nameservers.aliases, say)
