"""The program `certkeeper`: finds the command and turns errors into words and exit codes.

Nothing is imported up here: packaging scripts and shells ask for `--version` and `--help` in loops.
"""

import os
import sys

from certkeeper import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from certkeeper.base.errors import OutOfDescriptors


def main(arguments: "Sequence[str]") -> int:
    """Run one command and return its exit code."""
    if list(arguments) == ["--version"]:
        sys.stdout.write(f"certkeeper {__version__}\n")
        return 0
    if arguments[:1] == ["pdns-hook"] and arguments[1:] not in (["--help"], ["-h"]):
        from certkeeper.cli.pdnshook.entry import pdns_hook  # noqa: PLC0415 - see above

        return pdns_hook(arguments[1:])
    from certkeeper.base.errors import CertkeeperError, ExitCode  # noqa: PLC0415 - see above

    try:
        return _command(arguments)
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


def _command(arguments: "Sequence[str]") -> int:
    if arguments[:1] == ["dehydrated"]:
        # Its words are dehydrated's, which are not argparse's.
        from certkeeper.cli.compat.program import dehydrated  # noqa: PLC0415 - see above

        own = os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib costs more than `--version` may
        return dehydrated(arguments[1:], "certkeeper dehydrated" if arguments == sys.argv[1:] else own)
    if arguments[:1] == ["run"]:
        from certkeeper.adapters.calm import recall  # noqa: PLC0415 - see above

        calm = recall(arguments)
        if calm is not None:
            sys.stdout.write(calm["text"])
            if calm["owed"]:
                from certkeeper.adapters.aftercalm import tell  # noqa: PLC0415 - most pages tell nobody of good runs

                for what, error in tell(calm["owed"], calm["now"], calm["seconds"]):
                    from certkeeper.cli.render import print_warning  # noqa: PLC0415 - only where something failed

                    print_warning(error, what)
            return 0
    from certkeeper.cli.arguments import build_parser  # noqa: PLC0415 - see above
    from certkeeper.cli.commands import carry_out  # noqa: PLC0415 - as above

    options = build_parser(arguments[0] if arguments else "").parse_args(arguments)
    options.typed = tuple(arguments)
    return carry_out(options)


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


def dehydrated_entry() -> "NoReturn":
    """What the installed script `certkeeper-dehydrated` calls, by whatever name."""
    os._exit(program(["dehydrated", *sys.argv[1:]]))


def program(arguments: "Sequence[str] | None" = None) -> int:
    """Run the command, that of sys.argv where none is given, with an output that cannot break it; its exit code."""
    from certkeeper.cli.output import Output  # noqa: PLC0415 - see above

    out, err = Output(sys.stdout), Output(sys.stderr)
    # It does what print, argparse and rich need of a stream, and typing.cast costs more than `--version` may.
    sys.stdout, sys.stderr = out, err
    code = main(sys.argv[1:] if arguments is None else arguments)
    out.flush()
    # `certkeeper status | head` is no failure; an answer that was lost on a full disk is one.
    if out.trouble is not None and not isinstance(out.trouble, BrokenPipeError):
        reason = getattr(out.trouble, "strerror", None) or str(out.trouble)
        err.write(f"certkeeper: error: standard output: cannot write: {reason.lower()}\n")
        code = code or 1
    err.flush()
    return code
