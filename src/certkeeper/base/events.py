"""What happened, as values. Code tells events; only the rim turns them into words on a terminal, in a log, or JSON."""

from collections.abc import Callable
from typing import ClassVar

from certkeeper.base.errors import CertkeeperError, printable, told_of
from certkeeper.base.value import dataclass, field_names


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `label` names it for machines and never changes; `text` is for people."""

    label: ClassVar[str] = "event"

    @property
    def text(self) -> str:
        """One line: lower case, the object first, no final period."""
        return " ".join(str(getattr(self, name)) for name in field_names(self) or ())

    @property
    def details(self) -> tuple[str, ...]:
        """More lines, where one does not say it all."""
        return ()


Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class CredentialsRequested(Event):
    """A service of the CA's is told a mail address, and asked for what a new account is bound with."""

    label: ClassVar[str] = "credentials-requested"
    service: str
    mail: str

    @property
    def text(self) -> str:
        return f"{self.service}: asked for a key id and an HMAC key for {self.mail}"


@dataclass(frozen=True, slots=True)
class AccountRegistered(Event):
    label: ClassVar[str] = "account-registered"
    ca: str
    url: str

    @property
    def text(self) -> str:
        return f"{self.ca}: account registered as {self.url}"


@dataclass(frozen=True, slots=True)
class OrderOpened(Event):
    label: ClassVar[str] = "order-opened"
    lineage: str
    status: str
    names: int

    @property
    def text(self) -> str:
        reused = ", nothing left to prove" if self.status == "ready" else ""
        return f"{self.lineage}: order opened for {count(self.names, 'name')}{reused}"


@dataclass(frozen=True, slots=True)
class ZoneChanged(Event):
    """One PATCH went through. `records` counts values that were added or taken away; `what` is one of them."""

    label: ClassVar[str] = "zone-changed"
    zone: str
    action: str
    records: int
    lineages: int
    what: str = "challenge record"

    @property
    def withdraws(self) -> bool:
        """What is published is of some certificate."""
        return not self.lineages

    @property
    def text(self) -> str:
        whose = f" of {count(self.lineages, 'certificate')}" if self.lineages else ""
        return f"zone {self.zone}: {count(self.records, self.what)}{whose} {self.action}"


@dataclass(frozen=True, slots=True)
class ServersWaited(Event):
    """Still waiting for name servers; told when what is missing changes."""

    label: ClassVar[str] = "servers-waited"
    zone: str
    missing: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"zone {self.zone}: waiting for {', '.join(self.missing)}"


@dataclass(frozen=True, slots=True)
class ServersIgnored(Event):
    """The operator said that these do not count (DNS_IGNORE); told once per zone."""

    label: ClassVar[str] = "servers-ignored"
    zone: str
    servers: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"zone {self.zone}: not asked, as DNS_IGNORE says: {', '.join(self.servers)}"


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """What a proof found out about one server. `seconds` until it served everything; None where it does not.

    `over` are the ways that work (udp, tcp), `signed` whether valid signatures came along, `note` what is odd.
    """

    server: str
    seconds: float | None
    serial: int | None = None
    over: tuple[str, ...] = ()
    signed: bool = False
    note: str = ""

    @property
    def how(self) -> str:
        """What servers of a zone have in common on a good day."""
        serial = f"serial {self.serial}" if self.serial is not None else ""
        words = (serial, " and ".join(self.over), "signed" if self.signed else "")
        return ", ".join(word for word in words if word)

    @property
    def text(self) -> str:
        when = f"after {self.seconds:.1f} s" if self.seconds is not None else ""
        return f"{self.server}: {', '.join(word for word in (when, self.how, self.note) if word)}"


@dataclass(frozen=True, slots=True)
class ZoneProven(Event):
    """`resolvers` are those that see it, too."""

    label: ClassVar[str] = "zone-proven"
    zone: str
    servers: tuple[ServerSeen, ...]
    seconds: float
    resolvers: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        names = ", ".join(seen.server for seen in self.servers)
        seen_by = f", seen by {', '.join(self.resolvers)}" if self.resolvers else ""
        how = f" ({self.servers[0].how})" if self.servers and self.servers[0].how and not self._differ else ""
        return f"zone {self.zone}: served by {names}{seen_by} after {self.seconds:.1f} s{how}"

    @property
    def details(self) -> tuple[str, ...]:
        """A line per server where they differ, or one has lagged."""
        times = [seen.seconds for seen in self.servers if seen.seconds is not None]
        lagged = bool(times) and max(times) >= 1 and max(times) > 2 * min(times)
        odd = any(seen.note for seen in self.servers)
        return tuple(seen.text for seen in self.servers) if self._differ or lagged or odd else ()

    @property
    def _differ(self) -> bool:
        return len({seen.how for seen in self.servers}) > 1


@dataclass(frozen=True, slots=True)
class ZoneUnproven(Event):
    """The bound has passed. One line per server, those that do serve it included."""

    label: ClassVar[str] = "zone-unproven"
    zone: str
    servers: tuple[ServerSeen, ...]
    seconds: float

    @property
    def text(self) -> str:
        return f"zone {self.zone}: not served everywhere after {self.seconds:.1f} s"

    @property
    def details(self) -> tuple[str, ...]:
        return tuple(seen.text for seen in self.servers)


