"""`certkeeper dns cleanup`."""

import argparse
import sys
from collections.abc import Iterable
from contextlib import closing, nullcontext

from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.events import count
from certkeeper.base.names import DnsName
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.confirm import confirmed
from certkeeper.cli.dns.names import owners_in, unwritable_owners
from certkeeper.cli.planning import planned as planned_now
from certkeeper.cli.render import finding_lines, print_error, reporter
from certkeeper.cli.saying import Saying
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import Configuration
from certkeeper.plan.actions import Plan
from certkeeper.plan.doctor import txt_values
from certkeeper.plan.records import ChallengeIntent


def cleanup(options: argparse.Namespace) -> int:
    """Show what is left, and remove what is ours.

    Raises:
        CertkeeperError: nothing could be started.
    """
    raise_terminated()
    whole = open_machine(options.config, evaluator=options.evaluator)
    # Nothing is due for a page without certificates: what remains of a plan are the leftovers of killed runs.
    machine = replace(whole, configuration=replace(whole.configuration, certificates=(), rejected=(), findings=()))
    # What only reads takes no lock.
    with nullcontext() if options.dry_run else machine.lock(), closing(machine):
        observed = machine.observe()
        # Files and answers are no business of this command: the next run removes them, and tells scripts.
        planned = replace(planned_now(machine, machine.configuration, observed, ()), files=(), told=())
        failed = _show(planned) or _show_others(machine, whole.configuration, observed.records.left)
        ours = sum(len(left) for left in planned.withdrawals.values())
        gone, untold = len(planned.homeless), len(planned.untold)
        if not ours and not gone and not untold and not planned.stale:
            sys.stdout.write("nothing of ours is left\n" if not failed else "")
            return ExitCode.FAILED if failed else ExitCode.DONE
        if options.dry_run:
            sys.stdout.write(f"{count(ours, 'record')} would be removed\n" if ours else "")
            sys.stdout.write(f"{count(gone, 'record')} would be forgotten: nobody holds the zone\n" if gone else "")
            sys.stdout.write(f"{count(untold, 'challenge')} of a script would be forgotten\n" if untold else "")
            return ExitCode.FAILED
        sys.stdout.flush()
        asked = [f"remove {count(ours, 'record')}"] if ours or not (gone or untold) else []
        asked += [f"forget {count(gone, 'record')} whose zone nobody holds"] if gone else []
        asked += [f"forget {count(untold, 'challenge')} of a script that the page does not name"] if untold else []
        if not confirmed(f"{' and '.join(asked)}?", yes=options.yes):
            return ExitCode.FAILED
        report = reporter(Saying.ALL)
        try:
            forgetting = replace(planned, stale=(*planned.stale, *planned.homeless, *planned.untold))
            result = machine.reconcile(forgetting, terms_accepted=False, tell=report.tell)
        finally:
            report.close()
    for error in result.leftovers:
        print_error(error)
    if result.fatal is not None:
        print_error(result.fatal)
        return result.fatal.exit_code
    return ExitCode.FAILED if result.leftovers or failed else ExitCode.DONE


def _show(planned: Plan) -> bool:
    """What killed runs left; True where some of it cannot be reached."""
    for zone, left in planned.withdrawals.items():
        for intent in left:
            sys.stdout.write(f"zone {zone.name}: {intent.owner} TXT {intent.rdata} was left by an earlier run\n")
    for line in finding_lines(finding for finding in planned.findings if finding.code == "left-behind"):
        sys.stdout.write(f"{line}\n")
    for error in planned.unreachable:
        print_error(error)
    return bool(planned.unreachable)


def _show_others(machine: Machine, whole: Configuration, left: Iterable[ChallengeIntent]) -> bool:
    """Values at our challenge names that no journal of ours tells of; True where not everybody could be asked."""
    ours = {(intent.owner, intent.rdata) for intent in left}
    survey = machine.survey()
    looked = survey.places(owners_in(whole))
    errors = {str(error): error for error in (*unwritable_owners(whole).values(), *looked.errors.values())}
    found: list[tuple[DnsName, str]] = []
    for zone in dict.fromkeys(place.zone for place in looked.found.values()):
        try:
            kept = survey.kept(zone)
        except CertkeeperError as error:
            errors[str(error)] = error
        else:
            found += txt_values(kept) if kept is not None else ()
    for each in errors.values():
        print_error(each)
    written = {place.owner for place in looked.found.values()}
    others = [(owner, rdata) for owner, rdata in found if owner in written and (owner, rdata) not in ours]
    if others:
        sys.stdout.write("not known to be ours, so they stay; another run or another program may be using them:\n")
    for owner, rdata in others:
        sys.stdout.write(f"    {owner} TXT {rdata}\n")
    return bool(errors)
