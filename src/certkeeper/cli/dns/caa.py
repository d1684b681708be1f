"""`certkeeper dns caa`."""

import argparse
import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.names import DnsName, Identifier, IdentifierType
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.dns.names import names_in
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import Configuration, PowerDnsSettings
from certkeeper.plan.caa import forbidden_text
from certkeeper.plan.observed import Caa
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.zone.caa import CaaOutcome, CaaRecord, CaaVerdict, Issuer, judge_caa, proposal

_TTL = 3600


class NoIdentity(CertkeeperError):
    """A CA that does not say by which name CAA records know it."""

    fault = Fault.REMOTE


@dataclass(frozen=True, slots=True)
class Advice:
    """The names of one zone for which the same records decide: those at `at`, or none yet, and then `at` is the zone.

    Commands are shown for zones that are written through PowerDNS.
    """

    zone: DnsName
    at: DnsName
    powerdns: bool
    verdicts: Mapping[Identifier, CaaVerdict]
    present: tuple[CaaRecord, ...]
    proposed: tuple[CaaRecord, ...]

    @property
    def allowed(self) -> bool:
        return all(verdict.outcome is CaaOutcome.ALLOWED for verdict in self.verdicts.values())

    @property
    def summary(self) -> str:
        outcomes = {verdict.outcome for verdict in self.verdicts.values()}
        if CaaOutcome.FORBIDDEN in outcomes:
            return "not allowed as it is"
        if outcomes == {CaaOutcome.ALLOWED}:
            return "the present records allow every name"
        return "not known whether it is allowed: CAA cannot be looked up"

    @property
    def missing(self) -> tuple[CaaRecord, ...]:
        """What is proposed and not there."""
        there = {(record.tag.lower(), record.value) for record in self.present}
        return tuple(record for record in self.proposed if (record.tag, record.value) not in there)

    @property
    def zone_lines(self) -> tuple[str, ...]:
        return tuple(f"{self.at.absolute} {_TTL} IN CAA {record}" for record in self.proposed)

    @property
    def commands(self) -> tuple[str, ...]:
        """Additions, so that records of other CAs and purposes stay."""
        if not self.powerdns:
            return ()
        owner = "@" if self.at == self.zone else self.at.text.removesuffix(f".{self.zone}")
        return tuple(
            shlex.join(["pdnsutil", "add-record", self.zone.text, owner, "CAA", str(_TTL), str(record)])
            for record in self.missing
        )