@dataclass(frozen=True, slots=True)
class ScriptTrusted(Event):
    """A script published records where nobody can look for them. Told of the first such zone only."""

    label: ClassVar[str] = "script-trusted"
    zone: str
    reason: str

    @property
    def text(self) -> str:
        return f"zone {self.zone}: nobody looks for the records here: the script's word counts, as in all such zones"

    @property
    def details(self) -> tuple[str, ...]:
        return (self.reason,)


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """Something the operator should know although the work went on."""

    label: ClassVar[str] = "noted"
    subject: str
    message: str

    @property
    def text(self) -> str:
        return f"{self.subject}: {self.message}"


@dataclass(frozen=True, slots=True)
class NamesProven(Event):
    label: ClassVar[str] = "names-proven"
    lineage: str

    @property
    def text(self) -> str:
        return f"{self.lineage}: the CA accepts every name"


@dataclass(frozen=True, slots=True)
class CertificateIssued(Event):
    label: ClassVar[str] = "certificate-issued"
    lineage: str
    not_after: str
    path: str

    @property
    def text(self) -> str:
        return f"{self.lineage}: certificate valid until {self.not_after} is live in {self.path}"


@dataclass(frozen=True, slots=True)
class CertificateStaged(Event):
    """A new version is there and does not go live by itself: the certificate is held."""

    label: ClassVar[str] = "certificate-staged"
    lineage: str
    not_after: str
    stamp: int

    @property
    def text(self) -> str:
        return (
            f"{self.lineage}: certificate valid until {self.not_after} is staged as version {self.stamp}, and waits "
            f"for certkeeper activate {self.lineage}"
        )


@dataclass(frozen=True, slots=True)
class VersionActivated(Event):
    """A version that was there went live; `before` is the one that was live, None where that was none of ours."""

    label: ClassVar[str] = "version-activated"
    lineage: str
    not_after: str
    stamp: int
    before: int | None

    @property
    def text(self) -> str:
        place = f", in the place of version {self.before}" if self.before is not None else ""
        return f"{self.lineage}: version {self.stamp}, valid until {self.not_after}, is live{place}"


@dataclass(frozen=True, slots=True)
class HookCalled(Event):
    """The operator's script ended well; `output` is what it printed."""

    label: ClassVar[str] = "hook-called"
    lineage: str
    script: str
    hook: str
    output: str

    @property
    def text(self) -> str:
        said = printable(self.output, 300)
        return f"{self.lineage}: hook {self.script} {self.hook} done" + (f": {said}" if said else "")


@dataclass(frozen=True, slots=True)
class RequestTaken(Event):
    """The operator's script printed a certificate request, which is what is signed; `names` are those in it."""

    label: ClassVar[str] = "request-taken"
    lineage: str
    script: str
    names: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"{self.lineage}: hook {self.script} gave the certificate request, for {' '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class OrdersPostponed(Event):
    """Certificates that are due and have to wait for a later run, so that the CA is not asked too much at once.

    `why` is what is said of the first of them.
    """

    label: ClassVar[str] = "orders-postponed"
    lineages: tuple[str, ...]
    why: str

    @property
    def text(self) -> str:
        listed = ", ".join(self.lineages[:10]) + (f" and {len(self.lineages) - 10} more" if self.lineages[10:] else "")
        return f"{count(len(self.lineages), 'certificate')} {self.why}: {listed}"


@dataclass(frozen=True, slots=True)
class LineageFailed(Event):
    label: ClassVar[str] = "lineage-failed"
    lineage: str
    error: CertkeeperError

    @property
    def text(self) -> str:
        return told_of(self.lineage, self.error)


@dataclass(frozen=True, slots=True)
class ServiceReloaded(Event):
    """A service was told to take its files, once for all these certificates."""

    label: ClassVar[str] = "service-reloaded"
    target: str
    lineages: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"{self.target}: reloaded for {_listed(self.lineages)}"


@dataclass(frozen=True, slots=True)
class CertificatesSeen(Event):
    """A service showed these certificates in handshakes, at that many places; `places` are the first of them."""

    label: ClassVar[str] = "certificates-seen"
    target: str
    lineages: tuple[str, ...]
    places: tuple[str, ...]
    number: int

    @property
    def text(self) -> str:
        more = f" and {self.number - len(self.places)} more" if self.number > len(self.places) else ""
        return f"{self.target}: deployed {_listed(self.lineages)}: seen at {', '.join(self.places)}{more}"


@dataclass(frozen=True, slots=True)
class CertificatesAdopted(Event):
    """A service has these certificates already, as far as can be seen; it was not told of anything."""

    label: ClassVar[str] = "certificates-adopted"
    target: str
    lineages: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"{self.target}: has {_listed(self.lineages)} already, and was not reloaded"


@dataclass(frozen=True, slots=True)
class DeploymentNoted(Noted):
    """A service was given certificates (`of`), and nobody could see it, or it runs not now; `subject` names both."""

    label: ClassVar[str] = "deployment-noted"
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeploymentFailed(LineageFailed):
    """A service did not take certificates (`of`); `lineage` names both."""

    label: ClassVar[str] = "deployment-failed"
    of: tuple[str, ...] = ()


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")


def count(number: int, noun: str) -> str:
    """`1 name`, `2 names`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
