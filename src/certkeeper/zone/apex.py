"""Which zone holds a name: the longest one that is a suffix of it."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import TypeAlias, TypeVar

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass
from certkeeper.zone.rrset import Zone

Z = TypeVar("Z")
Asked: TypeAlias = tuple[DnsName, ...]
ZoneSearch: TypeAlias = Generator[Asked, Mapping[DnsName, Z], dict[DnsName, Z]]


class ZoneError(CertkeeperError):
    """A zone that cannot be found, written, or shown to be served."""

    label = "dns-zone"
    fault = Fault.OPERATOR


class ZonesUnknown(ZoneError):
    """The zones of some names cannot be told; those of the others are `found`. `errors` says why, by name."""

    def __init__(self, found: Mapping[DnsName, Zone], errors: Mapping[DnsName, CertkeeperError]) -> None:
        super().__init__("; ".join(dict.fromkeys(str(error) for error in errors.values())))
        self.found = found
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a zone ends before one of its names: the NS records of `at` hand it over to `servers` (RFC 1034 §4.2)."""

    at: DnsName
    servers: tuple[str, ...]


def names_between(owner: DnsName, apex: DnsName) -> Iterator[DnsName]:
    """The owner and the names above it, as far as the apex, which is left out; the highest last."""
    while owner != apex and owner.is_within(apex):
        yield owner
        owner = owner.parent


class OwnersRefused(ZoneError):
    """Some names of a change cannot be written; the others can."""

    def __init__(self, message: str, owners: frozenset[DnsName], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.owners = owners


def aliases_refused(zone: DnsName, aliases: Mapping[DnsName, str]) -> OwnersRefused:
    """The error for owners, with their targets, that are CNAMEs: nothing may stand beside one (RFC 1034 §3.6.2)."""
    listed = ", ".join(f"{owner} (to {target})" for owner, target in sorted(aliases.items()))
    return OwnersRefused(
        f"zone {zone}: a CNAME stands where the challenge record has to go: {listed}",
        frozenset(aliases),
        hint="it was not there when the run began: run again, and it is followed",
    )


def find_zones(owners: Iterable[DnsName]) -> ZoneSearch[Z]:
    """Find the zone of each owner by asking for exact names: all owners a label at a time, each name once.

    Yields the names to look up, which do not depend on each other, and is sent the zones among them. Returns what was
    found: owners without a zone are left out. A top-level domain is never asked for: nobody's own server holds one.
    """
    known: dict[DnsName, Z | None] = {}
    found: dict[DnsName, Z] = {}
    climbing = {owner: owner for owner in owners}
    while climbing:
        climbing = {owner: name for owner, name in climbing.items() if len(name.labels) >= 2}
        unknown = tuple(dict.fromkeys(name for name in climbing.values() if name not in known))
        if unknown:
            answers = yield unknown
            known.update({name: answers.get(name) for name in unknown})
        for owner, name in climbing.items():
            zone = known[name]
            if zone is not None:
                found[owner] = zone
        climbing = {owner: name.parent for owner, name in climbing.items() if owner not in found}
    return found


def common_ancestors(names: Iterable[DnsName], least: int) -> Iterator[DnsName]:
    """Names that have at least `least` of the given ones below them, and none of these twice.

    The one with the most names below it first, of equals the longest; never a top-level domain.
    """
    left = set(names)
    while len(left) >= least:
        counts: Counter[DnsName] = Counter(ancestor for name in left for ancestor in _ancestors(name))
        best = max(counts, key=lambda ancestor: (counts[ancestor], len(ancestor.labels), ancestor), default=None)
        if best is None or counts[best] < least:
            return
        yield best
        left = {name for name in left if best not in _ancestors(name)}


def _ancestors(name: DnsName) -> Iterable[DnsName]:
    above = name.parent
    while len(above.labels) >= 2:
        yield above
        above = above.parent
