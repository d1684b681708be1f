"""`certkeeper config convert`."""

import argparse
import sys
from pathlib import Path

from certkeeper.base.errors import ExitCode
from certkeeper.base.events import count
from certkeeper.cli.compose import handed_files, open_machine
from certkeeper.cli.render import finding_lines
from certkeeper.config.convert import convert as converted
from certkeeper.config.page import rivals


def convert(options: argparse.Namespace) -> int:
    """Print the page as a certkeeper.toml without its secrets, or write it with them into a new file.

    Raises:
        CertkeeperError: the page cannot be read, or the file cannot be written.
    """
    configuration = open_machine(options.config, evaluator=options.evaluator).configuration
    document = converted(configuration)
    for line in finding_lines(document.findings):
        sys.stderr.write(f"{line}\n")
    if options.out is None:
        sys.stdout.write(document.shown)
        if document.secrets:
            sys.stderr.write(f"{count(document.secrets, 'secret')} left out: --out FILE writes them into a file\n")
        return ExitCode.DONE
    handed_files().write_new(options.out, document.whole.encode())
    sys.stdout.write(
        f"{options.out} written (0600); it has no effect on {configuration.settings.config_file}\n"
        f"try it: certkeeper plan --config {options.out}\n"
    )
    for rival in rivals(str(Path(options.out).absolute())):
        if Path(rival).is_file():
            sys.stdout.write(f"{beside(rival)}\n")
    return ExitCode.DONE


def beside(rival: str) -> str:
    """What becomes of commands that name no page while there are two of them."""
    return f"from now on name one with --config, or move the other away: mv {rival} {rival}.old"
