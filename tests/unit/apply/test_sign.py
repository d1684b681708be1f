"""Somebody else's request in a simulated world: signed, checked, and nothing of it stays anywhere."""

from dataclasses import replace

import pytest

from builders.certificates import new_key
from builders.fakemanners import Refusal
from builders.fakes import SeededExecutor, through
from builders.plans import CA, names, spec, zone
from certkeeper.acme.account import TermsNotAccepted
from certkeeper.acme.order import OrderFailed
from certkeeper.acme.problem import Problem
from certkeeper.apply.locate import locate
from certkeeper.apply.observe import observe
from certkeeper.apply.result import Signed
from certkeeper.apply.sign import AccountKeyInRequest, Signing
from certkeeper.base.errors import ExitCode, Interrupted
from certkeeper.base.keys import KeyPair
from certkeeper.base.wire import Request, Step
from certkeeper.config.settings import Purpose
from certkeeper.lineage.csr import build, read_csr
from certkeeper.lineage.integrity import check
from certkeeper.lineage.request import ReceivedCsr
from certkeeper.plan.actions import Plan
from certkeeper.plan.planner import plan, wanted_zones
from world.kills import Killed, MortalExecutor, plainly
from world.simulation import Simulation

TEXTS = ("www.example.org", "*.example.org", "mail.example.net")
ZONES = [zone("example.org"), zone("example.net")]


class Scene:
    """One request for these names, and the world that it is signed in."""

    def __init__(self, key: KeyPair | None = None) -> None:
        self.key = key or new_key()
        self.request: ReceivedCsr = read_csr(build(self.key, names(*TEXTS)).pem)
        self.world = Simulation([spec(*TEXTS, alias="external CSR")], ZONES)

    def planned(self) -> Plan:
        world = self.world
        seen = observe(
            world.configuration,
            looks=world.store,
            accounts=world.accounts,
            clock=world.clock,
            records=world.journal.records(),
            config_folders=(),
        )
        wanted = wanted_zones(world.configuration, seen)
        zones = locate(wanted, world.configuration.settings, {"": world.dns}, world.dns)
        return plan(world.configuration, replace(seen, zones=zones))

    def signing(
        self, executor: SeededExecutor | None = None, *, terms: bool = True, purpose: Purpose = Purpose.SERVE
    ) -> Signing:
        return Signing(
            self.planned(),
            self.request,
            self.world.configuration.settings,
            purpose=purpose,
            executor=executor or self.world.executor,
            clock=self.world.clock,
            user_agent="test",
            terms_accepted=terms,
            tell=self.world.events.append,
        )

    def assert_nothing_stays(self) -> None:
        assert self.world.dns.txt() == {}
        assert self.world.journal.empty
        assert (self.world.store.live, self.world.store.drafts, self.world.store.staged) == ({}, {}, {})


def failed(signed: Signed) -> Exception:
    (error,) = signed.errors
    assert signed.fullchain == b""
    return error


def test_a_request_is_signed_for_its_key_and_its_names() -> None:
    scene = Scene()
    signed = scene.signing().run()
    assert signed.errors == ()
    check(signed.fullchain, key_id=scene.key.key_id, identifiers=names(*TEXTS), now=scene.world.clock.now())
    assert len(scene.world.ca.orders) == 1
    assert [done.publishes for done in scene.world.dns.done if done.zone == "example.org"] == [True, False]
    scene.assert_nothing_stays()


def test_terms_come_first() -> None:
    scene = Scene()
    assert isinstance(failed(scene.signing(terms=False).run()), TermsNotAccepted)
    assert not scene.world.ca.orders
    scene.assert_nothing_stays()


def test_an_account_s_key_is_no_certificate_s() -> None:
    scene = Scene()
    scene.signing().run()
    other = Scene(scene.world.accounts.keys[CA])
    other.world = scene.world
    orders = len(scene.world.ca.orders)
    assert isinstance(failed(other.signing().run()), AccountKeyInRequest)
    assert len(scene.world.ca.orders) == orders
    scene.assert_nothing_stays()


def test_a_name_that_is_not_proven_leaves_nothing() -> None:
    scene = Scene()
    scene.world.ca.manners.refuses = {"mail.example.net"}
    assert isinstance(failed(scene.signing().run()), OrderFailed)
    scene.assert_nothing_stays()


def test_changed_terms_are_told_with_what_to_do() -> None:
    scene = Scene()
    scene.world.ca.manners.new_terms = {"instance": "https://ca.test/agree"}
    scene.world.ca.manners.changed_terms = [("link", '<https://ca.test/terms/2>; rel="terms-of-service"')]
    error = failed(scene.signing().run())
    assert isinstance(error, Problem)
    assert "Terms of service have changed" in str(error)
    assert "https://ca.test/terms/2" in error.hint
    assert "open https://ca.test/agree" in error.hint
    scene.assert_nothing_stays()


@pytest.mark.parametrize("purpose", [Purpose.SERVE, Purpose.REHEARSE])
@pytest.mark.parametrize("step", ["account", "new-order"])
def test_no_script_hears_of_refusals_in_a_rehearsal(purpose: Purpose, step: str) -> None:
    scene = Scene()
    told = replace(scene.world.configuration.certificates[0], hook="/hook.sh")
    page = replace(scene.world.configuration.settings, hook="/hook.sh")
    scene.world.configuration = replace(scene.world.configuration, settings=page, certificates=(told,))
    scene.world.ca.manners.refuses_at[step] = Refusal("malformed", "not today")
    assert isinstance(failed(scene.signing(purpose=purpose).run()), Problem)
    heard = [call.name for call in scene.world.hooks.called]
    assert heard == ([] if purpose is Purpose.REHEARSE else ["request_failure"])


def test_an_interruption_withdraws_the_records() -> None:
    scene = Scene()

    def perform(step: Step) -> object:
        if isinstance(step, Request) and "/challenge/" in step.url:
            signing.interrupt(Interrupted(ExitCode.INTERRUPTED))
        return through(scene.world.ports)(step)

    signing = scene.signing(SeededExecutor(perform, scene.world.clock))
    assert isinstance(failed(signing.run()), Interrupted)
    scene.assert_nothing_stays()


@pytest.mark.parametrize("signs_again", [True, False])
def test_what_a_killed_one_published_goes_with_the_next_run(signs_again: bool) -> None:  # noqa: FBT001 - a table
    moment = 0
    while True:
        scene = Scene()
        executor = MortalExecutor(through(scene.world.ports), scene.world.clock, moment, moment, plainly())
        try:
            scene.signing(executor).run()
        except Killed:
            scene.world.journal.die()
        else:
            break
        if signs_again:
            scene.world.claims.held.clear()
            assert scene.signing().run().errors == ()
        else:
            scene.world.configuration = replace(scene.world.configuration, certificates=())
            assert not scene.world.run().failed
        scene.assert_nothing_stays()
        moment += 1
    assert moment > 40
