"""Lineages that no line of domains.txt asks for any more: who still uses them, and which line may mean one."""

from collections.abc import Collection, Iterator, Mapping

from certkeeper.base.errors import Location
from certkeeper.base.events import count
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec, Purpose
from certkeeper.lineage.model import Lineage

_USES_TOLD = 5


@dataclass(frozen=True, slots=True)
class Uses:
    """Where services' configuration names folders, as far as it was looked at.

    `unread` are files and folders that could not be read, or were too many to be looked at.
    """

    found: Mapping[str, tuple[Location, ...]]
    unread: tuple[str, ...] = ()

    def of(self, folder: str) -> tuple[Location, ...]:
        return self.found.get(folder, ())


def used_by(places: Collection[Location]) -> str:
    """`/etc/nginx/nginx.conf:3, /etc/postfix/main.cf:40 and 2 more`."""
    listed = ", ".join(str(place) for place in list(places)[:_USES_TOLD])
    return listed + (f" and {len(places) - _USES_TOLD} more" if len(places) > _USES_TOLD else "")


def orphan_findings(
    orphans: Mapping[Alias, Lineage], certdir: str, uses: Uses, meant: Mapping[Alias, CertSpec]
) -> Iterator[Finding]:
    """One for each, with what still names its folder. Nobody is told to retire one that a line may go on with."""
    for alias, lineage in orphans.items():
        folder = f"{certdir}/{alias}"
        places = uses.of(folder)
        until = f", valid until {iso(lineage.leaf.not_after)}" if lineage.leaf is not None else ""
        retire = f"certkeeper retire {alias}"
        yield Finding(
            code="orphaned",
            severity=Severity.WARNING if places else Severity.NOTE,
            message=f"{alias}: orphaned: no line of domains.txt asks for {folder}{until}",
            consequence=f"it is not renewed, and still used by {used_by(places)}"
            if places
            else "it is not renewed; no configuration that was looked at names it",
            fix=f"{meant[alias].where} seems to mean it: let that line go on with it"
            if alias in meant
            else f"list it again, or change {count(len(places), 'place')} and then: {retire}"
            if places
            else f"if nothing needs it any more: {retire}",
        )
    if orphans and uses.unread:
        yield Finding(
            code="uses-unknown",
            severity=Severity.NOTE,
            message=f"not looked at for users of orphaned certificates: {', '.join(uses.unread[:_USES_TOLD])}"
            + (f" and {len(uses.unread) - _USES_TOLD} more" if len(uses.unread) > _USES_TOLD else ""),
            consequence="something there may still use one",
        )


def alias_findings(
    specs: Collection[CertSpec], lineages: Mapping[Alias, Lineage], orphans: Mapping[Alias, Lineage], certdir: str
) -> Iterator[Finding]:
    """Lines without a certificate that look like those of an orphan: most likely their first name was changed."""
    for spec in specs:
        meant = meant_orphan(spec, lineages[spec.alias], orphans)
        if meant is None:
            continue
        names = " ".join(str(name) for name in spec.identifiers)
        yield Finding(
            code="first-name-changed",
            severity=Severity.WARNING,
            message=f"{spec.alias}: has no certificate yet, and {meant}, which no line asks for now, has its names",
            consequence=f"a new one is ordered into {certdir}/{spec.alias}, and services that read {certdir}/{meant} "
            "keep the old one until it ends",
            fix=f"to go on with that folder, write: {names} > {meant}",
            where=spec.where,
        )


def meant_orphans(
    specs: Collection[CertSpec], lineages: Mapping[Alias, Lineage], orphans: Mapping[Alias, Lineage]
) -> Mapping[Alias, CertSpec]:
    """The orphans that lines without a certificate most likely mean, with one of those lines each."""
    found = ((meant_orphan(spec, lineages[spec.alias], orphans), spec) for spec in specs)
    return {alias: spec for alias, spec in found if alias is not None}


def meant_orphan(spec: CertSpec, lineage: Lineage, orphans: Mapping[Alias, Lineage]) -> Alias | None:
    """The orphan with the same names, or whose name is still on the line, or that has all of its names but some new."""
    if spec.purpose is Purpose.REHEARSE or lineage.leaf is not None or lineage.trouble:
        return None
    wanted = frozenset(spec.identifiers)
    texts = {str(name) for name in wanted}
    ranked: list[tuple[int, str, Alias]] = []
    for alias, orphan in orphans.items():
        had = orphan.leaf.identifiers if orphan.leaf is not None else frozenset()
        if had and had == wanted:
            ranked.append((0, alias.text, alias))
        elif alias.text in texts:
            ranked.append((1, alias.text, alias))
        elif len(had & wanted) > 1 and (had <= wanted or wanted <= had):
            ranked.append((2, alias.text, alias))
    return min(ranked)[2] if ranked else None
