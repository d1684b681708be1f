"""What can be seen of a zone: at the server that we write to, at each name server, at its parent. Values only."""

from collections.abc import Collection
from datetime import datetime

from certkeeper.base.names import DnsName
from certkeeper.base.value import dataclass
from certkeeper.zone.propagation import Server
from certkeeper.zone.rrset import RRset, Zone


@dataclass(frozen=True, slots=True, order=True)
class Ds:
    """A delegation signer's four fields (RFC 4034 §5.1); `digest` is lower-case hex."""

    key_tag: int
    algorithm: int
    digest_type: int
    digest: str

    def __str__(self) -> str:
        return f"{self.key_tag} {self.algorithm} {self.digest_type} {self.digest}"

    def matches(self, keys: Collection["Ds"]) -> bool:
        """Is it one of these keys'? By tag and algorithm alone where no digest of its type is among them."""
        same = [ds for ds in keys if (ds.key_tag, ds.algorithm) == (self.key_tag, self.algorithm)]
        comparable = [ds for ds in same if ds.digest_type == self.digest_type]
        return any(ds.digest == self.digest for ds in comparable) if comparable else bool(same)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the server that we write to says of the zone.

    `ds` belongs to its active keys. `rectifies`: changes through the API rectify the zone. `records` are the RRsets
    that matter here (TXT, TLSA, CAA, NS); None where the zone is too large to be read.
    """

    zone: Zone
    signed: bool
    presigned: bool = False
    rectifies: bool = True
    ds: frozenset[Ds] = frozenset()
    records: tuple[RRset, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Served:
    """What one name server says of the zone. `trouble` says how it says nothing.

    `signed_until` is when the signature over the SOA ends; None where the answer came without one. `negative_ttl` is
    how long resolvers keep the news that a name does not exist (RFC 2308 §5). `ns` are the NS names, `ds` belongs to
    the keys that it serves.
    """

    server: Server
    trouble: str = ""
    serial: int = 0
    negative_ttl: int = 0
    signed_until: datetime | None = None
    ns: frozenset[DnsName] = frozenset()
    ds: frozenset[Ds] = frozenset()


@dataclass(frozen=True, slots=True)
class Delegation:
    """What the parent zone's servers say of the zone. `ns` is empty where they do not tell: they hold both zones.

    `exists` is False where the parent has no such name.
    """

    parent: DnsName
    ns: frozenset[DnsName]
    ds: frozenset[Ds] = frozenset()
    exists: bool = True


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """All that is known of one zone. `kept` is None where its provider is not PowerDNS, where none of ours holds the
    zone (`homeless`), and where it could not be read (`kept_trouble`).

    `servers` were asked, `skipped` says in words which were not. `delegation` is None where the parent could not be
    asked, and then `delegation_trouble` says why. `unresolved` are NS names without an address.
    """

    name: DnsName
    kept: Kept | None = None
    servers: tuple[Served, ...] = ()
    servers_trouble: str = ""
    skipped: tuple[str, ...] = ()
    delegation: Delegation | None = None
    delegation_trouble: str = ""
    unresolved: tuple[DnsName, ...] = ()
    homeless: bool = False
    kept_trouble: str = ""

    @property
    def answering(self) -> tuple[Served, ...]:
        return tuple(item for item in self.servers if not item.trouble)


def newer(serial: int, other: int) -> bool:
    """Is the serial larger than the other one, in the arithmetic that secondaries use (RFC 1982)?"""
    return serial != other and (serial - other) % 2**32 < 2**31
