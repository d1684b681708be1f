"""OCSP responses and must-staple in a simulated world: before the switch, after it, and through failures."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.plans import spec
from certkeeper.apply.effects import ActivateVersion, RunHook
from certkeeper.apply.staplebefore import NotStapled
from certkeeper.apply.stapleeffects import SaveStaple
from certkeeper.base.value import replace
from certkeeper.base.wire import Response
from certkeeper.ocsp.fetch import RESPONSE_TYPE
from certkeeper.ocsp.freshness import STEPS, Due
from certkeeper.plan.records import Deployment, Shown
from world.kills import Killed, MortalExecutor, plainly
from world.stapling import GOOD, REVOKED, UNKNOWN, Stapled

HOOKED = replace(spec("a.example.org"), hook="/etc/dehydrated/hook.sh")
SERVED = replace(HOOKED, targets=("haproxy", "nginx", "apache2"))
INSISTING = replace(spec("a.example.org", must_staple=True), staple_required=True)
DEPLOY = "deploy_ocsp"
DAY = timedelta(days=1)
DER = (("content-type", RESPONSE_TYPE),)


def told(scene: Stapled) -> list[str]:
    """The script's calls about files."""
    return [call.name for call in scene.world.hooks.called if call.name.endswith(("_cert", "_ocsp"))]


def test_a_version_has_its_response_before_it_is_live_and_the_script_hears_of_both() -> None:
    scene = Stapled(HOOKED)
    assert not scene.world.run().failed
    steps = [type(step) for step in scene.world.executor.performed]
    assert steps.index(SaveStaple) < steps.index(ActivateVersion)
    assert scene.held() is not None
    assert told(scene) == ["sync_cert", "deploy_cert", "deploy_ocsp"]


def test_without_a_response_a_plain_certificate_goes_live_and_has_none() -> None:
    scene = Stapled()
    assert not scene.world.run().failed
    first = scene.live()
    scene.responder.down = True
    assert not scene.world.run(forced=[scene.alias]).failed
    assert scene.live() != first
    assert scene.held() is None, "the one that is there is about another certificate"


def test_must_staple_waits_for_its_response_while_the_present_one_is_good() -> None:
    scene = Stapled(INSISTING)
    assert not scene.world.run().failed
    assert scene.must_staple()
    first, orders = scene.live(), len(scene.world.ca.orders)
    scene.responder.down = True
    (outcome,) = scene.world.run(forced=[scene.alias]).outcomes
    assert isinstance(outcome.error, NotStapled)
    assert scene.live() == first
    assert scene.held() is not None
    scene.responder.down = False
    scene.world.clock.advance(STEPS[-1].total_seconds())
    assert not scene.world.run(forced=[scene.alias]).failed
    assert scene.live() != first
    assert (scene.held() is not None, len(scene.world.ca.orders)) == (True, orders + 1)


def test_a_first_must_staple_certificate_goes_live_all_the_same() -> None:
    scene = Stapled(INSISTING)
    scene.responder.status = UNKNOWN
    assert not scene.world.run().failed
    assert (scene.must_staple(), scene.held()) == (True, None)
    assert scene.responder.asked == 3, "a responder may be a little behind"
    scene = Stapled(INSISTING)
    scene.responder.status = REVOKED
    assert not scene.world.run().failed
    assert scene.responder.asked == 1, "that does not change"


def test_a_ca_that_refuses_must_staple_gets_a_plain_request_for_the_same_order() -> None:
    scene = Stapled(replace(spec("a.example.org", must_staple=True)))
    assert not scene.world.run().failed
    assert not scene.must_staple(), "nothing was known of the CA"
    scene.world.ca.manners.refuses_staple = True
    assert not scene.world.run().failed
    assert not scene.must_staple()
    assert len(scene.world.ca.orders) == 2
    assert any("asked for without must-staple" in event.text for event in scene.world.events)
    assert not scene.world.run().outcomes, "it is not asked again and again"


