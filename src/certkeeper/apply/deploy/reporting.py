"""What a transaction comes to: for the journal, for who listens, and for the run's end."""

from collections.abc import Sequence
from datetime import datetime

from certkeeper.apply.deploy.parts import Part, Shared
from certkeeper.apply.deploy.result import Deployed, End
from certkeeper.apply.effects import WriteJournal, do
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.events import CertificatesAdopted, CertificatesSeen, DeploymentFailed, DeploymentNoted
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import Exchange
from certkeeper.plan.deploy import Cause, Due
from certkeeper.plan.records import Deployment, Shown
from certkeeper.plan.showing import Showing
from certkeeper.service.copies import way
from certkeeper.service.target import Target

_FEW = 5
"""So many are named."""


class NotTaken(CertkeeperError):
    """A service that did not take a certificate."""

    label = "service-failed"
    fault = Fault.OPERATOR
    local = True


@dataclass(slots=True)
class Report:
    """How the certificates of one service ended; `write` tells the journal and who listens."""

    target: Target
    shared: Shared
    ended: list[Deployed] = field(default_factory=list)
    _entries: list[Deployment] = field(default_factory=list)
    _seen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _had: list[str] = field(default_factory=list)
    _notes: dict[str, list[str]] = field(default_factory=dict)
    _errors: dict[str, tuple[CertkeeperError, list[str]]] = field(default_factory=dict)

    def taken(self, part: Part, showing: Showing) -> None:
        """The service was told, and nothing is wrong."""
        message = "; ".join(showing.unproven[:3]) or ("" if showing.seen else "nobody could look")
        if showing.proven:
            self._seen[str(part.alias)] = showing.seen
            self._end(part, End.SEEN, Shown.SEEN, "")
        else:
            self._notes.setdefault(f"unproven: {message}", []).append(str(part.alias))
            self._end(part, End.UNPROVEN, Shown.UNPROVEN, message)

    def adopted(self, part: Part, showing: Showing) -> None:
        """The service has it already, as far as can be seen, so it was not told of anything."""
        self._had.append(str(part.alias))
        if part.due.cause is Cause.DRIFTED:
            self.noted(part, "its files, or who may read them, were not as they were given, and were put right")
        message = "; ".join(showing.unproven[:3]) or ("" if showing.seen else "nobody could look")
        if showing.proven:
            self._end(part, End.SEEN, Shown.SEEN, "")
        else:
            self._end(part, End.UNPROVEN, Shown.UNPROVEN, message)

    def stopped(self, part: Part, message: str) -> None:
        before = part.due.before
        if before is None or before.message != message:
            self._notes.setdefault(f"{message}: the files are there for when it is started", []).append(str(part.alias))
        self._end(part, End.OWED, Shown.OWED, message)

    def broken(self, parts: Sequence[Part], words: str) -> None:
        """The service has its files, and would not start with any of them."""
        mend = f"it says so of any certificate: mend its configuration, then: certkeeper deploy {parts[0].alias}"
        for part in parts:
            self._fail(part, words, None, NotTaken(words, hint=mend))

    def unstartable(self, parts: Sequence[Part], words: str) -> None:
        """A service that does not run, as far as we know, has its files, and would not start with them."""
        mend = f"mend its configuration, then: certkeeper deploy {parts[0].alias}"
        for part in parts:
            self._fail(part, words, None, NotTaken(words, hint=mend))

    def failed(self, part: Part, message: str, retry_at: datetime) -> None:
        error = NotTaken(message, hint=f"to try at once: certkeeper deploy {part.alias}", retry_at=retry_at)
        self._fail(part, message, retry_at, error)

    def kept_out(self, due: Due, stamp: int, error: CertkeeperError) -> Exchange[None]:
        """Nothing was touched. Whatever it is that stands in the way, the next run looks whether it still does.

        Raises:
            CertkeeperError: the journal cannot be written to.
        """
        failures = due.failures if due.stamp == stamp else 0
        entry = Deployment(self.target.name, due.spec.entry, stamp, Shown.OWED, failures + 1, None, str(error))
        self.ended.append(Deployed(self.target.name, due.alias, End.FAILED, str(error)))
        self.shared.tell(DeploymentFailed(f"{self.target.name}: {due.alias}", error, (str(due.alias),)))
        yield from do(WriteJournal(put=(entry,)))

    def replaced(self, part: Part) -> None:
        """Somebody else's files are kept, which may be all that there is of a key."""
        if part.placement is not None and part.placed is not None and part.placed.others and not part.unchanged:
            folder = part.placed.others[0].rpartition("/")[0]
            kept = "/".join((folder, *way(self.target.name, part.alias.text)))
            self.noted(part, f"what was in {', '.join(part.placed.others)} is kept, in {kept}")

    def noted(self, part: Part, message: str) -> None:
        self.shared.tell(DeploymentNoted(f"{self.target.name}: {part.alias}", message))

    def write(self) -> Exchange[None]:
        """Raises CertkeeperError: the journal still says that all of it is owed."""
        entries, self._entries = tuple(self._entries), []
        if entries:
            yield from do(WriteJournal(put=entries))
        self._tell()

    def _end(self, part: Part, end: End, shown: Shown, message: str) -> None:
        self._entries.append(Deployment(self.target.name, part.due.spec.entry, part.stamp, shown, 0, None, message))
        self.ended.append(Deployed(self.target.name, part.alias, end, message))

    def _fail(self, part: Part, message: str, retry_at: datetime | None, error: NotTaken) -> None:
        due, failures = part.due, part.failures + 1
        entry = Deployment(self.target.name, due.spec.entry, part.stamp, Shown.OWED, failures, retry_at, message)
        self._entries.append(entry)
        self.ended.append(Deployed(self.target.name, due.alias, End.FAILED, message, retry_at))
        self._errors.setdefault(message, (error, []))[1].append(str(due.alias))

    def _tell(self) -> None:
        tell, name = self.shared.tell, self.target.name
        if self._seen:
            places = tuple(dict.fromkeys(place for places in self._seen.values() for place in places))
            tell(CertificatesSeen(name, tuple(self._seen), places[:_FEW], len(places)))
        if self._had:
            tell(CertificatesAdopted(name, tuple(self._had)))
        for message, aliases in self._notes.items():
            tell(DeploymentNoted(f"{name}: {_listed(aliases)}", message, tuple(aliases)))
        for error, aliases in self._errors.values():
            tell(DeploymentFailed(f"{name}: {_listed(aliases)}", error, tuple(aliases)))
        self._seen, self._had, self._notes, self._errors = {}, [], {}, {}


def _listed(aliases: Sequence[str]) -> str:
    more = f" and {len(aliases) - _FEW} more" if len(aliases) > _FEW else ""
    return ", ".join(aliases[:_FEW]) + more
