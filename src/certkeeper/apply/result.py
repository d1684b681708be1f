"""How a run ended, as values."""

from datetime import datetime

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass
from certkeeper.lineage.model import Leaf
from certkeeper.plan.actions import Kept, Postponed

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Most runs ask for no OCSP response.
    from certkeeper.ocsp.freshness import Asked


@dataclass(frozen=True, slots=True)
class Issued:
    """A version that is live. `stamp` names it (epoch seconds); `unpaid` is why its hook is still owed a call, `asked`
    how asking for its OCSP response went.
    """

    stamp: int
    leaf: Leaf
    unpaid: CertkeeperError | None = None
    asked: "Asked | None" = None


@dataclass(frozen=True, slots=True)
class Staged:
    """A version that is complete and not live."""

    stamp: int
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a lineage's part of a run ended. With both, the certificate is live and its hook failed; with neither,
    a call that an earlier run owed was made. What is postponed, or kept for now, has an error, and is no failure.
    `staged` is a new version that is not live, since the lineage is held; `activated` one that was there and went live.
    """

    alias: Alias
    issued: Issued | None = None
    error: CertkeeperError | None = None
    staged: Staged | None = None
    activated: Issued | None = None

    @property
    def live(self) -> Issued | None:
        """What went live, whenever it was issued."""
        return self.issued or self.activated


@dataclass(frozen=True, slots=True)
class Signed:
    """How the signing of somebody else's request ended. `fullchain` is empty where it failed; `errors` say why, and
    which records could not be withdrawn.
    """

    fullchain: bytes = b""
    errors: tuple[CertkeeperError, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A run's end. `leftovers` are records that could not be withdrawn; `fatal` is what stopped it before any order."""

    outcomes: tuple[Outcome, ...] = ()
    leftovers: tuple[CertkeeperError, ...] = ()
    fatal: CertkeeperError | None = None
    wake_at: datetime | None = None

    @property
    def failed(self) -> bool:
        errors = [outcome.error for outcome in self.outcomes if not isinstance(outcome.error, Postponed | Kept)]
        return bool(self.fatal or self.leftovers or any(errors))
