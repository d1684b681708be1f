"""One account's conversation with one CA: nonces, signatures, bounded retries (RFC 8555 §6).

A session is owned by one thread. All exchanges that run side by side share its nonces: the newest is used first,
since CAs route nonces to the site that issued them and drop old ones.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta

from certkeeper.acme.address import require_askable
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.directory import NO_DIRECTORY_HINT, Directory, clock_behind, read_directory
from certkeeper.acme.jws import AccountKey, sign_request
from certkeeper.acme.problem import ErrorType, problem_from_response
from certkeeper.base.errors import CertkeeperError, Fault, OutOfDescriptors, printable
from certkeeper.base.events import Event, Tell
from certkeeper.base.patterns import pattern
from certkeeper.base.times import parse_retry_after
from certkeeper.base.traces import NonceRefused
from certkeeper.base.wire import Exchange, Request, Response, TransportError, ask, pause

_NONCE = pattern(r"[A-Za-z0-9_-]+")
"""§6.5.1: a nonce of another form must be ignored."""
_NONCE_TRIES = 12
"""At 25 % refusals, that many in a row happen once in 16 million requests."""
_NONCES_WITHOUT_PAUSE = 4
_NONCELESS_TRIES = 3
_NONCES_AT_ONCE = 2
_NONCE_LOOK, _SLOW_NONCE_LOOK = 0.008, 0.5
"""Seconds until somebody who waits for a nonce looks again: for the first second, and after that."""
_TRANSIENT_TRIES = 5
_LONGEST_WAIT = 60.0
"""Seconds. A CA that wants us to wait longer ends the work here; the error's retry_at says when to come back."""
_SHORTEST_WAIT = 1.0
"""Seconds. A date that is past already (of a CA whose clock is behind ours) asks for no haste."""
_LONGEST_LIMITED_WAIT = 10.0
"""Seconds, where the CA has had enough: everybody in the run would wait that long, and be refused together again."""
_TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})


def _nobody(_event: Event) -> None:
    """Hears what nobody asked for."""


class Redirected(MalformedBody):
    """The CA sends us elsewhere. A signature is good for one URL only (RFC 8555 §6.4), so it is not followed."""

    def __init__(self, url: str, response: Response, context: str) -> None:
        self.target = printable(response.header("location") or "nowhere", 200)
        super().__init__(f"{context}{url} redirects to {self.target} (HTTP {response.status}), which is not followed")


class NoncesRefused(CertkeeperError):
    """The CA refused every nonce that it had just issued."""

    label = "ca-answer"
    fault = Fault.REMOTE


