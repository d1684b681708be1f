"""`--signcsr`: the certificate on standard output, all else on standard error."""

import sys
from contextlib import closing

from certkeeper.base.errors import CertkeeperError, ExitCode, Location
from certkeeper.base.value import replace
from certkeeper.cli.compat.account import account_ready
from certkeeper.cli.compat.sitting import Sitting, locked
from certkeeper.cli.compat.telling import SigningTelling
from certkeeper.cli.compat.words import Flag
from certkeeper.cli.compose import handed_files
from certkeeper.cli.sign import EXTERNAL, request_in, signed_on, without_key_and_hook
from certkeeper.config.domains import DomainLine, DomainList
from certkeeper.lineage.pem import certificates


def sign(sitting: Sitting) -> int:
    """Have a request signed, and print the certificate.

    Raises:
        CertkeeperError: there is none.
    """
    file = sitting.typed.file
    try:
        request = request_in(file, handed_files().read(file))
    except CertkeeperError:
        sitting.say_what_is_read()
        raise
    line = DomainLine(EXTERNAL, request.identifiers, Location(file))
    machine = sitting.open(DomainList((line,)))
    machine = replace(machine, configuration=without_key_and_hook(machine.configuration))
    sitting.telling = SigningTelling(sys.stderr, sys.stderr)
    with locked(machine), closing(machine):
        account_ready(sitting, machine)
        signed = signed_on(machine, request, terms_accepted=False, tell=sitting.telling.tell, manner=sitting.manner)
    chain = signed.fullchain.decode("ascii", "replace")
    if chain:
        sys.stdout.write(f"# CERT #\n{chain.rstrip()}\n\n")
    if chain and Flag.FULL_CHAIN in sitting.typed.flags:
        sys.stdout.write(f"# CHAIN #\n{_issuer(signed.fullchain)}")
    sys.stdout.flush()
    for error in signed.errors:
        raise error
    return ExitCode.DONE


def _issuer(fullchain: bytes) -> str:
    """The certificate after the first: the CA sent it along, so nobody is asked for it."""
    _, *rest = certificates(fullchain)
    return f"{rest[0].decode('ascii').rstrip()}\n" if rest else ""
