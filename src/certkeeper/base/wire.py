"""Exchanges: protocols as generators that ask for steps and are sent what came back. They do no I/O themselves.

An exchange yields a Step and is resumed with its result, or the step's error is thrown into it. Composed with
`yield from`; driven by apply.scheduler in production and by a few lines in tests.
"""

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar, cast

from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.value import dataclass, field

T = TypeVar("T")


class Step:
    """Something that an exchange may ask for."""

    __slots__ = ()


Exchange: TypeAlias = Generator[Step, object, T]


class TransportError(CertkeeperError):
    """No complete answer came back: name not resolved, refused, reset, timed out, certificate not trusted.

    Attributes:
        transient: False where asking again cannot help, such as a certificate that is not trusted.
        sent: False where the request certainly never went out, so that nobody can have carried it out.
    """

    label = "no-answer"
    fault = Fault.REMOTE

    def __init__(self, message: str, *, transient: bool = True, sent: bool = True, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.transient = transient
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Request(Step):
    """One HTTP request. Header names are lower case."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; `at` is when it arrived (aware, UTC), since Retry-After counts from there."""

    status: int
    at: datetime
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str | None:
        """The first field of that name, in any case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def header_all(self, name: str) -> tuple[str, ...]:
        """All fields of that name: Link comes more than once (RFC 8555 §7.4.2)."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)


@dataclass(frozen=True, slots=True)
class Sleep(Step):
    """Do nothing for that many seconds; no thread is held meanwhile."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Together(Step):
    """Run exchanges side by side; resumes when all of them ended, with their results in order.

    If any failed, the first failure (in order) is thrown, after all of them ended.
    """

    exchanges: Sequence[Exchange[object]]


def ask(request: Request) -> Exchange[Response]:
    """Send one request.

    Raises:
        TransportError: no complete answer came back.
    """
    response = yield request
    return cast("Response", response)


def pause(seconds: float) -> Exchange[None]:
    yield Sleep(seconds)


def together(exchanges: Sequence[Exchange[T]]) -> Exchange[tuple[T, ...]]:
    """The results of exchanges run side by side, in order."""
    results = yield Together(cast("Sequence[Exchange[object]]", exchanges))
    return cast("tuple[T, ...]", results)
