"""What a command works with: ports, each made when it is first needed."""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from enum import StrEnum
from functools import cached_property
from typing import Self, TypeVar

from certkeeper import __version__
from certkeeper.adapters.accounts import Accounts
from certkeeper.adapters.bounds import WORKING, Bounds
from certkeeper.adapters.claims import Claims
from certkeeper.adapters.clock import SystemClock
from certkeeper.adapters.earlier import EARLIER_FILES
from certkeeper.adapters.folders import Folders
from certkeeper.adapters.index import Index
from certkeeper.adapters.looked import Looked
from certkeeper.adapters.looks import Looks
from certkeeper.apply.ports import Dns, Hooks, Http, Nameservers, Ports, StapledFiles
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass, replace
from certkeeper.cli.signals import orderly
from certkeeper.config.settings import CertSpec, Configuration, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from certkeeper.adapters.asked import AskedFile
    from certkeeper.adapters.heard import HeardClocks
    from certkeeper.adapters.history import HistoryFile
    from certkeeper.adapters.journal import Journal
    from certkeeper.adapters.lastgood import LastGood
    from certkeeper.adapters.listeners import OwnListeners
    from certkeeper.adapters.staplelooks import StapleLooks
    from certkeeper.adapters.staples import Staples
    from certkeeper.adapters.store import Store
    from certkeeper.apply.conversation import Work
    from certkeeper.apply.ports import Executor
    from certkeeper.base.atwork import AtWork
    from certkeeper.base.events import Event, Tell
    from certkeeper.plan.history import Happening, Kind

_T = TypeVar("_T")
USER_AGENT = f"certkeeper/{__version__}"
_WORLD = frozenset({"hooks", "http", "nameservers", "providers", "store"})
"""Ports to what no stat tells of."""


class HookOutput(StrEnum):
    """Where that goes what scripts print."""

    TOLD = "told"
    """Into events."""
    SHOWN = "shown"
    """Where our own output goes, as it comes."""
    ASIDE = "aside"
    """The same, but nothing to standard output, which is for something else."""


