"""What a page needs of this machine: scripts, programs and folders that have to be there before a run."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from certkeeper.adapters.scripts import script_trouble
from certkeeper.adapters.webfolders import missing_folders
from certkeeper.base.errors import CertkeeperError, Location, printable
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import CertSpec, Configuration, HookSettings
from certkeeper.plan.proving import serves

_SETTINGS = {ChallengeType.HTTP_01: "WELLKNOWN", ChallengeType.TLS_ALPN_01: "ALPNCERTDIR"}


def unmet(configuration: Configuration) -> Iterator[Finding]:
    """A finding for each of them that is not there, or cannot be used."""
    yield from _web_folders(configuration)
    yield from _hooks(configuration)
    yield from _alert_command(configuration)
    yield from _folders(configuration)


def _web_folders(configuration: Configuration) -> Iterator[Finding]:
    """Those of names that are sure to be proven that way."""
    settings = configuration.settings
    wanted: dict[str, tuple[str, CertSpec]] = {}
    for spec in configuration.certificates:
        first = {name: order[0] for name in spec.identifiers if (order := spec.methods.of(name))}
        for serve in serves(spec, settings, first):
            if not serve.listen:
                wanted.setdefault(serve.folder, (_SETTINGS[serve.method], spec))
    for folder, error in missing_folders(wanted).items():
        name, spec = wanted[folder]
        yield _failing("missing-folder", f"{name}: {error}", error.hint, _where(configuration, name, spec))


def _hooks(configuration: Configuration) -> Iterator[Finding]:
    scripts: dict[str, CertSpec | None] = {spec.hook: spec for spec in reversed(configuration.certificates)}
    for provider in configuration.settings.providers:
        if isinstance(provider.settings, HookSettings):
            scripts.setdefault(provider.settings.script, None)
    for script, spec in scripts.items():
        trouble = script_trouble(script) if script and script not in configuration.shell.callable else None
        if trouble is not None:
            yield _failing("hook-missing", f"HOOK: {trouble}", trouble.hint, _where(configuration, "HOOK", spec))


def _alert_command(configuration: Configuration) -> Iterator[Finding]:
    program = next(iter(configuration.settings.telling.command), "")
    if program and not (Path(program).is_file() and os.access(program, os.X_OK)):
        there = os.path.lexists(program)
        yield Finding(
            "alert-command",
            Severity.WARNING,
            f"ALERT_COMMAND: {printable(program, 120)}: {'cannot be executed' if there else 'no such file'}",
            "nobody is told when something needs a person",
            f"chmod +x {printable(program)}" if there else "correct the path; certkeeper alert test tries it out",
            _where(configuration, "ALERT_COMMAND"),
        )


def _folders(configuration: Configuration) -> Iterator[Finding]:
    settings = configuration.settings
    for name, path in (("CERTDIR", settings.certdir), ("STATEDIR", settings.statedir)):
        place = _nearest(path)
        where = _where(configuration, name)
        if not place.is_dir():
            reason = f"{name}: {printable(path)} cannot be made: {printable(str(place))} is no folder"
            yield _failing("missing-folder", reason, "name another folder", where)
        elif place == Path("/"):
            yield Finding(
                "missing-folder",
                Severity.WARNING,
                f"{name}: {printable(path)}: neither the folder nor anything above it is there",
                "a run makes all of them, if it may",
                "correct the path, or make the folder",
                where,
            )
    above = os.path.dirname(settings.lockfile) if settings.lockfile else ""  # noqa: PTH120 - text
    if above and not Path(above).is_dir():
        reason = f"LOCKFILE: {printable(above)}: the folder of the lock file is not there"
        yield _failing("missing-folder", reason, f"mkdir -p {printable(above)}", _where(configuration, "LOCKFILE"))
    if (own := configuration.assigned.get("DOMAINS_D")) is not None and own.value and not Path(own.value).is_dir():
        yield Finding(
            "missing-folder",
            Severity.WARNING,
            f"DOMAINS_D: {printable(own.value)}: the folder is not there",
            "no certificate has settings of its own",
            "make the folder, or remove the line",
            own.where,
        )


def _nearest(path: str) -> Path:
    """What is there of it, or of the folders above it."""
    folder = Path(path).absolute()
    return next((place for place in (folder, *folder.parents) if os.path.lexists(place)), folder)


def _failing(code: str, message: str, fix: str, where: Location | None) -> Finding:
    return Finding(code, Severity.ERROR, message, "a run would fail here", fix, where)


def _where(configuration: Configuration, name: str, spec: CertSpec | None = None) -> Location | None:
    """Where it is set, for the certificate alone or on the page."""
    said = configuration.said.certificates.get(spec.alias.text) if spec is not None else None
    own = next((item for item in said.own if item.name == name), None) if said is not None else None
    found = own or configuration.assigned.get(name)
    return found.where if found is not None else None


def missing(configuration: Configuration) -> Mapping[str, CertkeeperError]:
    """The folders for challenge files that are missing, of all ways in which a name may be proven."""
    folders = (
        serve.folder
        for spec in configuration.certificates
        for name in spec.identifiers
        for method in spec.methods.of(name)
        for serve in serves(spec, configuration.settings, {name: method})
        if not serve.listen
    )
    return missing_folders(folders)
