"""`certkeeper tlsa roll`, `compromise` and `retire`: what a person decides of a certificate's keys."""

import argparse
import sys
from contextlib import closing
from datetime import timedelta

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, UsageError
from certkeeper.base.keys import KeyPolicy
from certkeeper.base.names import Alias
from certkeeper.base.times import duration_text, iso
from certkeeper.cli.compose import Machine, open_machine
from certkeeper.cli.compose.danewatch import DaneWatch
from certkeeper.cli.confirm import confirmed
from certkeeper.cli.danephase import published
from certkeeper.cli.render import print_error
from certkeeper.cli.run import run_on
from certkeeper.cli.saying import Saying
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import Lineage
from certkeeper.plan.gates import Allowed, Gate, WaitsForDns
from certkeeper.plan.records import TlsaTurn, TurnKind


class NoRecords(CertkeeperError):
    """The command is about TLSA records, and the certificate has none."""

    label = "tlsa-records"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


class OneCertificate(UsageError):
    """Several certificates are meant, or none that has what is needed."""


def roll(options: argparse.Namespace) -> int:
    """Order the next certificate with the next key, now. Refused where a cache may lack the key's record, unless
    --now.

    Raises:
        CertkeeperError: it is refused, or nothing could be started.
    """
    machine, spec, watch, lineage = _one(options)
    _check_next(spec, lineage)
    gate = watch.gates().get(spec.alias, Gate(Allowed.ANY))
    if gate.allowed not in {Allowed.NEXT, Allowed.ANY}:
        if not options.now:
            raise WaitsForDns(
                f"{spec.alias}: the next key is not used yet: {gate.reason}",
                hint=_way_on(watch, spec, gate),
                retry_at=gate.until,
            )
        _say_what_breaks(watch, spec)
        if not confirmed("roll the key now?", yes=options.yes):
            return ExitCode.FAILED
        watch.let_through([spec.alias])
    _write_down(machine, TlsaTurn(spec.entry, TurnKind.ROLL, lineage.key_id or "", machine.clock.now()))
    return run_on(machine, _for_run(options, spec))


def compromise(options: argparse.Namespace) -> int:
    """Others have the key: the next one takes its place as soon as DNS lets it, then its certificates are revoked and
    its records withdrawn. A run that is killed, or has to wait, is gone on with by the next one.

    Raises:
        CertkeeperError: nothing could be started.
    """
    machine, spec, watch, lineage = _one(options)
    gate = watch.gates().get(spec.alias, Gate(Allowed.ANY))
    sys.stdout.write(f"{spec.alias}: key {(lineage.key_id or '')[:16]}… is given up: a new certificate with another\n")
    sys.stdout.write("key, then its certificates are revoked, and its TLSA records withdrawn\n")
    if options.now:
        _say_what_breaks(watch, spec)
    if not confirmed("the key is compromised?", yes=options.yes):
        return ExitCode.FAILED
    if options.now:
        watch.let_through([spec.alias])
    elif gate.allowed not in {Allowed.NEXT, Allowed.ANY}:
        sys.stdout.write(f"the key stays until runs find that caches know the next one: {gate.reason}\n")
    _write_down(machine, TlsaTurn(spec.entry, TurnKind.COMPROMISE, lineage.key_id or "", machine.clock.now()))
    return run_on(machine, _for_run(options, spec))


def retire(options: argparse.Namespace) -> int:
    """Withdraw a certificate's TLSA records, or publish them again (--undo). Keys stay until no cache has one left.

    Raises:
        CertkeeperError: nothing could be started.
    """
    machine, entry, key_id = _known(options)
    with machine.lock(), closing(machine):
        turn = TlsaTurn(entry, TurnKind.RETIRE, key_id, machine.clock.now())
        machine.journal.prepare()
        before = machine.journal.records().turns.get(entry)
        if options.undo:
            machine.journal.write((), (turn,) if before is not None and before.kind is TurnKind.RETIRE else ())
        else:
            machine.journal.write((turn,), ())
            sys.stdout.write(f'{entry}: its TLSA records are to go; say so in the page, too: TLSA="no"\n')
            sys.stdout.flush()
        phase = published(machine, saying=Saying.ALL)
    if phase.wake_at is not None and not options.undo:
        sys.stdout.write(f"{entry}: caches may hold records until {iso(phase.wake_at)}; the key stays until then\n")
    for error in phase.errors:
        print_error(error)
    return ExitCode.FAILED if phase.failed or phase.errors else ExitCode.DONE


