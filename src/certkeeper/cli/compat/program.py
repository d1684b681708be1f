"""`certkeeper dehydrated`, and the program `certkeeper-dehydrated`: finds the command, and ends as dehydrated ends."""

import sys
from collections.abc import Sequence

from certkeeper.base.errors import CertkeeperError
from certkeeper.cli.compat.words import Answer, Command, Typed, read_words
from certkeeper.cli.signals import raise_terminated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.cli.compat.sitting import Sitting


def dehydrated(words: Sequence[str], program: str) -> int:
    """Do what was typed, and return the exit code: 0 where it went well, else 1. Errors are told here."""
    read = read_words(words, program)
    if isinstance(read, Answer):
        sys.stdout.write(read.out)
        sys.stderr.write(read.err)
        return read.code
    if read.command is Command.VERSION:
        from certkeeper.cli.compat.about import version  # noqa: PLC0415 - a command loads only what it needs

        return version(read)
    raise_terminated()
    return _sit(read, program)


def _sit(typed: Typed, program: str) -> int:
    from certkeeper.cli.compat.sitting import Sitting  # noqa: PLC0415 - as above

    sitting = Sitting(typed, program)
    try:
        return _command(sitting)
    except CertkeeperError as error:
        from certkeeper.acme.account import TermsNotAccepted  # noqa: PLC0415 - as above
        from certkeeper.cli.compat.failing import exit_code_of, print_failure  # noqa: PLC0415 - as above

        print_failure(error, sys.stderr, program)
        if not isinstance(error, TermsNotAccepted):
            # Whoever has not agreed to them has not begun, and dehydrated's scripts are not told.
            sitting.end(error)
        return exit_code_of(error)


def _command(sitting: "Sitting") -> int:
    match sitting.typed.command:
        case Command.ENV:
            from certkeeper.cli.compat.about import env  # noqa: PLC0415 - as above

            return env(sitting)
        case Command.CRON:
            from certkeeper.cli.compat.cron import cron  # noqa: PLC0415 - as above

            return cron(sitting)
        case Command.SIGN:
            from certkeeper.cli.compat.signing import sign  # noqa: PLC0415 - as above

            return sign(sitting)
        case Command.REVOKE:
            from certkeeper.cli.compat.revoking import revoke  # noqa: PLC0415 - as above

            return revoke(sitting)
        case Command.CLEANUP | Command.CLEANUP_DELETE:
            from certkeeper.cli.compat.clearing import clear  # noqa: PLC0415 - as above

            return clear(sitting)
        case _:
            from certkeeper.cli.compat.account import account  # noqa: PLC0415 - as above

            return account(sitting)
