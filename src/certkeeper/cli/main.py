"""The program `certkeeper`: finds the command and turns errors into words and exit codes.

Nothing is imported up here: packaging scripts and shells ask for `--version` and `--help` in loops.
"""

import os
import sys

from certkeeper import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import NoReturn

    from certkeeper.base.errors import OutOfDescriptors


def main(arguments: "Sequence[str]") -> int:
    """Run one command and return its exit code."""
    if list(arguments) == ["--version"]:
        sys.stdout.write(f"certkeeper {__version__}\n")
        return 0
    from certkeeper.base.errors import CertkeeperError, ExitCode  # noqa: PLC0415 - see above
    from certkeeper.cli.arguments import build_parser  # noqa: PLC0415 - see above

    options = build_parser().parse_args(arguments)
    try:
        return _dispatch(options)
    except CertkeeperError as error:
        from certkeeper.cli.render import print_error  # noqa: PLC0415 - only where something failed

        print_error(error)
        return error.exit_code
    except (OSError, ImportError) as error:
        from certkeeper.cli.render import print_error  # noqa: PLC0415 - as above

        starved = _out_of_descriptors(error)
        if starved is None:
            raise
        print_error(starved)
        return starved.exit_code
    except KeyboardInterrupt as stop:
        sys.stderr.write("certkeeper: interrupted\n")
        return ExitCode.TERMINATED if type(stop).__name__ == "Terminated" else ExitCode.INTERRUPTED


def _out_of_descriptors(error: "OSError | ImportError") -> "OutOfDescriptors | None":
    """A module that cannot be opened is a fault of nobody's but the limit's."""
    import errno  # noqa: PLC0415 - only where something failed
    import os  # noqa: PLC0415 - as above

    from certkeeper.base.errors import OutOfDescriptors  # noqa: PLC0415 - see above

    words = os.strerror(errno.EMFILE), os.strerror(errno.ENFILE)
    return OutOfDescriptors("certkeeper") if any(said in str(error) for said in words) else None


def entry() -> "NoReturn":
    """What the installed script calls."""
    # At once: all that is owed is on disk, and taking every module apart would take as long as a good part of a run.
    os._exit(program())


def program() -> int:
    """Run the command of sys.argv with an output that cannot break it, and return its exit code."""
    from certkeeper.cli.output import Output  # noqa: PLC0415 - see above

    out, err = Output(sys.stdout), Output(sys.stderr)
    # It does what print, argparse and rich need of a stream, and typing.cast costs more than `--version` may.
    sys.stdout, sys.stderr = out, err
    code = main(sys.argv[1:])
    out.flush()
    # `certkeeper status | head` is no failure; an answer that was lost on a full disk is one.
    if out.trouble is not None and not isinstance(out.trouble, BrokenPipeError):
        reason = getattr(out.trouble, "strerror", None) or str(out.trouble)
        err.write(f"certkeeper: error: standard output: cannot write: {reason.lower()}\n")
        code = code or 1
    err.flush()
    return code


def _dispatch(options: "argparse.Namespace") -> int:
    match options.command:
        case "run":
            from certkeeper.cli.run import run  # noqa: PLC0415 - a command loads only what it needs

            return run(options)
        case "plan":
            from certkeeper.cli.plan import plan  # noqa: PLC0415 - as above

            return plan(options)
        case "prune":
            from certkeeper.cli.prune import prune  # noqa: PLC0415 - as above

            return prune(options)
        case "dns":
            return _dispatch_dns(options)
        case "revoke":
            from certkeeper.cli.revoke import revoke  # noqa: PLC0415 - as above

            return revoke(options)
        case "sign":
            from certkeeper.cli.sign import sign  # noqa: PLC0415 - as above

            return sign(options)
        case "account":
            from certkeeper.cli.account.command import account  # noqa: PLC0415 - as above

            return account(options)
        case "config" | "doctor" | "unlock":
            return _dispatch_care(options)
        case "heal" | "deploy" | "retire" | "alert" | "timer":
            return _dispatch_life(options)
        case _:
            from certkeeper.cli.status import status  # noqa: PLC0415 - as above

            return status(options)


def _dispatch_care(options: "argparse.Namespace") -> int:
    match options.command:
        case "config":
            return _dispatch_config(options)
        case "doctor":
            from certkeeper.cli.doctor import doctor  # noqa: PLC0415 - see above

            return doctor(options)
        case _:
            from certkeeper.cli.unlock import unlock  # noqa: PLC0415 - as above

            return unlock(options)


def _dispatch_config(options: "argparse.Namespace") -> int:
    match options.config_command:
        case "show":
            from certkeeper.cli.config.show import show  # noqa: PLC0415 - see above

            return show(options)
        case "convert":
            from certkeeper.cli.config.convert import convert  # noqa: PLC0415 - as above

            return convert(options)
        case _:
            from certkeeper.cli.config.check import check  # noqa: PLC0415 - as above

            return check(options)


def _dispatch_dns(options: "argparse.Namespace") -> int:
    match options.dns_command:
        case "doctor":
            from certkeeper.cli.dns.doctor import doctor  # noqa: PLC0415 - see above

            return doctor(options)
        case "test":
            from certkeeper.cli.dns.trial import trial  # noqa: PLC0415 - as above

            return trial(options)
        case "caa":
            from certkeeper.cli.dns.caa import caa  # noqa: PLC0415 - as above

            return caa(options)
        case "persist":
            from certkeeper.cli.dns.persist import persist  # noqa: PLC0415 - as above

            return persist(options)
        case _:
            from certkeeper.cli.dns.cleanup import cleanup  # noqa: PLC0415 - as above

            return cleanup(options)


def _dispatch_life(options: "argparse.Namespace") -> int:
    match options.command:
        case "heal":
            from certkeeper.cli.heal import heal  # noqa: PLC0415 - see above

            return heal(options)
        case "deploy":
            from certkeeper.cli.deploy import deploy  # noqa: PLC0415 - as above

            return deploy(options)
        case "retire":
            from certkeeper.cli.retire import retire  # noqa: PLC0415 - as above

            return retire(options)
        case "alert":
            from certkeeper.cli.alert import alert  # noqa: PLC0415 - as above

            return alert(options)
        case _:
            from certkeeper.cli.timer import timer  # noqa: PLC0415 - as above

            return timer(options)
