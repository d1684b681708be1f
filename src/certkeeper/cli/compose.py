"""The one place that names adapters: puts a machine together for a command."""

import os
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from certkeeper import __version__
from certkeeper.adapters.accounts import Accounts
from certkeeper.adapters.advice import AdviceFile
from certkeeper.adapters.bounds import LOOKING, WORKING, Bounds
from certkeeper.adapters.claims import Claims
from certkeeper.adapters.clock import SystemClock
from certkeeper.adapters.ends import EndsFile
from certkeeper.adapters.lock import LockFile, wait_for
from certkeeper.adapters.page import read_page
from certkeeper.adapters.scripts import script_trouble
from certkeeper.adapters.store import Store
from certkeeper.apply.observe import Offers, accounts_of, caa_answers, issuer_at, lineages_of, observe, offers_at
from certkeeper.apply.ports import Dns, Hooks, Http, Nameservers, Ports
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.wire import Exchange
from certkeeper.cli.signals import orderly
from certkeeper.config.domains import DomainList
from certkeeper.config.settings import CertSpec, Configuration, Purpose, Settings
from certkeeper.lineage.mending import Mended
from certkeeper.lineage.model import Lineage
from certkeeper.plan.actions import Plan
from certkeeper.plan.advice import Advice, of_live, questions
from certkeeper.plan.backoff import ca_waiting
from certkeeper.plan.observed import Caa, Observed, Place, StandingLook, Wanted, Zones
from certkeeper.plan.proving import standing_owners
from certkeeper.plan.records import Records
from certkeeper.zone.caa import Issuer
from certkeeper.zone.rrset import Zone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.adapters.handed import HandedFiles
    from certkeeper.adapters.journal import Journal
    from certkeeper.adapters.listeners import OwnListeners
    from certkeeper.adapters.lock import Left
    from certkeeper.apply.conversation import Work
    from certkeeper.apply.ports import Executor
    from certkeeper.apply.survey import Survey

_T = TypeVar("_T")
USER_AGENT = f"certkeeper/{__version__}"


