"""Names that are typed behind `certkeeper dns …`."""

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.config.settings import Configuration
from certkeeper.plan.planner import owners_of


class NotAName(CertkeeperError):
    """What was typed is no name that a zone can have."""

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


def owners_in(configuration: Configuration) -> tuple[DnsName, ...]:
    """The challenge names of all certificates, each once."""
    return tuple(dict.fromkeys(owner for spec in configuration.certificates for owner in owners_of(spec)))
