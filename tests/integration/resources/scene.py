"""Two certificates that are live and due, a run on a machine that lets it down, and what must hold whatever happens."""

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bed.faults import Asked, FaultyPebble
from bed.powerdns import txt_rrset
from bed.world import World
from builders.page import Done, Page, assert_clean_dns, txt_owners

SERVED = ("privkey.pem", "cert.pem", "chain.pem", "fullchain.pem")
Served = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Fault:
    """What a run with the fault must say: words of its errors, and the exit codes that it may end with."""

    words: Sequence[str] = ()
    codes: frozenset[int] = frozenset({1})


class Scene:
    """Both certificates issued, then each listed with one more name. `restore` brings that back after any fault."""

    def __init__(self, folder: Path, world: World, zone: str) -> None:
        self.zone = zone
        self.aliases = (zone, f"www.{zone}")
        self.page = page = Page(folder, world, *self.aliases, ARI="no")
        self.state = folder / "state"
        # The secondary is looked at in the end; waiting for it in each of many runs would only take time.
        page.configure(NAMESERVERS=world.primary.server)
        self._settings = dict(page.settings)
        done = page.run()
        assert (done.code, done.err) == (0, ""), done.text
        self.before = {alias: self.served(alias) for alias in self.aliases}
        self.list_more_names()
        self._kept = folder / "kept"
        for place in (page.certs, self.state):
            shutil.copytree(place, self._kept / place.name, symlinks=True)

    def list_more_names(self) -> None:
        self.page.write_lines(*(f"{alias} new.{alias}" for alias in self.aliases))

    def restore(self) -> None:
        """The folders themselves stay, since they may be mounted."""
        for place in (self.page.certs, self.state):
            place.mkdir(mode=0o700, exist_ok=True)
            for path in place.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            shutil.copytree(self._kept / place.name, place, symlinks=True, dirs_exist_ok=True)
        (self.page.folder / "lock").unlink(missing_ok=True)
        self.page.settings = dict(self._settings)
        self.page.configure()
        server = self.page.world.primary
        for owner in txt_owners(server.records(self.zone)):
            server.patch(self.zone, txt_rrset(owner))

    def served(self, alias: str) -> Served:
        return {name: (self.page.place(alias) / name).read_bytes() for name in SERVED}

    def renewed(self) -> set[str]:
        """The lineages with a new set; every other one has its old set, to the last octet."""
        new = {alias for alias in self.aliases if self.served(alias) != self.before[alias]}
        for alias in new:
            assert self.page.verified_names(alias) == {alias, f"new.{alias}"}, f"{alias} serves neither old nor new"
        return new

    def written_down(self) -> set[str]:
        """The lineages with an order in the journal; in a copy of it, since looking may roll something back."""
        with tempfile.TemporaryDirectory() as folder:
            for path in self.state.glob("journal.db*"):
                shutil.copy(path, folder)
            with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{folder}/journal.db?mode=rw", uri=True)) as it:
                return {alias for (alias,) in it.execute("SELECT alias FROM orders")}
        return set()

    def assert_let_down(self, done: Done, fault: Fault) -> set[str]:
        """The run told what was wrong in plain words and broke nothing; what it renewed all the same."""
        assert "Traceback" not in done.text, done.text
        assert "internal error" not in done.text, done.text
        renewed = self.renewed()
        left = txt_owners(self.page.world.primary.records(self.zone))
        assert not left, f"left in DNS: {left}: {done.text}"
        if done.code == 0:
            assert renewed == set(self.aliases), done.text
            assert done.errors == [], done.text
            return renewed
        assert done.code in fault.codes, done.text
        told = [error for error in done.errors if not error.endswith("for the same reason")]
        assert told, f"no error says why: {done.text}"
        # What the run keeps for itself may fail as well, which is one error more.
        own = [error for error in done.errors if error.startswith(str(self.state))]
        assert len(own) <= 1, f"the same more than once: {done.text}"
        assert len(done.errors) - len(own) <= len(self.aliases), f"more errors than certificates: {done.text}"
        assert len(done.hints) >= len(told), f"no hint says what to do: {done.text}"
        for error in told:
            assert any(word in error for word in fault.words), f"{error!r} names none of {fault.words}"
        return renewed

    def assert_next_run_finishes(self) -> None:
        """Without the fault: everything is issued, and an order that was written down is gone on with."""
        page = self.page
        missing = set(self.aliases) - self.renewed()
        known = self.written_down() & missing
        page.world.pebble.forget()
        done = page.run()
        assert (done.code, done.err) == (0, ""), done.text
        assert self.renewed() == set(self.aliases), done.text
        orders = page.world.pebble.counts()["POST", "/order-plz"]
        assert orders <= len(missing), f"{orders} orders for {len(missing)} certificates: {done.text}"
        assert orders == len(missing) - len(known), f"{orders} orders, and {known} were written down: {done.text}"
        assert_clean_dns(page.world, self.zone)
        leftovers = [path for path in page.certs.rglob("*") if path.name.endswith((".certkeeper-tmp", ".partial"))]
        assert leftovers == []

    def assert_settled(self) -> None:
        """Nothing is left to do for a run after that."""
        done = self.page.run()
        assert (done.code, done.err) == (0, ""), done.text
        assert "nothing due" in done.out


@contextmanager
def interrupted_ca(page: Page, folder: Path, kind: str, act: Callable[[], object]) -> Iterator[None]:
    """While this lasts, `act` is called just before the page's CA gets its first request of a kind."""
    happened = threading.Event()

    def rule(asked: Asked) -> None:
        if asked.kind == kind and not happened.is_set():
            happened.set()
            act()

    with FaultyPebble(page.world.pebble, rule, folder / "proxy") as ca:
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        yield
        assert happened.is_set(), f"the CA was never asked for {kind}"