def _known(options: argparse.Namespace) -> tuple[Machine, Alias, str]:
    """The certificate that was typed, with its key_id; also one that left the page and whose records are there."""
    machine = open_machine(options.config, evaluator=options.evaluator)
    listed = {spec.alias.text for spec in machine.configuration.certificates}
    for memory in machine.journal.records().tlsa.values():
        for item in memory.known:
            if item.alias.text == options.name and item.alias.text not in listed:
                return machine, item.alias, item.key_id
    machine, spec, _, lineage = _one(options)
    return machine, spec.entry, lineage.key_id or ""


def _one(options: argparse.Namespace) -> tuple[Machine, CertSpec, DaneWatch, Lineage]:
    """The certificate that was typed, with its records' watch."""
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, [options.name])
    for rejected in selected.rejected:
        raise rejected.error
    if len(selected.certificates) != 1:
        meant = ", ".join(str(spec.alias) for spec in selected.certificates)
        raise OneCertificate(f"{options.name}: several certificates are meant: {meant}", hint="name one by its alias")
    (spec,) = selected.certificates
    watch = machine.dane_watch
    known = {item.alias for memory in machine.journal.records().tlsa.values() for item in memory.known}
    if watch is None or (spec.tlsa is None and spec.alias not in known):
        raise NoRecords(
            f"{spec.alias}: no TLSA records are wanted, and none of ours are there",
            hint='write TLSA="yes" in the configuration; without records any key will do: certkeeper run --force',
        )
    lineage = machine.lineages()[spec.alias]
    if lineage.leaf is None or lineage.key_id is None:
        raise NoRecords(f"{spec.alias}: there is no certificate yet", hint=f"certkeeper run {spec.alias}")
    return machine, spec, watch, lineage


def _check_next(spec: CertSpec, lineage: Lineage) -> None:
    if lineage.next_key_id is not None and not lineage.next_key_used:
        return
    trouble = f": {lineage.next_key_trouble}" if lineage.next_key_trouble else ""
    hint = "a run makes one, and publishes its record: certkeeper run"
    if spec.key.policy is KeyPolicy.REUSE:
        hint = 'PRIVATE_KEY_RENEW="no" pins the key: take it out of the page first'
    raise WaitsForDns(f"{spec.alias}: there is no next key yet{trouble}", hint=hint)


def _way_on(watch: DaneWatch, spec: CertSpec, gate: Gate) -> str:
    """What a person may do where the next key has to wait."""
    if not any(seat.decision.age.lingering for seat in watch.view().of(spec.alias)):
        return f"no cache holds a record of it, so another key breaks nobody: certkeeper tlsa roll {spec.alias} --now"
    waits = "the next renewal does it by itself" if gate.until is not None else "mend that first"
    return f"{waits}; to break clients now: certkeeper tlsa roll {spec.alias} --now"


def _say_what_breaks(watch: DaneWatch, spec: CertSpec) -> None:
    """Which clients fail, and for how long at most."""
    for seat in watch.view().of(spec.alias):
        if not seat.decision.age.lingering:
            sys.stdout.write(f"{seat.name}: no cache holds a record, so no client fails\n")
            continue
        bound = seat.decision.age.bound
        sys.stdout.write(
            f"{seat.name}: clients that check TLSA records refuse the new key until their caches know it: "
            f"for up to {duration_text(timedelta(seconds=2 * bound))} after its record is published\n"
        )
    sys.stdout.flush()


def _write_down(machine: Machine, turn: TlsaTurn) -> None:
    with machine.lock():
        machine.journal.prepare()
        machine.journal.write((turn,), ())


def _for_run(options: argparse.Namespace, spec: CertSpec) -> argparse.Namespace:
    """As `certkeeper run ALIAS` is typed."""
    said = {"names": [spec.alias.text], "force": False, "saying": Saying.ALL, "wait_lock": False, "accept_terms": False}
    return argparse.Namespace(**{**vars(options), **said})
