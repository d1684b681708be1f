"""Deployments that are told to stop: the service under way comes to its end, and no other one is told."""

import pytest

from certkeeper.apply.deploy.result import End
from certkeeper.base.errors import ExitCode, Interrupted
from certkeeper.base.wire import Step
from world.deploying import DOVECOT, NGINX, POSTFIX, Deployed

STOP = Interrupted(ExitCode.TERMINATED)


def renewed(seed: int) -> Deployed:
    host = Deployed("a.example.org", targets=[DOVECOT, NGINX, POSTFIX], seed=seed).standing()
    host.bring()
    return host


@pytest.mark.parametrize("steps", range(60))
def test_stopped_at_any_step(steps: int) -> None:
    host = renewed(steps)
    left = iter(range(steps))

    def stop(_: Step) -> None:
        if next(left, None) is None:
            host.deploying.interrupt(STOP)

    host.world.executor.latency = stop
    result = host.deploy()
    host.world.executor.latency = lambda _: None
    assert result.fatal in (STOP, None)
    assert host.world.claims.held == set()
    told = {item.target for item in result.deployed if item.end is End.SEEN}
    for name in host.targets:
        # Nothing is left halfway: who was reloaded was looked at, too.
        assert (host.reloads(name) == 1) == (name in told)
    host.run()
    host.assert_settled()


def test_a_step_between_two_services_stops_the_second_one() -> None:
    host = renewed(0)

    def stop(_: Step) -> None:
        if host.reloads("dovecot"):
            host.deploying.interrupt(STOP)

    host.world.executor.latency = stop
    result = host.deploy()
    assert result.fatal is STOP
    assert [host.reloads(name) for name in ("dovecot", "nginx", "postfix")] == [1, 0, 0]
