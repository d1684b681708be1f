"""What a deployment needs from the world, as ports: the files that services read, the services, and their ports."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from certkeeper.base.access import Access
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass
from certkeeper.lineage.model import VersionFiles
from certkeeper.service.handshake import Contact, Look
from certkeeper.service.target import Form, Target


@dataclass(frozen=True, slots=True)
class Placement:
    """The files of one certificate for one target, by their paths without placeholders; all are in one folder.

    `password_file` holds what PKCS#12 is locked with, empty where it is not.
    """

    target: str
    alias: Alias
    files: Mapping[str, Form]
    access: Access
    password_file: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """What is there. `stamp` is the version that all its paths lead to; None where that is none of ours.

    `others` are paths where something is that we did not make. `kept` are other versions that can be switched to,
    newest first, and then what somebody else had put there. `astray` means that an owner, a group or a mode of what
    is live is not what the placement says.
    """

    stamp: int | None
    others: tuple[str, ...] = ()
    kept: tuple[int, ...] = ()
    astray: bool = False


class TargetFiles(Protocol):
    """Copies of certificates for services, each set switched by one rename of one link, as a lineage's is.

    Contents are those of all forms but PKCS#12, which is made of key and chain, under the alias as friendly name. Of an
    OCSP response there may be none: an empty one is no file, and `same` and `look` are content without it.

    Every method raises CertkeeperError naming the path, and has changed nothing that services read then.
    """

    def check(self, placement: Placement) -> None:
        """What would be in the way: a missing folder, one that others may write, a link to elsewhere, a missing
        group.
        """

    def look(self, placement: Placement) -> Placed: ...

    def same(self, placement: Placement, stamp: int, contents: Mapping[Form, bytes]) -> bool:
        """The version is there, complete, with these contents, owners and modes. PKCS#12 counts by what is in it."""

    def stage(self, placement: Placement, stamp: int, contents: Mapping[Form, bytes]) -> None:
        """Write a version beside the one that is read; private from the first byte, and lasting."""

    def switch(self, placement: Placement, stamp: int) -> int | None:
        """Lead the paths to that version. What somebody else put there is kept as a version of its own.

        The answer is the version that they led to before, to which the same call goes back; None where there was none.
        """

    def has_older(self, placement: Placement, stamp: int) -> bool:
        """Beside the newest copy of that version there is an older one: with another OCSP response, or other files."""

    def switch_to_older(self, placement: Placement, stamp: int) -> None:
        """Lead the paths to that one. The newest one stays, and `switch` goes to it again."""

    def keep(self, placement: Placement, stamps: Sequence[int]) -> None:
        """Remove all other versions but the one that is read, and nothing that somebody else had put there."""


class Condition(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    NOT_INSTALLED = "not-installed"


class Services(Protocol):
    """The services of this machine: through systemd where that runs, by their own commands where not."""

    def condition(self, target: Target) -> Condition: ...

    def test(self, target: Target) -> str:
        """What the service says against its configuration and files; empty where it has nothing to say."""

    def refresh(self, target: Target) -> None:
        """What new files need before the service is told of them. Raises CertkeeperError with the command's words."""

    def apply(self, target: Target, changed: Sequence[Placement]) -> None:
        """Make the service take its files; never start it. Raises CertkeeperError with the command's words."""

    def can_read(self, target: Target, paths: Sequence[str]) -> tuple[str, ...]:
        """The paths that the service's user cannot read; none where it reads as root."""


class Probes(Protocol):
    """Clients of the services."""

    def addresses_here(self, name: str) -> tuple[str, ...]:
        """The name's addresses that are this machine's; its loopback addresses where none is, or nobody can say."""

    def look(self, contacts: Sequence[Contact]) -> tuple[Look, ...]:
        """One look or more for each, all at a time, each bounded. Raises nothing."""


class Pairs(Protocol):
    """A version's key and certificates, as services load them."""

    def check(self, subject: str, files: VersionFiles) -> None:
        """Raises CertkeeperError beginning with the subject where OpenSSL does not load them as a server's."""


@dataclass(frozen=True, slots=True)
class DeployPorts:
    """Everything that deployments may use besides the store, the journal and the clock."""

    files: TargetFiles
    services: Services
    probes: Probes
    pairs: Pairs
