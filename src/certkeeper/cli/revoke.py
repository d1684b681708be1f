"""`certkeeper revoke`."""

import argparse
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from certkeeper.acme.revoke import RevocationReason, read_reason
from certkeeper.apply.accountcare import Care
from certkeeper.apply.revocation import revoke_certificate
from certkeeper.base.errors import CertkeeperError, ExitCode, UsageError, printable
from certkeeper.base.events import Event
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.traces import Traced
from certkeeper.base.value import dataclass
from certkeeper.cli.authority import at
from certkeeper.cli.compose import USER_AGENT, Machine, handed_files, open_machine
from certkeeper.cli.confirm import confirmed
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.lineage.leaf import leaf_of_file, to_der
from certkeeper.lineage.model import Leaf, Lineage
from certkeeper.lineage.pem import certificates
from certkeeper.lineage.revocation import Revocation
from certkeeper.plan.history import Kind


class NoSuchKey(UsageError):
    """The certificate's private key is not where it was looked for."""


class Ambiguous(UsageError):
    """A name that several certificates have."""


@dataclass(frozen=True, slots=True)
class _Target:
    """A certificate to revoke. `path` is its file where one was named, `lineages` those that it has to do with."""

    pem: bytes
    leaf: Leaf
    path: str
    lineages: Mapping[Alias, Lineage]

    def concerns(self, alias: Alias, machine: Machine, reason: RevocationReason) -> bool:
        """The lineage has this certificate, or its key, where that is compromised."""
        lineage = self.lineages[alias]
        if reason is RevocationReason.KEY_COMPROMISE and lineage.key_id == self.leaf.key_id:
            return True
        leaves = [lineage.leaf, *(version.leaf for version in machine.store.versions(alias))]
        return any((item.serial, item.key_id) == (self.leaf.serial, self.leaf.key_id) for item in leaves if item)


def revoke(options: argparse.Namespace) -> int:
    """Have one certificate revoked, after a question.

    Raises:
        CertkeeperError: the CA refused, or it could not be asked; nothing is changed.
    """
    raise_terminated()
    reason = read_reason(options.reason)
    machine = at(open_machine(options.config, evaluator=options.evaluator), options.ca)
    with machine.lock(), closing(machine):
        target = _target(machine, options.what)
        concerned = [alias for alias in target.lineages if target.concerns(alias, machine, reason)]
        key = _key(machine, target, concerned, options, reason)
        asked = at(machine, None if options.ca else _issuer(machine, target))
        _show(target, concerned, reason, key, asked.settings.ca)
        if not confirmed("revoke it for good?", yes=options.yes):
            return ExitCode.FAILED
        care = Care(asked.settings, USER_AGENT, _tell)
        (block, *_) = certificates(target.pem)
        done = asked.converse(revoke_certificate(care, to_der(block), reason, key))
        sys.stdout.write("revoked\n" if done else "it was revoked before\n")
        machine.happened(Kind.REVOKED, concerned, f"by a person ({reason.word}), serial {target.leaf.serial}")
        return _mark(machine, target, concerned, reason)


def _issuer(machine: Machine, target: _Target) -> str | None:
    """The CA that a live certificate of the page is from, as far as that is known; else the one it is to be from."""
    for spec in machine.configuration.certificates:
        lineage = target.lineages[spec.alias]
        if lineage.leaf == target.leaf:
            return lineage.origin.ca if lineage.origin is not None else spec.ca
    return None


def _mark(machine: Machine, target: _Target, concerned: list[Alias], reason: RevocationReason) -> int:
    """Have the next run replace it. The files that are served stay until then."""
    code = ExitCode.DONE
    for alias in concerned:
        try:
            machine.store.mark_revoked(alias, Revocation(target.leaf.serial, target.leaf.key_id, reason.value))
        except CertkeeperError as error:
            print_error(error, subject=f"{alias}: not marked as revoked")
            code = ExitCode.FAILED
            continue
        lineage = machine.store.lineage(alias)
        if lineage.revoked is not None or lineage.compromised:
            sys.stdout.write(f"{alias}: served until it is replaced, which is due now: certkeeper run {alias}\n")
    return code


def _target(machine: Machine, what: str) -> _Target:
    """What was typed: a certificate of the page, by its alias or a name of it, or else a file."""
    known = {str(spec.alias) for spec in machine.configuration.certificates}
    named = {str(name) for spec in machine.configuration.certificates for name in spec.identifiers}
    lineages = machine.lineages()
    if what.lower().rstrip(".") in known | named or not ("/" in what or Path(what).exists()):
        alias = _alias(machine, what)
        pem, path = machine.store.certificate(alias), ""
    else:
        pem, path = handed_files().read(what), what
    return _Target(pem, leaf_of_file(pem, path or f"{what}: cert.pem"), path, lineages)


def _alias(machine: Machine, what: str) -> Alias:
    selected = [spec.alias for spec in select(machine.configuration, [what]).certificates]
    exact = [alias for alias in selected if alias.text == what.lower()]
    if len(exact or selected) != 1:
        raise Ambiguous(
            f"{printable(what, 80)}: a name of several certificates",
            hint=f"say which one: {', '.join(alias.text for alias in selected)}",
        )
    return (exact or selected)[0]


def _key(
    machine: Machine, target: _Target, concerned: list[Alias], options: argparse.Namespace, reason: RevocationReason
) -> KeyPair | None:
    """The certificate's key where it is to ask. CAs believe a compromise at once if the key itself says so."""
    if not options.by_certificate_key and reason is not RevocationReason.KEY_COMPROMISE:
        return None
    for alias in concerned:
        with suppress(CertkeeperError):
            live = machine.store.live_key(alias)
            if live.key_id == target.leaf.key_id:
                return live
    beside = target.path or f"{machine.settings.certdir}/{next(iter(concerned), '')}/cert.pem"
    key = handed_files().key_beside(beside, target.leaf.key_id)
    if key is None and options.by_certificate_key:
        raise NoSuchKey(
            f"{beside}: its private key is not beside it",
            hint="put it there as privkey.pem, or revoke by the account: leave --by-certificate-key out",
        )
    return key


def _show(target: _Target, concerned: list[Alias], reason: RevocationReason, key: KeyPair | None, ca: str) -> None:
    leaf = target.leaf
    live = [str(alias) for alias in concerned if target.lineages[alias].leaf == leaf]
    sys.stdout.write(f"certificate {leaf.serial}, issued by {leaf.issuer}, valid until {iso(leaf.not_after)}\n")
    sys.stdout.write(f"  names    {' '.join(str(name) for name in sorted(leaf.identifiers))}\n")
    sys.stdout.write(f"  live in  {' '.join(live) or 'no certificate of the page'}\n")
    sys.stdout.write(f"  reason   {reason.word}\n")
    sys.stdout.write(f"  asked    {ca}, by {'its own key' if key is not None else 'the account'}\n")
    sys.stdout.flush()


def _tell(event: Event) -> None:
    if not isinstance(event, Traced):
        sys.stderr.write(f"certkeeper: {event.text}\n")
