"""deploy_challenge and clean_challenge."""

import sys
from collections.abc import Sequence
from contextlib import closing

from certkeeper.apply.handover import ZoneTask
from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.cli.compose import Machine, open_hook_machine
from certkeeper.cli.pdnshook.badcall import USAGE, BadCall
from certkeeper.cli.render import Lines, finding_lines, print_error
from certkeeper.plan.observed import Place, Wanted
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.plan.recovery import writer
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.rrset import Zone


def deploy(words: Sequence[str]) -> int:
    """Publish, wait until it is served, and hand it over; an exit code."""
    values = _values(words)
    with closing(open_hook_machine()) as machine:
        for line in finding_lines(machine.configuration.findings):
            sys.stderr.write(f"{line}\n")
        return _told(machine.publish(_tasks(machine, values, with_left=True), Lines(sys.stdout).tell))


def clean(words: Sequence[str]) -> int:
    """Take these values away; an exit code."""
    values = _values(words)
    with closing(open_hook_machine()) as machine:
        return _told(machine.withdraw(_tasks(machine, values), Lines(sys.stdout).tell))


def _told(troubles: Sequence[CertkeeperError]) -> int:
    for error in troubles:
        print_error(error)
    return ExitCode.FAILED if troubles else ExitCode.DONE


def _values(words: Sequence[str]) -> dict[DnsName, frozenset[str]]:
    """The values by challenge name; the third word of each triple is what the CA looks for."""
    if not words or len(words) % 3:
        raise BadCall(f"{len(words)} words are no triples of name, token and value", hint=USAGE)
    found: dict[DnsName, frozenset[str]] = {}
    for name, value in zip(words[::3], words[2::3], strict=True):
        try:
            owner = DnsName.parse(name.removeprefix("*.")).child(CHALLENGE_LABEL)
        except InvalidName as error:
            raise BadCall(str(error)) from error
        found[owner] = found.get(owner, frozenset()) | {value}
    return found


def _tasks(machine: Machine, values: dict[DnsName, frozenset[str]], *, with_left: bool = False) -> tuple[ZoneTask, ...]:
    """What is to be done in each zone.

    Raises:
        CertkeeperError: PowerDNS cannot be asked, or holds no zone for a name.
    """
    provider = machine.settings.providers[0].id
    located = machine.locate({provider: Wanted(owners=tuple(values))})[provider]
    if located.trouble is not None:
        raise located.trouble
    by_zone: dict[Zone, dict[DnsName, frozenset[str]]] = {}
    for owner, wanted in values.items():
        if owner in located.errors:
            raise located.errors[owner]
        place = _writable(owner, located.places.get(owner), located.provider)
        owners = by_zone.setdefault(place.zone, {})
        owners[place.owner] = owners.get(place.owner, frozenset()) | wanted
    left = machine.journal.records().left if with_left else ()
    return tuple(
        ZoneTask(
            zone,
            owners,
            tuple(item for item in left if item.zone == zone.name and writer(item, machine.settings) == provider),
        )
        for zone, owners in by_zone.items()
    )


def _writable(owner: DnsName, place: Place | None, provider: str) -> Place:
    if place is None:
        raise ZoneError(
            f"{owner.parent}: no zone at {provider} holds it", hint="create its zone there, or correct the name"
        )
    if not place.zone.kind.writable:
        raise ZoneError(
            f"zone {place.zone.name} is a secondary at {provider}: changes there would be lost",
            hint="point PDNS_HOST at the primary of that zone",
        )
    return place
