"""A page that runs are killed on, and what must hold after each kill and after each recovery.

A round has four lineages: `keep` (PRIVATE_KEY_RENEW=no) and `hook` (with a script) go through all rounds, `new<n>` is
issued for the first time, and `old<n>` is taken over from dehydrated. Their names are in two zones; a stranger's
record stands at one of the challenge names.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bed.faults import FaultyPebble, FaultyPowerDns
from bed.powerdns import txt_rrset
from bed.waiting import wait_until
from bed.world import World
from builders.oldfolders import leave_as_dehydrated
from builders.page import Page
from integration.killed.looks import Journal, Reader, Report, txt_values
from integration.killed.mortal import Blow, Ended, Figures, Hook, Means, Run, Tripwire
from integration.killed.reader import trouble_of

_FOREIGN = "somebody else's"
KEEP, HOOK = "keep", "hook"


@dataclass(slots=True)
class Tally:
    kills: int = 0
    stopped: int = 0
    missed: int = 0
    runs: int = 0
    """That came to their end by themselves."""
    orders: int = 0
    notified: int = 0
    """Times that a kill between a change and its NOTIFY left a secondary behind."""


@dataclass(slots=True)
class _Debts:
    """`seen`: versions that were live. `chances`: kills that came while the call for a version was owed."""

    seen: set[int] = field(default_factory=set)
    chances: Counter[int] = field(default_factory=Counter)


class Stage:
    def __init__(self, folder: Path, world: World, zones: tuple[str, str]) -> None:
        self.world = world
        self.tally = Tally()
        self._zones = zones
        self._round = 0
        self._stopped = False
        self._debts = _Debts()
        self._kept_key = b""
        self._tripwire = Tripwire()
        self._pebble = FaultyPebble(world.pebble, self._tripwire.rule, folder / "proxy")
        self._powerdns = FaultyPowerDns(world.primary, self._tripwire.rule)
        self.page = Page(
            folder / "page",
            world,
            CA=self._pebble.directory_url,
            CA_BUNDLE=str(self._pebble.ca_bundle),
            PDNS_HOST=self._powerdns.url,
            DNS_PROVIDER="powerdns",
        )
        self.hook = Hook(folder / "hook")
        self._means = Means(self.page, self._tripwire, self.hook, folder / "operations")
        self.page.certificate_config(KEEP, PRIVATE_KEY_RENEW="no")
        self.page.certificate_config(HOOK, HOOK=str(self.hook.path))
        self.state = self.page.folder / "state"
        self.reader = Reader(folder / "reader")
        world.primary.patch(zones[0], txt_rrset(f"_acme-challenge.{HOOK}.{zones[0]}", _FOREIGN))
        self._foreign = {(f"_acme-challenge.{HOOK}.{zones[0]}", f'"{_FOREIGN}"')}
        self.aliases: tuple[str, ...] = ()

    def new_round(self) -> None:
        self._round += 1
        here, there = self._zones
        new, old = f"new{self._round}", f"old{self._round}"
        self.aliases = (KEEP, HOOK, new, old)
        self.page.write_lines(
            f"{KEEP}.{here} www.{KEEP}.{here} {KEEP}.{there} > {KEEP}",
            f"{HOOK}.{here} *.{HOOK}.{here} > {HOOK}",
            f"{new}.{here} {new}.{there} > {new}",
            f"{old}.{there} {old}.{here} > {old}",
        )
        leave_as_dehydrated(self.page.place(old), (f"{old}.{there}", f"{old}.{here}"))
        self.reader.watch(self.page.place(alias) for alias in self.aliases)

    def learn(self) -> Figures:
        """What an undisturbed renewal of everything comes to."""
        self._tripwire.arm(0, None)
        ended = self._between(lambda: Run(self.page, "--force", env=self._means.counted()).end(), forced=True)
        assert ended.code == 0, ended.text
        return Figures(ended.seconds, self._tripwire.count, self._means.operations.read_text(encoding="ascii"))

    def strike(self, blow: Blow, *, forced: bool) -> Ended:
        arguments = ("--force",) if forced else ()
        self._tripwire.arm(0, None)
        ended = self._between(lambda: blow.strike(self._means, *arguments), forced=forced)
        if ended.killed:
            self.tally.kills += 1
        elif ended.stopped:
            self.tally.stopped += 1
            self._assert_no_record_is_left()
            assert not Journal.read(self.state).challenges, ended.text
            assert not (self.page.folder / "lock").exists(), ended.text
        else:
            self.tally.missed += 1
            assert ended.code == 0, ended.text
        print(f"{blow} forced={forced}: ended with {ended.code} after {ended.seconds:.2f} s")  # noqa: T201
        return ended

    def settle(self, *, forced: bool = False) -> None:
        """An undisturbed run, after which nothing is left behind."""
        before = {alias: self.live_stamp(alias) for alias in self.aliases}
        self._tripwire.arm(0, None)
        arguments = ("--force",) if forced else ()
        ended = self._between(lambda: Run(self.page, *arguments).end(), forced=forced)
        assert ended.code == 0, ended.text
        self._assert_no_record_is_left()
        assert Journal.read(self.state) == Journal(), ended.text
        assert not (self.page.folder / "lock").exists()
        for alias in self.aliases:
            if self.live_stamp(alias) != before[alias]:
                left = [path.name for path in (self.page.place(alias) / ".versions").iterdir()]
                assert all(name.isdigit() for name in left), f"{alias}: {left}\n{ended.text}"
                assert not list(self.page.place(alias).glob(".*certkeeper-tmp")), alias

    def finish(self) -> Report:
        """Everything once more, undisturbed, and a last look at what it came to."""
        self.settle(forced=True)
        report = self.reader.end()
        for alias in self.aliases:
            self.page.verified_names(alias)
        calls = self.calls()
        for stamp in self._debts.seen | calls.keys():
            at_most = 1 + self._debts.chances[stamp]
            assert 1 <= calls[stamp] <= at_most, f"deploy_cert for {stamp}: {calls[stamp]} calls, at most {at_most}"
        return report

    def calls(self) -> Counter[int]:
        """How often deploy_cert was called for each version."""
        return Counter(int(call[-1]) for call in self.hook.calls() if call[0] == "deploy_cert")

    def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self.reader.stop()
            self._powerdns.stop()
            self._pebble.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _between(self, act: Callable[[], Ended], *, forced: bool) -> Ended:
        """Carry out one run, killed or not, and look at what has to hold after any of them."""
        journal, asked = Journal.read(self.state), len(self._pebble.requests())
        current = {alias for alias in self.aliases if self.live_stamp(alias) is not None}
        # An order whose version is live only waits for its entry to go.
        opened = {alias for alias, stamp in journal.orders.items() if stamp != self.live_stamp(alias)}
        ended = act()
        assert "Traceback" not in ended.text, ended.text
        assert "internal error" not in ended.text, ended.text
        if not ended.killed:
            self.tally.runs += 1
        wait_until(self.hook.idle, "the hook's call is over")
        orders = self._orders(asked)
        self.tally.orders += orders.total()
        for alias, number in orders.items():
            assert number == 1, f"{alias} was ordered {number} times by one run\n{ended.text}"
            # Where the kill came amid the switch, the version was made live first, and then it was renewed.
            again = alias not in opened or (forced and f"\n{alias}: mended: " in f"\n{ended.text}")
            assert again, f"{alias} was ordered again\n{ended.text}"
            assert forced or alias not in current, f"{alias} was ordered, and nothing was due\n{ended.text}"
        self._look(ended)
        return ended

    def _look(self, ended: Ended) -> None:
        journal = Journal.read(self.state)
        for alias in self.aliases:
            place = self.page.place(alias)
            if alias.startswith("old") or (place / ".live").is_symlink():
                files = [(place / f"{name}.pem").read_bytes() for name in ("privkey", "cert", "fullchain")]
                assert trouble_of(*files) == "", f"{alias}\n{ended.text}"
        key = self.page.place(KEEP) / "privkey.pem"
        if key.exists():
            self._kept_key = self._kept_key or key.read_bytes()
            assert key.read_bytes() == self._kept_key
        live = self.live_stamp(HOOK)
        if live is not None:
            self._debts.seen.add(live)
        if ended.killed and HOOK in journal.debts:
            self._debts.chances[journal.debts[HOOK]] += 1
        written = {(owner, rdata) for _, owner, rdata in journal.challenges}
        for zone in self._zones:
            ours = txt_values(self.world.primary.records(zone)) - self._foreign
            assert ours <= written, f"published and not written down: {ours - written}"

    def _assert_no_record_is_left(self) -> None:
        for zone in self._zones:
            there = txt_values(self.world.primary.records(zone))
            assert there == {item for item in self._foreign if item[0].endswith(f".{zone}")}
        try:
            wait_until(self._secondary_is_clean, "the secondary has caught up", deadline=3)
        except AssertionError:
            # PowerDNS looks by itself, once in a minute and not here, for zones that nobody was notified of; and a
            # secondary that is fetching what a stopped run published passes over the word that it is gone again.
            assert self.tally.kills + self.tally.stopped
            self.tally.notified += 1
            for zone in self._zones:
                self.world.primary.notify(zone)
            wait_until(self._secondary_is_clean, "the secondary has caught up after all")

    def _secondary_is_clean(self) -> bool:
        there = [txt_values(self.world.secondary.records(zone)) for zone in self._zones]
        return set().union(*there) == self._foreign

    def _orders(self, asked: int) -> Counter[str]:
        """The orders that were opened since then, by alias.

        One that says what it replaces may be refused for that, and is then asked for again without saying it.
        """
        orders: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for request in self._pebble.requests()[asked:]:
            if request.kind == "/order-plz":
                payload = json.loads(request.body)["payload"]
                content = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
                first = min(item["value"].removeprefix("*.").removeprefix("www.") for item in content["identifiers"])
                orders["replaces" in content][first.partition(".")[0]] += 1
        return orders[True] | orders[False]

    def live_stamp(self, alias: str) -> int | None:
        """The live version's; one that was adopted does not count."""
        try:
            name = (self.page.place(alias) / ".live").readlink().name
        except OSError:
            return None
        return None if (self.page.place(alias) / ".versions" / name / "adopted").exists() else int(name)
