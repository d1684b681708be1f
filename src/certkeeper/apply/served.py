"""What proves names without DNS: files for a web or TLS server, or answers of our own listeners, while they are needed.

A file is in the journal before it is written and until it is removed. What killed runs left is removed before anything
new is written, since it may be the same. What two lineages need (a CA may give them one authorization) goes with the
last of them. Under one name there is one certificate for tls-alpn-01 at a time: who needs another one waits.
"""

from collections.abc import Sequence
from typing import TypeAlias

from certkeeper.apply.effects import (
    AnswerChallenge,
    CheckFolder,
    Listen,
    PutFile,
    RemoveFile,
    UnanswerChallenge,
    WriteJournal,
    do,
)
from certkeeper.apply.ports import AnsweredChallenge, ServedFile
from certkeeper.apply.scheduler import Scheduler, Signal, shield, wait
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Noted, Tell, count
from certkeeper.base.names import Alias
from certkeeper.base.value import dataclass, field
from certkeeper.base.wire import Exchange, together
from certkeeper.plan.actions import Serve
from certkeeper.plan.records import FileIntent

Thing: TypeAlias = ServedFile | AnsweredChallenge


class FilesLeft(CertkeeperError):
    """Challenge files that could not be removed."""

    label = "file-trouble"
    local = True


@dataclass(slots=True, eq=False)
class _Held:
    """What one lineage has published, or waits to. `leaving`: it is on its way out, and `gone` when that is done."""

    things: Sequence[Thing]
    published: Signal = field(default_factory=Signal)
    released: Signal = field(default_factory=Signal)
    gone: Signal = field(default_factory=Signal)
    leaving: bool = False


class Served:
    """Publishes for running lineages, and takes away what none of them needs any more."""

    def __init__(self, scheduler: Scheduler, tell: Tell) -> None:
        self._scheduler = scheduler
        self._tell = tell
        self._held: dict[Alias, list[_Held]] = {}
        self._users: list[_Held] = []
        self._cleaned = Signal()
        self._there: dict[FileIntent, None] = {}
        self._errors: list[CertkeeperError] = []

    def clean(self, left: Sequence[FileIntent], scripts: Exchange[None] | None = None) -> None:
        """Have a killed run's files removed, after `scripts` were told to clean; nothing is published before."""
        if not left and scripts is None:
            self._cleaned.set()
            return
        self._there.update(dict.fromkeys(left))
        self._scheduler.spawn(self._clean(left, scripts), self._ended)

    def prepare(self, serves: Sequence[Serve]) -> Exchange[None]:
        """Before an order is opened: folders can be written to, and listeners listen.

        Raises:
            CertkeeperError: naming the folder, or the setting.
        """
        for serve in serves:
            if serve.listen:
                yield from do(Listen(serve.method, serve.listen))
            else:
                yield from do(CheckFolder(serve.folder))

    def publish(self, alias: Alias, things: Sequence[Thing]) -> Exchange[None]:
        """Have these published until `release`.

        Raises:
            CertkeeperError: some could not be.
        """
        held = _Held(things)
        self._held.setdefault(alias, []).append(held)
        self._scheduler.spawn(self._carry(held), self._ended)
        yield from wait(held.published)

    def release(self, alias: Alias) -> None:
        """The lineage ended or its order is decided."""
        for held in self._held.pop(alias, ()):
            held.released.set()

    def leftovers(self) -> tuple[CertkeeperError, ...]:
        """What this run published, or was to remove, and did not, in one error."""
        if not self._there:
            return ()
        listed = " ".join(f"{intent.folder}/{intent.name}" for intent in self._there)
        why = str(self._errors[0]) if self._errors else "no time was left"
        return (
            FilesLeft(
                f"{count(len(self._there), 'challenge file')} may still be there: {why}",
                hint=f"the next run removes them; by hand: rm {listed}",
            ),
        )

    def _ended(self, _value: object, error: Exception | None) -> None:
        if error is not None:
            raise error

    def _clean(self, left: Sequence[FileIntent], scripts: Exchange[None] | None) -> Exchange[None]:
        yield from shield()
        if scripts is not None:
            yield from scripts
        gone = yield from self._remove(left)
        if gone:
            self._tell(Noted("challenge files", f"{count(gone, 'file')} of a killed run removed"))
        self._cleaned.set()

    def _carry(self, held: _Held) -> Exchange[None]:
        try:
            yield from wait(self._cleaned)
            while (other := self._in_the_way(held)) is not None:
                yield from wait(other.gone)
            self._users.append(held)
            yield from self._put(held)
        except CertkeeperError as error:
            held.published.set(error)
        else:
            held.published.set()
        yield from shield()
        yield from wait(held.released)
        if held in self._users:
            yield from self._take_away(held)
            self._users.remove(held)
        held.gone.set()

    def _put(self, held: _Held) -> Exchange[None]:
        intents = tuple(thing.intent for thing in held.things if isinstance(thing, ServedFile))
        if intents:
            # Nothing is published that is not written down.
            yield from do(WriteJournal(put=intents))
            self._there.update(dict.fromkeys(intents))
        yield from together(
            [
                do(PutFile(thing)) if isinstance(thing, ServedFile) else do(AnswerChallenge(thing))
                for thing in held.things
            ]
        )

    def _take_away(self, held: _Held) -> Exchange[None]:
        held.leaving = True
        others = {_key(thing) for user in self._users if not user.leaving for thing in user.things}
        mine = [thing for thing in held.things if _key(thing) not in others]
        for thing in mine:
            if isinstance(thing, AnsweredChallenge):
                yield from do(UnanswerChallenge(thing))
        yield from self._remove(
            [thing.intent for thing in mine if isinstance(thing, ServedFile) and thing.intent in self._there]
        )

    def _in_the_way(self, held: _Held) -> _Held | None:
        """Who has something else under one of these names, or is about to take the same away."""
        wanted = {_key(thing): thing.content for thing in held.things}
        return next(
            (
                user
                for user in self._users
                for thing in user.things
                if _key(thing) in wanted and (user.leaving or thing.content != wanted[_key(thing)])
            ),
            None,
        )

    def _remove(self, intents: Sequence[FileIntent]) -> Exchange[int]:
        """Remove them, and then their entries; how many were there."""
        removed, settled = 0, []
        for intent in intents:
            try:
                removed += yield from do(RemoveFile(intent))
            except CertkeeperError as error:
                self._errors.append(error)
            else:
                settled.append(intent)
                self._there.pop(intent, None)
        if settled:
            try:
                yield from do(WriteJournal(drop=tuple(settled)))
            except CertkeeperError as error:
                # No harm: the next run removes what is not there any more.
                self._tell(Noted("challenge files", f"the removal was not written down: {error}"))
        return removed


def _key(thing: Thing) -> tuple[str, str]:
    return (thing.folder if isinstance(thing, ServedFile) else thing.method.value), thing.name
