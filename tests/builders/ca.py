"""A driver that plays a CA's part from a script, and a CA (RFC 8555) in memory that is as strict as a test CA."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Generic, TypeAlias, TypeVar, cast

from builders.certificates import NOW
from builders.plans import CA
from certkeeper.acme.jws import AccountKey
from certkeeper.acme.session import Session
from certkeeper.adapters.keys import make
from certkeeper.base.errors import OutOfDescriptors
from certkeeper.base.events import Tell
from certkeeper.base.keys import KeyAlgorithm, KeyPair, KeySpec
from certkeeper.base.wire import Exchange, Request, Response, Sleep, Step, Together, TransportError

T = TypeVar("T")
ORIGIN = CA.removesuffix("/directory")
KID = f"{ORIGIN}/account/1"
DIRECTORY: Mapping[str, object] = {
    "newNonce": f"{ORIGIN}/nonce",
    "newAccount": f"{ORIGIN}/new-account",
    "newOrder": f"{ORIGIN}/new-order",
    "keyChange": f"{ORIGIN}/key-change",
    "revokeCert": f"{ORIGIN}/revoke-cert",
    "meta": {"termsOfService": f"{ORIGIN}/terms"},
    "Xk3_1sQ": "a random member, as CAs add on purpose",
}
USER_AGENT = "certkeeper/test"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the CA says to one request; a mapping is sent as JSON. `nonce` False leaves the Replay-Nonce out."""

    status: int = 200
    body: Mapping[str, object] | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    nonce: bool = True
    links: tuple[str, ...] = ()
    """Values of Link, each a header of its own."""

    def at(self, instant: datetime, nonce: str) -> Response:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"replay-nonce": nonce, **self.headers} if self.nonce else dict(self.headers)
        return Response(self.status, instant, (*headers.items(), *(("link", link) for link in self.links)), body)


def problem(type_: str, detail: str = "", *, status: int = 400, **headers: str) -> Reply:
    """A problem document with one of ACME's error types."""
    body = {"type": f"urn:ietf:params:acme:error:{type_}", "detail": detail}
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


Answer: TypeAlias = Reply | TransportError | OutOfDescriptors
Script: TypeAlias = Iterable[Answer] | Callable[[Request], Answer]


@dataclass(slots=True)
class Played(Generic[T]):
    """How an exchange went: what it asked for, how long it paused, and how it ended."""

    requests: list[Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    error: Exception | None = None
    _value: list[T] = field(default_factory=list)

    @property
    def value(self) -> T:
        if self.error is not None:
            raise self.error
        return self._value[0]

    @property
    def posts(self) -> list[Request]:
        return [request for request in self.requests if request.method == "POST"]

    @property
    def urls(self) -> list[str]:
        return [request.url.removeprefix(ORIGIN) for request in self.requests]


class _Player:
    def __init__(self, script: Script, now: datetime, limit: int) -> None:
        self.now = now
        self.requests: list[Request] = []
        self.pauses: list[float] = []
        self._limit = limit
        if callable(script):
            self._answer = script
        else:
            replies = iter(script)
            self._answer = lambda request: _next(replies, request)

    def drive(self, exchange: Exchange[object]) -> object:
        value: object = None
        error: Exception | None = None
        while True:
            try:
                step = exchange.send(value) if error is None else exchange.throw(error)
            except StopIteration as stop:
                return cast("object", stop.value)
            value, error = self._take(step)

    def _take(self, step: Step) -> tuple[object, Exception | None]:
        match step:
            case Request():
                self.requests.append(step)
                assert len(self.requests) <= self._limit, f"more than {self._limit} requests"
                answer = self._answer(step)
                if isinstance(answer, TransportError | OutOfDescriptors):
                    return None, answer
                return answer.at(self.now, f"nonce-{len(self.requests)}"), None
            case Sleep(seconds):
                self.pauses.append(seconds)
                self.now += timedelta(seconds=seconds)
                return None, None
            case Together(exchanges):
                return self._side_by_side(exchanges)
            case _:
                raise AssertionError(f"no step of a CA's: {step}")

    def _side_by_side(self, exchanges: Iterable[Exchange[object]]) -> tuple[object, Exception | None]:
        results: list[object] = []
        errors: list[Exception] = []
        for exchange in exchanges:
            try:
                results.append(self.drive(exchange))
            except Exception as error:  # noqa: BLE001 - handed on after all of them ended
                errors.append(error)
        return tuple(results), errors[0] if errors else None


def play(exchange: Exchange[T], script: Script, *, now: datetime = NOW, limit: int = 10_000) -> Played[T]:
    """Run an exchange to its end; each request gets the script's next answer, and a pause passes at once."""
    player = _Player(script, now, limit)
    played: Played[T] = Played(player.requests, player.pauses)
    try:
        played._value.append(cast("T", player.drive(cast("Exchange[object]", exchange))))
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001 - how it ended is what the test asks for
        played.error = error
    return played


def _next(replies: Iterator[Answer], request: Request) -> Answer:
    answer = next(replies, None)
    assert answer is not None, f"not in the script: {request.method} {request.url}"
    return answer


@cache
def account_pair() -> KeyPair:
    return make(KeySpec(KeyAlgorithm.P256))


def new_session(*, kid: str | None = KID, tell: Tell = lambda _: None) -> Session:
    """A session that knows nothing of its CA yet."""
    return Session(CA, AccountKey(account_pair().private), user_agent=USER_AGENT, kid=kid, tell=tell)


def open_session(*, kid: str | None = KID, tell: Tell = lambda _: None) -> Session:
    """A session with the directory and one nonce."""
    session = new_session(kid=kid, tell=tell)
    play(session.directory(), [Reply(200, DIRECTORY)])
    return session


def unb64(text: str) -> bytes:
    assert not set(text) & set("+/="), "base64url without padding"
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True, slots=True)
class Signed:
    """A JWS taken apart; the signature is not looked at."""

    protected: Mapping[str, object]
    payload: bytes
    signature: bytes
    signing_input: bytes

    @property
    def nonce(self) -> str:
        return str(self.protected["nonce"])

    def document(self) -> Mapping[str, object]:
        document = json.loads(self.payload)
        assert isinstance(document, dict)
        return document


def signed(request: Request) -> Signed:
    """The JWS in a POST (RFC 8555 §6.2: flattened JSON, nothing but these three members)."""
    return opened(json.loads(request.body))


def opened(body: Mapping[str, str]) -> Signed:
    """A JWS as it travels, taken apart."""
    assert set(body) == {"protected", "payload", "signature"}
    return Signed(
        json.loads(unb64(body["protected"])),
        unb64(body["payload"]),
        unb64(body["signature"]),
        f"{body['protected']}.{body['payload']}".encode(),
    )
