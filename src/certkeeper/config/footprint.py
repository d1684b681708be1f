"""What runs of a page write, and what of the operator's own they start: a sandbox has to leave room for it."""

from collections.abc import Iterable, Iterator

from certkeeper.base.value import dataclass
from certkeeper.config.evaluating import SETTING, Evaluator
from certkeeper.config.exposure import called
from certkeeper.config.powerdns_key import KEY_FILE, credential_named
from certkeeper.config.settings import Configuration, PowerDnsSettings, Settings
from certkeeper.config.values import folder_of
from certkeeper.service.kinds import TRIES_EVERYWHERE, WRITES, is_as_built_in
from certkeeper.service.target import Target

_MAIL = ("/var/spool", "/var/mail", "/var/log")
"""Where programs called sendmail put a message, or the line that they could not send it."""
_WRITE_NOTHING = frozenset({"pdns_api.sh", "certkeeper-pdns-hook"})
"""Hooks that are known, by their names; what they call in their turn is in the page."""
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - the folders themselves
_LOW = 1024
"""Ports below it are root's."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """`folders` are where runs keep what they know; `others` are written in for challenges, services and mail.

    No folder is inside of another one. `programs` are the operator's own, which may do anything. `tries` are the
    services whose tests open files wherever their configuration has them. `credentials` are the names of systemd's
    credentials that hold a key. `mails`: sendmail is started. `shares_tmp`: something of the page is in a folder for
    temporary files. `low_port`: a run listens where only root may.
    """

    folders: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    tries: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    mails: bool = False
    shares_tmp: bool = False
    low_port: bool = False


def footprint(configuration: Configuration, evaluator: Evaluator = Evaluator.PARSER) -> Footprint:
    """That of a page that was read. `evaluator` is who is asked to evaluate it, if its main file does not say."""
    settings = configuration.settings
    targets = tuple(_targets(configuration))
    folders = _outermost(_folders(settings))
    outer = _outermost((*folders, *_beside(configuration, targets)))
    return Footprint(
        folders,
        tuple(path for path in outer if path not in folders),
        tuple(dict.fromkeys((*_evaluated(configuration, evaluator), *_own(configuration, targets)))),
        tuple(target.name for target in targets if target.kind in TRIES_EVERYWHERE),
        _credentials(configuration),
        mails=bool(settings.telling.mail),
        shares_tmp=any(_in_tmp(path) for path in (*outer, *_read(settings, targets))),
        low_port=any(item.port < _LOW for item in (*settings.http_listen, *settings.tls_alpn_listen)),
    )


def _targets(configuration: Configuration) -> Iterator[Target]:
    """The services that runs touch: with DEHYDRATED_USER they are left to root."""
    settings = configuration.settings
    if not settings.left_to_root:
        used = {name for spec in configuration.certificates for name in spec.targets}
        yield from (settings.targets[name] for name in sorted(used & settings.targets.keys()))


def _folders(settings: Settings) -> Iterator[str]:
    yield from (settings.basedir, settings.certdir, settings.test_certdir, settings.accountdir, settings.statedir)
    # A lock is made and taken away again, so it is the folder that is written.
    yield folder_of(settings.lockfile or "")


def _beside(configuration: Configuration, targets: Iterable[Target]) -> Iterator[str]:
    """What has to be there already, where it is needed: for challenges, for services, and for whoever is told."""
    yield configuration.settings.alpn_certdir
    yield from (spec.wellknown for spec in configuration.certificates)
    for target in targets:
        yield from _of_target(target)
    telling = configuration.settings.telling
    yield from (folder_of(file) for file in (telling.report, telling.metrics_file) if file)
    if telling.mail:
        yield from _MAIL


def _of_target(target: Target) -> Iterator[str]:
    for file in target.files:
        folder = folder_of(file.path)
        # {alias} in a folder's name: whatever it is, it is below this one.
        yield folder.partition("{")[0].rpartition("/")[0] if "{" in folder else folder
    yield from (folder_of(command.table) for command in (*target.test, *target.refresh) if command.table)
    yield from WRITES.get(target.kind, ())


def _read(settings: Settings, targets: Iterable[Target]) -> Iterator[str]:
    """What is read, or talked to, beside what is written."""
    yield from (settings.config_file, settings.domains_txt, settings.telling.urls_file)
    yield from (target.socket for target in targets)
    providers = (item.settings for item in settings.providers)
    yield from (item.socket or "" for item in providers if isinstance(item, PowerDnsSettings))


def _evaluated(configuration: Configuration, evaluator: Evaluator) -> Iterator[str]:
    said = configuration.assigned.get(SETTING)
    if evaluator is Evaluator.BASH or (said is not None and said.value == "yes"):
        yield "the configuration, which bash evaluates"


def _own(configuration: Configuration, targets: Iterable[Target]) -> Iterator[str]:
    """Programs, and functions of the page as hooks."""
    settings, shell = configuration.settings, configuration.shell
    for program in called(settings, configuration.certificates, shell):
        if program.rpartition("/")[2] not in _WRITE_NOTHING:
            yield program
    yield from (hook for hook in sorted(settings.scripts) if hook in shell.callable)
    # What is said of a service in the operator's own words may start anything.
    yield from (f"the commands of {target.name}" for target in targets if not is_as_built_in(target))


def _credentials(configuration: Configuration) -> tuple[str, ...]:
    said = configuration.said
    own = (each for found in said.certificates.values() for each in found.own)
    zones = (each for found in said.zones.values() for each in found)
    named = (
        credential_named(each.value) for each in (*said.whole_page.values(), *own, *zones) if each.name == KEY_FILE
    )
    return tuple(dict.fromkeys(name for name in named if name))


def _in_tmp(path: str) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in _TEMPORARY)


def _outermost(folders: Iterable[str]) -> tuple[str, ...]:
    """Each once, without those that are inside of another one."""
    there = (_tidy(folder) for folder in folders if folder.startswith("/"))
    # /var/run is a link wherever systemd runs.
    found = sorted({f"/run{path.removeprefix('/var/run')}" if _in_var_run(path) else path for path in there})
    return tuple(path for path in found if not any(path.startswith(f"{other}/") for other in found))


def _tidy(path: str) -> str:
    """As systemd wants it, which leaves out what is written in another way."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return f"/{'/'.join(parts)}"


def _in_var_run(path: str) -> bool:
    return path == "/var/run" or path.startswith("/var/run/")
