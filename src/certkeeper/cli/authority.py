"""--ca: a command about another CA than that of the page."""

from dataclasses import replace

from certkeeper.cli.compose import Machine
from certkeeper.config.authority import read_authority


def at(machine: Machine, ca: str | None) -> Machine:
    """The machine with the CA that was typed: a preset, or the URL of a directory. None leaves it as it is.

    Raises:
        NoAuthority: it is neither.
    """
    if ca is None:
        return machine
    settings = replace(machine.settings, ca=read_authority(ca))
    return replace(machine, configuration=replace(machine.configuration, settings=settings))
