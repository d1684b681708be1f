"""`--revoke`: the file is renamed once the CA agreed, and only then."""

import sys
from contextlib import closing, suppress
from pathlib import Path

from certkeeper.acme.revoke import RevocationReason
from certkeeper.apply.revocation import revoke_certificate
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import Alias, InvalidName
from certkeeper.cli.compat.account import account_ready
from certkeeper.cli.compat.sitting import Refused, Sitting, locked
from certkeeper.cli.compose import Machine, handed_files
from certkeeper.config.domains import DomainList
from certkeeper.lineage.layout import CERT, live_stamp, stamped_name
from certkeeper.lineage.leaf import leaf_of_file, to_der
from certkeeper.lineage.pem import certificates
from certkeeper.lineage.revocation import Revocation

_REVOKED = "-revoked"


class NoSuchFile(CertkeeperError):
    """The certificate is not where it was said to be."""

    label = "usage"
    fault = Fault.OPERATOR


def revoke(sitting: Sitting) -> int:
    """Have one certificate revoked.

    Raises:
        CertkeeperError: the CA refused, or it could not be asked; nothing is changed.
    """
    machine = sitting.open(DomainList())
    with locked(machine), closing(machine):
        file = Path(sitting.typed.file)
        if not file.is_file():
            raise NoSuchFile(f"Could not find certificate {file}")
        stamped = _stamped(file)
        if file.name.endswith(_REVOKED) or stamped.name.endswith(_REVOKED):
            raise Refused(f"{file}: was revoked before", hint="type the certificate that is to be revoked")
        # Before anything is changed, and where nothing can be wrong with it any more afterwards.
        version = _version(file) if file.resolve().name == CERT else None
        pem = handed_files().read(str(stamped))
        leaf = leaf_of_file(pem, str(stamped))
        key = _certificate_key(sitting, leaf.key_id)
        if key is None:
            account_ready(sitting, machine)
        sys.stdout.write(f"Revoking {stamped}\n")
        sys.stdout.flush()
        (block, *_) = certificates(pem)
        sitting.converse(
            machine, revoke_certificate(sitting.care(machine), to_der(block), RevocationReason.UNSPECIFIED, key)
        )
        sys.stdout.write(f" + Done.\n + Renaming certificate to {stamped}-revoked\n")
        alias = _alias(machine, stamped)
        if alias is not None:
            revocation = Revocation(leaf.serial, leaf.key_id, RevocationReason.UNSPECIFIED.value)
            machine.store.mark_revoked(alias, revocation)
        handed_files().set_aside(str(stamped), f"{stamped}-revoked")
        if alias is not None and version is not None:
            machine.store.withdraw_certificate(alias, version)
    return ExitCode.DONE


def _stamped(file: Path) -> Path:
    """The file with the content, by the name that it has beside the links."""
    if not file.is_symlink():
        return file
    version = _version(file)
    if version is None:
        return file.parent / file.readlink()
    # Ours: the same file has a name there, too, with which dehydrated knows it.
    return file.parent / stamped_name(file.resolve().name, version)


def _version(file: Path) -> int | None:
    """The version of ours that a link leads to; None for a file, and for a link of dehydrated's."""
    if not file.is_symlink():
        return None
    folder = file.resolve().parent
    return live_stamp(f"{folder.parent.name}/{folder.name}")


def _certificate_key(sitting: Sitting, key_id: str) -> KeyPair | None:
    """The key that was typed, where it is the certificate's own; another one is an account's."""
    if not sitting.typed.privkey:
        return None
    key = handed_files().account_key(sitting.typed.privkey)
    return key if key.key_id == key_id else None


def _alias(machine: Machine, file: Path) -> Alias | None:
    """The certificate in whose folder the file is."""
    certdir = Path(machine.settings.certdir)
    with suppress(InvalidName):
        alias = Alias.parse(file.parent.name)
        there = certdir / alias.text
        return alias if there.is_dir() and file.parent.samefile(there) else None
    return None
