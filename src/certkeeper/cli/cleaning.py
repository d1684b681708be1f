"""What a cleanup did, in dehydrated's words and in ours; and the one after a run (AUTO_CLEANUP)."""

import os
import sys
from collections.abc import Collection, Iterator

from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.events import count
from certkeeper.cli.compose import Machine
from certkeeper.cli.saying import Saying
from certkeeper.config.settings import Cleanup
from certkeeper.lineage.cleanup import Cleared, Clearing


def archive_of(basedir: str) -> str:
    """Where dehydrated keeps what it cleaned up."""
    return f"{basedir}/archive"


def dehydrated_line(cleared: Cleared) -> str:
    """The line that people look for in the mails of their cron jobs."""
    name = printable(f"{os.path.basename(cleared.folder)}/{cleared.name}")  # noqa: PTH119 - text
    match cleared.clearing:
        case Clearing.UNLINKED:
            return f"Removing broken symlink: {printable(cleared.folder)}/{cleared.name}"
        case Clearing.ARCHIVED:
            return f"Moving unused file to archive directory: {name}"
        case Clearing.DELETED:
            return f"Deleting unused file: {name}"


def clean_up_after_run(machine: Machine, *, saying: Saying) -> tuple[CertkeeperError, ...]:
    """What AUTO_CLEANUP asks for; what went wrong."""
    wanted = machine.settings.cleanup
    archive = archive_of(machine.settings.basedir) if wanted is Cleanup.ARCHIVE else None
    cleared: list[Cleared] = []
    try:
        troubles = machine.clean_up(archive, cleared.append)
    except CertkeeperError as error:
        troubles = (error,)
    if saying.changes:
        sys.stdout.write("".join(f"{line}\n" for line in cleared_lines(cleared, archive)))
    return troubles


def cleared_lines(cleared: Collection[Cleared], archive: str | None) -> Iterator[str]:
    """One line for each folder."""
    for folder in dict.fromkeys(item.folder for item in cleared):
        name = printable(os.path.basename(folder))  # noqa: PTH119 - text
        links = [item.name for item in cleared if item.folder == folder and item.clearing is Clearing.UNLINKED]
        files = sum(1 for item in cleared if item.folder == folder) - len(links)
        if links:
            yield f"{name}: links to nothing removed: {', '.join(links)}"
        if files:
            where = f"moved to {printable(archive)}/{name}" if archive is not None else "deleted"
            yield f"{name}: {count(files, 'unused file')} {where}"
