"""What starts dehydrated by itself on this machine: cron's files and systemd's timers. Only files are read."""

import re
from collections.abc import Iterator
from pathlib import Path

from certkeeper.base.errors import Location
from certkeeper.config.moving import Scheduled

_FOLDERS = tuple(f"etc/cron.{every}" for every in ("hourly", "daily", "weekly", "monthly"))
_TABLES = ("etc/crontab", "etc/anacrontab")
_TABLE_FOLDERS = ("etc/cron.d", "var/spool/cron/crontabs", "var/spool/cron")
_UNITS = ("etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system")
_WANTED = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
# The program as a word of a command, and none of the folders that are usually called so.
_STARTS = re.compile(r"(?:^|[\s/;&|('\"])(?<!/etc/)(?<!/var/lib/)(?<!/var/www/)dehydrated(?:\.sh)?(?=$|[\s;&|)'\"])")
_OURS = "certkeeper"
_MOST = 1 << 20


def scheduled(root: str) -> tuple[Scheduled, ...]:
    """All of it below that root, which is `/` but for tests. What cannot be read is passed over."""
    base = Path(root)
    return tuple(dict.fromkeys((*_cron_scripts(base), *_cron_tables(base), *_timers(base))))


def _cron_scripts(base: Path) -> Iterator[Scheduled]:
    for folder in _FOLDERS:
        for path in _files(base / folder):
            line = 0 if path.name.startswith("dehydrated") else _first_line(path)
            if line is not None:
                stop = f"remove it, or have cron pass it over: chmod -x {path}"
                yield Scheduled(Location(str(path), line), "a script of cron's", stop)


def _cron_tables(base: Path) -> Iterator[Scheduled]:
    folders = [path for folder in _TABLE_FOLDERS for path in _files(base / folder)]
    for path in [*(base / table for table in _TABLES), *folders]:
        for number, line in _lines(path):
            if _counts(line):
                yield Scheduled(Location(str(path), number), "a line of a crontab", "put # before the line")


def _timers(base: Path) -> Iterator[Scheduled]:
    """Timers that are enabled: systemd links them into a folder of what wants them."""
    seen: set[str] = set()
    for folder in _WANTED:
        for link in sorted((base / folder).glob("*.wants/*.timer")):
            if link.name in seen or not _starts_dehydrated(base, link.name):
                continue
            seen.add(link.name)
            yield Scheduled(Location(str(link)), "a timer of systemd's", f"systemctl disable --now {link.name}")


def _starts_dehydrated(base: Path, timer: str) -> bool:
    if timer.startswith("dehydrated"):
        return True
    service = f"{timer.removesuffix('.timer')}.service"
    return any(_first_line(base / folder / service) is not None for folder in _UNITS)


def _first_line(path: Path) -> int | None:
    return next((number for number, line in _lines(path) if _counts(line)), None)


def _counts(line: str) -> bool:
    return not line.lstrip().startswith("#") and _OURS not in line and _STARTS.search(line) is not None


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        with path.open("rb") as file:
            return list(enumerate(file.read(_MOST).decode(errors="replace").splitlines(), 1))
    except OSError:
        return []
