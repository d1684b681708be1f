"""A clock, an executor, keys, accounts and a store for simulated worlds: no thread, no file, no waiting."""

import hashlib
import heapq
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from builders.certificates import NOW
from certkeeper.adapters.hooks import HookFailed
from certkeeper.adapters.keys import make
from certkeeper.apply.effects import Effect
from certkeeper.apply.ports import AnsweredChallenge, Busy, Completion, HookCall, Ports, ServedFile
from certkeeper.base.accounts import AccountLook, StoredAccount
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyPair, KeySpec
from certkeeper.base.names import Alias
from certkeeper.base.wire import Request, Step
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import ServerAddress
from certkeeper.plan.records import (
    FileIntent,
)


class FakeClock:
    """Time that only the executor moves."""

    def __init__(self, start: datetime = NOW) -> None:
        self._start = start
        self.seconds = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        assert seconds >= 0
        self.seconds += seconds


Perform = Callable[[Step], object]
Latency = Callable[[Step], float | None]


def through(ports: Ports) -> Perform:
    """Carries out a step as the pool does."""

    def perform(step: Step) -> object:
        if isinstance(step, Request):
            return ports.http.send(step)
        assert isinstance(step, Effect), step
        return step.perform(ports)

    return perform


class SeededExecutor:
    """Ends steps one at a time, in an order and after times that a seed decides.

    `latency` is told of every step and may fix its time (seconds); None leaves it to the seed.
    """

    def __init__(self, perform: Perform, clock: FakeClock, seed: int = 0, latency: Latency | None = None) -> None:
        self.perform = perform
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - an order of events, not a secret
        self.latency: Latency = latency or (lambda _: None)
        self._open: list[tuple[float, float, int, Step]] = []
        self.performed: list[Step] = []
        self._woken = False

    def submit(self, ticket: int, step: Step) -> None:
        seconds = self.latency(step)
        drawn = self._random.uniform(0.001, 0.2)
        ends = self._clock.monotonic() + (drawn if seconds is None else seconds)
        heapq.heappush(self._open, (ends, self._random.random(), ticket, step))

    def forget(self) -> None:
        """A new process begins: what an earlier one left under way ends nowhere."""
        self._open.clear()
        self._woken = False

    def wake(self) -> None:
        self._woken = True

    def next(self, timeout: float | None) -> Completion | None:
        if self._woken:
            self._woken = False
            return None
        now = self._clock.monotonic()
        if not self._open or (timeout is not None and self._open[0][0] > now + timeout):
            assert timeout is not None, "waiting for ever: nothing is under way"
            self._clock.advance(timeout)
            return None
        ends, _, ticket, step = heapq.heappop(self._open)
        self._clock.advance(max(0.0, ends - now))
        self.performed.append(step)
        try:
            return Completion(ticket, self.perform(step))
        except CertkeeperError as error:
            return Completion(ticket, error=error)


class FakeKeys:
    def __init__(self) -> None:
        self.made: list[KeyPair] = []

    def make(self, spec: KeySpec) -> KeyPair:
        self.made.append(make(spec))
        return self.made[-1]


class FakeAccounts:
    def __init__(self) -> None:
        self.keys: dict[str, KeyPair] = {}
        self.kids: dict[str, str] = {}
        self.pending: dict[str, KeyPair] = {}
        self.registrations: dict[str, list[bytes]] = {}
        self.retired: dict[str, KeyPair] = {}

    def read(self, ca: str) -> StoredAccount | None:
        return StoredAccount(self.keys[ca], self.kids.get(ca), self.pending.get(ca)) if ca in self.keys else None

    def look(self, ca: str) -> AccountLook | None:
        stored = self.read(ca)
        return AccountLook(stored.kid, stored.pending is not None) if stored is not None else None

    def save_key(self, ca: str, key: KeyPair) -> None:
        self.keys[ca] = key

    def save(self, ca: str, kid: str, registration: bytes) -> None:
        assert ca in self.keys, "the key comes first"
        assert registration
        self.kids[ca] = kid

    def remove_unregistered(self, ca: str) -> None:
        assert ca not in self.kids
        self.keys.pop(ca, None)

    def keep_registration(self, ca: str, registration: bytes, now_epoch: int) -> None:
        assert now_epoch
        self.registrations.setdefault(ca, []).append(registration)

    def save_pending_key(self, ca: str, key: KeyPair) -> None:
        assert ca not in self.pending, "the CA may know the one that is there"
        self.pending[ca] = key

    def adopt_pending_key(self, ca: str) -> None:
        self.keys[ca] = self.pending.pop(ca)

    def drop_pending_key(self, ca: str) -> None:
        self.pending.pop(ca)

    def retire(self, ca: str, now_epoch: int) -> None:
        assert now_epoch
        self.retired[ca] = self.keys.pop(ca)
        del self.kids[ca]


