"""`certkeeper dns doctor`."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress

from certkeeper.apply.ports import JournalDamaged
from certkeeper.apply.survey import Survey
from certkeeper.base.errors import CertkeeperError, ExitCode
from certkeeper.base.events import count
from certkeeper.base.names import DnsName, Identifier, IdentifierType
from certkeeper.base.value import dataclass, replace
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.confirm import confirmed
from certkeeper.cli.dns.names import NoProvider, owners_in, provider_of, typed_name, unwritable_owners
from certkeeper.cli.documents import write_document
from certkeeper.cli.plan import finding_document
from certkeeper.cli.render import finding_lines, print_error
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec
from certkeeper.plan.caa import names_to_look_up
from certkeeper.plan.delegation import described
from certkeeper.plan.doctor import Repair, examine, homeless_names, repair, unreadable
from certkeeper.plan.observed import Caa
from certkeeper.plan.proving import owners_needed
from certkeeper.plan.records import CHALLENGE_LABEL, ChallengeIntent
from certkeeper.zone.caa import Issuer
from certkeeper.zone.facts import ZoneFacts
from certkeeper.zone.rrset import Zone

_WRONG = frozenset({Severity.ERROR, Severity.WARNING})


@dataclass(frozen=True, slots=True)
class Examined:
    """One zone and what is wrong with it."""

    facts: ZoneFacts
    findings: tuple[Finding, ...]
    repair: Repair | None


class _Doctor:
    """What is known besides the zones, while the command runs."""

    def __init__(self, machine: Machine, survey: Survey) -> None:
        self._machine = machine
        self._survey = survey
        owners = owners_in(machine.configuration)
        places = survey.places(owners)
        self._homes = {owner: place.zone for owner, place in places.found.items()}
        self._errors: dict[DnsName, CertkeeperError] = unwritable_owners(machine.configuration) | dict(places.errors)
        self._specs = _by_zone(machine.configuration.certificates, self._homes)
        self._owed = _owed(machine)
        self._caa: Mapping[str, Caa] = {}
        known = self._homes.keys() | places.errors.keys()
        needed = {owner for spec in machine.configuration.certificates for owner in owners_needed(spec)}
        self.homeless = tuple(owner.parent for owner in owners if owner in needed and owner not in known)

    def wanted(self, names: Sequence[str]) -> Mapping[DnsName, Zone | None]:
        """The zones to look at: those that hold the names that were typed, else those of all certificates.

        Raises:
            CertkeeperError: what was typed is no name, or nothing says who writes it.
        """
        if not names:
            return {zone.name: zone for zone in self._homes.values()}
        typed: dict[DnsName, str] = {}
        self._errors = {}
        for name in map(typed_name, names):
            try:
                typed[name] = provider_of(name, self._machine.settings)
            except NoProvider:
                raise
            except CertkeeperError as error:
                self._errors[name] = error
        looked = self._survey.zones(typed)
        self._errors |= looked.errors
        return {
            looked.found[name].name if name in looked.found else name: looked.found.get(name)
            for name in typed
            if name not in looked.errors
        }

    def only_error(self, zones: Mapping[DnsName, Zone | None]) -> CertkeeperError | None:
        """Why nothing can be told, where that is all there is to tell."""
        errors = {str(error): error for error in self._errors.values()}
        return next(iter(errors.values())) if len(errors) == 1 and not zones and not self.homeless else None

    def troubles(self) -> list[Finding]:
        """One for each thing that went wrong, however many names it is about."""
        names: dict[str, list[DnsName]] = {}
        errors: dict[str, CertkeeperError] = {}
        for name, error in self._errors.items():
            bare = name.parent if name.labels[:1] == (CHALLENGE_LABEL,) else name
            names.setdefault(str(error), []).append(bare)
            errors[str(error)] = error
        return [unreadable(error, names[text]) for text, error in errors.items()]

    def without_effect(self) -> list[Finding]:
        """Settings that somebody may have meant for a zone."""
        codes = {"not-per-zone", "unknown-variable"}
        return [found for found in self._machine.configuration.findings if found.code in codes]

    def ask_caa(self, zones: Mapping[DnsName, Zone | None]) -> str:
        """Look CAA up for the names in these zones; why not, where a CA cannot be asked who it is."""
        specs = [spec for name in zones for spec in self._specs.get(name, ())]
        if not specs:
            return ""
        issuers: dict[str, Issuer] = {}
        troubles = []
        for ca in dict.fromkeys(spec.ca for spec in specs):
            try:
                issuer = self._machine.issuer(ca)
            except CertkeeperError as error:
                troubles.append(str(error))
            else:
                issuers |= {ca: issuer} if issuer is not None else {}
        self._caa = self._machine.caa(issuers, names_to_look_up(spec for spec in specs if spec.ca in issuers))
        return "; ".join(troubles)

    def examine(self, zones: Mapping[DnsName, Zone | None]) -> list[Examined]:
        now = self._machine.clock.now()
        return [
            Examined(
                facts,
                examine(facts, now, specs=self._specs.get(facts.name, ()), caa=self._caa, owed=self._owed),
                repair(facts.kept, now) if facts.kept is not None else None,
            )
            for facts in self._survey.look(zones)
        ]

    def mend(self, repairs: Sequence[Repair]) -> list[CertkeeperError]:
        """Do it, zone by zone; one that fails stops no other one."""
        failed = []
        for item in repairs:
            try:
                self._survey.repair(item)
            except CertkeeperError as error:
                failed.append(error)
        return failed

    def again(self, examined: Sequence[Examined]) -> list[Examined]:
        """The zones that were mended, looked at anew among the others."""
        mended = {item.facts.name: item.repair.zone.provider for item in examined if item.repair is not None}
        found = self._survey.zones(mended).found
        fresh = {
            item.facts.name: item for item in self.examine({name: found[name] for name in mended if name in found})
        }
        return [fresh.get(item.facts.name, item) for item in examined]


def _by_zone(specs: Sequence[CertSpec], homes: Mapping[DnsName, Zone]) -> dict[DnsName, list[CertSpec]]:
    """The certificates with names in each zone, reduced to these names."""
    found: dict[DnsName, list[CertSpec]] = {}
    for spec in specs:
        inside: dict[DnsName, list[Identifier]] = {}
        for identifier in spec.identifiers:
            home = (
                homes.get(identifier.domain.child(CHALLENGE_LABEL)) if identifier.type is IdentifierType.DNS else None
            )
            if home is not None:
                inside.setdefault(home.name, []).append(identifier)
        for zone, identifiers in inside.items():
            found.setdefault(zone, []).append(replace(spec, identifiers=tuple(identifiers)))
    return found


def doctor(options: argparse.Namespace) -> int:
    """Look, tell, and mend where that is asked for.

    Raises:
        CertkeeperError: the page cannot be read, or no provider at all can be asked.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    with closing(machine):
        work = _Doctor(machine, machine.survey())
        zones = work.wanted(options.names)
        # Who reads JSON gets a document that says it.
        if not options.json and (error := work.only_error(zones)) is not None:
            raise error
        caa_trouble = work.ask_caa(zones)
        examined = work.examine(zones)
        general = _general(work, caa_trouble, everything=not options.names)
        repairs = [item.repair for item in examined if item.repair is not None] if options.fix else []
        if not options.json:
            _print(examined, general)
        out = sys.stderr if options.json else sys.stdout
        failed: list[CertkeeperError] = []
        mended = False
        if repairs:
            out.write("".join(f"to do: zone {item.zone.name}: {text}\n" for item in repairs for text in item.texts))
            mended = confirmed("do it?", yes=options.yes, out=out)
        if mended:
            failed = work.mend(repairs)
            examined = work.again(examined)
            for each in failed:
                print_error(each)
            out.write(f"{count(len(repairs) - len(failed), 'zone')} mended, and read back\n")
        elif options.fix and not repairs:
            out.write("nothing that --fix can mend\n")
    _keep(machine, examined, general, everything=not options.names)
    if options.json:
        write_document("dns-doctor", _document(examined, general))
    found = [finding for item in examined for finding in item.findings] + general
    return ExitCode.FAILED if failed or any(item.severity in _WRONG for item in found) else ExitCode.DONE


