"""The files that a page is made of, named by a process of its own: `python -m certkeeper.cli.compose.pagefiles`.

Whoever watches them needs nothing of what it takes to read them. Each name is followed by a zero: `F` and a file,
whether it is there or not, or `L`, how names end, and the folder whose files count that end so.
"""

import os
import sys
from collections.abc import Sequence

from certkeeper.base.errors import CertkeeperError
from certkeeper.cli.compose.opening import open_machine
from certkeeper.config.evaluating import Evaluator


def named(config: str, evaluator: str) -> str:
    """The names, or nothing but the main file where the page cannot be read: a run tells why."""
    try:
        looked = open_machine(config or None, evaluator=evaluator).looked
    except CertkeeperError:
        return f"F{os.path.abspath(config)}\0" if config else ""  # noqa: PTH100 - text
    files = [f"F{path}\0" for path in looked.files]
    return "".join((*files, *(f"L{suffix}{folder}\0" for folder, suffix in looked.lists if folder.startswith("/"))))


def main(arguments: Sequence[str]) -> None:
    """`arguments` are the configuration, empty where the usual ones count, and who evaluates it."""
    config, evaluator = arguments
    text = named(config, evaluator or Evaluator.PARSER)
    sys.stdout.buffer.write(text.encode(errors="surrogateescape"))


if __name__ == "__main__":
    main(sys.argv[1:])
