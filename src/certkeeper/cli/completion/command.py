"""`certkeeper completion`."""

import argparse
import sys
from collections.abc import Callable

from certkeeper.base.errors import ExitCode
from certkeeper.cli.arguments import build_parser
from certkeeper.cli.completion.bash import bash
from certkeeper.cli.completion.fish import fish
from certkeeper.cli.completion.grammar import Node, grammar
from certkeeper.cli.completion.zsh import zsh

SHELLS: dict[str, Callable[[Node], str]] = {"bash": bash, "zsh": zsh, "fish": fish}


def completion(options: argparse.Namespace) -> int:
    """Print what the shell that is named needs to complete this program's commands and options."""
    sys.stdout.write(SHELLS[options.shell](grammar(build_parser())))
    return ExitCode.DONE
