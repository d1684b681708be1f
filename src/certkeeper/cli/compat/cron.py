"""`--cron`: one certificate after the other, in the order of the list, as dehydrated works.

Each is planned and carried out by itself. The first failure ends the run, unless KEEP_GOING is set.
"""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from certkeeper.apply.ports import JournalDamaged
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted, Location
from certkeeper.base.events import Event, Tell
from certkeeper.base.stapled import StapleKept
from certkeeper.base.value import replace
from certkeeper.cli.afterrun import after_whole, seen_after
from certkeeper.cli.compat.account import account_ready
from certkeeper.cli.compat.clearing import clear_as
from certkeeper.cli.compat.deciding import OTHERS, judge, processing
from certkeeper.cli.compat.failing import print_failure
from certkeeper.cli.compat.sitting import Refused, Sitting, locked
from certkeeper.cli.compat.words import Flag
from certkeeper.cli.compose import USER_AGENT, Machine
from certkeeper.cli.deployments import deployed
from certkeeper.cli.planning import planned
from certkeeper.cli.saying import Saying
from certkeeper.config.domains import DomainList
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Severity
from certkeeper.config.settings import CertSpec, Cleanup, Configuration, Rejected
from certkeeper.config.values import inside
from certkeeper.plan.actions import HeldTooLong, KeySource, LineagePlan
from certkeeper.plan.observed import Observed
from certkeeper.plan.planner import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.compat.stapling import Stapling


def cron(sitting: Sitting) -> int:
    """Issue what is due.

    Raises:
        CertkeeperError: what ended the run.
    """
    machine, missing = _opened(sitting)
    code: int = ExitCode.FAILED
    try:
        with locked(machine), closing(machine):
            code = _Cron(sitting, machine).run(missing)
    finally:
        seen = seen_after(machine)
        if not sitting.typed.domain:
            after_whole(machine, code, seen)
        if machine.settings.telling.report:
            from certkeeper.cli.report.keeping import keep_report  # noqa: PLC0415 - few pages have one

            keep_report(machine, seen)
    return code


def _opened(sitting: Sitting) -> tuple[Machine, ConfigError | None]:
    """The page, and what is wrong with its list as a whole: dehydrated looks at that after its first hooks."""
    try:
        return sitting.open(sitting.asked()), None
    except ConfigError as error:
        return sitting.open(DomainList()), error


