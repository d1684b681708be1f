"""Names that are proven by standing records: the CA is told to look only where that can satisfy it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from builders.ca import KID, ORIGIN, Played, Reply, open_session, play
from builders.certificates import NOW
from builders.fakes import FakeClock, Idle
from builders.plans import configuration, observed, settings, spec
from certkeeper.acme.order import Order, OrderFailed, OrderStatus
from certkeeper.acme.persist import Standing
from certkeeper.apply.attempt import Attempt, Issuance
from certkeeper.apply.challenges import Waves
from certkeeper.apply.limits import Limits
from certkeeper.apply.propagate import Terms
from certkeeper.apply.prove import prove
from certkeeper.apply.scheduler import Scheduler
from certkeeper.apply.served import Served
from certkeeper.base.names import DnsName
from certkeeper.config.methods import ChallengeType, Methods
from certkeeper.config.rate import OrderRate
from certkeeper.plan.observed import StandingLook
from certkeeper.plan.planner import plan

CA = "ca.test"
ORDER = Order(f"{ORIGIN}/order/1", OrderStatus.PENDING, (f"{ORIGIN}/authz/1",), f"{ORIGIN}/finalize/1", NOW)
READY = Reply(200, {"status": "ready", "authorizations": list(ORDER.authorizations), "finalize": ORDER.finalize})


def proven(challenge: Mapping[str, object], *, wildcard: bool = True, told: bool = True) -> Played[Order]:
    """A wildcard for which a record stands is proven to a CA with that challenge, which may not say `wildcard`."""
    wanted = spec("*.example.org", methods=Methods((ChallengeType.DNS_PERSIST_01,)))
    value = Standing(CA, KID, wildcard=wildcard).value
    looks = {DnsName("_validation-persist.example.org"): StandingLook({"ns1": frozenset({value})})}
    seen = replace(observed(specs=[wanted], zones=[]), accounts={wanted.ca: KID}, standing=looks)
    item = plan(configuration(wanted), seen).lineages[0]
    assert item.error is None
    scheduler = Scheduler(Idle(), FakeClock())
    waves = Waves(scheduler, lambda _event: None, Terms(timedelta(seconds=1)))
    page = settings()
    limits = Limits(page.ca, None, None, OrderRate())
    shared = Issuance(open_session(), waves, Served(scheduler, lambda _event: None), lambda _event: None, page, limits)
    authorization = {
        "identifier": {"type": "dns", "value": "example.org"},
        "status": "pending",
        "wildcard": told,
        "challenges": [
            {"type": "dns-01", "url": f"{ORIGIN}/challenge/1", "status": "pending", "token": "token"},
            {"type": "dns-persist-01", "url": f"{ORIGIN}/challenge/2", "status": "pending", **challenge},
        ],
    }
    replies = [Reply(200, authorization), Reply(200, {"status": "processing"}), READY]
    return play(prove(Attempt(item, shared), ORDER), replies)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(
    "challenge",
    [{"issuer-domain-names": [CA]}, {"issuer-domain-names": ["other.test", CA], "accounturi": KID}],
)
def test_the_challenge_is_answered_where_the_record_fits(challenge: Mapping[str, object], *, told: bool) -> None:
    played = proven(challenge, told=told)
    assert played.value.status is OrderStatus.READY
    assert played.urls == ["/authz/1", "/challenge/2", "/order/1"]


@pytest.mark.parametrize(
    ("challenge", "said"),
    [
        ({"issuer-domain-names": ["other.test"]}, "is for ca.test, and the CA goes by other.test"),
        ({"issuer-domain-names": [CA], "accounturi": f"{KID}0"}, f"names the account {KID}0, and ours is {KID}"),
        ({"issuer-domain-names": ["Ca.test"]}, "does not offer dns-persist-01"),
        ({}, "does not offer dns-persist-01"),
    ],
)
def test_it_is_not_answered_where_the_ca_wants_another_record(challenge: Mapping[str, object], said: str) -> None:
    played = proven(challenge)
    assert isinstance(played.error, OrderFailed)
    assert said in str(played.error)
    assert played.error.hint
    assert played.urls == ["/authz/1"]
