"""HTTP over urllib3: TLS always verified, every call bounded in time and size, no retries of its own."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import urllib3
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError, ProtocolError, SSLError
from urllib3.exceptions import TimeoutError as HttpTimeout

from certkeeper.adapters.descriptors import out_of_descriptors, perhaps_out_of_descriptors
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, OutOfDescriptors, printable
from certkeeper.base.wire import Request, Response, TransportError

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 30.0
_WHOLE_SECONDS = 50.0
MAX_BODY = 8 * 1024 * 1024
"""Octets. The longest real answers are chains of some 20 kB; a zone with 2,000 names stays below 1 MB."""


class CaBundleError(CertkeeperError):
    """A file of root certificates that cannot be used."""

    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


class AnswerTooLarge(TransportError):
    """More than anybody has reason to send."""


class HttpClient:
    """Implements the port Http; connections are kept alive and shared by threads."""

    def __init__(self, ca_bundle: str | None = None, connections: int = 16) -> None:
        """Trust the roots in the PEM file `ca_bundle`, or the system's, which are loaded when TLS is first needed.

        Raises:
            CaBundleError: the file is missing or holds no certificate.
        """
        self._pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=connections,
            retries=False,
            ssl_context=_context(ca_bundle) if ca_bundle else None,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
        )

    def send(self, request: Request) -> Response:
        """Send once. Every status is a response, redirects included.

        Raises:
            TransportError: nothing complete came back; the message names the URL, never a header.
            OutOfDescriptors: there was none for the connection, or for what it needs.
        """
        try:
            answer = self._pool.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                body=request.body or None,
                redirect=False,
                preload_content=False,
                decode_content=True,
            )
            try:
                with _given_up_after(_WHOLE_SECONDS, answer):
                    body = answer.read(MAX_BODY + 1, decode_content=True) or b""
            finally:
                answer.release_conn()
        except (HTTPError, ValueError) as error:
            raise _starved(request.url, error) or _failure(request.url, error) from error
        if len(body) > MAX_BODY:
            answer.close()
            raise AnswerTooLarge(
                f"{request.url.partition('?')[0]}: the answer is larger than {MAX_BODY} octets", transient=False
            )
        headers = tuple((name.lower(), value) for name, value in answer.headers.items())
        return Response(answer.status, datetime.now(tz=UTC), headers, body)


@contextmanager
def _given_up_after(seconds: float, answer: urllib3.BaseHTTPResponse) -> Iterator[None]:
    """Bound the whole answer: a server that sends a letter at a time keeps each read within its own bound."""

    def hang_up() -> None:
        # Not a duplicate: there may be no descriptor left for one.
        with suppress(OSError):
            line = socket.socket(fileno=answer.fileno())
            try:
                line.shutdown(socket.SHUT_RDWR)
            finally:
                line.detach()

    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _context(ca_bundle: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError) as error:
        if (starved := out_of_descriptors(ca_bundle, error)) is not None:
            raise starved from error
        raise CaBundleError(
            f"{ca_bundle}: cannot be used as CA_BUNDLE: {printable(str(error), 200)}",
            hint="CA_BUNDLE is a file of PEM certificates that the CA's own API is trusted by",
        ) from error


def _starved(asked: str, error: Exception) -> OutOfDescriptors | None:
    """Resolvers and OpenSSL pass over files that they cannot open: the name is then not found, or no root trusted."""
    url = asked.partition("?")[0]
    if isinstance(error, NameResolutionError | SSLError):
        return perhaps_out_of_descriptors(url, error)
    return out_of_descriptors(url, error)


def _failure(asked: str, error: Exception) -> TransportError:
    url = asked.partition("?")[0]
    if isinstance(error, SSLError):
        return TransportError(
            f"{url}: TLS failed: {printable(str(error), 200)}",
            transient=False,
            hint="if this CA is a private one, set CA_BUNDLE to the PEM file of the roots that its API is trusted by",
        )
    if isinstance(error, NameResolutionError):
        return TransportError(
            f"{url}: its host name cannot be resolved", hint="check the name and this host's resolver"
        )
    if isinstance(error, NewConnectionError):
        return TransportError(f"{url}: cannot connect: {_reason(error)}", hint="is the server running and reachable?")
    if isinstance(error, HttpTimeout):
        return TransportError(f"{url}: no answer in time", hint="the server is slow or a firewall drops the connection")
    if isinstance(error, ProtocolError):
        return TransportError(
            f"{url}: the connection broke before the answer was complete", hint="see the log of that server"
        )
    return TransportError(f"{url}: {printable(str(error), 200)}", transient=isinstance(error, HTTPError))


def _reason(error: Exception) -> str:
    """The system's own words, which urllib3 puts behind its own."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return printable(str(error).rpartition(": ")[2] or str(error), 200)
