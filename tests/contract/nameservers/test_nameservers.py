"""What the port Nameservers promises (apply/ports.py), kept by the fake of the simulated world, by the real adapter
before a small server of ours, and before PowerDNS with unbound.
"""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Protocol

import pytest

from bed import ports
from bed.powerdns import txt_rrset
from bed.waiting import wait_until
from bed.world import World
from builders.certificates import NOW
from builders.dnsworld import PRIMARY, DnsWorld, NameServer
from builders.fakes import FakeClock
from builders.liars import Contents, LyingServer
from builders.plans import zone as fake_zone
from certkeeper.adapters.resolver import Named, SystemNameservers
from certkeeper.apply.ports import Nameservers
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.config.settings import NameserverOverride, ServerAddress
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.propagation import Question, Server
from certkeeper.zone.rrset import txt_rdata


class Scene(Protocol):
    """One zone with one server, and a way to change it behind the port's back."""

    port: Nameservers
    zone: DnsName
    now: datetime

    def put(self, owner: DnsName, *values: str) -> None:
        """More values at an owner, under a new serial."""

    def resolver(self) -> Server:
        """One that sees the zone as it is now."""

    def dead(self) -> Server: ...


class Fake:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.now = self.clock.now()
        self._zone = fake_zone("example.org")
        self.zone = self._zone.name
        self._dead = Server("ns9.test", "192.0.2.9")
        self.world = DnsWorld(self.clock, [self._zone], {PRIMARY: NameServer()})
        self.port: Nameservers = self.world

    def put(self, owner: DnsName, *values: str) -> None:
        change = RecordChange(owner, "TXT", add=frozenset(map(txt_rdata, values)))
        self.world.change(self._zone, ChangeSet.of([change]))

    def resolver(self) -> Server:
        return PRIMARY

    def dead(self) -> Server:
        self.world.servers[self._dead] = NameServer(silent=True)
        return self._dead


def overridden(zone: DnsName, address: str, port: int) -> SystemNameservers:
    return SystemNameservers(Named(instead=[NameserverOverride(zone, (ServerAddress(address, port),))]))


def dead_server() -> Server:
    port = ports.reserve()
    ports.release(port)
    return Server(f"127.0.0.1:{port}", "127.0.0.1", port)


class Ours:
    now = NOW

    def __init__(self, server: LyingServer) -> None:
        self.zone = DnsName(server.contents.zone)
        self._server = server
        self.port: Nameservers = overridden(self.zone, server.server.address, server.server.port)

    def put(self, owner: DnsName, *values: str) -> None:
        self._server.contents.txt.setdefault(owner.text, set()).update(values)
        self._server.contents.serial += 1

    def resolver(self) -> Server:
        return self._server.server

    def dead(self) -> Server:
        return dead_server()


class Real:
    """PowerDNS signs here, as it does for the world's zones."""

    def __init__(self, world: World) -> None:
        self.now = datetime.now(UTC)
        self._world = world
        self._zone = world.new_zone()
        self.zone = DnsName.parse(self._zone)
        self._values: dict[DnsName, set[str]] = {}
        self.port: Nameservers = overridden(self.zone, *world.primary.dns)

    def put(self, owner: DnsName, *values: str) -> None:
        self._values.setdefault(owner, set()).update(values)
        primary = self._world.primary
        primary.patch(self._zone, txt_rrset(owner.text, *sorted(self._values[owner])))
        primary.notify(self._zone)
        for secondary in self._world.secondaries:
            # A resolver may ask any of them.
            wait_until(
                lambda server=secondary: server.serial(self._zone) == primary.serial(self._zone),  # type: ignore[misc]
                f"{self._zone} is the same on all servers",
            )

    def resolver(self) -> Server:
        address, port = self._world.resolver(max_ttl=0).dns
        return Server(f"{address}:{port}", address, port)

    def dead(self) -> Server:
        return dead_server()


@pytest.fixture(params=["fake", "ours", "ours signed", pytest.param("real", marks=pytest.mark.real)])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with ExitStack() as stack:
        if request.param == "fake":
            yield Fake()
        elif request.param == "real":
            yield Real(request.getfixturevalue("shared_world"))
        else:
            contents = Contents.signed() if request.param == "ours signed" else Contents()
            yield Ours(stack.enter_context(LyingServer(contents)))


def only(scene: Scene) -> Server:
    (server,) = scene.port.of(scene.zone).servers
    return server


def question(scene: Scene, **wanted: set[str]) -> Question:
    return Question(scene.zone, {owner(scene, label): frozenset(values) for label, values in wanted.items()})


def owner(scene: Scene, label: str) -> DnsName:
    return DnsName.parse(f"_acme-challenge.{label}.{scene.zone}")


def test_values_are_there_at_once_and_every_owner_has_an_answer(scene: Scene) -> None:
    scene.put(owner(scene, "a"), "one", "two")
    answer = scene.port.ask(only(scene), question(scene, a={"one"}, b={"three"}), scene.now)
    assert dict(answer.served) == {owner(scene, "a"): {"one", "two"}, owner(scene, "b"): frozenset()}
    assert not answer.flaws
    assert not answer.bogus
    assert answer.over == ("udp", "tcp")


def test_the_serial_moves_with_a_change_and_may_be_asked_for_alone(scene: Scene) -> None:
    before = scene.port.ask(only(scene), question(scene, a={"one"}), scene.now)
    scene.put(owner(scene, "a"), "one")
    after = scene.port.ask(only(scene), question(scene), scene.now)
    assert before.serial is not None
    assert after.serial is not None
    assert after.serial > before.serial
    assert dict(after.served) == {}


def test_values_of_all_lengths_come_whole(scene: Scene) -> None:
    values = {"x" * 43, "y" * 200}
    scene.put(owner(scene, "a"), *values)
    answer = scene.port.ask(only(scene), question(scene, a=values), scene.now)
    assert answer.served[owner(scene, "a")] == values


def test_many_owners_in_one_question(scene: Scene) -> None:
    wanted = {f"n{at}": {f"v{at}"} for at in range(60)}
    for label, values in itertools.islice(wanted.items(), 0, None, 7):
        scene.put(owner(scene, label), *values)
    answer = scene.port.ask(only(scene), question(scene, **wanted), scene.now)
    assert len(answer.served) == 60
    assert sum(bool(values) for values in answer.served.values()) == 9


def test_a_server_that_does_not_answer_is_an_error(scene: Scene) -> None:
    dead = scene.dead()
    for asked in (question(scene), question(scene, a={"one"})):
        with pytest.raises(CertkeeperError):
            scene.port.ask(dead, asked, scene.now)
    with pytest.raises(CertkeeperError):
        scene.port.ask_resolver(dead, question(scene, a={"one"}))


def test_a_resolver_sees_what_is_there(scene: Scene) -> None:
    scene.put(owner(scene, "a"), "one")
    answer = scene.port.ask_resolver(scene.resolver(), question(scene, a={"one"}))
    assert answer.served[owner(scene, "a")] == {"one"}
    assert not answer.flaws


def test_a_resolver_that_sees_nothing_says_so(scene: Scene) -> None:
    answer = scene.port.ask_resolver(scene.resolver(), question(scene, a={"one"}))
    assert answer.served[owner(scene, "a")] == frozenset()
