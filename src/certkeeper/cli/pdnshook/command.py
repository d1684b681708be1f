"""The hooks that certkeeper pdns-hook knows. Whatever goes wrong is exit code 1, as dehydrated expects of hooks."""

import os
import sys
from collections.abc import Sequence
from contextlib import closing

from certkeeper.base.errors import CertkeeperError, ExitCode, printable
from certkeeper.base.names import DnsName, InvalidName
from certkeeper.cli.compose import open_hook_machine, read_hook_commands
from certkeeper.cli.pdnshook.badcall import USAGE, BadCall
from certkeeper.cli.render import print_error
from certkeeper.zone.rrset import KNOWN_SOA_EDIT, KNOWN_SOA_EDIT_API

_NOT_FOUND = 127


def called(words: list[str]) -> int:
    """One call; errors are told here."""
    try:
        match words:
            case ["deploy_challenge", *triples]:
                from certkeeper.cli.pdnshook.challenges import deploy  # noqa: PLC0415 - others need no zones

                return deploy(triples)
            case ["clean_challenge", *triples]:
                from certkeeper.cli.pdnshook.challenges import clean  # noqa: PLC0415 - as above

                return clean(triples)
            case ["deploy_cert", *_]:
                return _become(read_hook_commands().deploy_cert)
            case ["exit_hook", *_]:
                return _become(read_hook_commands().exit_hook)
            case ["soa_edit", zone, *values] if len(values) <= 2:
                return _soa_edit(zone, values)
        raise BadCall(f"{' '.join(words) or 'no hook'}: not how a hook is called", hint=USAGE)
    except CertkeeperError as error:
        print_error(error)
        return ExitCode.FAILED


def _become(command: tuple[str, ...]) -> int:
    """Go on as another program, without arguments: how it ends is how the hook ends."""
    if not command:
        return ExitCode.DONE
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(command[0], command)  # noqa: S606 - the operator's own command, which needs no shell
    except OSError as error:
        sys.stderr.write(f"certkeeper: error: {printable(command[0])}: cannot run it: {error.strerror}\n")
        return _NOT_FOUND


def _soa_edit(name: str, values: Sequence[str]) -> int:
    try:
        zone = DnsName.parse(name)
    except InvalidName as error:
        raise BadCall(str(error)) from error
    _refuse_unknown(values)
    with closing(open_hook_machine()) as machine:
        soa = machine.soa_edit()
        if values:
            soa.set(zone, values[0], values[1] if len(values) > 1 else "DEFAULT")
        sys.stdout.write(f"zone {zone}: {printable(soa.shown(zone))}\n")
    return ExitCode.DONE


def _refuse_unknown(values: Sequence[str]) -> None:
    """PowerDNS takes any word, and with one that it does not know secondaries never fetch a change."""
    settings = (("SOA-EDIT", KNOWN_SOA_EDIT), ("SOA-EDIT-API", KNOWN_SOA_EDIT_API))
    for (setting, known), value in zip(settings, values, strict=False):
        if value.upper() not in known:
            words = ", ".join(sorted(word or "'' (not set)" for word in known))
            raise BadCall(
                f"{setting} {printable(value, 40)}: PowerDNS does not know it", hint=f"known {setting}s are {words}"
            )
