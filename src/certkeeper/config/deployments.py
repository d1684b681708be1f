"""DEPLOY and PROBE: which services take a certificate, and who looks whether they do.

Services are described in certkeeper.toml and in a file of root's (DEPLOY_CONFIG), or built in.
"""

from collections.abc import Iterable, Mapping, Sequence

from certkeeper.base.errors import Location, printable
from certkeeper.base.value import dataclass, replace
from certkeeper.base.wire import Exchange
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Finding, Severity, did_you_mean
from certkeeper.config.native import parse_state, parse_targets
from certkeeper.config.reading import FailureKind, Holds, ReadFailure, failure, read
from certkeeper.config.said import SaidOfCertificate
from certkeeper.config.settings import CertSpec, Purpose, Rejected, Settings
from certkeeper.config.stapling import check_required, without_staples
from certkeeper.config.tables import Native, TargetTable
from certkeeper.config.targets import NOBODY, read_target
from certkeeper.config.values import Values, listed
from certkeeper.service.endpoint import BadEndpoint, Endpoint, parse_endpoint
from certkeeper.service.kinds import BUILT_IN, built_in
from certkeeper.service.target import Target

DEPLOY_CONFIG = "/etc/certkeeper/deploy.toml"
DEPLOY_STATE = "/var/lib/certkeeper-deploy"
"""Where root writes down what it deployed of a page that another user keeps. BASEDIR would be that user's."""
_TRUTHS = frozenset({"yes", "y", "true", "on", "1", "no", "n", "false", "off", "0"})


