"""Whose a page's files are to be on this machine, and which services' users may read them."""

from collections.abc import Collection, Iterator, Mapping
from functools import cache

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec, Configuration, Purpose, Rejected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from certkeeper.adapters.ownership import Ownership
    from certkeeper.service.target import Target


def with_owners(configuration: Configuration) -> "tuple[Configuration, Mapping[Alias, Ownership]]":
    """The page without the certificates whose user or group is not there, and whose files are to be whose."""
    if not any(_asked(spec) for spec in configuration.certificates):
        return configuration, {}
    from certkeeper.adapters.ownership import resolve  # noqa: PLC0415 - only for pages that ask for it

    resolved = cache(resolve)
    owned: dict[Alias, Ownership] = {}
    ready: list[CertSpec] = []
    rejected: list[Rejected] = []
    for spec in configuration.certificates:
        try:
            if _asked(spec):
                owned[spec.alias] = resolved(spec.access)
            ready.append(spec)
        except CertkeeperError as error:
            rejected.append(Rejected(spec.alias.text, error, spec.where))
    return replace(configuration, certificates=tuple(ready), rejected=(*configuration.rejected, *rejected)), owned


def owner_findings(configuration: Configuration) -> Iterator[Finding]:
    """The certificates whose user or group is not there."""
    ready, _ = with_owners(configuration)
    for rejected in ready.rejected[len(configuration.rejected) :]:
        yield Finding(
            "no-such-owner",
            Severity.ERROR,
            f"{rejected.label}: {rejected.error}",
            "no run issues it",
            rejected.error.hint,
            rejected.where,
        )


def _asked(spec: CertSpec) -> bool:
    """Nobody reads a rehearsal."""
    return spec.access.asked and spec.purpose is not Purpose.REHEARSE


def common(owned: "Collection[Ownership]") -> "Ownership | None":
    """Whose group gets through CERTDIR: a folder has one group, so there is none where certificates differ."""
    from certkeeper.adapters.ownership import AS_IT_IS  # noqa: PLC0415 - as above

    groups = {item.folder_gid: item for item in owned if item.folder_gid != AS_IT_IS}
    return next(iter(groups.values())) if len(groups) == 1 else None


def access_findings(configuration: Configuration) -> Iterator[Finding]:
    """The users of services that are on this machine and in none of the groups that are named."""
    groups = sorted({spec.access.group for spec in configuration.certificates if _asked(spec)} - {""})
    if not groups:
        return
    from certkeeper.adapters.readers import outsiders  # noqa: PLC0415 - as above

    for user, service in outsiders(groups):
        group = groups[0]
        yield Finding(
            "service-not-in-group",
            Severity.NOTE,
            f"{user}: not in the group {' or '.join(groups)}",
            f"{service} cannot read private keys, where it is to use them",
            f"adduser {user} {group} && systemctl restart {service} (a reload keeps the old groups)",
        )


def unreadable(configuration: Configuration, aliases: Collection[Alias]) -> Iterator[Finding]:
    """What a user who is to read these certificates cannot read, tried as that user. Only root can try."""
    if not aliases:
        return
    from certkeeper.adapters.readers import insiders, unreadable_for  # noqa: PLC0415 - as above

    folders: dict[str, list[str]] = {}
    for spec in configuration.certificates:
        if spec.alias in aliases and _asked(spec):
            for user in insiders(spec.access):
                folders.setdefault(user, []).append(configuration.settings.folder(spec))
    for user, paths in folders.items():
        for path, reason in unreadable_for(user, paths):
            yield Finding(
                "unreadable-for-service",
                Severity.WARNING,
                f"{path}: {user} cannot read it: {reason}",
                "a service of that user has no certificate, or keeps an old one",
                f"see which folder is shut: namei -l {path}",
            )


def folder_findings(configuration: Configuration) -> Iterator[Finding]:
    """Folders of certificates in which somebody else can put another key. Nobody asked for an owner: no run refuses."""
    from certkeeper.adapters.permissions import check_folders  # noqa: PLC0415 - as above

    for spec in configuration.certificates:
        try:
            check_folders(configuration.settings.folder(spec))
        except CertkeeperError as error:
            asked = _asked(spec)
            yield Finding(
                "open-folder",
                Severity.ERROR if asked else Severity.WARNING,
                str(error),
                f"no run renews {spec.alias}" if asked else "whoever does decides which key a server is shown",
                error.hint,
            )


