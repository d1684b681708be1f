"""Names that are typed behind `certkeeper dns …`."""

from collections.abc import Callable

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, UsageError
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.config.providers import provider_for
from certkeeper.config.settings import CertSpec, Configuration, Settings
from certkeeper.plan.proving import names_of, owners_of


class NotAName(UsageError):
    """What was typed is no name that a zone can have."""


class NoProvider(CertkeeperError):
    """Nothing says how to write DNS."""

    label = "dns-provider"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


def typed_name(text: str) -> DnsName:
    """A name as people type it; a wildcard means the name that is proven for it.

    Raises:
        NotAName: with the reason.
    """
    try:
        name = DnsName.parse(text.removeprefix("*."))
    except InvalidName as error:
        raise NotAName(str(error)) from error
    if len(name.labels) < 2:
        raise NotAName(f"{text}: a name in a zone of yours has at least two labels")
    return name


def owners_in(configuration: Configuration) -> dict[DnsName, str]:
    """The names that may be proven through DNS: challenge names, each with the id of the provider that writes it."""
    return _provided(configuration, owners_of)


def names_in(configuration: Configuration) -> dict[DnsName, str]:
    """The same for all names, however they are proven."""
    return _provided(configuration, names_of)


def unwritable_owners(configuration: Configuration) -> dict[DnsName, CertkeeperError]:
    """The names of `owners_in` that nobody can write, each with what is wrong with its zone's own file."""
    return _unwritable(configuration, owners_of)


def unwritable_names(configuration: Configuration) -> dict[DnsName, CertkeeperError]:
    """The same for all names, however they are proven."""
    return _unwritable(configuration, names_of)


def _unwritable(
    configuration: Configuration, names: Callable[[CertSpec], tuple[DnsName, ...]]
) -> dict[DnsName, CertkeeperError]:
    found: dict[DnsName, CertkeeperError] = {}
    for spec in configuration.certificates:
        for owner in names(spec):
            provider = provider_for(configuration.settings, owner, spec.provider)
            if not isinstance(provider, str):
                found.setdefault(owner, provider)
    return found


def _provided(configuration: Configuration, names: Callable[[CertSpec], tuple[DnsName, ...]]) -> dict[DnsName, str]:
    found: dict[DnsName, str] = {}
    for spec in configuration.certificates:
        for owner in names(spec):
            provider = provider_for(configuration.settings, owner, spec.provider)
            if isinstance(provider, str):
                found.setdefault(owner, provider)
    return found


def provider_of(name: DnsName, settings: Settings) -> str:
    """Who writes a name that was typed: its zone's rule, else the provider of the page.

    Raises:
        CertkeeperError: there is none, or the zone's rule cannot be read.
    """
    page = settings.providers[0].id if settings.providers else ""
    provider = provider_for(settings, name, page)
    if not isinstance(provider, str):
        raise provider
    if not provider:
        raise NoProvider(
            f"{settings.config_file}: no DNS provider is configured", hint="set PDNS_HOST and PDNS_KEY, or DNS_PROVIDER"
        )
    return provider
