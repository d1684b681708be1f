"""`certkeeper alert test`, and the alerts at the end of a run."""

import argparse
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from certkeeper.apply.deploy.result import DeployResult, End
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, Interrupted
from certkeeper.base.events import DeploymentFailed
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.compose.telling import told_file
from certkeeper.cli.pageform import in_form
from certkeeper.cli.render import print_error
from certkeeper.cli.select import is_whole
from certkeeper.cli.ways import Letter, Way, letter_of, send, ways_of
from certkeeper.config.settings import Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.plan.actions import Plan
from certkeeper.plan.alerts import Alert, Kind, Memory, Trouble, troubles_of
from certkeeper.plan.alerts import alert as alert_now
from certkeeper.plan.expiring import expiring, revoked, soon
from certkeeper.plan.tlsastands import SUBJECT, lasting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.danephase import DanePhase

_RUN = "run"
"""What is wrong with no single certificate."""


class NobodyToTell(CertkeeperError):
    """No way to tell anybody is set."""

    label = "not-told"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


def alert(options: argparse.Namespace) -> int:
    """Send a test message every way that is set.

    Raises:
        NobodyToTell: there is none.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    settings = machine.settings
    ways = ways_of(settings)
    if not ways:
        raise NobodyToTell(
            f"{settings.config_file}: none of ALERT_MAIL, ALERT_COMMAND and ALERT_URLS is set",
            hint='write ALERT_MAIL="root", or ALERT_COMMAND="/usr/local/bin/script"',
        )
    trouble = Trouble("test", "nothing is wrong: this message was asked for with certkeeper alert test")
    letter = letter_of(Alert((trouble,)), settings, test=True)
    failed = send(dict.fromkeys(ways, letter), settings)
    for way in ways:
        if way in failed:
            print_error(failed[way], subject=way.name)
        else:
            sys.stdout.write(f"a test message was sent {way.name}\n")
    return ExitCode.FAILED if failed else ExitCode.DONE


def alert_of_run(
    machine: Machine,
    selected: Configuration,
    plan: Plan,
    result: Result,
    shown: DeployResult,
    endings: Sequence[CertkeeperError],
    dane: "DanePhase | None" = None,
) -> bool:
    """Tell somebody what changed: what fails, ends soon, is blocked or revoked, or is not any more.

    Nothing of it changes how the run ends. False where a later run has to tell somebody.
    """
    if isinstance(result.fatal, Interrupted):
        return True
    errors = {str(item.alias): [item.error] for item in result.outcomes if item.error is not None}
    endings = [*endings, *([shown.fatal] if shown.fatal is not None else [])]
    general = [*([result.fatal] if result.fatal is not None else []), *result.leftovers, *endings]
    ended = {item.alias for item in result.outcomes}
    looked_at = {str(item.alias) for item in plan.lineages if item.order is None or item.alias in ended}
    looked_at |= {item.label for item in selected.rejected} | {_RUN}
    found = tuple(troubles_of(selected, plan.lineages, {_RUN: general, **errors} if general else errors))
    found += tuple(troubles_in_services(shown))
    looked_at |= {f"{alias} at {name}" for alias, name in given(selected)}
    ways = ways_of(machine.settings)
    known = known_keys(machine, ways)
    if is_whole(machine.configuration, selected):
        # What was taken off the page is nobody's trouble any more.
        listed = {spec.alias.text for spec in selected.certificates}
        listed |= {f"{alias} at {name}" for alias, name in given(selected)}
        looked_at |= known - listed
    if dane is not None and dane.stands is not None:
        found += tuple(lasting(dane.stands))
    found += tuple(_of_certificates(machine, selected, plan, result))
    looked_at = _with_records(looked_at, known, machine, result, dane)
    looked_at |= {
        Trouble(spec.alias.text, "", kind=kind).key
        for spec in selected.certificates
        for kind in (Kind.EXPIRING, Kind.REVOKED)
    }
    return _tell(machine, ways, found, looked_at, whole=is_whole(machine.configuration, selected))


def known_keys(machine: Machine, ways: Sequence[Way]) -> set[str]:
    """What anybody was told of."""
    memories = told_file(machine.settings).read()
    return {key for way in ways if way.key in memories for key in memories[way.key].told}


def _of_certificates(machine: Machine, selected: Configuration, plan: Plan, result: Result) -> Iterator[Trouble]:
    """Those that end soon, and those that were found revoked."""
    replaced = {item.alias for item in result.outcomes if item.live is not None}
    yield from expiring(selected.certificates, machine.lineages(), machine.settings.telling.margin, machine.clock.now())
    yield from revoked(plan.lineages, replaced)


def _with_records(
    looked_at: Collection[str], keys: set[str], machine: Machine, result: Result, dane: "DanePhase | None"
) -> set[str]:
    """Of TLSA records nothing new is known where nobody looked at them; where no page wants any, none is wrong."""
    known = {key for key in keys if key.startswith(SUBJECT)}
    if dane is not None:
        return {*looked_at} - known | (known if dane.stands is not None else set())
    return {*looked_at} - known | (known if result.fatal is None and machine.dane_watch is None else set())


def alert_of_failure(machine: Machine, error: CertkeeperError) -> None:
    """Tell somebody that a run could not be started."""
    _tell(
        machine,
        ways_of(machine.settings),
        (Trouble(_RUN, str(error), error.hint, failure=error.label),),
        (),
        whole=False,
    )


def troubles_in_services(shown: DeployResult) -> Iterator[Trouble]:
    """Services that did not take a certificate, by certificate and service."""
    for item in shown.deployed:
        if item.end is End.FAILED:
            yield Trouble(
                f"{item.alias} at {item.target}",
                item.message,
                f"certkeeper deploy {item.alias}",
                failure=DeploymentFailed.label,
            )


def given(selected: Configuration) -> Iterator[tuple[str, str]]:
    """Every certificate with every service that it is given to."""
    for spec in selected.certificates:
        for name in spec.targets:
            yield spec.alias.text, name


def _tell(
    machine: Machine, ways: Sequence[Way], troubles: Sequence[Trouble], looked_at: Collection[str], *, whole: bool
) -> bool:
    """Each way what is new to it. A summary only after a run over the `whole` page. False where a way is down."""
    settings, now = machine.settings, machine.clock.now()
    file = told_file(settings)
    before = file.read()
    letters, after = dict[Way, Letter](), dict[str, Memory]()
    for way in ways:
        memory = before.get(way.key, Memory())
        message, told = alert_now(troubles, memory.told, looked_at, now)
        after[way.key] = memory
        if message is not None:
            letters[way] = letter_of(message, settings)
            after[way.key] = replace(memory, told=told)
    failed = dict(send(letters, settings))
    for way in failed:
        after[way.key] = before.get(way.key, Memory())
    if settings.telling.summary is not None and whole:
        failed |= _summed_up(machine, [way for way in ways if way not in failed], after, troubles)
    for way, error in failed.items():
        _warn(f"alert {way.name}: not sent, the next run tries again: {error}", error.hint)
    try:
        if after != before:
            file.write(after)
    except CertkeeperError as error:
        _warn(f"alert: what was told is not remembered, and is told again by the next run: {error}", error.hint)
    return not failed


def _summed_up(
    machine: Machine, ways: Sequence[Way], after: dict[str, Memory], troubles: Sequence[Trouble]
) -> Mapping[Way, CertkeeperError]:
    """A summary each way whose time has come; what is remembered is put into `after`."""
    now, period = machine.clock.now(), machine.settings.telling.summary
    due: list[Way] = []
    for way in ways:
        last = after[way.key].summary
        if last is None or last > now:
            after[way.key] = replace(after[way.key], summary=now)
        elif period is not None and now >= last + period:
            due.append(way)
    if not due:
        return {}
    from certkeeper.cli.summary import summary_letter  # noqa: PLC0415 - once in a while

    failed = send(dict.fromkeys(due, summary_letter(machine, troubles)), machine.settings)
    for way in due:
        if way not in failed:
            after[way.key] = replace(after[way.key], summary=now)
    return failed


def next_word(machine: Machine, lineages: Mapping[Alias, Lineage]) -> datetime | None:
    """When somebody is to be told something although nothing is due by then: a summary, or that an end comes near."""
    settings = machine.settings
    if not settings.telling.alerts:
        return None
    now = machine.clock.now()
    leaves = [lineage.leaf for lineage in lineages.values() if lineage.leaf is not None]
    times = [at for leaf in leaves if (at := soon(leaf, settings.telling.margin)) > now]
    if (period := settings.telling.summary) is not None:
        memories = told_file(settings).read().values()
        times += [memory.summary + period for memory in memories if memory.summary is not None]
    return min(times, default=None)


def _warn(text: str, hint: str) -> None:
    sys.stderr.write(f"certkeeper: warning: {in_form(text)}\n")
    if hint:
        sys.stderr.write(f"certkeeper: hint: {in_form(hint)}\n")
