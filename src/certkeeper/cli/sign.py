"""`certkeeper sign`."""

import argparse
import sys
from contextlib import closing, suppress

from certkeeper.apply.manner import USUAL, Manner
from certkeeper.apply.result import Signed
from certkeeper.apply.sign import Signing
from certkeeper.base.errors import CertkeeperError, ExitCode, Location, printable
from certkeeper.base.events import Tell
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.cli.authority import at
from certkeeper.cli.compose import USER_AGENT, Machine, handed_files, open_machine
from certkeeper.cli.confirm import confirmed
from certkeeper.cli.output import Output
from certkeeper.cli.planning import NoAccount
from certkeeper.cli.planning import planned as planned_now
from certkeeper.cli.render import Lines, finding_lines, print_error
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.authority import is_known_test_ca
from certkeeper.config.domains import DomainLine, DomainList
from certkeeper.config.settings import DEFAULT_KEY, Configuration, Purpose
from certkeeper.lineage.csr import BadCsr, read_csr
from certkeeper.lineage.request import ReceivedCsr
from certkeeper.plan.actions import Plan
from certkeeper.plan.planner import account_first

EXTERNAL = Alias("external CSR")
"""No line of domains.txt can have it, so nothing that is kept of a certificate is meant."""
_OF_THE_PAGE = frozenset({"first-name-changed", "left-behind", "hook-missing"})
"""Findings about the page's certificates, which are not looked at here, and about deploying them."""

_COMMAND = "sign_csr"
"""dehydrated's word for what is being done, in the environment of scripts."""


def sign(options: argparse.Namespace) -> int:
    """Have a request signed, and hand the chain out.

    Raises:
        CertkeeperError: nothing was started.
    """
    raise_terminated()
    request = request_in(options.file, handed_files().read(options.file))
    line = DomainLine(EXTERNAL, request.identifiers, Location(options.file))
    machine = at(open_machine(options.config, DomainList((line,)), evaluator=options.evaluator), options.ca)
    purpose = _purpose(machine.configuration)
    machine = replace(machine, configuration=as_the_request_has_it(machine.configuration))
    for name in request.others:
        sys.stderr.write(
            f"certkeeper: the request asks for {printable(name, 80)}, which most CAs leave out or refuse\n"
        )
    # Nobody is asked for a certificate that there is no place for.
    if options.out and handed_files().is_there(options.out):
        sys.stderr.write(f"{options.out} is there already\n")
        if not confirmed("replace it?", yes=options.yes, out=sys.stderr):
            return ExitCode.FAILED
    with machine.lock(), closing(machine):
        tell = Lines(sys.stderr).tell
        signed = signed_on(machine, request, terms_accepted=options.accept_terms, tell=tell, purpose=purpose)
    for error in signed.errors:
        print_error(error)
    if not signed.fullchain:
        return signed.errors[0].exit_code
    handed = _hand_out(machine, options, signed.fullchain)
    return handed or (ExitCode.FAILED if signed.errors else ExitCode.DONE)


def request_in(file: str, content: bytes) -> ReceivedCsr:
    try:
        return read_csr(content)
    except BadCsr as error:
        raise BadCsr(f"{file}: {error}", hint=error.hint) from error


def as_the_request_has_it(configuration: Configuration) -> Configuration:
    """What the page says of keys, must-staple and deploying is not about a request that somebody else made.

    The script stays: it may have to answer challenges, and hears of names and requests that the CA refuses.

    Raises:
        ConfigError: a name cannot be proven by any method of the page.
    """
    for rejected in configuration.rejected:
        raise rejected.error
    # Where a test CA's certificates may go makes no difference: nothing of it goes into a folder of ours.
    ca = configuration.settings.ca
    plain = (
        replace(spec, key=DEFAULT_KEY, deploy_command=(), must_staple=False, ca=ca, purpose=Purpose.SERVE)
        for spec in configuration.certificates
    )
    settings = replace(configuration.settings, command=_COMMAND)
    return replace(configuration, settings=settings, certificates=tuple(plain))


def _purpose(configuration: Configuration) -> Purpose:
    """What a certificate of the CA that is asked is for. TEST_CA is about the page's, and another one may be typed."""
    ca = configuration.settings.ca
    for spec in configuration.certificates:
        if spec.ca == ca:
            return spec.purpose
    return Purpose.REHEARSE if is_known_test_ca(ca) else Purpose.SERVE


def signed_on(
    machine: Machine,
    request: ReceivedCsr,
    *,
    terms_accepted: bool,
    tell: Tell,
    manner: Manner = USUAL,
    purpose: Purpose = Purpose.SERVE,
) -> Signed:
    """Have a request signed on a machine whose page was made for it. `purpose` decides what scripts are told.

    Raises:
        CertkeeperError: its names cannot be proven, or the CA would refuse; nothing was started.
    """
    planned = _plan_for_request(machine)
    # What cannot be written down must not be begun.
    machine.journal.prepare()
    return machine.carry(
        lambda executor: Signing(
            planned,
            request,
            machine.settings,
            executor=executor,
            clock=machine.clock,
            user_agent=USER_AGENT,
            terms_accepted=terms_accepted,
            tell=tell,
            manner=manner,
            purpose=purpose,
        )
    )


def _plan_for_request(machine: Machine) -> Plan:
    """How its names are proven.

    Raises:
        CertkeeperError: they cannot be, or the CA would refuse.
    """
    observed = machine.observe()
    if account_first(machine.configuration, observed):
        raise NoAccount(
            f"{machine.settings.ca}: no account there yet, and how the names are proven depends on its URL",
            hint="certkeeper account register --accept-terms makes one",
        )
    planned = planned_now(machine, machine.configuration, observed, ())
    # What is signed goes to whoever asks, and into no folder of ours.
    for text in finding_lines(tuple(found for found in planned.findings if found.code not in _OF_THE_PAGE)):
        sys.stderr.write(f"{text}\n")
    for item in planned.blocked:
        if item.error is not None:
            raise item.error
    return planned


def _hand_out(machine: Machine, options: argparse.Namespace, fullchain: bytes) -> int:
    """To the file, or to standard output; also there where the file cannot be written: it was paid for."""
    if options.out:
        try:
            handed_files().write(options.out, fullchain)
        except CertkeeperError as error:
            print_error(error)
        else:
            return ExitCode.DONE
    sys.stdout.write(fullchain.decode("ascii", "replace"))
    sys.stdout.flush()
    if isinstance(sys.stdout, Output) and sys.stdout.is_lost:
        _rescue(machine, options.file, fullchain)
        return ExitCode.FAILED
    return ExitCode.FAILED if options.out else ExitCode.DONE


def _rescue(machine: Machine, request: str, fullchain: bytes) -> None:
    """Keep what standard output did not take: beside the request, else in STATEDIR, else on standard error."""
    now = int(machine.clock.now().timestamp())
    kept = ""
    with suppress(CertkeeperError):
        kept = handed_files().keep_beside(request, fullchain, now)
    with suppress(CertkeeperError):
        kept = kept or handed_files().keep_in(machine.settings.statedir, request, fullchain, now)
    if kept:
        sys.stderr.write(f"certkeeper: the chain did not go out, and is kept in {kept}\n")
        return
    chain = fullchain.decode("ascii", "replace")
    sys.stderr.write(f"certkeeper: the chain did not go out, and cannot be kept:\n{chain}")
