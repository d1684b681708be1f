"""A new OCSP response alone goes into services, and goes back where one of them does not take it."""

import pytest

from builders.fakestore import Live
from certkeeper.apply.deploy.result import End
from certkeeper.base.value import replace
from certkeeper.plan.backoff import STEPS
from certkeeper.plan.records import Deployment, Shown
from certkeeper.service.target import Target
from world.deploying import COPIES, HAPROXY, NGINX, Deployed
from world.test_deployments import ends

FIRST, SECOND, THIRD = b"first", b"second", b"third"
FILE = f"{COPIES}/a.example.org.pem.ocsp"


def responds(host: Deployed, staple: bytes) -> None:
    """A run put that response beside the certificate, and wrote down who is owed it."""
    for item in host.specs:
        live = host.world.store.live[item.alias]
        owed = [Deployment(name, item.entry, live.stamp, Shown.OWED) for name in host.targets]
        host.world.journal.write(tuple(owed), ())
        host.world.store.live[item.alias] = Live(live.stamp, replace(live.files, staple=staple))


def served(*targets: Target) -> Deployed:
    """With a version and the one before, as after a renewal, and a response that the services have."""
    host = Deployed("a.example.org", targets=targets).standing()
    host.bring()
    responds(host, FIRST)
    assert not host.deploy().failed
    host.assert_settled()
    host.forget()
    return host


def test_a_response_comes_by_one_reload() -> None:
    host = served(HAPROXY)
    assert host.files.read(FILE) == FIRST
    responds(host, SECOND)
    assert ends(host.deploy()) == {"haproxy": End.SEEN}
    assert (host.files.read(FILE), host.reloads("haproxy")) == (SECOND, 1)
    host.assert_settled()


def test_one_that_is_not_taken_goes_back_to_the_one_before_and_the_certificate_stays() -> None:
    host = served(HAPROXY)
    live = host.live()
    host.service("haproxy").refuses = "haproxy: fatal"
    responds(host, SECOND)
    assert ends(host.deploy()) == {"haproxy": End.FAILED}
    assert (host.files.read(FILE), host.live(), host.shown("haproxy")) == (FIRST, live, live)
    entry = host.entry("haproxy")
    assert (entry.shown, entry.stamp, entry.failures) == (Shown.OWED, live, 1)
    assert "went back to what it had of it before" in entry.message

    # It waits, and then has what is newest by that time.
    assert host.deploy().deployed == ()
    responds_later = replace(host.world.store.live[host.specs[0].alias].files, staple=THIRD)
    host.world.store.live[host.specs[0].alias] = Live(live, responds_later)
    host.service("haproxy").refuses = ""
    host.world.clock.advance(STEPS[0].total_seconds() + 1)
    assert ends(host.deploy()) == {"haproxy": End.SEEN}
    assert host.files.read(FILE) == THIRD
    host.assert_settled()


def test_a_certificate_that_a_service_has_in_place_stays_live() -> None:
    host = served(NGINX)
    live = host.live()
    host.service("nginx").refuses = "nginx: fatal"
    responds(host, SECOND)
    assert ends(host.deploy()) == {"nginx": End.FAILED}
    assert (host.live(), host.shown("nginx")) == (live, live)
    assert "the service had that version before" in host.entry("nginx").message
    assert not host.world.journal.held
    host.service("nginx").refuses = ""
    host.world.clock.advance(STEPS[0].total_seconds() + 1)
    assert ends(host.deploy()) == {"nginx": End.SEEN}
    host.assert_settled()


@pytest.mark.parametrize("refused", [False, True])
def test_killed_anywhere(*, refused: bool) -> None:
    for moment in range(100):
        host = served(HAPROXY)
        live = host.live()
        responds(host, SECOND)
        host.service("haproxy").refuses = "haproxy: fatal" if refused else ""
        was_killed = host.killed(host.deploy, moment, seed=moment)
        assert host.files.read(FILE) in {FIRST, SECOND}
        for _ in range(2):
            host.deploy()
            assert (host.live(), host.shown("haproxy")) == (live, live)
            assert host.files.read(FILE) == (FIRST if refused else SECOND)
            host.world.clock.advance(STEPS[0].total_seconds() + 1)
        host.service("haproxy").refuses = ""
        host.world.clock.advance(STEPS[-1].total_seconds() + 1)
        host.deploy()
        assert host.files.read(FILE) == SECOND
        host.assert_settled()
        if not was_killed:
            assert moment > 10
            return
    raise AssertionError("it never came to its end")
