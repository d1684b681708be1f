"""Which files of a page others can change, and what comes of that.

A file that everybody can change and that names programs is not read at all. One that a certain user or group can
change is a finding, since installations are kept that way on purpose.
"""

from collections.abc import Sequence

from certkeeper.base.errors import Location
from certkeeper.base.wire import Exchange
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.reading import Exposure, Holds, exposures
from certkeeper.config.settings import CertSpec, HookSettings, Settings
from certkeeper.config.shell import Shell
from certkeeper.config.values import Values


def called(settings: Settings, certificates: Sequence[CertSpec], shell: Shell) -> tuple[str, ...]:
    """Hooks and commands of the page, by path or name, without those of services. Its functions are in its files."""
    hooks = [settings.hook, *(spec.hook for spec in certificates)]
    hooks += [item.settings.script for item in settings.providers if isinstance(item.settings, HookSettings)]
    commands = [settings.telling.command, settings.exit_command, *(spec.deploy_command for spec in certificates)]
    named = [hook for hook in hooks if hook not in shell.callable]
    named += [words[0] for words in commands if words]
    return tuple(dict.fromkeys(program for program in named if program))


def programs(settings: Settings, certificates: Sequence[CertSpec], shell: Shell) -> tuple[str, ...]:
    """What the page has run, by path or name."""
    used = dict.fromkeys(name for spec in certificates for name in spec.targets)
    of_services = [word for name in used if (target := settings.targets.get(name)) for word in target.programs]
    return tuple(dict.fromkeys((*called(settings, certificates, shell), *of_services)))


def exposed(values: Values, run: tuple[str, ...] = ()) -> Exchange[tuple[Finding, ...]]:
    """A finding for each of those who can change any of the files that were read so far, and for what they can do.

    `run` are the page's programs.
    """
    found = yield from exposures(values.text("DEHYDRATED_USER"), run)
    groups: dict[tuple[str, Holds], list[Exposure]] = {}
    for item in found:
        groups.setdefault((item.who, item.holds), []).append(item)
    return tuple(_finding(items) for items in groups.values())


def _finding(items: list[Exposure]) -> Finding:
    first = items[0]
    files = len({item.path for item in items})
    more = f" (and {files - 1} more file{'s' if files > 2 else ''})" if files > 1 else ""
    through = "" if first.place == first.path else f", through {first.place}"
    listed = first.holds is Holds.NAMES
    return Finding(
        "open-list" if listed else "open-to-others",
        Severity.NOTE if listed and not first.everybody else Severity.WARNING,
        f"{first.who} can change it{through}{more}",
        _consequence(first),
        first.fix,
        Location(first.path),
    )


def _consequence(item: Exposure) -> str:
    match item.holds:
        case Holds.NAMES:
            return "whoever does decides which certificates are ordered, and can use up the CA's limits"
        case Holds.KEY:
            return "whoever does decides which key a server is shown, and can keep certificates from being renewed"
        case Holds.SETTINGS | Holds.PROGRAM | Holds.TARGETS:
            return f"whoever does can have programs run as {item.running_as}"
