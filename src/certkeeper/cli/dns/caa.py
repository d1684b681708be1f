"""`certkeeper dns caa`."""

import argparse
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.names import DnsName, Identifier, IdentifierType
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.dns.names import names_in
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import Configuration
from certkeeper.plan.caa import forbidden_text
from certkeeper.plan.observed import Caa
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.zone.caa import CaaOutcome, CaaRecord, CaaVerdict, Issuer, judge_caa, proposal

_TTL = 3600
_TAGS = ("issue", "issuewild", "iodef")


class NoIdentity(CertkeeperError):
    """A CA that does not say by which name CAA records know it."""

    fault = Fault.REMOTE


@dataclass(frozen=True, slots=True)
class Advice:
    """One zone: the names in it with what CAA says now, what stands at its top, and what we propose."""

    zone: DnsName
    verdicts: Mapping[Identifier, CaaVerdict]
    present: tuple[CaaRecord, ...]
    proposed: tuple[CaaRecord, ...]

    @property
    def allowed(self) -> bool:
        return all(verdict.outcome is CaaOutcome.ALLOWED for verdict in self.verdicts.values())

    @property
    def missing(self) -> tuple[CaaRecord, ...]:
        """What is proposed and not there."""
        there = {(record.tag.lower(), record.value) for record in self.present}
        return tuple(record for record in self.proposed if (record.tag, record.value) not in there)

    @property
    def zone_lines(self) -> tuple[str, ...]:
        return tuple(f"{self.zone.absolute} {_TTL} IN CAA {record}" for record in self.proposed)

    @property
    def commands(self) -> tuple[str, ...]:
        """Additions, so that records of other CAs and purposes stay."""
        return tuple(
            shlex.join(["pdnsutil", "add-record", self.zone.text, "@", "CAA", str(_TTL), str(record)])
            for record in self.missing
        )


def caa(options: argparse.Namespace) -> int:
    """Propose, and judge what is there.

    Raises:
        CertkeeperError: a CA, or PowerDNS, cannot be asked.
    """
    raise_terminated()
    machine = open_machine(options.config)
    with closing(machine):
        selected = select(machine.configuration, options.names)
        issuers = {ca: _issuer(machine, ca) for ca in selected.cas}
        advice, homeless = _advice(machine, selected, issuers)
    if options.json:
        json.dump(_document(issuers, advice, homeless), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _print(issuers, advice)
    for name in homeless:
        print_error(CertkeeperError(f"{name}: its zone is not found"))
    return ExitCode.DONE if not homeless and all(item.allowed for item in advice) else ExitCode.FAILED


def _issuer(machine: Machine, ca: str) -> Issuer:
    issuer = machine.issuer(ca)
    if issuer is None:
        raise NoIdentity(
            f"{ca}: the CA does not say by which name CAA records know it",
            hint="see its documentation; its directory has no caaIdentities",
        )
    return issuer


def _advice(
    machine: Machine, selected: Configuration, issuers: Mapping[str, Issuer]
) -> tuple[list[Advice], list[DnsName]]:
    """Per zone; and the names that have none."""
    survey, owners = machine.survey(), names_in(selected)
    # Names that are proven without DNS may be in zones that nobody here writes.
    written = {owner: provider for owner, provider in owners.items() if provider}
    homes = {owner: zone.name for owner, zone in survey.zones(written).items()}
    homes |= survey.apexes([owner for owner in owners if owner not in homes])
    names: dict[DnsName, dict[str, dict[Identifier, str]]] = {}
    homeless: dict[DnsName, None] = {}
    for spec, identifier in ((owner, item) for owner in selected.certificates for item in owner.identifiers):
        if identifier.type is not IdentifierType.DNS:
            continue
        home = homes.get(identifier.domain.child(CHALLENGE_LABEL))
        # A zone for challenges alone: the records that count stand above it.
        if home is not None and identifier.domain.is_within(home):
            names.setdefault(home, {}).setdefault(spec.ca, {})[identifier] = spec.methods.of(identifier)[0].value
        else:
            homeless[identifier.domain] = None
    asked = {identifier.domain for inside in names.values() for its in inside.values() for identifier in its}
    seen = machine.caa(issuers, sorted(asked | set(names)))
    contact = machine.settings.contact_email
    return [of_zone(zone, inside, seen, contact) for zone, inside in names.items()], list(homeless)


def of_zone(
    zone: DnsName, names: Mapping[str, Mapping[Identifier, str]], seen: Mapping[str, Caa], contact: str
) -> Advice:
    """`names`, with the method of each, and `seen` are by CA."""
    verdicts: dict[Identifier, CaaVerdict] = {}
    present: tuple[CaaRecord, ...] = ()
    proposed: dict[CaaRecord, None] = {}
    for ca, its in names.items():
        caa_ = seen[ca]
        for name, method in its.items():
            issuer = replace(caa_.issuer, method=method)
            verdict = judge_caa(name.domain, issuer, caa_.answers, wildcard=name.wildcard)
            # A name of two CAs has to be allowed for both.
            if name not in verdicts or verdicts[name].outcome is CaaOutcome.ALLOWED:
                verdicts[name] = verdict
        answer = caa_.answers.get(zone)
        present = answer.records if answer is not None else ()
        proposed |= dict.fromkeys(
            proposal(
                caa_.issuer,
                wildcards=any(name.wildcard for name in its),
                methods=tuple(dict.fromkeys(its.values())),
                contact=contact,
            )
        )
    # In the order of their tags, as for one CA.
    order = sorted(proposed, key=lambda record: _TAGS.index(record.tag))
    return Advice(zone, verdicts, present, tuple(order))


def _print(issuers: Mapping[str, Issuer], advice: Sequence[Advice]) -> None:
    write = sys.stdout.write
    for ca, issuer in issuers.items():
        if issuer.account is None:
            write(f"{ca}: there is no account yet: run this again after the first run, for records that name it\n")
    for item in advice:
        write(
            f"zone {item.zone}: {'the present records allow every name' if item.allowed else 'not allowed as it is'}\n"
        )
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
        write("  on the server:\n")
        for command in item.commands:
            write(f"    {command}\n")


def _why(verdict: CaaVerdict) -> str:
    if verdict.outcome is CaaOutcome.FORBIDDEN:
        return forbidden_text(verdict)
    if verdict.outcome is CaaOutcome.UNANSWERED:
        return f"the lookup at {verdict.at} fails: {verdict.reason}"
    return f"this host's resolver could not be asked about {verdict.at}"


def _document(
    issuers: Mapping[str, Issuer], advice: Sequence[Advice], homeless: Sequence[DnsName]
) -> Mapping[str, object]:
    return {
        "issuers": [
            {"ca": ca, "identities": list(issuer.identities), "account": issuer.account}
            for ca, issuer in issuers.items()
        ],
        "zones": [
            {
                "zone": item.zone.text,
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