def zone_findings(machine: Machine) -> Iterator[Finding]:
    """All that is wrong with the zones of the certificates, for who wants to know of everything.

    Raises:
        CertkeeperError: no provider at all can be asked.
    """
    examined, general = all_examined(machine)
    _keep(machine, examined, general, everything=True)
    for item in examined:
        yield from item.findings
    yield from general


def all_examined(machine: Machine) -> tuple[list[Examined], list[Finding]]:
    """The zones of all certificates, and what is about none of them.

    Raises:
        CertkeeperError: no provider at all can be asked.
    """
    work = _Doctor(machine, machine.survey())
    zones = work.wanted(())
    caa_trouble = work.ask_caa(zones)
    return work.examine(zones), _general(work, caa_trouble, everything=True)


def _keep(machine: Machine, examined: Sequence[Examined], general: Sequence[Finding], *, everything: bool) -> None:
    from certkeeper.cli.dns.health import keep_health  # noqa: PLC0415 - it is made of this

    keep_health(machine, examined, general, everything=everything)


def _owed(machine: Machine) -> tuple[ChallengeIntent, ...]:
    with suppress(JournalDamaged):
        return machine.journal.records().left
    return ()


def _general(work: _Doctor, caa_trouble: str, *, everything: bool) -> list[Finding]:
    """What is about no zone in particular."""
    found = [*work.without_effect(), *work.troubles()]
    found += [homeless_names(work.homeless)] if everything and work.homeless else []
    if caa_trouble:
        found.append(
            Finding(
                code="caa-unknown",
                severity=Severity.NOTE,
                message=f"CAA was not looked at for a CA that cannot be asked who it is: {caa_trouble}",
            )
        )
    return found