@dataclass(frozen=True)
class Equipment:
    """What one page makes of this machine."""

    configuration: Configuration
    folders: Folders
    index: Index
    accounts: Accounts
    clock: SystemClock
    claims: Claims
    looked: Looked
    hook_output: HookOutput = HookOutput.TOLD

    @property
    def settings(self) -> Settings:
        return self.configuration.settings

    def carry(self, make: "Callable[[Executor], Work[_T]]") -> _T:
        """Have one piece of work done on this machine; a signal brings it to an orderly end."""
        return self.carry_through(self.ports(), make)

    def carry_through(self, ports: Ports, make: "Callable[[Executor], Work[_T]]") -> _T:
        """The same through these ports."""
        from certkeeper.adapters.pool import Pool  # noqa: PLC0415 - a run with nothing to do needs no threads

        work = make(Pool(ports))
        with closing(self._listeners), orderly(lambda code: work.interrupt(Interrupted(code))):
            return work.run()

    @cached_property
    def hooks(self) -> Hooks:
        from certkeeper.adapters import hooks  # noqa: PLC0415 - a run with nothing to do calls none

        match self.hook_output:
            case HookOutput.SHOWN:
                return hooks.ShownHooks(self.configuration.shell)
            case HookOutput.ASIDE:
                return hooks.ShownHooks(self.configuration.shell, stdout=hooks.STDERR)
            case _:
                return hooks.Hooks(self.configuration.shell)

    @cached_property
    def looks(self) -> Looks:
        return Looks(self.folders, self.index)

    @cached_property
    def store(self) -> "Store":
        from certkeeper.adapters.store import Store  # noqa: PLC0415 - a run with nothing to do opens no certificate

        folders = self.folders
        return Store(folders.certdir, folders.elsewhere, folders.owned, folders.entered)

    @cached_property
    def staples(self) -> "Staples":
        from certkeeper.adapters.staples import Staples  # noqa: PLC0415 - few commands look at OCSP responses

        return Staples(self.folders)

    @cached_property
    def staple_looks(self) -> "StapleLooks":
        from certkeeper.adapters.staplelooks import StapleLooks  # noqa: PLC0415 - as above

        return StapleLooks(self.folders, self.index, self._read_staple)

    def _read_staple(self, alias: Alias) -> StapledFiles | None:
        return self.staples.read(alias)

    @property
    def asked(self) -> "AskedFile":
        """How the last tries to get OCSP responses went."""
        from certkeeper.adapters.asked import AskedFile  # noqa: PLC0415 - as above

        return AskedFile(self.settings.statedir)

    def keep_index(self) -> None:
        """Remember for later runs what was looked at. Where that cannot be written down, they look again."""
        with suppress(CertkeeperError):
            self.index.keep()

    @property
    def last_good(self) -> "LastGood":
        """When a run over the whole page last ended well."""
        from certkeeper.adapters.lastgood import LastGood  # noqa: PLC0415 - not every command needs it

        return LastGood(self.settings.statedir)

    def keep_calm(
        self, arguments: Sequence[str], text: str, until: "datetime", *, whole: bool, owed: Mapping[str, object]
    ) -> None:
        """Remember that a run with these words found nothing to do before then, and said this. Nothing is remembered
        where anything but files was looked at.
        """
        if _WORLD & vars(self).keys():
            return
        from certkeeper.adapters.calming import remember  # noqa: PLC0415 - once a day, or after a change

        settings = self.settings
        basedir = settings.basedir
        missing = [settings.certdir, settings.accountdir, *(f"{basedir}/{name}" for name in EARLIER_FILES)]
        missing += [settings.lockfile] if settings.lockfile else []
        with suppress(CertkeeperError):
            remember(
                self.looked,
                settings.statedir,
                arguments,
                text=text,
                until=until.timestamp(),
                whole=whole,
                owed=owed,
                missing=missing,
            )

    @property
    def index_trouble(self) -> str:
        """Why the index that was there did not count; empty where it did, or there was none."""
        return self.index.trouble

    @cached_property
    def journal(self) -> "Journal":
        from certkeeper.adapters.journal import Journal  # noqa: PLC0415 - SQLite, only for commands that look at it

        return Journal(self.settings.statedir, self.claims)

    def about(self, spec: CertSpec) -> Self:
        """The same for that certificate alone, with the ports that are there already."""
        fewer = replace(self, configuration=replace(self.configuration, certificates=(spec,), rejected=()))
        shared = (
            "heard",
            "history",
            "http",
            "hooks",
            "journal",
            "looks",
            "nameservers",
            "providers",
            "staples",
            "store",
        )
        vars(fewer).update({name: port for name, port in vars(self).items() if name in shared})
        return fewer

    def close(self) -> None:
        """Give back what is held for other processes to see."""
        if "journal" in self.__dict__:
            self.journal.close()
        if "history" in self.__dict__:
            self.history.close()
        self.claims.close()

    @cached_property
    def history(self) -> "HistoryFile":
        """What happened to certificates."""
        from certkeeper.adapters.history import HistoryFile  # noqa: PLC0415 - where nothing happens, nothing is kept

        return HistoryFile(self.settings.statedir, say)

    def last_happenings(self, aliases: Collection[Alias]) -> "Mapping[str, Happening]":
        """The last thing that happened to each, as far as it was written down."""
        found, wanted = dict[str, "Happening"](), {alias.text for alias in aliases}
        for item in self.history.newest():
            for alias in wanted & set(item.certificates):
                found.setdefault(alias, item)
            if len(found) == len(wanted):
                break
        return found

    @property
    def running(self) -> "AtWork | None":
        """Who is at work on this page now."""
        from certkeeper.adapters.lock import holder  # noqa: PLC0415 - two commands need it

        return holder(self.settings.lockfile) if self.settings.lockfile is not None else None

    def recorded(self, tell: "Tell") -> "Tell":
        """Tell, after what lasts of it was written down."""
        from certkeeper.plan.history import happening_of  # noqa: PLC0415 - as above

        def told(event: "Event") -> None:
            found = happening_of(event, self.clock.now())
            if found is not None:
                self.history.add(found)
            tell(event)

        return told

    def happened(
        self, kind: "Kind", certificates: Iterable[object], text: str, *, about: str = "", hint: str = ""
    ) -> None:
        """Write down what no event tells of."""
        from certkeeper.plan.history import Happening  # noqa: PLC0415 - as above

        self.history.add(Happening(self.clock.now(), kind, tuple(map(str, certificates)), text, about, hint))

    @cached_property
    def heard(self) -> "HeardClocks":
        """What CAs and DNS providers said the time is."""
        from certkeeper.adapters.heard import HeardClocks  # noqa: PLC0415 - a run with nothing to do asks nobody

        return HeardClocks()

    @cached_property
    def http(self) -> Http:
        """The CAs' APIs, whose directories are fetched once each."""
        from certkeeper.adapters.http import HttpClient, Line  # noqa: PLC0415 - a run with nothing to do needs no HTTP
        from certkeeper.adapters.remembered import Remembered  # noqa: PLC0415 - as above

        settings = self.settings
        line = Line(settings.ca_bundle, transport=settings.transport)
        return Remembered(HttpClient(line=line, hear=self.heard.hear), (settings.ca, *self.configuration.cas))

    def ports(self) -> Ports:
        from certkeeper.adapters import keys  # noqa: PLC0415 - a run with nothing to do needs no new key
        from certkeeper.adapters.dns.claimed import ClaimedDns  # noqa: PLC0415 - nor DNS
        from certkeeper.adapters.rejected import Rejected  # noqa: PLC0415 - nor a place for bad answers
        from certkeeper.adapters.webfolders import WebFolders  # noqa: PLC0415 - a run with nothing to do serves nothing

        return Ports(
            http=self.http,
            dns={id_: ClaimedDns(dns, self.claims) for id_, dns in self.providers.items()},
            nameservers=self.nameservers,
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
            staples=self.staples,
        )

    @cached_property
    def _listeners(self) -> "OwnListeners":
        from certkeeper.adapters.listeners import OwnListeners  # noqa: PLC0415 - as above

        return OwnListeners()

    @cached_property
    def providers(self) -> Mapping[str, Dns]:
        """Every DNS provider of the page, with the patience of a run."""
        return self.opened(WORKING)

    def opened(self, bounds: Bounds) -> Mapping[str, Dns]:
        """What each provider needs is loaded; nobody is asked yet."""
        from certkeeper.adapters.dns.providers import open_provider  # noqa: PLC0415 - a run with nothing to do needs none
        from certkeeper.apply.hookcalls import page_environment  # noqa: PLC0415 - as above

        environment = page_environment(self.settings)
        return {
            item.id: open_provider(
                item.settings,
                hooks=self.hooks,
                environment=environment,
                functions=self.configuration.shell.callable,
                nameservers=self.nameservers,
                say=say,
                bounds=bounds,
                hear=self.heard.hear,
            )
            for item in self.settings.providers
        }

    @cached_property
    def nameservers(self) -> Nameservers:
        from certkeeper.adapters.resolver import Named, SystemNameservers  # noqa: PLC0415 - nor any name server

        settings = self.settings
        return SystemNameservers(
            Named(settings.nameservers, settings.extra_nameservers, settings.dns_ignore, settings.vantage)
        )


def say(text: str) -> None:
    """What an operator has to do by hand, or is waiting for, beside whatever display there is."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
