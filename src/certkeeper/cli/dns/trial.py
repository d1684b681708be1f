"""`certkeeper dns test`."""

import argparse
import secrets
import sys
from contextlib import closing

from certkeeper.apply.trial import trial_owner
from certkeeper.base.errors import ExitCode, Interrupted, printable
from certkeeper.base.events import Event, ZoneChanged, ZoneProven, ZoneUnproven
from certkeeper.base.names import DnsName
from certkeeper.cli.compose import open_machine
from certkeeper.cli.dns.names import names_in, provider_of, typed_name
from certkeeper.cli.render import print_error
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.findings import did_you_mean
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.rrset import ZoneKind


def trial(options: argparse.Namespace) -> int:
    """Publish a record, say who serves it when, and take it away.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    name = typed_name(options.name)
    with closing(machine):
        proven = name.child(CHALLENGE_LABEL)
        looked = machine.survey().places({proven: provider_of(proven, machine.settings)})
        if proven in looked.errors:
            raise looked.errors[proven]
        place = looked.found.get(proven)
        if place is None:
            meant = did_you_mean(name.text, sorted(owner.parent.text for owner in names_in(machine.configuration)))
            hint = f"did you mean {meant}?" if meant else "correct the name, or create its zone there"
            raise ZoneError(f"no zone at the DNS provider holds {name}", hint=hint)
        zone = place.zone
        if zone.kind is ZoneKind.SCRIPTED:
            raise ZoneError(
                f"{name}: a script writes its challenges, and scripts know nothing but challenges",
                hint="certkeeper dns doctor looks at the zone",
            )
        if not zone.kind.writable:
            raise ZoneError(
                f"zone {zone.name} is a secondary at its DNS provider: changes there would be lost",
                hint="point PDNS_HOST at the primary of that zone",
            )
        owner, value = trial_owner(place.owner, zone.name), f"certkeeper-test-{secrets.token_hex(16)}"
        troubles = machine.try_out(zone, owner, value, _Teller(owner, value).tell)
    for error in troubles:
        if not isinstance(error, Interrupted):
            print_error(error)
    interrupted = next((error for error in troubles if isinstance(error, Interrupted)), None)
    if interrupted is not None:
        # A run is gone on with, a test is not.
        alone = len(troubles) == 1
        interrupted.hint = (
            "the record is taken away again" if alone else "certkeeper dns cleanup takes away what is left"
        )
        print_error(interrupted)
        return interrupted.exit_code
    return ExitCode.FAILED if troubles else ExitCode.DONE


class _Teller:
    """A line per event, in the words of a test and not of a run."""

    def __init__(self, owner: DnsName, value: str) -> None:
        self._record = f'{owner} TXT "{value}"'

    def tell(self, event: Event) -> None:
        servers = event.servers if isinstance(event, ZoneProven | ZoneUnproven) else ()
        for line in (*(seen.text for seen in servers), self._text(event)):
            sys.stdout.write(f"{printable(line)}\n")
        sys.stdout.flush()

    def _text(self, event: Event) -> str:
        if isinstance(event, ZoneChanged):
            return f"zone {event.zone}: {self._record} {event.action}"
        if isinstance(event, ZoneProven):
            return f"zone {event.zone}: works: every name server that answers has it after {event.seconds:.1f} s"
        return event.text