@dataclass(frozen=True, slots=True)
class Deployed:
    """The page with its services."""

    settings: Settings
    certificates: tuple[CertSpec, ...]
    rejected: tuple[Rejected, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_probe(values: Values) -> tuple[Endpoint, ...]:
    """The endpoints of PROBE; none where it says no.

    Raises:
        ConfigError: a word that is no endpoint.
    """
    found = values.text("PROBE").split()
    if [word.lower() for word in found] == [NOBODY]:
        return ()
    endpoints = []
    for word in found:
        hint = 'write PROBE="no", or endpoints: PROBE="smtp://mail.example.org", or leave it out'
        if word.lower() in _TRUTHS:
            raise values.error("PROBE", f"{printable(word, 40)!r} is no endpoint", hint)
        try:
            endpoints.append(parse_endpoint(word))
        except BadEndpoint as error:
            raise values.error("PROBE", str(error), error.hint or hint) from None
    return tuple(dict.fromkeys(endpoints))


def with_targets(
    settings: Settings,
    certificates: Sequence[CertSpec],
    values: Values,
    native: Native | None,
    said: Mapping[str, SaidOfCertificate],
) -> Exchange[Deployed]:
    """Find the services that certificates name. `said` is what each has for itself, by alias.

    Raises:
        ConfigError: a description cannot be read, or the page itself names a service that nobody knows.
    """
    file, tables = yield from _tables_of_root(values)
    described = _described(native.targets if native is not None else (), tables)
    named = dict.fromkeys(word for spec in certificates for word in spec.targets if word in BUILT_IN)
    targets = {**{name: built_in(name) for name in named if name not in described}, **described}
    _check_places(targets.values(), settings)
    kept: list[CertSpec] = []
    rejected: list[Rejected] = []
    taken: dict[str, str] = {}
    for spec in certificates:
        own = next((item for item in said[spec.alias.text].own if item.name == "DEPLOY"), None)
        try:
            _check_named(spec, targets, own.where if own else values.where("DEPLOY"))
            check_required(spec, targets)
            check_paths(spec, targets, taken)
            kept.append(spec)
        except _Unknown as error:
            if own is None:
                raise
            rejected.append(Rejected(spec.alias.text, error, spec.where))
        except ConfigError as error:
            rejected.append(Rejected(spec.alias.text, error, spec.where))
    found = replace(settings, targets=targets, deploy_config=file)
    certificates, findings = without_staples(kept, targets)
    findings += tuple(_not_of_root(found, kept, values))
    return Deployed(found, certificates, tuple(rejected), findings)


def root_targets(settings: Settings) -> Mapping[str, Target]:
    """Only what root's own file describes, for who serves a page that somebody else can change."""
    return {
        name: found
        for name, found in settings.targets.items()
        if settings.deploy_config and found.where is not None and found.where.file == settings.deploy_config
    }


@dataclass(frozen=True, slots=True)
class RootsFile:
    """The one file that root takes its word from for a page that another user keeps. `state` is a folder of root's."""

    file: str
    targets: Mapping[str, Target]
    state: str


def read_roots_file(file: str) -> Exchange[RootsFile]:
    """Raises ConfigError: it is not there, others can change it, or it cannot be read."""
    text = yield from read(file, Holds.TARGETS)
    if isinstance(text, ReadFailure):
        raise failure(text, "describe there what certificates may be put into: an empty table [target.nginx] will do")
    targets = {table.name: read_target(table) for table in parse_targets(file, text)}
    return RootsFile(file, targets, parse_state(file, text) or DEPLOY_STATE)


class _Unknown(ConfigError):
    """A word of DEPLOY that is no service's name."""


def _tables_of_root(values: Values) -> Exchange[tuple[str, tuple[TargetTable, ...]]]:
    """The file that counts, empty where there is none, and what stands in it."""
    file = values.path("DEPLOY_CONFIG", DEPLOY_CONFIG)
    if not file.startswith("/"):
        raise values.error("DEPLOY_CONFIG", f"{printable(file, 80)!r} is no absolute path", "write the whole path")
    text = yield from read(file, Holds.TARGETS)
    if not isinstance(text, ReadFailure):
        return file, parse_targets(file, text)
    if text.kind is not FailureKind.MISSING:
        raise failure(text)
    if values.has("DEPLOY_CONFIG"):
        raise values.error("DEPLOY_CONFIG", f"{file}: {text.reason}", "make the file, or remove the line")
    return "", ()


def _described(page: Iterable[TargetTable], root: Iterable[TargetTable]) -> Mapping[str, Target]:
    first: dict[str, TargetTable] = {}
    for table in (*page, *root):
        before = first.setdefault(table.name, table)
        if before is not table:
            raise ConfigError(
                table.where,
                f"target {printable(table.name, 80)}: described at {before.where}, too",
                hint="keep one of the two tables",
            )
    return {name: read_target(table) for name, table in first.items()}


def _check_places(targets: Iterable[Target], settings: Settings) -> None:
    """Copies are not among the files that they are made from, nor with what is nobody else's."""
    ours = (settings.certdir, settings.test_certdir, settings.accountdir, settings.statedir)
    for target in targets:
        for file in target.files:
            folder = next((item for item in ours if item != "/" and file.path.startswith(f"{item}/")), None)
            if folder is not None and target.where is not None:
                raise ConfigError(
                    target.where,
                    f"target {target.name}: files: {file.path} is inside {folder}, which is certkeeper's own",
                    hint="name a folder of the service's, or leave files out where it can read certificates in place",
                )


def _check_named(spec: CertSpec, targets: Mapping[str, Target], where: Location) -> None:
    for word in spec.targets:
        target = targets.get(word)
        if target is None:
            known = sorted({*targets, *BUILT_IN})
            meant = did_you_mean(word, known)
            raise _Unknown(
                where,
                f"DEPLOY: service {printable(word, 40)!r} is not known{f'; did you mean {meant}?' if meant else ''}",
                hint=f"known are {listed(known)}; describe others as [target.NAME] in {DEPLOY_CONFIG}",
            )
        if not target.takes(spec.alias):
            raise ConfigError(
                where,
                f"DEPLOY: {word} takes no certificate {spec.alias}, as {target.where} says",
                hint=f"add it to certificates there, or take {word} out of DEPLOY",
            )


def check_paths(spec: CertSpec, targets: Mapping[str, Target], taken: dict[str, str]) -> None:
    """No two certificates, and no two services, have one file. A rehearsal is never deployed. `taken` are the files of
    those before.

    Raises:
        ConfigError: they would.
    """
    if spec.purpose is Purpose.REHEARSE:
        return
    own: dict[str, str] = {}
    for target in (targets[word] for word in spec.targets):
        for path in (file.of(spec.alias, spec.identifiers[0]) for file in target.files):
            other = taken.get(path) or own.get(path)
            if other is not None:
                raise ConfigError(
                    spec.where,
                    f"{spec.alias}: {path} for {target.name} is the file of {other}, too",
                    hint="write {alias} into the paths of files in its table, or deploy one of them only",
                )
            own[path] = f"{spec.alias} for {target.name}"
    taken.update(own)


def _not_of_root(settings: Settings, certificates: Iterable[CertSpec], values: Values) -> Iterable[Finding]:
    """Services that nothing will be deployed to, since root takes no other user's word for them."""
    if not values.has("DEHYDRATED_USER"):
        return
    known = root_targets(settings)
    for name in dict.fromkeys(word for spec in certificates for word in spec.targets if word not in known):
        yield Finding(
            "deploy-not-roots",
            Severity.WARNING,
            f"DEPLOY: {name} is not described in {settings.deploy_config or DEPLOY_CONFIG}",
            "with DEHYDRATED_USER nothing is deployed to it",
            f"write [target.{name}] into that file",
            values.where("DEPLOY") if values.has("DEPLOY") else None,
        )
