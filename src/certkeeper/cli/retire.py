"""`certkeeper retire`."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing

from certkeeper.acme.revoke import RevocationReason
from certkeeper.apply.accountcare import Care
from certkeeper.apply.revocation import revoke_certificate
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, UsageError, printable
from certkeeper.base.events import Event
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.cli.authority import at
from certkeeper.cli.compose import USER_AGENT, Machine, open_machine
from certkeeper.cli.confirm import confirmed
from certkeeper.cli.render import finding_lines
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.findings import did_you_mean
from certkeeper.lineage.leaf import to_der
from certkeeper.lineage.model import Lineage
from certkeeper.lineage.pem import certificates
from certkeeper.plan.history import Kind
from certkeeper.plan.orphans import Uses, alias_findings, used_by
from certkeeper.plan.records import Record, Records


class NotOrphaned(UsageError):
    """A name that is no lineage's, or one's that domains.txt still asks for."""


class StillUsed(CertkeeperError):
    """Something names the folder."""

    label = "usage"
    fault = Fault.OPERATOR


def retire(options: argparse.Namespace) -> int:
    """Take an orphaned lineage out of CERTDIR, after a question.

    Raises:
        CertkeeperError: nothing is changed.
    """
    raise_terminated()
    return retire_on(open_machine(options.config, evaluator=options.evaluator), options)


def retire_on(machine: Machine, options: argparse.Namespace) -> int:
    """The same on a machine that is put together already."""
    with machine.lock(), closing(machine):
        orphans, records = machine.orphans(), machine.journal.records()
        alias = _orphan(machine, options.name, orphans, records)
        if alias not in orphans:
            # A run of this command that was killed after the folder had moved.
            _forget(machine, records, alias)
            sys.stdout.write(f"{alias}: its folder is gone already; what was remembered of it is forgotten now\n")
            return ExitCode.DONE
        behind = [memory for memory in records.tlsa.values() if any(item.alias == alias for item in memory.known)]
        if behind and not options.force:
            raise StillUsed(
                f"{alias}: TLSA records of its keys are published at {', '.join(str(item.place) for item in behind)}",
                hint=f"withdraw them first: certkeeper tlsa retire {alias}; --force retires it all the same",
            )
        places = _look(machine, alias, orphans[alias]).of(f"{machine.settings.certdir}/{alias}")
        if places and not options.force:
            raise StillUsed(
                f"{alias}: still used by {used_by(places)}",
                hint="change that first; --force retires it all the same",
            )
        revoked = "revoke it for good, and " if options.revoke else ""
        if not confirmed(f"{revoked}move it to {machine.settings.basedir}/archive?", yes=options.yes):
            return ExitCode.FAILED
        if options.revoke:
            _revoke(machine, alias, orphans[alias])
        where = machine.archive(alias)
        _forget(machine, records, alias)
        machine.happened(Kind.RETIRED, [alias], f"its files are in {where}")
    sys.stdout.write(f"{alias}: retired; its files are in {where} now\n")
    return ExitCode.DONE


def _orphan(machine: Machine, typed: str, orphans: Mapping[Alias, Lineage], records: Records) -> Alias:
    page, name = machine.configuration, typed.rstrip("/")
    for spec in page.certificates:
        if spec.alias.text == name:
            raise NotOrphaned(
                f"{printable(name, 80)}: {spec.where} still asks for it",
                hint="take that line out first, then run this again",
            )
    if any(item.label == name for item in page.rejected):
        raise NotOrphaned(
            f"{printable(name, 80)}: the page still asks for it, and cannot be read", hint="certkeeper status says why"
        )
    for alias in (*orphans, *_remembered(records)):
        if alias.text == name:
            return alias
    close = did_you_mean(name, [alias.text for alias in orphans])
    raise NotOrphaned(
        f"{printable(name, 80)}: no orphaned certificate in {machine.settings.certdir}",
        hint=f"did you mean {close}?" if close else "certkeeper status lists them",
    )


def _remembered(records: Records) -> Iterator[Alias]:
    for known in (records.orders, records.debts, records.backoffs, records.held):
        yield from known


def _forget(machine: Machine, records: Records, alias: Alias) -> None:
    """What the journal holds of the lineage."""
    tables = (records.orders, records.debts, records.backoffs, records.held)
    found = (table.get(alias) for table in tables)
    entries: tuple[Record, ...] = tuple(entry for entry in found if entry is not None)
    if entries:
        machine.journal.write((), entries)


def _look(machine: Machine, alias: Alias, lineage: Lineage) -> Uses:
    """Show what it is about; say what still uses it."""
    certdir = machine.settings.certdir
    leaf, uses = lineage.leaf, machine.uses([alias])
    sys.stdout.write(f"{certdir}/{alias}\n")
    if leaf is not None:
        sys.stdout.write(f"  names    {' '.join(str(name) for name in sorted(leaf.identifiers))}\n")
        sys.stdout.write(f"  issuer   {leaf.issuer}\n  until    {iso(leaf.not_after)}\n")
    places = uses.of(f"{certdir}/{alias}")
    sys.stdout.write(f"  used by  {used_by(places) or 'nothing that was looked at'}\n")
    if uses.unread:
        sys.stdout.write(f"  unknown  {', '.join(uses.unread[:5])}\n")
    page = machine.configuration
    for line in finding_lines(alias_findings(page.certificates, machine.lineages(), {alias: lineage}, certdir)):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    return uses


def _revoke(machine: Machine, alias: Alias, lineage: Lineage) -> None:
    """By the account at the CA that it is from, as far as that is known. Where the CA refuses, nothing is moved."""
    ca = lineage.origin.ca if lineage.origin is not None else None
    asked = at(machine, ca)
    care = Care(asked.settings, USER_AGENT, _tell)
    (block, *_) = certificates(machine.store.certificate(alias))
    done = asked.converse(revoke_certificate(care, to_der(block), RevocationReason.CESSATION_OF_OPERATION, None))
    sys.stdout.write(f"{alias}: {'revoked' if done else 'it was revoked before'}\n")


def _tell(event: Event) -> None:
    sys.stderr.write(f"certkeeper: {event.text}\n")
