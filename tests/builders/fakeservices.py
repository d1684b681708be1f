"""Services in memory: they read files when they are told to, and show what they read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certkeeper.apply.deployports import Condition, Placement
from certkeeper.base.errors import CertkeeperError
from certkeeper.service.endpoint import Endpoint
from certkeeper.service.handshake import Contact, Handshake, Look, Trouble, Unseen
from certkeeper.service.target import Target

LOOPBACK = ("127.0.0.1", "::1")
_BEGIN = b"-----BEGIN CERTIFICATE-----"

Read = Callable[[str], bytes]


class ServiceFailed(CertkeeperError):
    """What a service's command said."""


@dataclass
class FakeService:
    """One service. `shows` is the file behind each endpoint; `copies` are files of which it reads what `refresh` took.

    `broken` is what its test says, `refuses` what its reload says, without an effect. One that `keeps` says nothing and
    goes on with what it has. `unreadable` are paths that its user cannot read.
    """

    shows: Mapping[Endpoint, str]
    read: Read
    copies: frozenset[str] = frozenset()
    condition: Condition = Condition.RUNNING
    broken: str = ""
    refuses: str = ""
    keeps: bool = False
    unreadable: frozenset[str] = frozenset()
    calls: list[str] = field(default_factory=list)
    _loaded: dict[str, bytes] = field(default_factory=dict)
    _copied: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.condition is Condition.RUNNING:
            self.refresh()
            self.load()
        self.calls.clear()

    def refresh(self) -> None:
        self.calls.append("refresh")
        self._copied = {path: self._content(path) for path in self.copies}

    def load(self) -> None:
        self.calls.append("apply")
        if self.refuses:
            raise ServiceFailed(self.refuses)
        if not self.keeps:
            self._loaded = {
                path: self._copied.get(path, b"") if path in self.copies else self._content(path)
                for path in self.shows.values()
            }

    def leaf(self, endpoint: Endpoint) -> bytes | None:
        """In DER; None where there is no handshake."""
        path = self.shows.get(endpoint)
        content = self._loaded.get(path, b"") if path else b""
        if self.condition is not Condition.RUNNING or _BEGIN not in content:
            return None
        whole = content[content.index(_BEGIN) :]
        return x509.load_pem_x509_certificates(whole)[0].public_bytes(Encoding.DER)

    def _content(self, path: str) -> bytes:
        try:
            return self.read(path)
        except (OSError, KeyError):
            return b""


class FakeServices:
    """Port Services. `services` are by the names of their targets; others are not installed."""

    def __init__(self, services: Mapping[str, FakeService]) -> None:
        self.services = services
        self._tests = 0

    def condition(self, target: Target) -> Condition:
        found = self.services.get(target.name)
        return found.condition if found else Condition.NOT_INSTALLED

    def test(self, target: Target) -> str:
        self.services[target.name].calls.append("test")
        broken = self.services[target.name].broken
        self._tests += 1
        # Real ones say the time or the number of their process with it.
        return f"{broken} [{self._tests}]" if broken else ""

    def refresh(self, target: Target) -> None:
        self.services[target.name].refresh()

    def apply(self, target: Target, changed: Sequence[Placement]) -> None:
        del changed
        if self.condition(target) is not Condition.RUNNING:
            raise ServiceFailed(f"{target.name}: not running")
        self.services[target.name].load()

    def can_read(self, target: Target, paths: Sequence[str]) -> tuple[str, ...]:
        return tuple(path for path in paths if path in self.services[target.name].unreadable)


class FakeProbes:
    """Port Probes. `addresses` are those of names that are this machine's."""

    def __init__(self, services: FakeServices, addresses: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._services = services
        self._addresses = addresses or {}
        self.looks = 0
        self.asked: list[Contact] = []

    def addresses_here(self, name: str) -> tuple[str, ...]:
        return self._addresses.get(name, LOOPBACK)

    def look(self, contacts: Sequence[Contact]) -> tuple[Look, ...]:
        self.looks += 1
        self.asked += contacts
        return tuple(self._one(contact) for contact in contacts)

    def _one(self, contact: Contact) -> Look:
        address = contact.endpoint.connect_to
        for service in self._services.services.values():
            if (leaf := service.leaf(contact.endpoint)) is not None:
                return Handshake(contact, address, (leaf,), "TLSv1.3")
        return Unseen(contact, address, Trouble.UNREACHABLE, "connection refused")
