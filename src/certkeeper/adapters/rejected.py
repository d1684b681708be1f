"""STATEDIR/rejected: answers of CAs that were not what was ordered, a few of each lineage, for people to look at."""

import re

from certkeeper.adapters.files import Folder
from certkeeper.adapters.state import make_state
from certkeeper.base.names import Alias

NAME = "rejected"
KEPT = 3
LARGEST = 256 * 1024
"""Octets of an answer that are kept. The longest real chains have some 20 kB."""


class Rejected:
    """Implements the port Rejected."""

    def __init__(self, statedir: str) -> None:
        self._statedir = statedir

    def keep(self, alias: Alias, answer: bytes, now_epoch: int) -> str:
        """Keep the beginning of the answer, and of the lineage's earlier ones the latest; the path.

        Raises:
            StateRefused: STATEDIR is not ours alone.
            FileTrouble: it cannot be written.
        """
        with make_state(self._statedir) as state, state.make_child(NAME) as folder:
            mine = sorted(_stamps(folder, alias))
            stamp = max(now_epoch, mine[-1] + 1) if mine else now_epoch
            name = _name(alias, stamp)
            folder.put(name, answer[:LARGEST])
            for old in mine[: max(0, len(mine) + 1 - KEPT)]:
                folder.remove(_name(alias, old))
            folder.sync()
            return folder.path_of(name)


def _name(alias: Alias, stamp: int) -> str:
    return f"{alias}-{stamp}.pem"


def _stamps(folder: Folder, alias: Alias) -> list[int]:
    """Only names that we would give ourselves are ours to remove."""
    pattern = re.compile(re.escape(alias.text) + r"-([1-9][0-9]{0,17})\.pem")
    return [int(found[1]) for name in folder.names() if (found := pattern.fullmatch(name))]