def test_who_insists_gets_none_without_it() -> None:
    scene = Stapled(INSISTING)
    scene.world.ca.manners.refuses_staple = True
    (outcome,) = scene.world.run().outcomes
    assert 'OCSP_MUST_STAPLE="yes"' in getattr(outcome.error, "hint", "")
    assert scene.alias not in scene.world.store.live


def test_a_certificate_that_can_never_be_stapled_is_not_even_staged() -> None:
    scene = Stapled(INSISTING)
    scene.world.ca.manners.ocsp_url = ""
    (outcome,) = scene.world.run().outcomes
    assert "names no responder" in str(outcome.error)
    assert (scene.world.store.staged, scene.world.store.live) == ({}, {})


def test_half_a_life_and_a_failure_later() -> None:
    scene = Stapled(HOOKED)
    assert not scene.world.run().failed
    first = scene.held()
    assert [care.decision.due for care in scene.refresh()] == [Due.NOTHING]
    scene.world.clock.advance((5 * DAY).total_seconds())
    scene.responder.down = True
    (care,) = scene.refresh()
    assert (care.error is not None, care.missed(scene.world.clock.now()), scene.held() == first) == (True, False, True)
    asked = scene.responder.asked
    scene.refresh()
    assert scene.responder.asked == asked
    scene.world.clock.advance(STEPS[0].total_seconds())
    scene.responder.down = False
    scene.world.hooks.called.clear()
    (care,) = scene.refresh()
    assert (care.is_new, scene.held() != first) == (True, True)
    assert told(scene) == ["deploy_ocsp"]


def test_a_script_that_failed_is_called_again() -> None:
    scene = Stapled(HOOKED)
    assert not scene.world.run().failed
    scene.world.clock.advance((5 * DAY).total_seconds())
    scene.world.hooks.failing = 1
    (care,) = scene.refresh()
    assert care.error is not None
    scene.world.hooks.called.clear()
    scene.world.clock.advance(60)
    scene.refresh()
    scene.refresh()
    assert told(scene) == ["deploy_ocsp"]
    steps = scene.world.executor.performed
    calls = [step.call for step in steps if isinstance(step, RunHook) and step.call.name == DEPLOY]
    assert calls[-1] == calls[-2], "the stamp is the file's"


def test_a_responder_that_is_silent_is_left_alone() -> None:
    scene = Stapled(*(spec(f"n{number}.example.org") for number in range(40)))
    assert not scene.world.run().failed
    scene.world.clock.advance((7 * DAY).total_seconds())
    scene.responder.down, scene.responder.asked = True, 0
    cares = scene.refresh()
    assert all(care.error is not None for care in cares)
    assert scene.responder.asked <= 10


def deployed(scene: Stapled) -> None:
    """Every service showed what is live."""
    stamp = scene.world.store.live[scene.alias].stamp
    seen = [Deployment(name, item.entry, stamp, Shown.SEEN) for item in scene.specs for name in item.targets]
    scene.world.journal.write(tuple(seen), ())


def owed(scene: Stapled) -> bool:
    """Those that read responses are to be told, with the version that they have, and those that do not are not."""
    stamp = scene.world.store.live[scene.alias].stamp
    entries = scene.world.journal.records().deployments.values()
    assert {entry.stamp for entry in entries} == {stamp}
    return {entry.target for entry in entries if entry.shown is Shown.OWED} == {"haproxy", "nginx"}


def check_a_kill(moment: int, *, owing: bool) -> bool:
    """A refresh that is killed, and the run after it; False where there is no such moment."""
    scene = Stapled(SERVED, seed=moment)
    assert not scene.world.run().failed
    deployed(scene)
    scene.world.clock.advance((5 * DAY).total_seconds())
    if owing:
        scene.world.hooks.failing = 1
        scene.refresh()
    scene.world.hooks.called.clear()
    first = scene.held()
    was_killed = scene.refresh_until(moment)
    assert scene.proven()
    assert scene.held() is not None
    assert scene.held() == first or owed(scene), "services would never hear of it"
    (care,) = scene.refresh()
    assert (care.error, scene.proven()) == (None, True)
    assert owing or owed(scene)
    assert owing or scene.held() != first, "it is as old as it was"
    steps = scene.world.executor.performed
    saved = max(number for number, step in enumerate(steps) if isinstance(step, SaveStaple))
    calls = [number for number, step in enumerate(steps) if isinstance(step, RunHook) and step.call.name == DEPLOY]
    assert calls[-1] > saved, "the script was not told of it"
    assert 1 <= told(scene).count(DEPLOY) <= 2
    asked, calls_made = scene.responder.asked, len(scene.world.hooks.called)
    scene.refresh()
    assert (scene.responder.asked, len(scene.world.hooks.called)) == (asked, calls_made), "it was done already"
    return was_killed


