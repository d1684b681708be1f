"""`certkeeper dns caa`."""

import argparse
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TypeAlias

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.names import DnsName, Identifier, IdentifierType
from certkeeper.base.value import dataclass, replace
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.dns.names import names_in, unwritable_names
from certkeeper.cli.documents import write_document
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import Configuration, PowerDnsSettings
from certkeeper.plan.caa import forbidden_text
from certkeeper.plan.observed import Caa
from certkeeper.plan.records import CHALLENGE_LABEL
from certkeeper.zone.caa import CaaOutcome, CaaRecord, CaaVerdict, Issuer, judge_caa, proposal

_TTL = 3600
_TAGS = ("issue", "issuewild", "iodef")
Subject: TypeAlias = tuple[Identifier, str]
"""A name, and the CA that is asked for it: certificates of several may have it."""


class NoIdentity(CertkeeperError):
    """A CA that does not say by which name CAA records know it."""

    label = "dns-caa"
    fault = Fault.REMOTE


@dataclass(frozen=True, slots=True)
class Advice:
    """The names of one zone for which the same records decide: those at `at`, or none yet, and then `at` is the zone.

    Commands are shown for zones that are written through PowerDNS.
    """

    zone: DnsName
    at: DnsName
    powerdns: bool
    verdicts: Mapping[Subject, CaaVerdict]
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
        CertkeeperError: a CA, or PowerDNS, cannot be asked.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    with closing(machine):
        selected = select(machine.configuration, options.names)
        issuers = {ca: _issuer(machine, ca) for ca in selected.cas}
        advice, homeless, errors = _advice(machine, selected, issuers)
    if options.json:
        write_document("dns-caa", _document(issuers, advice, homeless))
    else:
        _print(issuers, advice)
    for name in homeless:
        print_error(CertkeeperError(f"{name}: its zone is not found"))
    for error in errors:
        print_error(error)
    sound = not homeless and not errors and all(item.allowed for item in advice)
    return ExitCode.DONE if sound else ExitCode.FAILED


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
) -> tuple[list[Advice], list[DnsName], list[CertkeeperError]]:
    """Per place; the names that have no zone; and why nothing is known of others."""
    survey, owners = machine.survey(), names_in(selected)
    # Names that are proven without DNS may be in zones that nobody here writes.
    looked = survey.zones({owner: provider for owner, provider in owners.items() if provider})
    homes = {owner: zone.name for owner, zone in looked.found.items()}
    unknown = unwritable_names(selected) | dict(looked.errors)
    errors = {str(error): error for error in unknown.values()}
    unheard = {owner.parent for owner in unknown}
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
    names: dict[DnsName, dict[Subject, tuple[str, ...]]] = {}
    homeless: dict[DnsName, None] = {}
    for spec, identifier in ((owner, item) for owner in selected.certificates for item in owner.identifiers):
        if identifier.type is not IdentifierType.DNS:
            continue
        home = homes.get(identifier.domain.child(CHALLENGE_LABEL))
        # A zone for challenges alone: the records that count stand above it.
        if home is not None and identifier.domain.is_within(home):
            methods = tuple(method.value for method in spec.methods.of(identifier))
            told = names.setdefault(home, {})
            # Several certificates of one CA may have it, each with methods of its own.
            told[identifier, spec.ca] = tuple(dict.fromkeys((*told.get((identifier, spec.ca), ()), *methods)))
        elif identifier.domain not in unheard:
            homeless[identifier.domain] = None
    asked = {identifier.domain for inside in names.values() for identifier, _ in inside}
    seen = machine.caa(issuers, sorted(asked | set(names)))
    contact = machine.settings.contact_email
    advice = [
        each for zone, inside in names.items() for each in of_zone(zone, inside, seen, contact, powerdns=zone in apis)
    ]
    return advice, list(homeless), list(errors.values())


def of_zone(
    zone: DnsName, names: Mapping[Subject, tuple[str, ...]], seen: Mapping[str, Caa], contact: str, *, powerdns: bool
) -> Iterable[Advice]:
    """The first name on the way up that has records decides (RFC 8659 §3): records above it would change nothing.

    `names` come with the methods of each: where the first gives way to another one, that has to be allowed, too.
    `seen` is by CA.
    """
    by_place: dict[DnsName, dict[Subject, CaaVerdict]] = {}
    for (name, ca), methods in names.items():
        verdict = _verdict(name, methods, seen[ca])
        decides = verdict.at is not None and verdict.at.is_within(zone) and bool(_records(seen[ca], verdict.at))
        by_place.setdefault(verdict.at if decides and verdict.at is not None else zone, {})[name, ca] = verdict
    for at, verdicts in sorted(by_place.items(), key=lambda item: (len(item[0].labels), item[0])):
        cas = tuple(dict.fromkeys(ca for _, ca in verdicts))
        proposed: dict[CaaRecord, None] = {}
        for ca in cas:
            its = {name: names[name, ca] for name, its_ca in verdicts if its_ca == ca}
            records = proposal(
                seen[ca].issuer,
                wildcards=any(name.wildcard for name in its),
                contact=contact,
                methods=tuple(dict.fromkeys(method for methods in its.values() for method in methods)),
            )
            proposed |= dict.fromkeys(records)
        # In the order of their tags, as for one CA.
        order = sorted(proposed, key=lambda record: _TAGS.index(record.tag))
        yield Advice(zone, at, powerdns, verdicts, _records(seen[cas[0]], at), tuple(order))


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


def _print(issuers: Mapping[str, Issuer], advice: Sequence[Advice]) -> None:
    write = sys.stdout.write
    for ca, issuer in issuers.items():
        if issuer.account is None:
            write(f"{ca}: there is no account yet: run this again after the first run, for records that name it\n")
    for item in advice:
        where = f"zone {item.zone}" if item.at == item.zone else f"zone {item.zone}, records at {item.at}"
        write(f"{where}: {item.summary}\n")
        for line in _obstacles(item, several=len(issuers) > 1):
            write(f"    {line}\n")
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


def _obstacles(item: Advice, *, several: bool) -> Iterator[str]:
    for (name, ca), verdict in item.verdicts.items():
        if verdict.outcome is not CaaOutcome.ALLOWED:
            yield f"{name} from {ca}: {_why(verdict)}" if several else f"{name}: {_why(verdict)}"


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
                "at": item.at.text,
                "allowed": item.allowed,
                "names": [
                    {
                        "name": str(name),
                        "ca": ca,
                        "outcome": verdict.outcome.value,
                        "at": verdict.at.text if verdict.at is not None else None,
                        "record": str(verdict.record) if verdict.record is not None else None,
                        "reason": verdict.reason,
                    }
                    for (name, ca), verdict in item.verdicts.items()
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