class Session:
    """Signs and sends. `kid` is the account's URL once it is known; until then requests carry the key itself.

    Once five tries of one request got no answer, and as long as nobody else's does, nothing more is asked.
    `headers` go with every request, and `tell` hears what is done.
    `clock_behind` is by how much our clock is behind the CA's, once the directory is here and where it says so.
    """

    def __init__(
        self, directory_url: str, key: AccountKey, *, user_agent: str, kid: str | None = None, tell: Tell = _nobody
    ) -> None:
        self.directory_url = directory_url
        self.key = key
        self.kid = kid
        self.tell = tell
        self.headers = (("user-agent", user_agent), ("accept-language", "en"))
        self._nonces: list[str] = []
        self._fetching = 0
        self._silence: TransportError | None = None
        self.clock_behind: timedelta | None = None
        self._directory: Directory | None = None

    def directory(self) -> Exchange[Directory]:
        """The CA's directory, fetched once per session."""
        if self._directory is None:
            response = yield from self._persist(Request("GET", self.directory_url, self.headers))
            if _redirects(response):
                error = Redirected(self.directory_url, response, "directory ")
                error.hint = f"if the CA moved there, set CA to {error.target}; if not, see what answers in its place"
                raise error
            if response.status != 200:
                problem = problem_from_response(
                    response, f"directory {self.directory_url}: ", url=self.directory_url, method="get"
                )
                problem.hint = problem.hint or NO_DIRECTORY_HINT
                raise problem
            self._directory = read_directory(response, self.directory_url)
            self.clock_behind = clock_behind(response)
        return self._directory

    @property
    def known_directory(self) -> Directory | None:
        """The same, without asking."""
        return self._directory

    def post(
        self, url: str, payload: Mapping[str, object], *, context: str = "", lost_at_most: int = _TRANSIENT_TRIES
    ) -> Exchange[Response]:
        """A signed POST; the payload of an empty mapping is `{}`, which starts a challenge (§7.5.1).

        So many answers may be lost on the way before it is given up: each may have been to a request that was carried
        out.

        Raises:
            Problem: the CA refused, in its own words.
            NoncesRefused, TransportError: after bounded retries.
            MalformedBody: it is no URL to ask, or redirects to another one.
        """
        return self._signed(url, json.dumps(payload, separators=(",", ":")).encode(), context, lost_at_most)

    def read(self, url: str, *, context: str = "") -> Exchange[Response]:
        """A POST-as-GET (§6.3): the payload is the empty string, not an empty object. Errors as `post`."""
        return self._signed(url, b"", context, _TRANSIENT_TRIES)

    def _signed(self, url: str, payload: bytes, context: str, lost_at_most: int) -> Exchange[Response]:
        require_askable(url, self.directory_url, context)
        for attempt in range(_NONCE_TRIES):
            if attempt > _NONCES_WITHOUT_PAUSE:
                yield from pause(min(2.0, 0.1 * 2 ** (attempt - _NONCES_WITHOUT_PAUSE)))
            response = yield from self._persist_signed(url, payload, lost_at_most)
            if _redirects(response):
                raise Redirected(url, response, context)
            if response.status < 400:
                return response
            problem = problem_from_response(response, context, url=url)
            if problem.type != ErrorType.BAD_NONCE:
                raise problem
            self.tell(NonceRefused(url))
        raise NoncesRefused(
            f"{url}: the CA refused {_NONCE_TRIES} nonces in a row",
            hint="the CA, or a cache between it and this host, is out of order: try again later",
        )

    def _persist_signed(self, url: str, payload: bytes, lost_at_most: int) -> Exchange[Response]:
        # Each try is signed anew: a nonce counts as used even where the answer was lost.
        for attempt in range(_TRANSIENT_TRIES):
            nonce = yield from self._nonce()
            body = sign_request(self.key, url=url, nonce=nonce, kid=self.kid, payload=payload)
            headers = (*self.headers, ("content-type", "application/jose+json"))
            ended = yield from self._try(Request("POST", url, headers, body), attempt, lost_at_most)
            if isinstance(ended, Response):
                return ended
            lost_at_most -= isinstance(ended, TransportError) and ended.sent
        raise AssertionError("the last try returns or raises")

    def _persist(self, request: Request) -> Exchange[Response]:
        for attempt in range(_TRANSIENT_TRIES):
            ended = yield from self._try(request, attempt, _TRANSIENT_TRIES)
            if isinstance(ended, Response):
                return ended
        raise AssertionError("the last try returns or raises")

    def _try(self, request: Request, attempt: int, lost_at_most: int) -> Exchange[Response | CertkeeperError | None]:
        """One try. What is no response failed in passing, and the wait for the next try is over: None was an answer."""
        last = attempt == _TRANSIENT_TRIES - 1
        if self._silence is not None:
            # A thousand names would each find out by themselves, half a minute per try.
            raise TransportError(
                f"{request.url}: not asked any more: {self._silence}",
                sent=False,
                hint="the CA stopped answering: run again later; the next run goes on with the orders that are open",
            )
        try:
            response = yield from ask(request)
        except (TransportError, OutOfDescriptors) as error:
            lost = isinstance(error, TransportError) and error.sent
            if last and isinstance(error, TransportError):
                self._silence = error
            if last or not error.transient or (lost and lost_at_most <= 1):
                raise
            yield from pause(_backoff(request.url, attempt))
            return error
        self._silence = None
        nonce = response.header("replay-nonce")
        if nonce and _NONCE.fullmatch(nonce):
            self._nonces.append(nonce)
        if response.status not in _TRANSIENT_STATUS or last:
            return response
        wait = parse_retry_after(response.header("retry-after") or "", response.at)
        seconds = _backoff(request.url, attempt) if wait is None else max(wait.total_seconds(), _SHORTEST_WAIT)
        limited = response.status == 429
        if seconds > (_LONGEST_LIMITED_WAIT if limited else _LONGEST_WAIT) or (limited and wait is None):
            return response
        refusal = problem_from_response(response)
        if (limited and refusal.paused) or (refusal.type == ErrorType.SERVER_INTERNAL and refusal.of_replacement):
            # It would say the same again. The second is about what an order says that it replaces, which can be left
            # out: some CAs call that an error of their own.
            return response
        yield from pause(seconds)
        return None

    def _nonce(self) -> Exchange[str]:
        # A hundred orders that begin together would ask for a hundred nonces at once, and be refused: Let's Encrypt
        # allows 10 and then 20 a second. Two at a time stay below that over any real distance, and most of those that
        # wait get the nonce of an answer to somebody else.
        waited = 0.0
        while not self._nonces and self._fetching >= _NONCES_AT_ONCE:
            delay = _NONCE_LOOK if waited < 1 else _SLOW_NONCE_LOOK
            yield from pause(delay)
            waited += delay
        if self._nonces:
            return self._nonces.pop()
        self._fetching += 1
        try:
            return (yield from self._fetched_nonce())
        finally:
            self._fetching -= 1

    def _fetched_nonce(self) -> Exchange[str]:
        directory = yield from self.directory()
        require_askable(directory.new_nonce, self.directory_url, "newNonce: ")
        for attempt in range(_NONCELESS_TRIES):
            if attempt:
                yield from pause(_backoff(directory.new_nonce, attempt))
            response = yield from self._persist(Request("HEAD", directory.new_nonce, self.headers))
            if _redirects(response):
                raise Redirected(directory.new_nonce, response, "")
            if response.status >= 400:
                raise problem_from_response(
                    response, f"{directory.new_nonce}: ", url=directory.new_nonce, method="head"
                )
            if self._nonces:
                return self._nonces.pop()
        raise MalformedBody(f"{directory.new_nonce}: no Replay-Nonce in the answer")


def _redirects(response: Response) -> bool:
    return 300 <= response.status < 400


def _backoff(url: str, attempt: int) -> float:
    """Seconds before the next try: 0.5, 1, 2, 4, each up to a quarter longer so that clients do not march in step."""
    jitter = hashlib.sha256(f"{url} {attempt}".encode("utf-8", "surrogatepass")).digest()[0] / 1024
    return float(0.5 * 2**attempt * (1 + jitter))
