"""How deployments ended, as values."""

from datetime import datetime
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass


class End(StrEnum):
    SEEN = "seen"
    """The service showed the certificate in a handshake."""
    UNPROVEN = "unproven"
    """It took the certificate, or had it already, and nobody could look."""
    OWED = "owed"
    """Its files are there, and it does not run."""
    FOR_ROOT = "for-root"
    """Nothing was done: DEHYDRATED_USER keeps the page, and services are root's."""
    LEFT = "left"
    """Nothing was done: what is live is nothing that a service is given, or another process works on it."""
    FAILED = "failed"
    """It did not take the certificate, or could not be given it."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """How one certificate's part of one service's transaction ended.

    `message` is what there is to say, empty where the certificate was seen. `retry_at` is when a failure is tried
    again, None where every run tries.
    """

    target: str
    alias: Alias
    end: End
    message: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeployResult:
    """`fatal` is what ended it early; the journal knows what is owed then."""

    deployed: tuple[Deployed, ...] = ()
    fatal: CertkeeperError | None = None

    @property
    def failed(self) -> bool:
        return self.fatal is not None or any(item.end is End.FAILED for item in self.deployed)

    @property
    def retry_at(self) -> datetime | None:
        """When the first of what failed is tried again."""
        return min((item.retry_at for item in self.deployed if item.retry_at is not None), default=None)
