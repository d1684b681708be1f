"""Single steps on the way to a certificate, as events: for who follows each of them, as dehydrated's output does.

Displays that tell what a run achieved leave them out.
"""

from typing import ClassVar

from certkeeper.base.events import Event, count
from certkeeper.base.value import dataclass


@dataclass(frozen=True, slots=True)
class Traced(Event):
    """One step of the protocol between us and a CA."""

    label: ClassVar[str] = "traced"


@dataclass(frozen=True, slots=True)
class AccountSought(Traced):
    """There is a key, and the CA is asked for the URL of its account."""

    label: ClassVar[str] = "account-sought"
    ca: str


@dataclass(frozen=True, slots=True)
class AccountRequested(Traced):
    """There is a new key, and the CA is asked for an account."""

    label: ClassVar[str] = "account-requested"
    ca: str


@dataclass(frozen=True, slots=True)
class NonceRefused(Traced):
    """The CA did not take a nonce; the request is sent again with another one."""

    label: ClassVar[str] = "nonce-refused"
    url: str


@dataclass(frozen=True, slots=True)
class OrderRequested(Traced):
    label: ClassVar[str] = "order-requested"
    lineage: str


@dataclass(frozen=True, slots=True)
class AuthorizationsListed(Traced):
    label: ClassVar[str] = "authorizations-listed"
    lineage: str
    number: int

    @property
    def text(self) -> str:
        return f"{self.lineage}: {count(self.number, 'name')} to prove or proven before"


@dataclass(frozen=True, slots=True)
class AuthorizationRead(Traced):
    """`proven`: the CA takes the name as proven, and nothing is published for it.

    `ignored`: it took it as proven, and that proof was given back to it.
    """

    label: ClassVar[str] = "authorization-read"
    lineage: str
    name: str
    proven: bool
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class ChallengesDue(Traced):
    """What is to be proven now."""

    label: ClassVar[str] = "challenges-due"
    lineage: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChallengeAnswered(Traced):
    """The CA is told to look at this name; only told of where names are looked at one after the other."""

    label: ClassVar[str] = "challenge-answered"
    lineage: str
    name: str


@dataclass(frozen=True, slots=True)
class ChallengeMet(Traced):
    """The CA looked, and found what it wants to see."""

    label: ClassVar[str] = "challenge-met"
    lineage: str
    name: str


@dataclass(frozen=True, slots=True)
class ChallengesOver(Traced):
    """The CA has looked, or is not going to; what was published is withdrawn now. `failed` are the names at fault."""

    label: ClassVar[str] = "challenges-over"
    lineage: str
    proven: bool
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateRequested(Traced):
    label: ClassVar[str] = "certificate-requested"
    lineage: str


@dataclass(frozen=True, slots=True)
class CertificateChecked(Traced):
    """The certificate is there and in order; `preferred` is what its chain was chosen by, empty for the default."""

    label: ClassVar[str] = "certificate-checked"
    lineage: str
    preferred: str = ""