def obstacle_findings(configuration: Configuration) -> Iterator[Finding]:
    """What keeps copies from services: folders that are missing, or that others can change. Root alone sees it all."""
    told: set[str] = set()
    for spec, target in _copied(configuration):
        from certkeeper.adapters.installed import Installed  # noqa: PLC0415 - as above
        from certkeeper.apply.placements import placement  # noqa: PLC0415 - as above

        try:
            Installed().check(placement(spec, target))
        except CertkeeperError as error:
            if str(error) in told:
                continue
            told.add(str(error))
            yield Finding(
                "not-deployable", Severity.ERROR, str(error), f"{target.name} is given no new certificate", error.hint
            )


def target_findings(configuration: Configuration) -> Iterator[Finding]:
    """What is in the way of services that certificates name: old groups of their processes, folders that are shut, and
    places that others can change. Only root can see all of it.
    """
    yield from group_findings(configuration)
    yield from obstacle_findings(configuration)
    shut: set[tuple[str, str]] = set()
    for spec, target in _copied(configuration):
        from certkeeper.adapters.readers import impassable  # noqa: PLC0415 - as above
        from certkeeper.apply.placements import placement  # noqa: PLC0415 - as above

        folder = next(iter(placement(spec, target).files)).rpartition("/")[0] or "/"
        if not target.user or (target.user, folder) in shut:
            continue
        shut.add((target.user, folder))
        for path, reason in impassable(target.user, [folder]):
            yield Finding(
                "shut-for-service",
                Severity.WARNING,
                f"{path}: {target.user} cannot get into it: {reason}",
                f"{target.name} cannot read its certificates",
                f"see which folder is shut: namei -l {path}",
            )


def _copied(configuration: Configuration) -> "Iterator[tuple[CertSpec, Target]]":
    """Certificates with the services that get copies of them from this user."""
    if configuration.settings.left_to_root:
        # certkeeper deploy, as root, sees these.
        return
    for spec in configuration.certificates:
        for name in spec.targets if spec.purpose is not Purpose.REHEARSE else ():
            target = configuration.settings.targets.get(name)
            if target is not None and not target.in_place:
                yield spec, target


def group_findings(configuration: Configuration) -> Iterator[Finding]:
    """A service's user is not in the group that reads its key; or he is now, and its processes are from before."""
    from certkeeper.adapters.readers import insiders, old_groups, restarted  # noqa: PLC0415 - as above
    from certkeeper.adapters.trust import outside  # noqa: PLC0415 - as above

    named = dict.fromkeys(name for spec in configuration.certificates for name in spec.targets)
    targets = [target for name in named if (target := configuration.settings.targets.get(name)) is not None]
    readers = [item for item in targets if item.user and item.access.group and item.access.owner != item.user]
    wanted = {(item.user, item.access.group): item.unit for item in readers}
    for spec in configuration.certificates:
        for user in insiders(spec.access) if _asked(spec) and spec.access.group else ():
            wanted.setdefault((user, spec.access.group), "")
    for (user, group), named_unit in wanted.items():
        unit = named_unit or restarted(user)
        if outside(user, group):
            yield _not_in_group(user, group, unit)
        elif (found := old_groups(user, group)) is not None:
            yield Finding(
                "old-groups",
                Severity.WARNING,
                f"{user}: process {found.pid} ({found.command}) is not in the group {group}, in which its user is now",
                "it cannot read new certificates, and a reload keeps the old groups",
                f"systemctl restart {unit}" if unit else f"restart it: ps -fp {found.pid}",
            )


def _not_in_group(user: str, group: str, unit: str) -> Finding:
    again = f" && systemctl restart {unit}" if unit else ", and restart the service"
    return Finding(
        "service-not-in-group",
        Severity.WARNING,
        f"{user}: not in the group {group}, which is to read the key",
        "the service cannot read its certificate",
        f"adduser {user} {group}{again} (a reload keeps the old groups)",
    )