@pytest.mark.parametrize("owing", [False, True], ids=["a new response", "a call that is owed"])
def test_a_refresh_is_killed_at_every_effect(*, owing: bool) -> None:
    moment = 0
    while check_a_kill(moment, owing=owing):
        moment += 1
    assert moment >= (10 if owing else 18)


def test_without_a_script_the_next_run_puts_down_what_was_lost_on_the_way() -> None:
    moment, killed = 0, True
    while killed:
        scene = Stapled(seed=moment)
        assert not scene.world.run().failed
        scene.world.clock.advance((5 * DAY).total_seconds())
        first = scene.held()
        killed = scene.refresh_until(moment)
        (care,) = scene.refresh()
        assert (care.error, scene.proven(), scene.held() != first) == (None, True, True)
        moment += 1
        # Nothing newer comes for a while: it is asked for once, and not on every run.
        scene.world.clock.advance((5 * DAY).total_seconds())
        scene.responder.odd = Response(200, scene.world.clock.now(), DER, scene.held() or b"")
        asked = scene.responder.asked
        for _ in range(3):
            scene.refresh()
        assert scene.responder.asked == asked + 1
    assert moment > 14


HTML = (("content-type", "text/html"),)
answers = st.sampled_from(["good", "old", "revoked", "unknown", "down", "html", "signer", "future"])
steps = st.lists(st.tuples(answers, st.integers(0, 24 * 12), st.booleans()), min_size=1, max_size=8)


@given(steps)
@settings(max_examples=25, deadline=None)
def test_whatever_comes_the_file_is_a_proven_response_for_the_live_certificate(
    happened: list[tuple[str, int, bool]],
) -> None:
    scene = Stapled()
    for answer, hours, renewed in happened:
        responder = scene.responder
        responder.status = {"revoked": REVOKED, "unknown": UNKNOWN}.get(answer, GOOD)
        ages = {"old": 9 * DAY, "future": -DAY}
        responder.age = ages.get(answer, timedelta(hours=1))
        responder.down, responder.wrong_signer = answer == "down", answer == "signer"
        now = scene.world.clock.now()
        responder.odd = Response(200, now, HTML, b"<html>") if answer == "html" else None
        before = (scene.live(), scene.held()) if scene.alias in scene.world.store.live else None
        scene.world.run(forced=[scene.alias] if renewed else [])
        scene.refresh()
        assert scene.proven()
        if answer != "good" and before is not None and before[0] == scene.live():
            assert scene.held() == before[1]
        scene.world.clock.advance(hours * 3600)


@pytest.mark.long
@pytest.mark.parametrize("renewal", [False, True])
def test_killed_at_every_effect(*, renewal: bool) -> None:
    moment = 0
    while True:
        scene = Stapled(HOOKED, seed=moment)
        if renewal:
            assert not scene.world.run().failed
            scene.world.clock.advance(3600)
            scene.world.hooks.called.clear()
        usual = scene.world.executor
        scene.world.executor = MortalExecutor(usual.perform, scene.world.clock, moment, moment, plainly())
        try:
            scene.world.run(forced=[scene.alias] if renewal else [])
        except Killed:
            scene.world.journal.die()
        else:
            break
        finally:
            scene.world.executor = usual
        assert scene.proven()
        scene.world.clock.advance(STEPS[-1].total_seconds())
        scene.world.run()
        scene.refresh()
        assert scene.proven()
        assert scene.held() is not None
        moment += 1
    assert moment > 20
