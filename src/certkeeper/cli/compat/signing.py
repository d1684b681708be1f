"""`--signcsr`: the certificate on standard output, all else on standard error."""

import sys
from collections.abc import Iterator
from contextlib import closing

from certkeeper.apply.issuer import issuer_of
from certkeeper.base.errors import CertkeeperError, ExitCode, Interrupted, Location
from certkeeper.base.events import Noted
from certkeeper.base.value import replace
from certkeeper.cli.compat.account import account_ready
from certkeeper.cli.compat.sitting import Sitting, locked
from certkeeper.cli.compat.telling import SigningTelling
from certkeeper.cli.compat.words import Flag
from certkeeper.cli.compose import USER_AGENT, Machine, handed_files
from certkeeper.cli.sign import EXTERNAL, as_the_request_has_it, request_in, signed_on
from certkeeper.config.domains import DomainLine, DomainList


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
    machine = replace(machine, configuration=as_the_request_has_it(machine.configuration))
    sitting.telling = SigningTelling(sys.stderr, sys.stderr)
    with closing(machine):
        with locked(machine):
            account_ready(sitting, machine)
            signed = signed_on(machine, request, terms_accepted=False, tell=sitting.telling.tell, manner=sitting.manner)
        errors = [*signed.errors]
        if signed.fullchain:
            _say(f"# CERT #\n{signed.fullchain.decode('ascii', 'replace').rstrip()}\n\n")
            if Flag.FULL_CHAIN in sitting.typed.flags:
                errors += _chain_said(sitting, machine, signed.fullchain)
    for error in errors[1:]:
        sitting.telling.tell(Noted(str(EXTERNAL), str(error)))
    for error in errors:
        raise error
    return ExitCode.DONE


def _chain_said(sitting: Sitting, machine: Machine, fullchain: bytes) -> Iterator[CertkeeperError]:
    """Print the issuer's certificate; why there is none, where that is so: the certificate is out by then."""
    try:
        issuer = sitting.converse(machine, issuer_of(fullchain, USER_AGENT))
    except Interrupted:
        raise
    except CertkeeperError as error:
        yield error
    else:
        _say(f"# CHAIN #\n{issuer.decode('ascii').rstrip()}\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