def caa(options: argparse.Namespace) -> int:
    """Propose, and judge what is there.

    Raises:
        CertkeeperError: the CA, or PowerDNS, cannot be asked.
    """
    raise_terminated()
    machine = open_machine(options.config)
    with closing(machine):
        selected = select(machine.configuration, options.names)
        issuer = machine.issuer()
        if issuer is None:
            raise NoIdentity(
                f"{machine.settings.ca}: the CA does not say by which name CAA records know it",
                hint="see its documentation; its directory has no caaIdentities",
            )
        advice, homeless, errors = _advice(machine, selected, issuer)
    if options.json:
        json.dump(_document(issuer, advice, homeless), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _print(issuer, advice)
    for name in homeless:
        print_error(CertkeeperError(f"{name}: its zone is not found"))
    for error in errors:
        print_error(error)
    sound = not homeless and not errors and all(item.allowed for item in advice)
    return ExitCode.DONE if sound else ExitCode.FAILED


def _advice(
    machine: Machine, selected: Configuration, issuer: Issuer
) -> tuple[list[Advice], list[DnsName], list[CertkeeperError]]:
    """Per place; the names that have no zone; and why nothing is known of others."""
    survey, owners = machine.survey(), names_in(selected)
    # Names that are proven without DNS may be in zones that nobody here writes.
    looked = survey.zones({owner: provider for owner, provider in owners.items() if provider})
    homes = {owner: zone.name for owner, zone in looked.found.items()}
    errors = {str(error): error for error in looked.errors.values()}
    unheard = {owner.parent for owner in looked.errors}
    try:
        homes |= survey.apexes([owner for owner in owners if owner not in homes and owner not in looked.errors])
    except CertkeeperError as error:
        errors[str(error)] = error
    apis = {
        zone.name
        for zone in looked.found.values()
        if (provider := machine.settings.provider(zone.provider)) is not None
        and isinstance(provider.settings, PowerDnsSettings)
    }
    names: dict[DnsName, dict[Identifier, tuple[str, ...]]] = {}
    homeless: dict[DnsName, None] = {}
    for spec, identifier in ((owner, item) for owner in selected.certificates for item in owner.identifiers):
        if identifier.type is not IdentifierType.DNS:
            continue
        home = homes.get(identifier.domain.child(CHALLENGE_LABEL))
        # A zone for challenges alone: the records that count stand above it.
        if home is not None and identifier.domain.is_within(home):
            names.setdefault(home, {})[identifier] = tuple(method.value for method in spec.methods.of(identifier))
        elif identifier.domain not in unheard:
            homeless[identifier.domain] = None
    asked = {identifier.domain for inside in names.values() for identifier in inside}
    seen = machine.caa(issuer, sorted(asked | set(names)))
    contact = machine.settings.contact_email
    advice = [
        each for zone, inside in names.items() for each in _of_zone(zone, inside, seen, contact, powerdns=zone in apis)
    ]
    return advice, list(homeless), list(errors.values())


def _of_zone(
    zone: DnsName, names: Mapping[Identifier, tuple[str, ...]], seen: Caa, contact: str, *, powerdns: bool
) -> Iterable[Advice]:
    """The first name on the way up that has records decides (RFC 8659 §3): records above it would change nothing.

    `names` come with the methods of each: where the first gives way to another one, that has to be allowed, too.
    """
    by_place: dict[DnsName, dict[Identifier, CaaVerdict]] = {}
    for name, methods in names.items():
        verdict = _verdict(name, methods, seen)
        decides = verdict.at is not None and verdict.at.is_within(zone) and bool(_records(seen, verdict.at))
        by_place.setdefault(verdict.at if decides and verdict.at is not None else zone, {})[name] = verdict
    for at, verdicts in sorted(by_place.items(), key=lambda item: (len(item[0].labels), item[0])):
        proposed = proposal(
            seen.issuer,
            wildcards=any(name.wildcard for name in verdicts),
            contact=contact,
            methods=tuple(dict.fromkeys(method for name in verdicts for method in names[name])),
        )
        yield Advice(zone, at, powerdns, verdicts, _records(seen, at), proposed)


def _records(seen: Caa, at: DnsName) -> tuple[CaaRecord, ...]:
    answer = seen.answers.get(at)
    return answer.records if answer is not None else ()


def _verdict(name: Identifier, methods: Sequence[str], seen: Caa) -> CaaVerdict:
    """What stands in the way of the first method that is not allowed."""
    verdicts = [
        judge_caa(name.domain, replace(seen.issuer, method=method), seen.answers, wildcard=name.wildcard)
        for method in methods
    ]
    return next((verdict for verdict in verdicts if verdict.outcome is not CaaOutcome.ALLOWED), verdicts[0])


def _print(issuer: Issuer, advice: Sequence[Advice]) -> None:
    write = sys.stdout.write
    if issuer.account is None:
        write("there is no account yet: run this again after the first run, for records that name it\n")
    for item in advice:
        where = f"zone {item.zone}" if item.at == item.zone else f"zone {item.zone}, records at {item.at}"
        write(f"{where}: {item.summary}\n")
        for name, verdict in item.verdicts.items():
            if verdict.outcome is not CaaOutcome.ALLOWED:
                write(f"    {name}: {_why(verdict)}\n")
        for record in item.present:
            write(f"    there now: {record}\n")
        if not item.missing:
            write("    all that is proposed is there\n")
            continue
        write("  as zone file:\n")
        for line in item.zone_lines:
            write(f"    {line}\n")
        if item.commands:
            write("  on the server:\n")
        for command in item.commands:
            write(f"    {command}\n")


def _why(verdict: CaaVerdict) -> str:
    if verdict.outcome is CaaOutcome.FORBIDDEN:
        return forbidden_text(verdict)
    if verdict.outcome is CaaOutcome.UNANSWERED:
        return f"the lookup at {verdict.at} fails: {verdict.reason}"
    return f"this host's resolver could not be asked about {verdict.at}"


def _document(issuer: Issuer, advice: Sequence[Advice], homeless: Sequence[DnsName]) -> Mapping[str, object]:
    return {
        "identities": list(issuer.identities),
        "account": issuer.account,
        "zones": [
            {
                "zone": item.zone.text,
                "at": item.at.text,
                "allowed": item.allowed,
                "names": [
                    {
                        "name": str(name),
                        "outcome": verdict.outcome.value,
                        "at": verdict.at.text if verdict.at is not None else None,
                        "record": str(verdict.record) if verdict.record is not None else None,
                        "reason": verdict.reason,
                    }
                    for name, verdict in item.verdicts.items()
                ],
                "present": [str(record) for record in item.present],
                "proposed": [str(record) for record in item.proposed],
                "zone_file": list(item.zone_lines),
                "commands": list(item.commands),
            }
            for item in advice
        ],
        "without_zone": [name.text for name in homeless],
    }
