"""This machine, seen through one configuration: what a command can find out and have done."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property
from typing import Self, TypeVar

from certkeeper.adapters.advice import AdviceFile
from certkeeper.adapters.bounds import LOOKING
from certkeeper.adapters.ends import EndsFile
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.lock import LockFile, wait_for
from certkeeper.adapters.orphans import unlisted
from certkeeper.adapters.scripts import script_trouble
from certkeeper.apply.manner import USUAL, Manner
from certkeeper.apply.observe import Offers, accounts_of, caa_answers, issuer_at, lineages_of, observe, offers_at
from certkeeper.apply.ports import Ports
from certkeeper.apply.result import Result
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias, DnsName
from certkeeper.base.value import dataclass, replace
from certkeeper.base.wire import Exchange
from certkeeper.cli.compose.equipment import USER_AGENT, Equipment, say
from certkeeper.config.settings import CertSpec, Configuration
from certkeeper.lineage.model import Lineage
from certkeeper.plan.actions import Plan
from certkeeper.plan.advice import Advice, of_live, questions
from certkeeper.plan.backoff import ca_waiting
from certkeeper.plan.observed import Caa, Observed, Place, StandingLook, Wanted, Zones
from certkeeper.plan.orphans import Uses
from certkeeper.plan.proving import standing_owners
from certkeeper.plan.records import Records
from certkeeper.zone.caa import Issuer
from certkeeper.zone.rrset import Zone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.adapters.dane import Dane
    from certkeeper.adapters.dns.powerdns_soa import SoaEdit
    from certkeeper.adapters.lastrun import LastRunFile
    from certkeeper.adapters.lock import Left
    from certkeeper.apply.handover import ZoneTask
    from certkeeper.apply.survey import Survey
    from certkeeper.cli.compose.danewatch import DaneWatch
    from certkeeper.lineage.cleanup import Cleared
    from certkeeper.lineage.mending import Mended

_T = TypeVar("_T")


@dataclass(frozen=True)
class Machine(Equipment):
    """This machine, seen through one configuration."""

    def converse(self, exchange: Exchange[_T]) -> _T:
        """Run one exchange with the CA, and no certificate."""
        from certkeeper.apply.conversation import Conversation  # noqa: PLC0415 - some commands need it

        return self.carry(lambda executor: Conversation(exchange, executor=executor, clock=self.clock))

    def with_account_key(self, path: str) -> "Machine":
        """The same with the account of that key, whatever the CA."""
        from certkeeper.adapters.ownkey import OwnKeyAccounts  # noqa: PLC0415 - some commands need it

        return replace(self, accounts=OwnKeyAccounts(path))

    def lock(self, tell: Callable[[str], None] = say) -> AbstractContextManager[object]:
        """The run's lock; an empty LOCKFILE means none.

        Under it accounts from before are brought to their place, which `tell` is told of.
        """
        path = self.settings.lockfile
        return self._settled(nullcontext() if path is None else LockFile(path, self.clock.now()), tell)

    def lock_within(self, seconds: float, told: Callable[[CertkeeperError], None]) -> AbstractContextManager[object]:
        """The run's lock as soon as nobody else has it; `told` is called where it has to be waited for."""
        path = self.settings.lockfile
        if path is None:
            return self.lock()
        return self._settled(wait_for(lambda: LockFile(path, self.clock.now()), seconds, told), say)

    @contextmanager
    def _settled(self, held: AbstractContextManager[object], tell: Callable[[str], None]) -> Iterator[None]:
        with held:
            for line in self.accounts.bring_earlier():
                tell(line)
            yield

    def mend(self, selected: Configuration) -> "Mapping[Alias, Mended]":
        """Bring whole versions back where key and certificate do not belong together. What cannot be mended is due."""
        mended: dict[Alias, Mended] = {}
        for spec in selected.certificates:
            with suppress(CertkeeperError):
                if self.looks.lineage(spec.alias).sound:
                    continue
                from certkeeper.lineage import mending  # noqa: PLC0415 - as above

                found = self.store.mend(spec.alias, self.clock.now())
                if isinstance(found, mending.Mended):
                    mended[spec.alias] = found
        return mended

    def clean_up(self, archive: str | None, told: "Callable[[Cleared], None]") -> tuple[CertkeeperError, ...]:
        """Take dehydrated's unused files in CERTDIR into the archive, or away where there is none; what went wrong.

        Raises:
            CertkeeperError: CERTDIR cannot be read.
        """
        from certkeeper.adapters.cleaning import clean  # noqa: PLC0415 - few runs need it

        return clean(self.settings.certdir, archive, told, self.looked)

    def unlock(self) -> "Left | None":
        """Take away the lock of a killed run; None where there is none.

        Raises:
            Locked: somebody holds it.
        """
        from certkeeper.adapters.lock import unlock  # noqa: PLC0415 - one command needs it

        return unlock(self.settings.lockfile) if self.settings.lockfile is not None else None

    def lineages(self) -> Mapping[Alias, Lineage]:
        """Certificates on disk, and nothing else."""
        return lineages_of(self.configuration, self.looks)

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
            looks=self.looks,
            accounts=self.accounts,
            clock=self.clock,
            records=records,
            config_folders=self.folders.with_config(),
        )
        hooks = dict.fromkeys(spec.deploy_hook for spec in self.configuration.certificates if spec.deploy_hook)
        scripts = [hook for hook in hooks if hook not in self.configuration.shell.callable]
        troubles = {hook: trouble for hook in scripts if (trouble := script_trouble(hook)) is not None}
        return replace(
            observed,
            advice=self.advice(observed.lineages),
            scripts=troubles,
            ends=self.ends.read(),
            orphans=self.orphans(),
        )

    def with_folders(self, observed: Observed) -> Observed:
        """The same, with the folders for challenge files that are missing; a run looks for them by itself."""
        from certkeeper.adapters.needs import missing  # noqa: PLC0415 - two commands need it

        return replace(observed, folders=missing(self.configuration))

    def orphans(self) -> Mapping[Alias, Lineage]:
        """The lineages in CERTDIR that no line of domains.txt asks for; none where CERTDIR cannot be listed."""
        page = self.configuration
        listed = {spec.alias.text for spec in page.certificates} | {item.label for item in page.rejected}
        with suppress(FileTrouble):
            return {alias: self.looks.lineage(alias) for alias in unlisted(self.settings.certdir, listed)}
        return {}

    def uses(self, orphans: Collection[Alias]) -> Uses:
        """Which services' configuration still names the folders of these."""
        from certkeeper.adapters.uses import find_uses  # noqa: PLC0415 - only where there are orphans

        # Where a service of the page's has its configuration in a place of its own, its commands name it.
        commands = [command for target in self.settings.targets.values() for command in (*target.test, *target.apply)]
        named = [word for command in commands for word in command.words[1:] if word.startswith("/")]
        return find_uses([f"{self.settings.certdir}/{alias}" for alias in orphans], more=named)

    @property
    def last_run(self) -> "LastRunFile":
        """Why certificates were not issued by the runs before."""
        from certkeeper.adapters.lastrun import LastRunFile  # noqa: PLC0415 - not every command needs it

        return LastRunFile(self.settings.statedir)

    def archive(self, alias: Alias) -> str:
        """Move the folder of an orphan to the archive, and say where it is then.

        Raises:
            FileTrouble: it is where it was.
        """
        from certkeeper.adapters.orphans import archive  # noqa: PLC0415 - one command needs it

        return archive(self.settings.certdir, self.settings.basedir, alias, int(self.clock.now().timestamp()))

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
            executor = Pool(self.ports())
            return Inquiry(asked, ca, executor=executor, clock=self.clock, user_agent=USER_AGENT).run()
        return {}

    def keep_advice(self, advice: Mapping[Alias, Advice]) -> None:
        """Remember it for later runs.

        Raises:
            CertkeeperError: it cannot be written; the CA is asked more often then.
        """
        AdviceFile(self.settings.statedir).write(advice)

    def locate(self, wanted: Mapping[str, Wanted]) -> dict[str, Zones]:
        """What the DNS providers say of what is wanted of each."""
        from certkeeper.adapters.asking import locate_all  # noqa: PLC0415 - a run with nothing to do asks nobody

        return locate_all(wanted, self.settings, self.providers, self.nameservers, say)

    def offers(self, due: Collection[CertSpec]) -> Offers:
        """What the CAs of these certificates say of themselves."""
        try:
            return offers_at(due, self.http, self.accounts, user_agent=USER_AGENT, caa_check=self.settings.caa_check)
        except CertkeeperError as error:
            # A bundle of roots that cannot be used.
            return Offers(silent={spec.ca: error for spec in due})

    def reconcile(self, plan_: Plan, *, terms_accepted: bool, tell: Tell, manner: Manner = USUAL) -> Result:
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
                tell=self.recorded(tell),
                manner=manner,
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

    def publish(self, tasks: "tuple[ZoneTask, ...]", tell: Tell) -> tuple[CertkeeperError, ...]:
        """Have values published and proven for another program; what went wrong.

        Raises:
            CertkeeperError: STATEDIR cannot be written to, so nothing was started.
        """
        from certkeeper.apply.handover import Deploy  # noqa: PLC0415 - one command needs it

        self.journal.prepare()
        return self.carry(lambda executor: Deploy(tasks, self.settings, executor=executor, clock=self.clock, tell=tell))

    def withdraw(self, tasks: "tuple[ZoneTask, ...]", tell: Tell) -> tuple[CertkeeperError, ...]:
        """Have these values taken away; what went wrong."""
        from certkeeper.apply.handover import Clean  # noqa: PLC0415 - as above

        return self.carry(lambda executor: Clean(tasks, self.settings, executor=executor, clock=self.clock, tell=tell))

    def soa_edit(self) -> "SoaEdit":
        """The two settings of a zone that decide on its serial, at the page's one PowerDNS."""
        from certkeeper.adapters.dns.powerdns_soa import SoaEdit  # noqa: PLC0415 - as above

        return SoaEdit(self.settings.providers[0].settings)

    def issuer(self, ca: str) -> Issuer | None:
        """Who that CA is in CAA records, and our account there; None where it does not say.

        Raises:
            CertkeeperError: its directory cannot be had.
        """
        return issuer_at(ca, self.http, self.accounts, user_agent=USER_AGENT)

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

        return StandingRecords(self.nameservers, self.survey().apexes, self.clock.now).look(owners)

    def dane(self) -> "Dane":
        """What DANE sees of the world.

        Raises:
            CertkeeperError: TRUST_ANCHOR names a file that holds none.
        """
        from certkeeper.adapters.dane import Dane  # noqa: PLC0415 - few commands look at TLSA records

        return Dane(self.settings.dnssec, self.settings.nameservers, self.nameservers, self.clock.now())

    @cached_property
    def dane_watch(self) -> "DaneWatch | None":
        """The page's TLSA records; None where no certificate has any, or had. Raises where TRUST_ANCHOR is no good."""
        wanted = any(spec.tlsa is not None for spec in self.configuration.certificates)
        if not wanted:
            with suppress(CertkeeperError):
                wanted = bool(self.journal.records().tlsa)
        if not wanted:
            return None
        from certkeeper.cli.compose.danewatch import DaneWatch  # noqa: PLC0415 - most pages have none

        return DaneWatch(self)

    def about(self, spec: CertSpec) -> Self:
        """The same for that certificate alone, with the ports that are there already. Its TLSA records are looked at
        with all others of the page, since certificates share owners.
        """
        watch = self.dane_watch
        fewer = Equipment.about(self, spec)
        vars(fewer)["dane_watch"] = watch
        return fewer

    def ports(self) -> Ports:
        watch = self.dane_watch
        ports = Equipment.ports(self)
        return ports if watch is None else replace(ports, gate=watch, tlsa=watch.tlsa)

    def survey(self) -> "Survey":
        """A look at zones, through their providers and DNS."""
        from certkeeper.adapters.survey import ZoneSurvey  # noqa: PLC0415 - one command needs it

        return ZoneSurvey(self.settings, self.opened(LOOKING), self.nameservers, self.claims, say)
