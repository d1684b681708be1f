"""What a page says, by where it counts, before anything of it means something: for showing and for converting it."""

from collections.abc import Mapping

from certkeeper.base.errors import CertkeeperError, Location
from certkeeper.base.names import Identifier
from certkeeper.base.value import dataclass, field
from certkeeper.config.shell import Assignment


@dataclass(frozen=True, slots=True)
class SaidOfCertificate:
    """A certificate's line, and what is set for it alone: `own`, in `file`, which is empty where there is none."""

    identifiers: tuple[Identifier, ...]
    where: Location
    own: tuple[Assignment, ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """The last assignment of each name. Values may be secrets.

    `page` is without what accounts have for themselves. `account` is the CA whose account's settings count on top of
    it, `accounts` are those of all CAs that were looked for. Certificates are by alias, zones by name. `unread`
    are the lines that say nothing, each by its error.
    """

    page: Mapping[str, Assignment] = field(default_factory=dict)
    account: str = ""
    accounts: Mapping[str, tuple[Assignment, ...]] = field(default_factory=dict)
    certificates: Mapping[str, SaidOfCertificate] = field(default_factory=dict)
    zones: Mapping[str, tuple[Assignment, ...]] = field(default_factory=dict)
    unread: tuple[CertkeeperError, ...] = ()

    @property
    def whole_page(self) -> Mapping[str, Assignment]:
        """With what the account of the page's CA has for itself."""
        return {**self.page, **{found.name: found for found in self.accounts.get(self.account, ())}}