class FakeRejected:
    """What was kept, in order."""

    def __init__(self) -> None:
        self.kept: list[tuple[Alias, bytes]] = []

    def keep(self, alias: Alias, answer: bytes, now_epoch: int) -> str:
        self.kept.append((alias, answer))
        return f"/state/rejected/{alias}-{now_epoch}.pem"


class FakeClaims:
    """`taken` are lineages, and directory URLs of accounts, that another process works on."""

    def __init__(self) -> None:
        self.taken: set[Alias | str] = set()
        self.held: set[Alias | str] = set()

    def hold(self, alias: Alias) -> None:
        if alias in self.taken or alias in self.held:
            raise Busy(f"{alias}: another certkeeper is working on it")
        self.held.add(alias)

    def free(self, alias: Alias) -> None:
        self.held.discard(alias)

    def hold_account(self, ca: str) -> None:
        if ca in self.taken or ca in self.held:
            raise Busy(f"{ca}: another certkeeper is setting its account up")
        self.held.add(ca)

    def free_account(self, ca: str) -> None:
        self.held.discard(ca)


class FakeHooks:
    """The operator's script. `failing`: how many of the next calls of deploy_cert and deploy_ocsp fail. `ready` are the
    challenges that it was told of and not to clean.
    """

    def __init__(self) -> None:
        self.called: list[HookCall] = []
        self.failing = 0
        self.ready: set[tuple[str, ...]] = set()

    def call(self, call: HookCall) -> str:
        if self.failing and call.name in {"deploy_cert", "deploy_ocsp"}:
            self.failing -= 1
            raise HookFailed(f"hook {call.script}: ended with status 1")
        self.called.append(call)
        words = call.arguments
        triples = {words[at : at + 3] for at in range(0, len(words), 3)}
        if call.name == "deploy_challenge":
            self.ready |= triples
        elif call.name == "clean_challenge":
            self.ready -= triples
        return ""

    @property
    def paid(self) -> list[tuple[str, int]]:
        """Alias and stamp of each call of deploy_cert that ended well."""
        told = [call for call in self.called if call.name == "deploy_cert"]
        return [(dict(call.environment)["alias"], int(call.arguments[-1])) for call in told]


class FakeFiles:
    """Folders that servers read. `broken` cannot be written to; `content` is what is there, by folder and name."""

    def __init__(self) -> None:
        self.content: dict[tuple[str, str], bytes] = {}
        self.broken: dict[str, CertkeeperError] = {}

    def check(self, folder: str) -> None:
        if folder in self.broken:
            raise self.broken[folder]

    def put(self, file: ServedFile) -> None:
        self.check(file.folder)
        there = self.content.setdefault((file.folder, file.name), file.content)
        if there != file.content:
            raise CertkeeperError(f"{file.folder}/{file.name}: another file has the name", hint="move it away")

    def remove(self, intent: FileIntent) -> bool:
        self.check(intent.folder)
        there = self.content.get((intent.folder, intent.name))
        if there is None or hashlib.sha256(there).hexdigest() != intent.digest:
            return False
        del self.content[intent.folder, intent.name]
        return True


class FakeListeners:
    """Listeners. `busy` is why they cannot listen."""

    def __init__(self) -> None:
        self.open: dict[ChallengeType, Sequence[ServerAddress]] = {}
        self.answers: dict[tuple[ChallengeType, str], bytes] = {}
        self.busy: CertkeeperError | None = None

    def listen(self, method: ChallengeType, addresses: Sequence[ServerAddress]) -> None:
        if self.busy is not None:
            raise self.busy
        self.open[method] = addresses

    def answer(self, challenge: AnsweredChallenge) -> None:
        self.answers[challenge.method, challenge.name] = challenge.content

    def unanswer(self, challenge: AnsweredChallenge) -> None:
        self.answers.pop((challenge.method, challenge.name), None)

    def die(self) -> None:
        """The process is gone."""
        self.open.clear()
        self.answers.clear()


class Idle:
    """Implements the port Executor: nothing is published, so nothing has to be carried out."""

    def submit(self, ticket: int, step: Step) -> None:
        raise AssertionError((ticket, step))

    def next(self, timeout: float | None) -> Completion | None:
        raise AssertionError(timeout)

    def wake(self) -> None: ...
