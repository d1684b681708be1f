"""A run that is killed just before or just after one of its effects, in a simulated world, and what must hold then."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from builders.fakes import FakeClock, Perform, SeededExecutor
from builders.fakestore import Live
from builders.plans import spec, zone
from certkeeper.adapters.keys import parse_own
from certkeeper.apply.effects import RunHook, WriteJournal
from certkeeper.apply.ports import Completion
from certkeeper.apply.result import Result
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.wire import Request, Step
from certkeeper.config.methods import ChallengeType, Methods
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.plan.backoff import STEPS
from certkeeper.plan.records import HookDebt
from world.simulation import Simulation

ZONES = [zone("example.org"), zone("example.net")]
FOREIGN = {"_acme-challenge.a.example.org": {"foreign"}}
FOREIGN_FILES = {("/var/www/dehydrated", "foreign"): b"foreign"}
Carry = Callable[[Step, Perform], object]
Habit = Callable[[], Carry]
"""Makes what carries steps out, anew for every run."""


class Killed(BaseException):
    """The process is gone. No code of ours may catch it."""


def plainly() -> Carry:
    return lambda step, perform: perform(step)


class MortalExecutor(SeededExecutor):
    """Dies just before (`2n`) or just after (`2n + 1`) its n-th step; of what was under way then, a part is done.

    `carry` performs a step; a mutant's does so in another order.
    """

    def __init__(self, perform: Perform, clock: FakeClock, seed: int, moment: int, carry: Carry) -> None:
        super().__init__(lambda step: carry(step, perform), clock, seed)
        self._moment = moment
        self._dice = random.Random(seed + moment)  # noqa: S311 - an order of events, not a secret

    def next(self, timeout: float | None) -> Completion | None:
        at, after = divmod(self._moment, 2)
        if len(self.performed) == at and self._open:
            if after:
                super().next(None)
            for _, _, _, step in self._open[after == 0 :]:
                # What was sent may still arrive.
                if isinstance(step, Request) and self._dice.random() < 0.5:
                    self.perform(step)
            raise Killed
        return super().next(timeout)


def same_key(*names: str, alias: str = "") -> CertSpec:
    return spec(*names, alias=alias, key=KeySpec(KeyAlgorithm.P256, policy=KeyPolicy.REUSE))


@dataclass(frozen=True, slots=True)
class Scene:
    """What a run that gets killed is about. `renewal`: all certificates are there and are renewed by force.

    `first`: the next run is about that many certificates from the end of the list only.
    """

    name: str
    specs: Sequence[CertSpec]
    renewal: bool = False
    refuses: frozenset[str] = frozenset()
    failing_hooks: int = 0
    first: int = 0

    def __str__(self) -> str:
        return self.name


def hooked(item: CertSpec) -> CertSpec:
    return replace(item, hook="/etc/dehydrated/hook.sh")


NEW_KEYS = [hooked(spec("a.example.org", "b.example.net")), spec("c.example.org")]
SAME_KEYS = [hooked(same_key("a.example.org", "b.example.net")), same_key("c.example.org")]
ROLLING = [
    hooked(spec("a.example.org", "b.example.net", key=KeySpec(KeyAlgorithm.P256, policy=KeyPolicy.ROLLOVER))),
    spec("c.example.org", key=KeySpec(KeyAlgorithm.P256, policy=KeyPolicy.ROLLOVER)),
]
SERVED = [
    hooked(
        spec(
            "a.example.org",
            "www.example.com",
            "tls.example.com",
            "ip:192.0.2.1",
            methods=Methods(
                (ChallengeType.DNS_01, ChallengeType.HTTP_01),
                ((Identifier.parse("tls.example.com"), (ChallengeType.TLS_ALPN_01,)),),
            ),
        )
    ),
    spec("tls.example.com", "ip:2001:db8::1", alias="tls", methods=Methods((ChallengeType.TLS_ALPN_01,))),
]
SCENES = [
    Scene("first issue", NEW_KEYS),
    Scene("renewal with new keys", NEW_KEYS, renewal=True),
    Scene("renewal with the same keys", SAME_KEYS, renewal=True),
    Scene("rollover", ROLLING, renewal=True),
    Scene("rollover begins", ROLLING),
    Scene("an order that fails", NEW_KEYS, refuses=frozenset({"c.example.org"})),
    Scene("a hook that fails", NEW_KEYS, renewal=True, failing_hooks=1),
    Scene("names that are served", SERVED),
    Scene("names that are served, and an order that fails", SERVED, refuses=frozenset({"2001:db8::1"})),
    Scene("a next run about another certificate", NEW_KEYS, first=1),
]


@dataclass(slots=True)
class Life:
    """A world before, at and after a kill."""

    scene: Scene
    world: Simulation
    orders_before: int = 0
    extra_orders: int = 0
    extra_calls: int = 0
    keys: dict[Alias, str] = field(default_factory=dict)

    @classmethod
    def of(cls, scene: Scene, seed: int) -> "Life":
        world = Simulation(scene.specs, ZONES, seed=seed)
        for owner, values in FOREIGN.items():
            world.dns.put(owner, values)
        world.files.content |= FOREIGN_FILES
        life = cls(scene, world)
        if scene.renewal:
            assert not world.run().failed
            world.clock.advance(3600)
            # Not part of what is to be proven.
            world.hooks.called.clear()
            world.store.shown.clear()
        life.orders_before = len(world.ca.orders)
        life.keys = {alias: key_of(live) for alias, live in world.store.live.items()}
        world.ca.manners.refuses = set(scene.refuses)
        world.hooks.failing = scene.failing_hooks
        return life

    @property
    def aliases(self) -> list[Alias]:
        return [item.alias for item in self.scene.specs]

    def live_until(self, moment: int, seed: int, habit: Habit = plainly) -> bool:
        """Run until killed at that moment; False where the run ended before."""
        usual = self.world.executor
        self.world.executor = MortalExecutor(self.world.executor.perform, self.world.clock, seed, moment, habit())
        try:
            self.run()
        except Killed:
            self._count_what_nobody_knows(self.world.executor.performed)
            self.world.journal.die()
            self.world.listeners.die()
            return True
        finally:
            self.world.executor = usual
        return False

    def run(self) -> Result:
        return self.world.run(forced=self.aliases if self.scene.renewal else ())

    def _count_what_nobody_knows(self, performed: Sequence[Step]) -> None:
        """Orders whose URL was not written down yet, and calls of the hook that were not."""
        self.extra_orders = self.world.ca.undecided({intent.url for intent in self.world.journal.orders.values()})
        calls = sum(1 for step in performed if isinstance(step, RunHook))
        paid = sum(
            1
            for step in performed
            if isinstance(step, WriteJournal) and any(isinstance(entry, HookDebt) for entry in step.drop)
        )
        self.extra_calls = calls - paid if not self.scene.failing_hooks else 0

    def recover(self) -> Result:
        """The next runs: at once, and once more where something was to be waited for."""
        self.world.hooks.failing = 0
        self.world.ca.manners.refuses = set()
        if self.scene.first:
            page = self.world.configuration
            self.world.configuration = replace(page, certificates=page.certificates[-self.scene.first :])
            self.world.run()
            assert self.world.dns.txt() == FOREIGN, "left in DNS by a run about another certificate"
            self.world.configuration = page
        result = self.world.run()
        if result.failed:
            self.world.clock.advance(STEPS[0].total_seconds() + 1)
            result = self.world.run()
        return result

    def rolls_over(self, alias: Alias) -> bool:
        return any(item.alias == alias and item.key.policy is KeyPolicy.ROLLOVER for item in self.scene.specs)

    def assert_served(self, when: str) -> None:
        """Whatever was shown to readers so far belongs together; a key that is to stay has stayed."""
        for alias, live in [*self.world.store.shown, *self.world.store.live.items()]:
            assert key_of(live) == parse_leaf(live.files.cert).key_id, f"{when}: {alias} is torn"
            assert live.files.fullchain == live.files.cert + live.files.chain
            reused = next(item for item in self.scene.specs if item.alias == alias).key.policy is KeyPolicy.REUSE
            if reused and alias in self.keys:
                assert key_of(live) == self.keys[alias], f"{when}: {alias} has another key"
            if self.rolls_over(alias) and alias in self.keys:
                announced = {self.keys[alias], *self.world.store.announced}
                assert key_of(live) in announced, f"{when}: {alias} has a key that was not announced"

    def assert_converged(self, result: Result, when: str) -> None:
        world = self.world
        assert not result.failed, f"{when}: {[str(outcome.error) for outcome in result.outcomes]}"
        assert world.dns.txt() == FOREIGN, f"{when}: left in DNS"
        assert world.files.content == FOREIGN_FILES, f"{when}: left in folders: {list(world.files.content)}"
        assert not world.listeners.answers, f"{when}: still answered"
        assert not world.hooks.ready, f"{when}: a script was told of these and not to clean: {world.hooks.ready}"
        assert world.journal.empty, f"{when}: left in the journal: {world.journal.records()}"
        # A version in the making may stay where no order was opened for it: the next issue takes it up.
        assert not world.store.staged, f"{when}: complete, and not live"
        assert set(world.store.live) == set(self.aliases), f"{when}: {set(world.store.live)}"
        for alias in filter(self.rolls_over, self.aliases):
            coming = world.store.next_keys[alias].key_id
            assert coming != key_of(world.store.live[alias]), f"{when}: {alias} has no next key"
        assert not world.run().outcomes, f"{when}: one more run has something to do"

    def assert_orders(self, when: str) -> None:
        """One order per lineage; one more where the kill came between the CA's answer and the journal."""
        opened = len(self.world.ca.orders) - self.orders_before
        again = len(self.scene.refuses)
        allowed = len(self.scene.specs) + self.extra_orders + again
        assert opened <= allowed, f"{when}: {opened} orders, {allowed} at most"

    def assert_hooks(self, when: str) -> None:
        """Every version that went live was told of: once, or once more where the kill came before that was noted."""
        calls = self.world.hooks.paid
        for alias, live in self.world.store.shown:
            if next(item for item in self.scene.specs if item.alias == alias).hook:
                told = calls.count((alias.text, live.stamp))
                newest = self.world.store.live[alias].stamp == live.stamp
                assert told or not newest, f"{when}: nobody was told of {alias} {live.stamp}"
                assert told <= 1 + self.extra_calls, f"{when}: told {told} times of {alias} {live.stamp}"


