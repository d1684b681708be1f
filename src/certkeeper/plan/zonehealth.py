"""How zones were when somebody looked last, as it is kept for people who look later. Nothing is decided by it."""

from collections.abc import Mapping
from datetime import datetime

from certkeeper.base.value import dataclass, field
from certkeeper.config.findings import Finding


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """A name server of a zone: what it said of it, or, where it is in trouble, why it said nothing."""

    server: str
    said: str
    trouble: bool = False


@dataclass(frozen=True, slots=True)
class ZoneHealth:
    """One zone. `summary` is what its provider keeps of it, in a few words."""

    name: str
    looked: datetime
    summary: str
    servers: tuple[ServerHealth, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """All zones that somebody looked at, by name; `general` is what is about none of them."""

    zones: Mapping[str, ZoneHealth] = field(default_factory=dict)
    general: tuple[Finding, ...] = ()
