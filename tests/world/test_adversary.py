"""A CA that lies about orders, authorizations and challenges, in any order: bounded, one end each, nothing left in DNS.

The CA behind is a strict one; what it answers is changed on the way, now and then or always.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.certificates import NOW
from builders.fakeca import HOME, FakeCa
from builders.fakes import SeededExecutor, through
from builders.plans import spec, zone
from certkeeper.base.errors import CertkeeperError, Interrupted
from certkeeper.base.wire import Request, Response
from world.simulation import Simulation, errors, issued

Document = dict[str, object]
Lie = Callable[[Document], Document]

STATUSES = ["pending", "ready", "processing", "valid", "invalid", "deactivated", "expired", "revoked", "unheard-of", ""]
URLS = [
    f"{HOME}/order/1",
    f"{HOME}/authorization/2",
    "http://ca.test/plain",
    "https://elsewhere.test/x",
    "",
    "/relative",
]
STRANGE: list[object] = [
    None,
    7,
    True,
    "text",
    [],
    {},
    [None, 7, {"a": [1]}],
    "x" * 5000,
    "\x1b[2J",
    "a\u2028b",
    -1e300,
]
IDENTIFIERS: list[object] = [
    {"type": "dns", "value": "other.example"},
    {"type": "dns", "value": "*.a.example.org"},
    {"type": "dns", "value": "A.EXAMPLE.ORG"},
    {"type": "dns", "value": "a.example.org."},
    {"type": "dns", "value": "..\x00 "},
    {"type": "dns", "value": "x" * 300},
    {"type": "ip", "value": "192.0.2.1"},
    {"type": "email", "value": "a@example.org"},
    {"type": 7, "value": 7},
]
CHALLENGES: list[object] = [
    {"type": "dns-02", "url": f"{HOME}/challenge/9", "status": "pending", "token": "abc"},
    {"type": "dns-01", "url": f"{HOME}/challenge/9", "status": "pending"},
    {"type": "dns-01", "url": f"{HOME}/challenge/9", "status": "pending", "token": "not base64url!"},
    {"type": "dns-01", "url": "http://ca.test/plain", "status": "pending", "token": "abc"},
    {"type": "dns-01", "status": "pending", "token": "abc"},
    {"type": 7, "url": 7, "status": 7, "token": 7},
    "no object",
]


def member(name: str, values: list[object]) -> st.SearchStrategy[Lie]:
    return st.sampled_from(values).map(lambda value: lambda document: {**document, name: value})


def without(name: str) -> Lie:
    return lambda document: {key: value for key, value in document.items() if key != name}


def of_list(name: str, change: Callable[[list[object]], list[object]]) -> Lie:
    def told(document: Document) -> Document:
        held = document.get(name)
        return {**document, name: change(held)} if isinstance(held, list) else document

    return told


ERRORS: list[object] = [
    {"type": "urn:ietf:params:acme:error:caa", "detail": "\x1b[31m" + "x" * 10_000, "subproblems": [7, {}, None]},
    {"type": 7, "detail": [], "subproblems": "none"},
    "no object",
]
LIES: st.SearchStrategy[Lie] = st.one_of(
    member("status", [*STATUSES, *STRANGE]),
    member("status", [*STATUSES]),
    member("identifier", IDENTIFIERS),
    member("wildcard", [True, False, "true", None]),
    member("finalize", [*URLS, *STRANGE]),
    member("certificate", [*URLS, *STRANGE]),
    member("authorizations", [*STRANGE, URLS, URLS * 3]),
    member("challenges", [*STRANGE, CHALLENGES]),
    member("error", ERRORS),
    st.sampled_from(
        ["status", "identifier", "authorizations", "challenges", "finalize", "certificate", "url", "token"]
    ).map(without),
    st.sampled_from(
        [
            of_list("authorizations", lambda held: held[1:]),
            of_list("authorizations", lambda held: held[::-1]),
            of_list("authorizations", lambda held: held * 2),
            of_list("challenges", lambda held: [*CHALLENGES, *held]),
            of_list("challenges", lambda held: held[:0]),
            of_list("identifiers", lambda held: held[:1]),
        ]
    ),
    st.just(lambda _: {}),
)
WHERE = st.sampled_from(["new-order", "order", "authorization", "challenge", "finalize"])


class Liar:
    """Implements the port Http: the CA's answers, some of them changed. `lies` says which, by kind and number."""

    def __init__(self, ca: FakeCa, lies: Mapping[tuple[str, int], Lie], always: Mapping[str, Lie]) -> None:
        self._ca = ca
        self._lies = lies
        self._always = always
        self._turns = {kind: count() for kind in ("new-order", "order", "authorization", "challenge", "finalize")}
        self.sent = 0
        self.honest = False

    def send(self, request: Request) -> Response:
        self.sent += 1
        if not request.url.startswith(HOME):
            return _gone()
        kind = request.url.removeprefix(HOME).split("/")[1]
        try:
            response = self._ca.send(request)
        except CertkeeperError:
            raise
        except Exception:  # noqa: BLE001 - what we were lied into asking for is not there
            return _gone()
        if self.honest or kind not in self._turns or response.status >= 400:
            return response
        lie = self._lies.get((kind, next(self._turns[kind]))) or self._always.get(kind)
        if lie is None:
            return response
        return replace(response, body=json.dumps(lie(json.loads(response.body))).encode())


def _gone() -> Response:
    body = {"type": "urn:ietf:params:acme:error:malformed", "detail": "no such resource"}
    return Response(404, NOW, (), json.dumps(body).encode())


def run(lies: Mapping[tuple[str, int], Lie], always: Mapping[str, Lie], seed: int) -> None:
    world = Simulation(
        [spec("a.example.org", "*.a.example.org"), spec("b.example.org")], [zone("example.org")], seed=seed
    )
    liar = Liar(world.ca, lies, always)
    world.ports = replace(world.ports, http=liar)
    world.executor = SeededExecutor(through(world.ports), world.clock, seed)
    result = world.run()
    found = errors(result)
    assert set(found) | issued(result) == {"a.example.org", "b.example.org"}
    assert result.fatal is None
    for error in found.values():
        assert not isinstance(error, Interrupted)
        assert "internal error" not in str(error), error
        assert str(error).isprintable()
        assert len(str(error)) < 3000
    assert result.leftovers == ()
    assert world.dns.txt() == {}
    # Two orders of three names; the polls of five minutes each at growing distances.
    assert liar.sent < 600
    assert world.clock.seconds < 1500
    # The next runs make good what lies have spoilt.
    liar.honest = True
    for _ in range(4):
        world.clock.advance(2 * 86_400)
        if not errors(world.run()):
            break
    assert set(world.store.live) == {item.alias for item in world.configuration.certificates}
    assert world.dns.txt() == {}


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.tuples(WHERE, st.integers(0, 4)), LIES, min_size=1, max_size=5), st.integers(0, 5))
def test_a_ca_that_lies_now_and_then(lies: dict[tuple[str, int], Lie], seed: int) -> None:
    run(lies, {}, seed)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(WHERE, LIES, min_size=1, max_size=2), st.integers(0, 5))
def test_a_ca_that_always_lies(always: dict[str, Lie], seed: int) -> None:
    run({}, always, seed)
