"""--ca: a command about another CA than that of the page."""

from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine
from certkeeper.config.authority import read_authority


def at(machine: Machine, ca: str | None) -> Machine:
    """The machine with the CA that was typed: a preset, or the URL of a directory. None leaves it as it is.

    Raises:
        NoAuthority: it is neither.
    """
    if ca is None:
        return machine
    url = read_authority(ca)
    settings = machine.settings.at(url)
    if all(item.ca != url for item in settings.other_accounts):
        # Whoever types a CA that no certificate names means what the page says of accounts.
        settings = replace(machine.settings, ca=url)
    return replace(machine, configuration=replace(machine.configuration, settings=settings))
