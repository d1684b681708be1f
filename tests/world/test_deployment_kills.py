"""A run that is killed at any moment of a deployment: services show an old certificate or a new one, and the next runs
come to the end that it would have come to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from certkeeper.plan.backoff import STEPS
from certkeeper.plan.records import Shown
from certkeeper.service.target import Target
from world.deploying import DOVECOT, NGINX, POSTFIX, Deployed


def nothing(host: Deployed) -> None:
    del host


def keeps(host: Deployed) -> None:
    host.service("nginx").keeps = True


def refuses(host: Deployed) -> None:
    host.service("postfix").refuses = "postfix: fatal"


def is_broken(host: Deployed) -> None:
    host.service("nginx").broken = "nginx: unknown directive"


def is_unknown(host: Deployed) -> None:
    host.world.journal.deployments.clear()


def cured(host: Deployed) -> None:
    for service in host.services.services.values():
        service.keeps, service.refuses, service.broken = False, "", ""


EVERY = (DOVECOT, NGINX, POSTFIX)
BLIND = tuple(replace(target, probe=()) for target in EVERY)


@dataclass(frozen=True)
class Scene:
    """`cured`: what is wrong is put right after the kill. `quick`: not only in the long run of the tests."""

    name: str
    trouble: Callable[[Deployed], None] = nothing
    targets: Sequence[Target] = EVERY
    cured: bool = True
    quick: bool = False

    def __str__(self) -> str:
        return self.name


SCENES = [
    Scene("renewal", quick=True),
    Scene("nginx keeps the old one", keeps),
    Scene("nginx keeps the old one and goes on with it", keeps, targets=[NGINX, POSTFIX], cured=False, quick=True),
    Scene("postfix is not reloaded", refuses, targets=[POSTFIX], quick=True),
    Scene("postfix is not reloaded and goes on so", refuses, cured=False),
    Scene("a broken configuration", is_broken, targets=[NGINX], quick=True),
    Scene("a broken configuration that stays", is_broken, cured=False),
    Scene("nothing is known", is_unknown),
    Scene("nobody can look", targets=BLIND),
    Scene("nobody can look, and nothing is known of the copies", is_unknown, targets=BLIND[2:], quick=True),
]


def renewed(scene: Scene, seed: int) -> tuple[Deployed, int, int]:
    """A host whose certificate has just gone live, and the versions before and after."""
    host = Deployed("a.example.org", targets=scene.targets, seed=seed).standing()
    first = host.live()
    second = host.bring()
    scene.trouble(host)
    return host, first, second


def assert_served(host: Deployed, first: int, second: int) -> None:
    assert host.live() in (first, second)
    for name in host.targets:
        assert host.shown(name) in (first, second)


@pytest.mark.parametrize(
    "scene", [pytest.param(scene, marks=() if scene.quick else pytest.mark.long, id=scene.name) for scene in SCENES]
)
def test_killed_anywhere(scene: Scene) -> None:
    for moment in range(400):
        host, first, second = renewed(scene, seed=moment)
        if not host.killed(host.deploy, moment, seed=moment):
            assert moment > 10
            return
        assert_served(host, first, second)
        if scene.cured:
            cured(host)
        for _ in range(3):
            host.run()
            assert_served(host, first, second)
            if scene.cured:
                host.world.clock.advance(STEPS[0].total_seconds() + 1)
        if scene.cured:
            host.assert_settled()
            assert host.live() == second
            assert not host.world.journal.held
        else:
            assert_at_rest(host)
    raise AssertionError("it never came to its end")


def assert_at_rest(host: Deployed) -> None:
    """Every running service shows what its files hold, and what is owed is known."""
    for name, target in host.targets.items():
        service = host.service(name)
        if service.broken:
            assert host.entry(name).shown is Shown.OWED
        elif target.in_place:
            assert host.shown(name) == host.live(), name
        else:
            assert host.shown(name) == host.files.look(host.placement(name)).stamp, name