class _Cron:
    def __init__(self, sitting: Sitting, machine: Machine) -> None:
        self._sitting = sitting
        self._machine = machine
        self._forced = Flag.FORCE in sitting.typed.flags
        self._warnings = tuple(
            finding
            for finding in machine.configuration.findings
            if finding.severity is not Severity.NOTE and finding.code != "not-per-certificate"
        )

    def run(self, missing: ConfigError | None) -> int:
        machine = self._machine
        account_ready(self._sitting, machine)
        self._sitting.hooking.begin()
        self._make_chain_cache()
        if missing is not None:
            self._warn()
            raise missing
        observed = self._observed()
        failed = False
        for entry in _in_order(machine.configuration):
            try:
                self._entry(entry, observed)
            except Interrupted:
                raise
            except CertkeeperError as error:
                self._warn()
                if not self._goes_on(entry):
                    raise
                print_failure(error, sys.stderr, self._sitting.program)
                failed = True
        machine.keep_index()
        failed = self._withdraw_leftovers() or failed
        # Only pages that say so in a setting of ours have services.
        failed = deployed(machine, machine.configuration, saying=Saying.ALL).failed or failed
        if machine.dane_watch is not None:
            from certkeeper.cli.danephase import published  # noqa: PLC0415 - most pages have no TLSA records

            phase = published(machine, saying=Saying.PROBLEMS)
            for trouble in phase.errors:
                print_failure(trouble, sys.stderr, self._sitting.program)
            failed = phase.failed or bool(phase.errors) or failed
        self._sitting.end()
        if machine.settings.cleanup is not Cleanup.NO:
            _say(" + Running automatic cleanup")
            failed = bool(clear_as(machine.settings.cleanup, machine, self._sitting, " + ")) or failed
        return ExitCode.FAILED if failed else ExitCode.DONE

    def _warn(self) -> None:
        """What is odd about the page, once, where something happens: cron mails what stands on standard error."""
        findings, self._warnings = self._warnings, ()
        for finding in findings:
            sys.stderr.write(f"# WARNING: {finding.where}: {finding.message}; {finding.consequence}\n")

    def _withdraw_leftovers(self) -> bool:
        """What runs before left, where no certificate that was due took it along; True where some still is there."""
        records = self._machine.journal.records()
        if not (records.left or records.files or records.told):
            return False
        bare = replace(self._machine.configuration, certificates=(), rejected=(), findings=())
        machine = replace(self._machine, configuration=bare)
        result = machine.reconcile(planned(machine, bare, machine.observe(), ()), terms_accepted=False, tell=self._told)
        for error in result.leftovers:
            print_failure(error, sys.stderr, self._sitting.program)
        return bool(result.leftovers)

    def _make_chain_cache(self) -> None:
        """A folder of ACME v1's, of which nothing is read: scripts of people's may put things there."""
        said = self._machine.configuration.assigned.get("CHAINCACHE")
        folder = said.value if said is not None and said.value else inside(self._machine.settings.basedir, "chains")
        if Path(folder).is_dir():
            return
        _say(f" + Creating chain cache directory {folder}")
        try:
            Path(folder).mkdir(mode=0o700)
        except OSError as error:
            raise Refused(f"{folder}: cannot be made: {error.strerror}", hint="correct CHAINCACHE") from error

    def _goes_on(self, entry: CertSpec | Rejected) -> bool:
        return self._machine.settings.keep_going or (isinstance(entry, CertSpec) and entry.keep_going)

    def _observed(self) -> Observed:
        machine = self._machine
        try:
            observed = machine.observe()
        except JournalDamaged as error:
            sys.stderr.write(f" ! {error}: it is kept as {machine.set_journal_aside()}, and a new one begins\n")
            observed = machine.observe()
        if machine.index_trouble:
            sys.stderr.write(
                f" ! {machine.index_trouble}: every certificate is opened, and a new index takes its place\n"
            )
        asked = machine.advised(machine.configuration, observed)
        if asked.advice != observed.advice:
            machine.keep_advice(asked.advice)
        return asked

    def _entry(self, entry: CertSpec | Rejected, observed: Observed) -> None:
        if isinstance(entry, Rejected):
            said = self._machine.configuration.said.certificates.get(entry.label)
            _say(processing(said.identifiers, entry.label) if said is not None else f"Processing {entry.label}")
            raise entry.error
        _say(processing(entry.identifiers, entry.alias.text))
        folder = self._machine.settings.folder(entry)
        if not Path(folder).exists():
            _say(f" + Creating new directory {folder} ...")
            self._machine.store.make_folder(entry.alias)
        self._own_settings(entry)
        self._certificate(entry, observed)

    def _own_settings(self, spec: CertSpec) -> None:
        """What the certificate has for itself."""
        configuration = self._machine.configuration
        said = configuration.said.certificates.get(spec.alias.text)
        if said is None or not said.file:
            return
        own, file = sorted(said.own, key=lambda item: item.name), said.file
        _say(" + Using certificate specific config file!", *(f"   + {item.name} = {item.value}" for item in own))
        for finding in configuration.findings:
            if finding.code == "not-per-certificate" and finding.where is not None and finding.where.file == file:
                name = finding.message.partition(":")[0]
                sys.stderr.write(f"   ! Setting {name} on a per-certificate base is not (yet) supported\n")

    def _certificate(self, spec: CertSpec, observed: Observed) -> None:
        self._sitting.hooking.remember(spec)
        spec = self._sitting.hooking.line(spec)
        machine = self._machine.about(spec)
        lineage = observed.lineages[spec.alias]
        # A request's key is nowhere here: there is nothing to mend.
        if lineage.torn and spec.request is None:
            from certkeeper.cli.heal import keep_mended  # noqa: PLC0415 - as below

            keep_mended(machine, machine.mend(machine.configuration), " ! ", sys.stderr)
            observed = machine.observe()
            lineage = observed.lineages[spec.alias]
        stapling = self._stapling(machine, spec)
        if stapling is not None:
            observed = stapling.ask(observed)
            lineage = observed.lineages[spec.alias]
        ours = plan(machine.configuration, observed).lineages[0]
        other = ours.detail or ours.reason.value if ours.reason in OTHERS else ""
        verdict = judge(spec, lineage, observed.now, forced=self._forced, other=other)
        if verdict.note:
            sys.stderr.write(f"{verdict.note}\n")
        _say(*verdict.lines)
        there = ours.hold is not None and ours.hold.decides and not self._forced
        if there:
            _say(f" + {ours.detail}")
            if isinstance(ours.error, HeldTooLong):
                raise ours.error
        if verdict.due and not there:
            self._issue(machine, spec, stapling)
        else:
            self._sitting.hooking.unchanged(spec)
            if ours.order is None and ours.error is None and ours.actions:
                self._owed(machine, observed)
            if stapling is not None:
                stapling.stays()

    def _stapling(self, machine: Machine, spec: CertSpec) -> "Stapling | None":
        if not spec.ocsp_fetch:
            return None
        from certkeeper.cli.compat.stapling import Stapling  # noqa: PLC0415 - most pages want no responses

        return Stapling(machine, spec, self._told)

    def _owed(self, machine: Machine, observed: Observed) -> None:
        """A call of the script that an earlier run did not bring to its end, or the next key."""
        result = machine.reconcile(plan(machine.configuration, observed), terms_accepted=False, tell=self._told)
        for outcome in result.outcomes:
            if outcome.error is not None:
                raise outcome.error

    def _issue(self, machine: Machine, spec: CertSpec, stapling: "Stapling | None") -> None:
        self._warn()
        _say(" + Signing domains...")
        # Made here, so that the certificates after it find it, with the CA's directory.
        _ = self._machine.http, self._machine.journal
        machine = self._machine.about(spec)
        if machine.accounts.read(spec.ca) is None:
            from certkeeper.apply.account import open_session  # noqa: PLC0415 - most runs need no account

            accepted = self._sitting.terms_accepted
            settings = machine.settings.at(spec.ca)
            opening = open_session(settings, user_agent=USER_AGENT, terms_accepted=accepted, tell=self._told)
            self._sitting.converse(machine, opening)
        planned_ = planned(machine, machine.configuration, machine.observe(), frozenset({spec.alias}))
        for finding in planned_.findings:
            if finding.severity is not Severity.NOTE and finding.code != "test-ca":
                sys.stderr.write(f" ! {finding.message}\n")
        (item,) = planned_.lineages
        if item.error is not None:
            raise item.error
        _say(*_key_lines(item))
        later: list[Event] = []

        def told(event: Event) -> None:
            # It is there before the certificate is live, and in dehydrated's order after that.
            if isinstance(event, StapleKept):
                later.append(event)
            else:
                self._told(event)

        result = machine.reconcile(planned_, terms_accepted=False, tell=told, manner=self._sitting.manner)
        if stapling is not None:
            stapling.replaced(result)
        errors = [outcome.error for outcome in result.outcomes if outcome.error is not None]
        errors += [result.fatal] if result.fatal is not None else []
        for error in (*errors, *result.leftovers):
            raise error
        _say(" + Done!")
        for event in later:
            self._told(event)

    @property
    def _told(self) -> Tell:
        return self._sitting.telling.tell


def _in_order(configuration: Configuration) -> Iterator[CertSpec | Rejected]:
    """As the lines stand in the list, those that cannot be read included."""
    entries: list[CertSpec | Rejected] = [*configuration.certificates, *configuration.rejected]
    return iter(sorted(entries, key=_place))


def _place(entry: CertSpec | Rejected) -> Location:
    if isinstance(entry, Rejected) and entry.where is None:
        return entry.error.where if isinstance(entry.error, ConfigError) else Location("")
    return entry.where or Location("")


def _key_lines(item: LineagePlan) -> Iterator[str]:
    source = item.key.source if item.key is not None else KeySource.NEW
    if source is KeySource.ELSEWHERE:
        return
    if source is KeySource.NEW:
        yield " + Generating private key..."
    if source is KeySource.NEXT:
        yield " + Generating private key..."
        yield " + Moving Rolloverkey into position....  "
    elif item.next_key is not None:
        yield " + Generating private rollover key..."
    yield " + Generating signing request..."


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
