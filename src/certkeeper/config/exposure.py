"""Which files of a page others can change, and what comes of that.

A file that everybody can change and that names programs is not read at all. One that a certain user or group can
change is a finding, since installations are kept that way on purpose.
"""

from certkeeper.base.errors import Location
from certkeeper.base.wire import Exchange
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.reading import Exposure, Holds, exposures
from certkeeper.config.values import Values


def exposed(values: Values) -> Exchange[tuple[Finding, ...]]:
    """A finding for each of those who can change any of the files that were read so far, and for what they can do."""
    found = yield from exposures(values.text("DEHYDRATED_USER"))
    groups: dict[tuple[str, Holds], list[Exposure]] = {}
    for item in found:
        groups.setdefault((item.who, item.holds), []).append(item)
    return tuple(_finding(items) for items in groups.values())


def _finding(items: list[Exposure]) -> Finding:
    first = items[0]
    files = len({item.path for item in items})
    more = f" (and {files - 1} more file{'s' if files > 2 else ''})" if files > 1 else ""
    through = "" if first.place == first.path else f", through {first.place}"
    programs = first.holds is Holds.SETTINGS
    return Finding(
        "open-to-others" if programs else "open-list",
        Severity.WARNING if programs or first.everybody else Severity.NOTE,
        f"{first.who} can change it{through}{more}",
        f"whoever does can have programs run as {first.running_as}"
        if programs
        else "whoever does decides which certificates are ordered, and can use up the CA's limits",
        first.fix,
        Location(first.path),
    )
