"""`certkeeper schema`."""

import argparse
import sys
from importlib.resources import files

from certkeeper.base.errors import ExitCode
from certkeeper.cli.documents import VERSIONS


def schema(options: argparse.Namespace) -> int:
    """Print a schema, or the names of all."""
    if options.name is None:
        sys.stdout.write("".join(f"{name} {version}\n" for name, version in VERSIONS.items()))
    else:
        sys.stdout.write((files("certkeeper") / "schemas" / f"{options.name}.json").read_text(encoding="utf-8"))
    return ExitCode.DONE
