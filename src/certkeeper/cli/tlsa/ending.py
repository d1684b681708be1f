"""What a person decided of keys, brought to its end once the other key is live: the old certificates are revoked."""

import sys
from datetime import datetime

from certkeeper.acme.problem import Problem
from certkeeper.acme.revoke import RevocationReason
from certkeeper.apply.accountcare import Care
from certkeeper.apply.revocation import revoke_certificate
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Event
from certkeeper.base.traces import Traced
from certkeeper.cli.authority import at
from certkeeper.cli.compose import USER_AGENT, Machine
from certkeeper.cli.compose.danewatch import DaneWatch
from certkeeper.cli.render import print_error
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.leaf import to_der
from certkeeper.lineage.model import Version
from certkeeper.lineage.pem import certificates
from certkeeper.lineage.revocation import Revocation
from certkeeper.plan.records import Records, Shown, TlsaTurn, TurnKind


def ended(machine: Machine, watch: DaneWatch) -> bool:
    """Go on with what is under way; False where something of it failed, which the next run does again."""
    records = machine.journal.records()
    well = True
    for spec in machine.configuration.certificates:
        turn = records.turns.get(spec.entry)
        if turn is None:
            continue
        lineage = machine.lineages()[spec.alias]
        if turn.kind is TurnKind.RETIRE:
            over = spec.tlsa is None
        elif lineage.key_id == turn.key_id or owed(spec, records):
            continue
        elif turn.kind is TurnKind.ROLL:
            over = True
        else:
            revoked = _revoked(machine, watch, spec, turn)
            well = well and revoked
            # Its records may go at once while it is known that others have the key.
            over = revoked and not any(
                item.alias == spec.alias and item.former for memory in records.tlsa.values() for item in memory.known
            )
        if over:
            machine.journal.write((), (turn,))
    _forget_gone(machine, records)
    return well


def _forget_gone(machine: Machine, records: Records) -> None:
    """What was decided of certificates that left the page, once no record of theirs is remembered any more."""
    listed = {spec.entry for spec in machine.configuration.certificates}
    known = {item.alias for memory in records.tlsa.values() for item in memory.known}
    gone = tuple(turn for alias, turn in records.turns.items() if alias not in listed | known)
    if gone:
        machine.journal.write((), gone)


def owed(spec: CertSpec, records: Records) -> bool:
    """Some service may still show the certificate with the key from before."""
    return any(item.alias == spec.alias and item.shown is Shown.OWED for item in records.deployments.values())


def to_revoke(version: Version, turn: TlsaTurn, now: datetime) -> bool:
    """It has the key that others have, and clients still take it."""
    leaf = version.leaf
    return leaf is not None and leaf.key_id == turn.key_id and version.revoked is None and leaf.not_after > now


def _revoked(machine: Machine, watch: DaneWatch, spec: CertSpec, turn: TlsaTurn) -> bool:
    """Every certificate of the lineage's with that key that is still valid."""
    now, well = machine.clock.now(), True
    for version in machine.store.versions(spec.alias):
        leaf = version.leaf
        if leaf is None or not to_revoke(version, turn, now):
            continue
        try:
            _revoke(machine, watch, spec, version)
            machine.store.mark_revoked(
                spec.alias, Revocation(leaf.serial, leaf.key_id, RevocationReason.KEY_COMPROMISE.value)
            )
        except Problem as problem:
            if version.origin is not None or problem.in_passing:
                print_error(problem, subject=f"{spec.alias}: certificate {leaf.serial} is not revoked yet")
                well = False
            else:
                # Made by another program, at whichever CA.
                sys.stdout.write(f"{spec.alias}: certificate {leaf.serial} is not this CA's to revoke: {problem}\n")
        except CertkeeperError as error:
            print_error(error, subject=f"{spec.alias}: certificate {leaf.serial} is not revoked yet")
            well = False
        else:
            sys.stdout.write(f"{spec.alias}: certificate {leaf.serial} revoked: key compromise\n")
    return well


def _revoke(machine: Machine, watch: DaneWatch, spec: CertSpec, version: Version) -> None:
    """CAs believe a compromise at once if the key itself says so."""
    files = machine.store.version(spec.alias, version.stamp)
    if files is None:
        raise CertkeeperError(f"version {version.stamp} is not there, or not whole")
    asked = at(machine, version.origin.ca if version.origin is not None else spec.ca)
    (block, *_) = certificates(files.cert)
    key = watch.key_of(spec.alias, version.stamp)
    care = Care(asked.settings, USER_AGENT, _tell)
    asked.converse(revoke_certificate(care, to_der(block), RevocationReason.KEY_COMPROMISE, key))


def _tell(event: Event) -> None:
    if not isinstance(event, Traced):
        sys.stderr.write(f"certkeeper: {event.text}\n")
