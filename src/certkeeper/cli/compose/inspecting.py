"""What this installation is made of, looked at and left as it is."""

from certkeeper.adapters.dependencies import Dependency, dependencies
from certkeeper.adapters.files import FileMissing, read_file
from certkeeper.adapters.journal import Journal
from certkeeper.adapters.lock import Left, held_by
from certkeeper.cli.compose.machine import Machine

__all__ = ["Dependency", "dependencies", "journal_schema", "lock_left", "text_of"]


def journal_schema(machine: Machine) -> tuple[int, int]:
    """As `Journal.schema`."""
    return Journal(machine.settings.statedir, machine.claims).schema()


def lock_left(machine: Machine) -> Left | None:
    """Whose lock file is there although no certkeeper holds it.

    Raises:
        CertkeeperError: a certkeeper holds it, or it cannot be looked at.
    """
    path = machine.settings.lockfile
    return held_by(path) if path is not None else None


def text_of(path: str) -> str | None:
    """What a file says; None where there is none. Raises FileTrouble where it cannot be read."""
    try:
        return read_file(path).decode(errors="replace")
    except FileMissing:
        return None