def _print(examined: Sequence[Examined], general: Sequence[Finding]) -> None:
    write = sys.stdout.write
    for line in finding_lines(general):
        write(f"{line}\n")
    for item in examined:
        write(f"zone {item.facts.name}: {summary(item)}\n")
        for served in item.facts.servers:
            write(f"    {described(served)}\n")
        for skipped in item.facts.skipped:
            write(f"    {skipped}\n")
        for line in finding_lines(item.findings):
            write(f"  {line}\n")
    found = [finding for item in examined for finding in item.findings] + list(general)
    numbers = [(severity, sum(1 for finding in found if finding.severity is severity)) for severity in Severity]
    said = ", ".join(count(number, severity.value) for severity, number in numbers if number)
    write(f"{count(len(examined), 'zone')}: {said or 'nothing wrong'}\n")


def summary(item: Examined) -> str:
    """What its provider keeps of the zone, in a few words."""
    kept = item.facts.kept
    if kept is None:
        if item.facts.kept_trouble:
            return "cannot be read"
        return "not at its DNS provider" if item.facts.homeless else "not written through PowerDNS"
    state = "presigned" if kept.presigned else "signed" if kept.signed else "not signed"
    wrong = "" if item.findings else "; nothing wrong"
    return f"{kept.zone.kind.value}, serial {kept.zone.served_serial}, {state}{wrong}"


def _document(examined: Sequence[Examined], general: Sequence[Finding]) -> Mapping[str, object]:
    return {
        "zones": [_zone(item) for item in examined],
        "findings": [finding_document(finding) for finding in general],
    }


def _zone(item: Examined) -> Mapping[str, object]:
    kept = item.facts.kept
    return {
        "zone": item.facts.name.text,
        "kind": kept.zone.kind.value if kept is not None else None,
        "serial": kept.zone.served_serial if kept is not None else None,
        "soa_edit_api": kept.zone.soa_edit_api if kept is not None else None,
        "soa_edit": kept.zone.soa_edit if kept is not None else None,
        "rectifies": kept.rectifies if kept is not None else None,
        "signed": kept.signed if kept is not None else None,
        "servers": [
            {"server": str(served.server), "serial": served.serial or None, "trouble": served.trouble}
            for served in item.facts.servers
        ],
        "findings": [finding_document(finding) for finding in item.findings],
        "repairs": list(item.repair.texts) if item.repair is not None else [],
    }
