"""From the command line to a machine."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from certkeeper.adapters.accounts import Accounts
from certkeeper.adapters.claims import Claims
from certkeeper.adapters.clock import SystemClock
from certkeeper.adapters.earlier import Earlier
from certkeeper.adapters.folders import Folders
from certkeeper.adapters.index import Index
from certkeeper.adapters.looked import Looked
from certkeeper.adapters.page import answered, read_page
from certkeeper.apply.ports import Clock
from certkeeper.cli.compose.machine import Machine
from certkeeper.cli.compose.owners import (
    access_findings,
    common,
    folder_findings,
    owner_findings,
    target_findings,
    with_owners,
)
from certkeeper.cli.pageform import page_is
from certkeeper.config.authority import REHEARSAL, STAGING
from certkeeper.config.domains import DomainList
from certkeeper.config.evaluating import Evaluator
from certkeeper.config.settings import Configuration, Purpose
from certkeeper.config.shell import Assignment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from certkeeper.adapters.dane import Dane
    from certkeeper.adapters.handed import HandedFiles
    from certkeeper.adapters.tlsastands import StandsFile
    from certkeeper.config.check import Checked
    from certkeeper.config.findings import Finding
    from certkeeper.config.hookcommands import HookCommands
    from certkeeper.config.reading import Became, Become, NotBecome
    from certkeeper.service.handshake import Contact, Look


def look_at(targets: "Sequence[Contact]", *, patience: float, ca_bundle: str | None) -> "tuple[Look, ...]":
    """Handshakes with these, as clients make them; `patience` is seconds for each."""
    from certkeeper.adapters.probe import Prober  # noqa: PLC0415 - pyOpenSSL, for the one command that needs it

    return Prober(patience=patience, ca_bundle=ca_bundle).look(targets)


def dane_without_page(now: "datetime") -> "Dane":
    """What DANE sees of the world from a machine that has no page."""
    from certkeeper.adapters.dane import Dane  # noqa: PLC0415 - as above
    from certkeeper.adapters.resolver import Named, SystemNameservers  # noqa: PLC0415 - as above
    from certkeeper.config.servers import Dnssec  # noqa: PLC0415 - as above

    return Dane(Dnssec(), (), SystemNameservers(Named()), now)


def stands_file(statedir: str) -> "StandsFile":
    """Where the last run left TLSA records."""
    from certkeeper.adapters.tlsastands import StandsFile  # noqa: PLC0415 - most pages have none

    return StandsFile(statedir)


def system_clock() -> Clock:
    """The time, where there is no page to open."""
    return SystemClock()


def handed_files() -> "HandedFiles":
    """Files that are named on the command line."""
    from certkeeper.adapters.handed import HandedFiles  # noqa: PLC0415 - some commands need it

    return HandedFiles()


def write_units(folder: str, units: Mapping[str, str], mark: str) -> tuple[str, ...]:
    """As `adapters.units.write_units`."""
    from certkeeper.adapters import units as files  # noqa: PLC0415 - one command needs it

    return files.write_units(folder, units, mark)


def open_machine(
    config: str | None,
    asked: DomainList | None = None,
    *,
    test_ca_live: bool = False,
    staging: bool = False,
    typed: tuple[Assignment, ...] = (),
    fallback: str | None = None,
    evaluator: str = Evaluator.PARSER,
    becoming: "Callable[[Become], Became | NotBecome] | None" = None,
) -> Machine:
    """Read the page and look no further; `asked` are certificates in the place of those in domains.txt.

    `typed` are settings from the command line, which count more than the page's. `fallback` is BASEDIR where there is
    no configuration file at all; without it that is an error. `evaluator` is a word of Evaluator's.

    `becoming` is another way to become DEHYDRATED_USER than for good.

    `test_ca_live`: test CAs' certificates go to where services read. `staging`: each CA's test service takes its place.

    Raises:
        CertkeeperError: the page cannot be read.
    """
    page_is(config or os.environ.get("CONFIG"))
    looked = Looked()
    typed = (*typed, Assignment(REHEARSAL, "yes", STAGING)) if staging else typed
    configuration = read_page(
        config, str(Path.cwd()), os.environ, asked, typed, fallback, Evaluator(evaluator), becoming, looked
    )
    configuration = configuration.with_stand_ins() if test_ca_live else configuration
    return machine_of(configuration, looked)


def open_hook_machine() -> Machine:
    """The page as `certkeeper pdns-hook` reads it, in the environment that dehydrated calls its hook in.

    Raises:
        CertkeeperError: it cannot be read, or lacks what PowerDNS needs.
    """
    from certkeeper.config.pdnshook import hook_page  # noqa: PLC0415 - the one command that needs it

    return machine_of(answered(hook_page(None, cwd=str(Path.cwd()), environment=os.environ)))


def read_hook_commands() -> "HookCommands":
    """What stands in for other hooks; raises as `open_hook_machine`, but needs nothing of PowerDNS."""
    from certkeeper.config.pdnshook import hook_commands  # noqa: PLC0415 - as above

    return answered(hook_commands(None, cwd=str(Path.cwd()), environment=os.environ))


def listed_beside(configuration: Configuration) -> DomainList:
    """The page's own list, where it was opened for other certificates; empty where there is none.

    Raises:
        CertkeeperError: it cannot be read.
    """
    from certkeeper.config import domainfiles  # noqa: PLC0415 - one command needs it

    return answered(domainfiles.listed_beside(configuration.settings))


def machine_of(configuration: Configuration, looked: Looked | None = None) -> Machine:
    """The machine for a page that was read already. `looked` was told what was read."""
    settings = configuration.settings
    page_is(settings.config_file)
    rehearsals = (spec.alias for spec in configuration.certificates if spec.purpose is Purpose.REHEARSE)
    elsewhere = dict.fromkeys(rehearsals, settings.test_certdir)
    configuration, owned = with_owners(configuration)
    looked = looked or Looked()
    index = Index(settings.statedir, looked=looked)
    # What is there from before is the account of the CA that is rehearsed.
    before = Earlier(settings.ca, settings.old_ca, settings.basedir, settings.accountdir)
    earlier = None if settings.rehearsal else before
    return Machine(
        configuration,
        Folders(settings.certdir, elsewhere, owned, common(owned.values())),
        index,
        Accounts(settings.accountdir, earlier, index),
        SystemClock(),
        Claims(settings.statedir),
        looked,
    )


def check_page(config: str | None, evaluator: str = Evaluator.PARSER) -> "Checked":
    """All that is wrong with a page, as far as files tell."""
    from certkeeper.adapters.page import check_page  # noqa: PLC0415 - two commands need it

    page_is(config or os.environ.get("CONFIG"))
    found = check_page(config, str(Path.cwd()), os.environ, Evaluator(evaluator))
    if found.configuration is not None:
        page_is(found.configuration.settings.config_file)
    return found


def house_findings(configuration: Configuration) -> tuple["Finding", ...]:
    """What else this machine's files say: who starts dehydrated, who may read keys, and what is missing."""
    from certkeeper.adapters.keyfiles import key_files  # noqa: PLC0415 - as above
    from certkeeper.adapters.needs import unmet  # noqa: PLC0415 - as above
    from certkeeper.adapters.schedules import scheduled  # noqa: PLC0415 - as above
    from certkeeper.config.moving import key_findings, schedule_findings  # noqa: PLC0415 - as above

    settings = configuration.settings
    keys = key_files((settings.certdir, settings.test_certdir), settings.accountdir)
    house = (
        *schedule_findings(scheduled("/")),
        *key_findings(keys),
        *owner_findings(configuration),
        *access_findings(configuration),
        *folder_findings(configuration),
        *target_findings(configuration),
    )
    return (*unmet(configuration), *house)
