"""Revocation at a CA in memory: who may ask for it, and what its refusals are told with."""

import pytest

from builders.certificates import new_key
from builders.plans import spec, zone
from certkeeper.acme.account import TermsNotAccepted
from certkeeper.acme.problem import Problem
from certkeeper.acme.revoke import RevocationReason
from certkeeper.adapters.keys import parse_own
from certkeeper.apply.account import open_session
from certkeeper.apply.accountcare import Care
from certkeeper.apply.conversation import Conversation
from certkeeper.apply.revocation import revoke_certificate
from certkeeper.base.keys import KeyPair
from certkeeper.lineage.leaf import to_der
from world.simulation import Simulation

SPEC = spec("www.example.org")


class Scene:
    """A certificate that a run got."""

    def __init__(self) -> None:
        self.world = Simulation([SPEC], [zone("example.org")])
        assert not self.world.run().failed
        files = self.world.store.live[SPEC.alias].files
        self.der = to_der(files.cert)
        self.key = parse_own(files.privkey, "privkey.pem")

    def revoke(self, reason: RevocationReason, key: KeyPair | None = None) -> bool:
        world = self.world
        care = Care(world.configuration.settings, "test", world.events.append)
        exchange = revoke_certificate(care, self.der, reason, key)
        return Conversation(exchange, executor=world.executor, clock=world.clock).run()


def test_the_account_asks_and_asking_again_is_no_failure() -> None:
    scene = Scene()
    assert scene.revoke(RevocationReason.SUPERSEDED)
    assert scene.world.ca.revoked == {scene.der: (4, "kid")}
    assert not scene.revoke(RevocationReason.UNSPECIFIED)


def test_the_key_asks_without_any_account() -> None:
    scene = Scene()
    scene.world.accounts.keys.clear()
    scene.world.accounts.kids.clear()
    assert scene.revoke(RevocationReason.KEY_COMPROMISE, scene.key)
    assert scene.world.ca.revoked == {scene.der: (1, "jwk")}


def test_without_an_account_none_is_made_for_it() -> None:
    scene = Scene()
    scene.world.accounts.keys.clear()
    scene.world.accounts.kids.clear()
    with pytest.raises(TermsNotAccepted):
        scene.revoke(RevocationReason.UNSPECIFIED)
    assert scene.world.ca.revoked == {}


def test_another_account_is_told_of_the_key() -> None:
    scene = Scene()
    scene.world.accounts.keys.clear()
    scene.world.accounts.kids.clear()
    settings = scene.world.configuration.settings
    opening = open_session(settings, user_agent="test", terms_accepted=True, tell=scene.world.events.append)
    Conversation(opening, executor=scene.world.executor, clock=scene.world.clock).run()
    with pytest.raises(Problem, match="not this account's") as caught:
        scene.revoke(RevocationReason.UNSPECIFIED)
    assert "--by-certificate-key" in caught.value.hint
    with pytest.raises(Problem, match="not the certificate's key"):
        scene.revoke(RevocationReason.UNSPECIFIED, new_key())
    assert scene.world.ca.revoked == {}


def test_a_reason_that_the_ca_does_not_take_is_told_so() -> None:
    scene = Scene()
    with pytest.raises(Problem, match="badRevocationReason") as caught:
        scene.revoke(RevocationReason.AFFILIATION_CHANGED)
    assert "--reason" in caught.value.hint
    assert scene.world.ca.revoked == {}
