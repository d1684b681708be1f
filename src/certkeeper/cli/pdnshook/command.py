"""The hooks that certkeeper pdns-hook knows. Whatever goes wrong is exit code 1, as dehydrated expects of hooks."""

import os
import sys
from collections.abc import Sequence
from contextlib import closing

from certkeeper.apply.handover import ZoneTask
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.cli.compose import Machine, open_hook_machine, read_hook_commands
from certkeeper.cli.render import Lines, finding_lines, print_error
from certkeeper.plan.observed import Place, Wanted
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.plan.recovery import writer
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.rrset import KNOWN_SOA_EDIT_API, Zone

_USAGE = "see certkeeper pdns-hook --help"
_NOT_FOUND = 127


class BadCall(CertkeeperError):
    """Not how dehydrated calls a hook."""

    fault = Fault.OPERATOR


def called(words: list[str]) -> int:
    """One call; errors are told here."""
    try:
        match words:
            case ["deploy_challenge", *triples]:
                return _deploy(triples)
            case ["clean_challenge", *triples]:
                return _clean(triples)
            case ["deploy_cert", *_]:
                return _become(read_hook_commands().deploy_cert)
            case ["exit_hook", *_]:
                return _become(read_hook_commands().exit_hook)
            case ["soa_edit", zone, *values] if len(values) <= 2:
                return _soa_edit(zone, values)
        raise BadCall(f"{' '.join(words) or 'no hook'}: not how a hook is called", hint=_USAGE)
    except CertkeeperError as error:
        print_error(error)
        return ExitCode.FAILED


def _deploy(words: Sequence[str]) -> int:
    values = _values(words)
    with closing(open_hook_machine()) as machine:
        for line in finding_lines(machine.configuration.findings):
            sys.stderr.write(f"{line}\n")
        return _told(machine.publish(_tasks(machine, values, with_left=True), Lines(sys.stdout).tell))


def _clean(words: Sequence[str]) -> int:
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
        raise BadCall(f"{len(words)} words are no triples of name, token and value", hint=_USAGE)
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


def _become(command: tuple[str, ...]) -> int:
    """Go on as another program, without arguments: how it ends is how the hook ends."""
    if not command:
        return ExitCode.DONE
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(command[0], command)  # noqa: S606 - the operator's own command, which needs no shell
    except OSError as error:
        sys.stderr.write(f"certkeeper: error: {printable(command[0])}: cannot run it: {error.strerror}\n")
        return _NOT_FOUND


def _soa_edit(name: str, values: Sequence[str]) -> int:
    try:
        zone = DnsName.parse(name)
    except InvalidName as error:
        raise BadCall(str(error)) from error
    with closing(open_hook_machine()) as machine:
        soa = machine.soa_edit()
        if values:
            through_api = values[1] if len(values) > 1 else "DEFAULT"
            soa.set(zone, values[0], through_api)
            if through_api.upper() not in KNOWN_SOA_EDIT_API:
                sys.stderr.write(
                    f"warning: zone {zone}: PowerDNS does not know SOA-EDIT-API {printable(through_api, 40)}\n"
                    "    changes through the API do not raise the serial, so secondaries never fetch them\n"
                )
        sys.stdout.write(f"zone {zone}: {printable(soa.shown(zone))}\n")
    return ExitCode.DONE