def key_of(live: Live) -> str:
    return parse_own(live.files.privkey, "privkey.pem").key_id


def check(scene: Scene, moment: int, seed: int, habit: Habit = plainly) -> bool:
    """One kill and what comes after it; False where the run ended before that moment."""
    life = Life.of(scene, seed)
    when = f"{scene}, moment {moment}, seed {seed}"
    if not life.live_until(moment, seed, habit):
        return False
    life.assert_served(when)
    result = life.recover()
    life.assert_served(when)
    life.assert_converged(result, when)
    life.assert_orders(when)
    life.assert_hooks(when)
    return True


def check_lives(scene: Scene, moments: Sequence[int], seed: int) -> None:
    """One kill after the other: runs that recover are killed, too, and in the end there is one that nobody kills."""
    life = Life.of(scene, seed)
    when = f"{scene}, moments {list(moments)}, seed {seed}"
    kills = 0
    for number, moment in enumerate(moments):
        kills += life.live_until(moment, seed + number)
        life.assert_served(when)
    result = life.recover()
    life.assert_served(when)
    life.assert_converged(result, when)
    opened = len(life.world.ca.orders) - life.orders_before
    # A run by force that nobody killed renews; after a kill at most one order per lineage is not known of.
    assert opened <= len(scene.specs) * (1 + len(moments)) + len(scene.refuses), when
    for alias, live in life.world.store.live.items():
        if next(item for item in scene.specs if item.alias == alias).hook and (alias, live) in life.world.store.shown:
            told = life.world.hooks.paid.count((alias.text, live.stamp))
            assert 1 <= told <= 1 + kills, f"{when}: told {told} times of {alias}"


def sweep(scene: Scene, seed: int, *, stride: int = 1, habit: Habit = plainly) -> int:
    """A kill at every `stride`-th moment of a run; how many there were."""
    kills = 0
    while check(scene, kills * stride, seed, habit):
        kills += 1
    return kills
