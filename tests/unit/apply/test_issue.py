"""One lineage from order to live files: which key, what is kept, and what is left after a failure."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from cryptography.x509 import load_pem_x509_certificate

from builders.ca import signed
from builders.certificates import NOW, new_key, signing_key
from builders.fakes import SeededExecutor, through
from builders.fakestore import FakeStore
from builders.plans import REUSE, spec, zone
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.keys import parse_own
from certkeeper.apply.effects import (
    ActivateVersion,
    BeginVersion,
    ChangeZone,
    DiscardVersion,
    MakeKey,
    ReadLiveKey,
    SaveKey,
    StageVersion,
)
from certkeeper.apply.ports import Http
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyAlgorithm, KeyPair, KeySpec
from certkeeper.base.names import Alias
from certkeeper.base.wire import Request, Response, Step, TransportError
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.model import Draft, KeyPlace, Lineage, VersionFiles
from world.simulation import Simulation, errors, issued

ALIAS = Alias("example.org")
CHALLENGE = "/challenge/"
DISK_FULL = FileTrouble("/etc/dehydrated/certs/example.org: no space left on device")
Wrap = Callable[[Http], Http]


class Store(FakeStore):
    """`fails` are methods that end in DISK_FULL; `present` is the live key."""

    def __init__(self, *, fails: Sequence[str] = (), present: KeyPair | None = None) -> None:
        super().__init__()
        self.fails = fails
        self.present = present
        self.discarded: list[Alias] = []

    def _maybe(self, method: str) -> None:
        if method in self.fails:
            raise DISK_FULL

    def save_key(self, draft: Draft, key: KeyPair) -> None:
        self._maybe("save_key")
        super().save_key(draft, key)

    def stage(self, draft: Draft, files: VersionFiles) -> None:
        self._maybe("stage")
        super().stage(draft, files)

    def activate(self, alias: Alias, stamp: int) -> None:
        self._maybe("activate")
        super().activate(alias, stamp)

    def discard(self, draft: Draft) -> None:
        self._maybe("discard")
        self.discarded.append(draft.alias)
        super().discard(draft)

    def live_key(self, alias: Alias) -> KeyPair:
        self._maybe("live_key")
        return self.present if self.present is not None else super().live_key(alias)

    def lineage(self, alias: Alias) -> Lineage:
        if self.present is None:
            return super().lineage(alias)
        return Lineage(alias, key_place=KeyPlace.PLAIN, key_id=self.present.key_id)


class LostAnswers:
    """Carries each request that fits to the CA, and loses its answer the first time."""

    def __init__(self, inner: Http, part: str) -> None:
        self._inner = inner
        self._part = part
        self._lost = False

    def send(self, request: Request) -> Response:
        if self._part not in request.url:
            return self._inner.send(request)
        if self._lost and self._part == CHALLENGE:
            return told_before(request)
        answer = self._inner.send(request)
        if not self._lost:
            self._lost = True
            raise TransportError(f"{request.url}: connection reset")
        return answer


def told_before(request: Request) -> Response:
    """What a strict CA says of a challenge that is under way: it may be read, but not started again."""
    if signed(request).payload == b"":
        body = {"type": "dns-01", "url": request.url, "status": "processing", "token": "t"}
        return Response(200, NOW, (), json.dumps(body).encode())
    detail = "Cannot update challenge with status processing, only status pending"
    problem = {"type": "urn:ietf:params:acme:error:malformed", "detail": detail}
    return Response(400, NOW, (), json.dumps(problem).encode())


def simulation(store: Store | None = None, *specs: CertSpec, wrap: Wrap = lambda http: http) -> Simulation:
    world = Simulation(specs or [spec("example.org")], [zone("example.org")])
    world.store = store or Store()
    world.ports = replace(world.ports, store=world.store, http=wrap(world.ca))
    world.executor = SeededExecutor(through(world.ports), world.clock)
    return world


def steps(world: Simulation, *kinds: type[Step]) -> list[str]:
    return [type(step).__name__ for step in world.executor.performed if isinstance(step, kinds)]


def only_error(world: Simulation) -> CertkeeperError:
    (error,) = errors(world.run()).values()
    return error


FOLDER = (BeginVersion, ReadLiveKey, MakeKey, SaveKey, StageVersion, ActivateVersion, DiscardVersion)


@pytest.mark.parametrize("algorithm", [item for item in KeyAlgorithm if item is not KeyAlgorithm.RSA])
def test_a_ca_that_takes_the_kind_of_key_signs_it(algorithm: KeyAlgorithm) -> None:
    world = simulation(None, spec("example.org", key=KeySpec(algorithm)))
    assert issued(world.run()) == {"example.org"}
    (version,) = world.store.live.values()
    assert (
        load_pem_x509_certificate(version.files.cert).public_key()
        == signing_key(parse_own(version.files.privkey, "privkey.pem")).public_key()
    )


def test_a_version_is_begun_keyed_staged_and_activated_in_that_order() -> None:
    world = simulation()
    assert issued(world.run()) == {"example.org"}
    # The first key is the account's.
    assert steps(world, *FOLDER) == [
        "MakeKey",
        "BeginVersion",
        "MakeKey",
        "SaveKey",
        "StageVersion",
        "ActivateVersion",
    ]


def test_a_slow_key_is_made_while_names_are_proven_and_waited_for_before_finalize() -> None:
    """RSA takes a second or more: by its number, not by a clock, each step is before or after it."""
    world = simulation(None, spec("example.org", key=KeySpec(KeyAlgorithm.RSA, 2048)))
    world.accounts.save_key(world.configuration.settings.ca, new_key())
    world.executor.latency = lambda step: 100.0 if isinstance(step, MakeKey) else 0.01
    assert issued(world.run()) == {"example.org"}
    performed = world.executor.performed
    (made,) = [at for at, step in enumerate(performed) if isinstance(step, MakeKey)]
    asked = {part: [at for at, step in enumerate(performed) if is_to(step, part)] for part in ("challenge", "finalize")}
    assert asked["challenge"]
    assert max(asked["challenge"]) < made < min(asked["finalize"])
    withdrawn = [at for at, step in enumerate(performed) if isinstance(step, ChangeZone)]
    assert max(withdrawn) < made


def is_to(step: Step, part: str) -> bool:
    return isinstance(step, Request) and f"/{part}/" in step.url


def test_the_key_is_on_disk_before_the_ca_sees_the_csr() -> None:
    world = simulation()
    world.run()
    performed = world.executor.performed
    saved = next(at for at, step in enumerate(performed) if isinstance(step, SaveKey))
    finalized = next(at for at, step in enumerate(performed) if isinstance(step, Request) and "/finalize/" in step.url)
    assert saved < finalized


def test_a_key_that_is_reused_is_read_and_none_is_made() -> None:
    present = new_key()
    world = simulation(Store(present=present), spec("example.org", key=REUSE))
    assert issued(world.run()) == {"example.org"}
    assert world.store.live[ALIAS].files.privkey == present.pem
    assert len(world.keys.made) == 1, "the account's only"


def test_a_key_that_cannot_be_read_costs_no_order() -> None:
    store = Store(present=new_key(), fails=["live_key"])
    world = simulation(store, spec("example.org", key=REUSE))
    assert only_error(world) is DISK_FULL
    assert world.ca.orders == {}
    assert store.discarded == [ALIAS]


def test_an_interrupted_attempts_key_is_taken_up() -> None:
    left = new_key()
    world = simulation()
    world.store.drafts[ALIAS] = Draft(ALIAS, 1_790_000_000, left)
    assert issued(world.run()) == {"example.org"}
    assert world.store.live[ALIAS].files.privkey == left.pem
    assert world.store.live[ALIAS].stamp == 1_790_000_000
    assert steps(world, SaveKey) == []


def test_an_interrupted_attempts_key_of_another_kind_is_replaced() -> None:
    left = new_key(KeyAlgorithm.P384)
    world = simulation()
    world.store.drafts[ALIAS] = Draft(ALIAS, 1_790_000_000, left)
    assert issued(world.run()) == {"example.org"}
    assert world.store.live[ALIAS].files.privkey != left.pem


@pytest.mark.parametrize("method", ["save_key", "stage", "activate"])
def test_a_disk_that_fails_is_one_error_and_the_next_run_goes_on(method: str) -> None:
    store = Store(fails=[method])
    world = simulation(store)
    assert only_error(world) is DISK_FULL
    assert store.live == {}
    assert world.dns.txt() == {}
    assert world.journal.backoffs == {}
    store.fails = []
    assert issued(world.run()) == {"example.org"}
    assert len(world.ca.orders) == 1
    assert world.journal.empty


def test_a_draft_that_cannot_be_taken_away_does_not_hide_why_the_lineage_failed() -> None:
    world = simulation(Store(fails=["discard"]))
    world.ca.manners.refuses = {"example.org"}
    assert "Incorrect TXT record" in str(only_error(world))


@pytest.mark.parametrize("part", ["/new-order", "/authorization/", "/order/", "/finalize/", "/certificate/"])
def test_an_answer_that_is_lost_costs_no_certificate(part: str) -> None:
    world = simulation(wrap=lambda http: LostAnswers(http, part))
    assert errors(world.run()) == {}
    assert world.dns.txt() == {}
    assert world.dns.counts() == {"example.org": (1, 1)}


# A CA may refuse to be told twice, and then the first time was the one that counts.
def test_an_answer_to_a_challenge_whose_reply_is_lost_costs_no_certificate() -> None:
    world = simulation(wrap=lambda http: LostAnswers(http, CHALLENGE))
    assert errors(world.run()) == {}


def test_the_chain_is_split_as_dehydrated_names_it() -> None:
    world = simulation()
    world.run()
    files = world.store.live[ALIAS].files
    assert files.fullchain == files.cert + files.chain
    assert files.cert.count(b"BEGIN CERTIFICATE") == 1
    assert files.csr.startswith(b"-----BEGIN CERTIFICATE REQUEST-----")


def test_a_page_may_bound_the_wait_for_validation_and_for_the_order() -> None:
    slow = replace(spec("example.org"), validation_timeout=timedelta(seconds=20))
    world = simulation(None, slow)
    world.ca.manners.validation = 10**6
    assert "still pending after 20 s" in str(only_error(world))
    stuck = replace(spec("example.org"), order_timeout=timedelta(seconds=30))
    world = simulation(None, stuck)
    world.ca.manners.stuck = {"example.org"}
    assert "still processing after 30 s" in str(only_error(world))


def test_a_name_that_the_ca_adds_is_refused_before_anything_is_published() -> None:
    class Adds:
        def __init__(self, inner: Http) -> None:
            self._inner = inner

        def send(self, request: Request) -> Response:
            answer = self._inner.send(request)
            if "/authorization/" not in request.url:
                return answer
            return replace(answer, body=answer.body.replace(b"example.org", b"evil.example.org"))

    world = simulation(wrap=Adds)
    assert str(only_error(world)) == "evil.example.org: the CA wants a name proven that was not ordered"
    assert world.dns.done == []


def test_an_order_that_falls_back_to_pending_is_not_called_invalid() -> None:
    class FallsBack:
        def __init__(self, inner: Http) -> None:
            self._inner = inner
            self._back = False

        def send(self, request: Request) -> Response:
            if "/finalize/" in request.url:
                self._back = True
                body = b'{"type": "urn:ietf:params:acme:error:orderNotReady", "detail": "prove it again"}'
                return Response(403, NOW, (), body)
            answer = self._inner.send(request)
            return replace(answer, body=answer.body.replace(b'"ready"', b'"pending"')) if self._back else answer

    error = only_error(simulation(wrap=FallsBack))
    assert "invalid" not in str(error)
    assert "pending" in str(error) or "orderNotReady" in str(error)


def test_a_certificate_for_another_key_never_goes_live() -> None:
    world = simulation()
    other = new_key()

    class Keys:
        def make(self, spec: KeySpec) -> KeyPair:
            """Pairs whose id is another key's: the files would not fit together."""
            return replace(world.keys.make(spec), key_id=other.key_id)

    world.ports = replace(world.ports, keys=Keys())
    world.executor = SeededExecutor(through(world.ports), world.clock)
    assert "the leaf's key is" in str(only_error(world))
    assert world.store.live == {}
    assert world.store.drafts == {}


def test_an_internal_error_in_one_lineage_leaves_the_others_alone() -> None:
    class Broken(Store):
        def begin(self, alias: Alias, now_epoch: int) -> Draft:
            draft = super().begin(alias, now_epoch)
            return replace(draft, key=cast("KeyPair", "no key")) if alias == ALIAS else draft

    world = simulation(Broken(), spec("example.org"), spec("www.example.org"))
    result = world.run()
    assert issued(result) == {"www.example.org"}
    (error,) = errors(result).values()
    assert str(error).startswith("internal error: AttributeError")
    assert "bug" in error.hint
    assert world.dns.txt() == {}