@dataclass(frozen=True)
class Machine:
    """This machine, seen through one configuration."""

    configuration: Configuration
    store: Store
    accounts: Accounts
    clock: SystemClock
    claims: Claims

    @property
    def settings(self) -> Settings:
        return self.configuration.settings

    def carry(self, make: "Callable[[Executor], Work[_T]]") -> _T:
        """Have one piece of work done on this machine; a signal brings it to an orderly end."""
        from certkeeper.adapters.pool import Pool  # noqa: PLC0415 - a run with nothing to do needs no threads

        work = make(Pool(self._ports()))
        with closing(self._listeners), orderly(lambda code: work.interrupt(Interrupted(code))):
            return work.run()

    def converse(self, exchange: Exchange[_T]) -> _T:
        """Run one exchange with the CA, and no certificate."""
        from certkeeper.apply.conversation import Conversation  # noqa: PLC0415 - some commands need it

        return self.carry(lambda executor: Conversation(exchange, executor=executor, clock=self.clock))

    def lock(self) -> AbstractContextManager[object]:
        """The run's lock; an empty LOCKFILE means none."""
        if self.settings.lockfile is None:
            return nullcontext()
        return LockFile(self.settings.lockfile, self.clock.now())

    def lock_within(self, seconds: float, told: Callable[[CertkeeperError], None]) -> AbstractContextManager[object]:
        """The run's lock as soon as nobody else has it; `told` is called where it has to be waited for."""
        path = self.settings.lockfile
        if path is None:
            return nullcontext()
        return wait_for(lambda: LockFile(path, self.clock.now()), seconds, told)

    def mend(self, selected: Configuration) -> Mapping[Alias, Mended]:
        """Bring whole versions back where key and certificate do not belong together. What cannot be mended is due."""
        mended: dict[Alias, Mended] = {}
        for spec in selected.certificates:
            with suppress(CertkeeperError):
                found = self.store.mend(spec.alias, self.clock.now())
                if isinstance(found, Mended):
                    mended[spec.alias] = found
        return mended

    def unlock(self) -> "Left | None":
        """Take away the lock of a killed run; None where there is none.

        Raises:
            Locked: somebody holds it.
        """
        from certkeeper.adapters.lock import unlock  # noqa: PLC0415 - one command needs it

        return unlock(self.settings.lockfile) if self.settings.lockfile is not None else None

    def lineages(self) -> Mapping[Alias, Lineage]:
        """Certificates on disk, and nothing else."""
        return lineages_of(self.configuration, self.store)

    @cached_property
    def hooks(self) -> Hooks:
        from certkeeper.adapters.hooks import Hooks  # noqa: PLC0415 - a run with nothing to do calls none

        return Hooks()

    @cached_property
    def journal(self) -> "Journal":
        from certkeeper.adapters.journal import Journal  # noqa: PLC0415 - SQLite, only for commands that look at it

        return Journal(self.settings.statedir, self.claims)

    def observe(self) -> Observed:
        """Files, journal and time; no network.

        Raises:
            JournalDamaged: nothing else is wrong, and `observe_without_journal` works.
        """
        return self._observe(self.journal.records())

    def observe_without_journal(self) -> Observed:
        """The same as if there were no journal."""
        return self._observe(Records())

    def set_journal_aside(self) -> str:
        """Give a damaged journal another name, which is returned."""
        return self.journal.set_aside(int(self.clock.now().timestamp()))

    def _observe(self, records: Records) -> Observed:
        observed = observe(
            self.configuration,
            store=self.store,
            accounts=self.accounts,
            clock=self.clock,
            records=records,
            config_folders=self.store.folders_with_config(),
        )
        hooks = dict.fromkeys(spec.deploy_hook for spec in self.configuration.certificates if spec.deploy_hook)
        troubles = {hook: trouble for hook in hooks if (trouble := script_trouble(hook)) is not None}
        return replace(observed, advice=self.advice(observed.lineages), scripts=troubles, ends=self.ends.read())

    def advice(self, lineages: Mapping[Alias, Lineage]) -> Mapping[Alias, Advice]:
        """What CAs said lately of certificates that are live; nothing where ARI is "no"."""
        if not self.settings.ari:
            return {}
        cas = {spec.alias: spec.ca for spec in self.configuration.certificates}
        return of_live(AdviceFile(self.settings.statedir).read(), lineages, cas)

    @property
    def ends(self) -> EndsFile:
        """When standing records of our accounts end, as far as they were seen and certificates rely on any."""
        relied_on = dict.fromkeys(spec.ca for spec in self.configuration.certificates if standing_owners(spec))
        return EndsFile(self.settings.statedir, accounts_of(relied_on, self.accounts)[0])

    def advised(self, selected: Configuration, observed: Observed) -> Observed:
        """The same, after each CA was asked about those of its selected certificates that it is time to ask about.

        Where one cannot be asked, what it said before counts, and RENEW_DAYS.
        """
        advice = dict(observed.advice)
        for ca in selected.cas if self.settings.ari else ():
            if ca_waiting(observed.records.limits.get(ca), observed.now) is not None:
                continue
            aliases = [spec.alias for spec in selected.certificates if spec.ca == ca]
            asked = questions(aliases, observed.lineages, observed.advice, ca, observed.now)
            advice |= self._inquired(ca, asked) if asked else {}
        return replace(observed, advice=advice)

    def _inquired(self, ca: str, asked: Mapping[Alias, Advice]) -> Mapping[Alias, Advice]:
        from certkeeper.adapters.pool import Pool  # noqa: PLC0415 - a run with nothing to ask needs no threads
        from certkeeper.apply.inquire import Inquiry  # noqa: PLC0415 - as above

        # A bundle of roots that cannot be used stops what is due, and nothing before it.
        with suppress(CertkeeperError):
            executor = Pool(self._ports())
            return Inquiry(asked, ca, executor=executor, clock=self.clock, user_agent=USER_AGENT).run()
        return {}

    def keep_advice(self, advice: Mapping[Alias, Advice]) -> None:
        """Remember it for later runs.

        Raises:
            CertkeeperError: it cannot be written; the CA is asked more often then.
        """
        AdviceFile(self.settings.statedir).write(advice)

    def close(self) -> None:
        """Give back what is held for other processes to see."""
        if "journal" in self.__dict__:
            self.journal.close()
        self.claims.close()

    def locate(self, wanted: Mapping[str, Wanted]) -> dict[str, Zones]:
        """What the DNS providers say of what is wanted of each."""
        from certkeeper.adapters.asking import locate_all  # noqa: PLC0415 - a run with nothing to do asks nobody

        return locate_all(wanted, self.settings, self._providers, self._nameservers, _say)

    def offers(self, due: Collection[CertSpec]) -> Offers:
        """What the CAs of these certificates say of themselves."""
        try:
            return offers_at(due, self._http, self.accounts, user_agent=USER_AGENT, caa_check=self.settings.caa_check)
        except CertkeeperError as error:
            # A bundle of roots that cannot be used.
            return Offers(silent={spec.ca: error for spec in due})

    @cached_property
    def _http(self) -> Http:
        """The CAs' APIs, whose directories are fetched once each."""
        from certkeeper.adapters.http import HttpClient  # noqa: PLC0415 - a run with nothing to do needs no HTTP
        from certkeeper.adapters.remembered import Remembered  # noqa: PLC0415 - as above

        return Remembered(HttpClient(self.settings.ca_bundle), (self.settings.ca, *self.configuration.cas))

    def reconcile(self, plan_: Plan, *, terms_accepted: bool, tell: Tell) -> Result:
        """Carry the plan out.

        Raises:
            CertkeeperError: STATEDIR cannot be written to, so nothing was started.
        """
        from certkeeper.apply.reconcile import Reconciler  # noqa: PLC0415 - a run with nothing to do needs no engine

        # What cannot be written down must not be begun.
        self.journal.prepare()
        return self.carry(
            lambda executor: Reconciler(
                plan_,
                self.settings,
                executor=executor,
                clock=self.clock,
                user_agent=USER_AGENT,
                terms_accepted=terms_accepted,
                tell=tell,
            )
        )

    def try_out(self, zone: Zone, owner: DnsName, value: str, tell: Tell) -> tuple[CertkeeperError, ...]:
        """Publish a record, wait until every name server has it, withdraw it; what went wrong.

        Raises:
            CertkeeperError: STATEDIR cannot be written to, so nothing was started.
        """
        from certkeeper.apply.trial import Trial  # noqa: PLC0415 - as above

        self.journal.prepare()
        return self.carry(
            lambda executor: Trial(zone, owner, value, self.settings, executor=executor, clock=self.clock, tell=tell)
        )

    def issuer(self, ca: str) -> Issuer | None:
        """Who that CA is in CAA records, and our account there; None where it does not say.

        Raises:
            CertkeeperError: its directory cannot be had.
        """
        return issuer_at(ca, self._http, self.accounts, user_agent=USER_AGENT)

    def caa(self, issuers: Mapping[str, Issuer], names: Collection[DnsName]) -> Mapping[str, Caa]:
        """What CAA says of these names, for each issuer by its CA."""
        if not issuers:
            return {}
        from certkeeper.adapters.caa import SystemCaa  # noqa: PLC0415 - one command and due names need it

        answers = caa_answers(names, SystemCaa())
        return {ca: Caa(issuer, answers) for ca, issuer in issuers.items()}

    def standing(self, owners: Mapping[DnsName, Place | None]) -> Mapping[DnsName, StandingLook]:
        """What the name servers show where standing records are."""
        from certkeeper.adapters.standing import StandingRecords  # noqa: PLC0415 - only for names proven that way

        return StandingRecords(self._nameservers, self.survey().apexes, self.clock.now).look(owners)

    def survey(self) -> "Survey":
        """A look at zones, through their providers and DNS."""
        from certkeeper.adapters.survey import ZoneSurvey  # noqa: PLC0415 - one command needs it

        return ZoneSurvey(self.settings, self._opened(LOOKING), self._nameservers, self.claims, _say)

    def _ports(self) -> Ports:
        from certkeeper.adapters import keys  # noqa: PLC0415 - a run with nothing to do needs no new key
        from certkeeper.adapters.dns.claimed import ClaimedDns  # noqa: PLC0415 - nor DNS
        from certkeeper.adapters.rejected import Rejected  # noqa: PLC0415 - nor a place for bad answers
        from certkeeper.adapters.webfolders import WebFolders  # noqa: PLC0415 - a run with nothing to do serves nothing

        return Ports(
            http=self._http,
            dns={id_: ClaimedDns(dns, self.claims) for id_, dns in self._providers.items()},
            nameservers=self._nameservers,
            store=self.store,
            keys=keys,
            accounts=self.accounts,
            clock=self.clock,
            journal=self.journal,
            rejected=Rejected(self.settings.statedir),
            claims=self.claims,
            hooks=self.hooks,
            files=WebFolders(),
            listeners=self._listeners,
        )

    @cached_property
    def _listeners(self) -> "OwnListeners":
        from certkeeper.adapters.listeners import OwnListeners  # noqa: PLC0415 - as above

        return OwnListeners()

    @cached_property
    def _providers(self) -> Mapping[str, Dns]:
        """Every DNS provider of the page, with the patience of a run."""
        return self._opened(WORKING)

    def _opened(self, bounds: Bounds) -> Mapping[str, Dns]:
        """What each provider needs is loaded; nobody is asked yet."""
        from certkeeper.adapters.dns.providers import open_provider  # noqa: PLC0415 - a run with nothing to do needs none
        from certkeeper.apply.pay import hook_environment  # noqa: PLC0415 - as above

        environment = hook_environment(self.settings)
        return {
            item.id: open_provider(
                item.settings,
                hooks=self.hooks,
                environment=environment,
                nameservers=self._nameservers,
                say=_say,
                bounds=bounds,
            )
            for item in self.settings.providers
        }

    @cached_property
    def _nameservers(self) -> Nameservers:
        from certkeeper.adapters.resolver import Named, SystemNameservers  # noqa: PLC0415 - nor any name server

        settings = self.settings
        return SystemNameservers(
            Named(settings.nameservers, settings.extra_nameservers, settings.dns_ignore, settings.vantage)
        )


def handed_files() -> "HandedFiles":
    """Files that are named on the command line."""
    from certkeeper.adapters.handed import HandedFiles  # noqa: PLC0415 - some commands need it

    return HandedFiles()


def open_machine(config: str | None, asked: DomainList | None = None, *, test_ca_live: bool = False) -> Machine:
    """Read the page and look no further; `asked` are certificates in the place of those in domains.txt.

    `test_ca_live`: test CAs' certificates go to where services read.

    Raises:
        CertkeeperError: the page cannot be read.
    """
    configuration = read_page(config, str(Path.cwd()), os.environ, asked)
    configuration = configuration.with_stand_ins() if test_ca_live else configuration
    settings = configuration.settings
    rehearsals = (spec.alias for spec in configuration.certificates if spec.purpose is Purpose.REHEARSE)
    return Machine(
        configuration,
        Store(settings.certdir, dict.fromkeys(rehearsals, settings.test_certdir)),
        Accounts(settings.accountdir),
        SystemClock(),
        Claims(settings.statedir),
    )


def _say(text: str) -> None:
    """What an operator has to do by hand, or is waiting for, beside whatever display there is."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
