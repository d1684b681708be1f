"""A certificate of two phases in a simulated world: held, staged, activated, gone back from; killed at any effect."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from builders.fakes import SeededExecutor
from builders.plans import spec, zone
from certkeeper.apply.reconcile import Reconciler
from certkeeper.apply.result import Result
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.lineage.goingback import newer
from certkeeper.plan.actions import Plan
from certkeeper.plan.phases import earlier_one, staged_one, switch_to
from certkeeper.plan.records import Held
from world.kills import Killed, MortalExecutor
from world.simulation import Simulation

ROLLING = KeySpec(KeyAlgorithm.P256, policy=KeyPolicy.ROLLOVER)
DUE = timedelta(days=62)


class Phased:
    """One certificate with a hook, whose next key is made ahead."""

    def __init__(self, seed: int = 0, key: KeySpec = ROLLING) -> None:
        self.spec = replace(spec("example.org", key=key), hook="/etc/dehydrated/hook.sh")
        self.alias = self.spec.alias
        self.world = Simulation([self.spec], [zone("example.org")], seed=seed)
        assert not self.world.run().failed
        self.first = self.live

    @property
    def live(self) -> int:
        return self.world.store.live[self.alias].stamp

    @property
    def held(self) -> Held | None:
        return self.world.journal.held.get(self.alias)

    @property
    def waiting(self) -> list[int]:
        """What came after the live version."""
        store = self.world.store
        return [version.stamp for version in newer(store.lineage(self.alias), store.versions(self.alias))]

    @property
    def told(self) -> list[int]:
        """The versions that the hook was told of."""
        return [stamp for _, stamp in self.world.hooks.paid]

    @property
    def synced(self) -> int:
        return sum(1 for call in self.world.hooks.called if call.name == "sync_cert")

    def hold(self) -> None:
        self.world.journal.write([Held(self.alias, 0, None, "held by a test")], ())

    def run(self, **options: bool) -> Result:
        return self.world.run(forced=[self.alias] if options.get("forced") else ())

    def stage(self) -> int:
        """Hold it, let it become due, and run: the staged version."""
        self.hold()
        self.world.clock.advance(DUE.total_seconds())
        result = self.run()
        assert [outcome.staged is not None for outcome in result.outcomes] == [True]
        (stamp,) = self.waiting
        return stamp

    def renew(self) -> int:
        """The next version, which is live then."""
        self.world.clock.advance(3600)
        assert not self.run(forced=True).failed
        return self.live

    def activate(self) -> Result:
        world, now = self.world, self.world.clock.now()
        lineage, versions = world.store.lineage(self.alias), world.store.versions(self.alias)
        version = staged_one(self.spec, world.configuration.settings, lineage, versions, now)
        assert version is not None
        return self._switch(Held(self.alias, version.stamp, now, "activated by a test"), version.stamp)

    def roll_back(self) -> Result:
        world, now = self.world, self.world.clock.now()
        lineage, versions = world.store.lineage(self.alias), world.store.versions(self.alias)
        version, _ = earlier_one(self.spec, lineage, versions, now, None)
        return self._switch(Held(self.alias, version.stamp, None, "gone back by a test"), version.stamp)

    def _switch(self, decided: Held, stamp: int) -> Result:
        """As the command does it: the decision in the journal first."""
        world = self.world
        lineage = world.store.lineage(self.alias)
        version = next(item for item in world.store.versions(self.alias) if item.stamp == stamp)
        item = switch_to(self.spec, world.configuration.settings, lineage, version, decided)
        world.journal.write([decided], ())
        world.executor.forget()
        return Reconciler(
            Plan(lineages=(item,)),
            world.configuration.settings,
            executor=world.executor,
            clock=world.clock,
            user_agent="certkeeper/test",
            terms_accepted=False,
            tell=world.events.append,
        ).run()

    def killed(self, act: Callable[[], object], moment: int, seed: int) -> bool:
        """Whether the act was killed at that moment; it ended before where not."""
        usual: SeededExecutor = self.world.executor
        self.world.executor = MortalExecutor(
            usual.perform, self.world.clock, seed, moment, lambda step, perform: perform(step)
        )
        try:
            act()
        except Killed:
            self.world.journal.die()
            # A process that ends gives back all that it has.
            self.world.claims.held.clear()
            return True
        finally:
            self.world.executor = usual
        return False

    def assert_rolling(self) -> None:
        """The next key is there, and not in use."""
        coming = self.world.store.next_keys[self.alias].key_id
        assert coming != self.world.store.lineage(self.alias).key_id

    def assert_settled(self) -> None:
        """Nothing is owed, and one more run has nothing to do."""
        assert self.world.journal.empty, self.world.journal.records()
        assert not self.run().outcomes
