"""HTTP over urllib3: TLS verified unless the operator said otherwise, bounded in time and size, no retries of its own.

Proxies are those of the transport; nothing is taken from the environment here.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.client import BadStatusLine
from urllib.parse import urlsplit, urlunsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
    InsecureRequestWarning,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as HttpTimeout

from certkeeper.adapters.bounds import WORKING, Bounds
from certkeeper.adapters.descriptors import out_of_descriptors, perhaps_out_of_descriptors
from certkeeper.adapters.watchdog import Watchdog
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, OutOfDescriptors, printable
from certkeeper.base.value import dataclass
from certkeeper.base.wire import Request, Response, TransportError
from certkeeper.config.settings import DEFAULT_TRANSPORT
from certkeeper.config.transport import Proxy, Transport

MAX_BODY = 8 * 1024 * 1024
"""Octets. The longest real answers are chains of some 20 kB; a zone with 2,000 names stays below 1 MB."""


class CaBundleError(CertkeeperError):
    """A file of root certificates that cannot be used."""

    label = "configuration"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


class ClientCertificateError(CertkeeperError):
    """A certificate of ours, or its key, that cannot be used."""

    label = "configuration"
    fault = Fault.OPERATOR
    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Line:
    """How a server is reached and trusted, where that differs from what every machine does.

    `ca_bundle` is a PEM file of the roots that count instead of the system's, `certificate` and `key` are PEM files
    to show who we are, `socket` is the path of a unix socket that everything goes to, whatever a URL says.
    `transport` says by which way servers are reached. `settings` is the prefix of the operator's settings for these,
    for hints.
    """

    ca_bundle: str | None = None
    certificate: str | None = None
    key: str | None = None
    socket: str | None = None
    settings: str = ""
    transport: Transport = DEFAULT_TRANSPORT

    def where(self, url: str) -> str:
        """The place that an error is about."""
        return f"unix:{self.socket}" if self.socket else url.partition("?")[0]

    def proxy(self, url: str) -> Proxy | None:
        """The proxy that a URL is asked through."""
        if self.socket:
            return None
        parts = urlsplit(url)
        return self.transport.proxy(parts.scheme, parts.hostname or "")


Hear = Callable[[str, Response], None]
"""Called with the server's name and each complete answer of its."""


def deaf(_server: str, _answer: Response) -> None:
    """Nobody wants to know."""


_Pool = urllib3.PoolManager | urllib3.HTTPConnectionPool
_PROXY_WANTS_PASSWORD = 407
_PROXY_HINT = "https_proxy of the environment, or --proxy in CURL_OPTS, names it; is it running and reachable?"


class AnswerTooLarge(TransportError):
    """More than anybody has reason to send."""


class HttpClient:
    """Implements the port Http; connections are kept alive and shared by threads."""

    def __init__(
        self,
        ca_bundle: str | None = None,
        connections: int = 16,
        *,
        line: Line | None = None,
        bounds: Bounds = WORKING,
        hear: Hear = deaf,
    ) -> None:
        """Trust the roots in the PEM file `ca_bundle`, or the system's, which are loaded when TLS is first needed.

        Raises:
            CaBundleError: a file is missing or does not hold what it should.
        """
        self._line = line or Line(ca_bundle)
        self._watchdog = Watchdog(bounds.whole)
        self._bounds = bounds
        self._hear = hear
        self._connections = connections
        self._context = _context(self._line)
        self._pools: dict[Proxy | None, _Pool] = {}
        self._guard = threading.Lock()

    def send(self, request: Request) -> Response:
        """Send once. Every status is a response, redirects included.

        Raises:
            TransportError: nothing complete came back; the message names the URL, never a header.
            OutOfDescriptors: there was none for the connection, or for what it needs.
        """
        try:
            url = urlsplit(request.url)
            proxy = self._line.proxy(request.url)
            answer = self._pool(proxy).request(
                request.method,
                # a pool for one server sends what it is given
                urlunsplit(("", "", *url[2:])) if self._line.socket else request.url,
                headers=dict(request.headers),
                body=request.body or None,
                redirect=False,
                preload_content=False,
                decode_content=True,
            )
            try:
                with _given_up_in_time(self._watchdog, answer):
                    body = answer.read(MAX_BODY + 1, decode_content=True) or b""
            finally:
                answer.release_conn()
        except (HTTPError, ValueError) as error:
            raise _starved(request.url, error, self._line) or _failure(request.url, error, self._line, proxy) from error
        if proxy is not None and url.scheme == "http" and answer.status == _PROXY_WANTS_PASSWORD:
            raise _refused(self._line.where(request.url), proxy)
        if len(body) > MAX_BODY:
            answer.close()
            raise AnswerTooLarge(
                f"{self._line.where(request.url)}: the answer is larger than {MAX_BODY} octets",
                transient=False,
                hint="does something else answer at that address?",
            )
        headers = tuple((name.lower(), value) for name, value in answer.headers.items())
        response = Response(answer.status, datetime.now(tz=UTC), headers, body)
        self._hear(self._line.socket or url.netloc, response)
        return response

    def _pool(self, proxy: Proxy | None) -> "_Pool":
        with self._guard:
            if proxy not in self._pools:
                self._pools[proxy] = self._opened(proxy)
            return self._pools[proxy]

    def _opened(self, proxy: Proxy | None) -> "_Pool":
        line, bounds = self._line, self._bounds
        timeout = urllib3.Timeout(connect=line.transport.connect or bounds.connect, read=bounds.read)
        if line.socket:
            from certkeeper.adapters.unixsocket import unix_pool  # noqa: PLC0415 - few need it

            return unix_pool(line.socket, maxsize=self._connections, retries=False, timeout=timeout)
        pool: urllib3.PoolManager
        if proxy is None:
            pool = urllib3.PoolManager(
                num_pools=4, maxsize=self._connections, retries=False, ssl_context=self._context, timeout=timeout
            )
        else:
            pool = urllib3.ProxyManager(
                proxy.url,
                num_pools=4,
                maxsize=self._connections,
                retries=False,
                ssl_context=self._context,
                timeout=timeout,
                proxy_headers=urllib3.make_headers(proxy_basic_auth=proxy.userinfo) if proxy.userinfo else None,
            )
        if line.transport.own_lines:
            from certkeeper.adapters.ownlines import pools_for  # noqa: PLC0415 - few need it

            pool.pool_classes_by_scheme = pools_for(line.transport)
        return pool


@contextmanager
def _given_up_in_time(watchdog: Watchdog, answer: urllib3.BaseHTTPResponse) -> Iterator[None]:
    """Bound the whole answer: a server that sends a letter at a time keeps each read within its own bound.

    Raises:
        HttpTimeout: it was cut. Without a length it would look like a whole one.
    """
    cut = False

    def hang_up() -> None:
        nonlocal cut
        cut = True
        # Not a duplicate: there may be no descriptor left for one.
        with suppress(OSError):
            line = socket.socket(fileno=answer.fileno())
            try:
                line.shutdown(socket.SHUT_RDWR)
            finally:
                line.detach()

    try:
        with watchdog.watching(hang_up):
            yield
    except HTTPError as error:
        if cut:
            raise HttpTimeout from error
        raise
    if cut:
        raise HttpTimeout


def _context(line: Line) -> ssl.SSLContext | None:
    """None where nothing differs from what every machine does."""
    if not (line.ca_bundle or line.certificate) and line.transport.verified:
        return None
    try:
        context = ssl.create_default_context(cafile=line.ca_bundle)
        if not line.transport.verified:
            # A finding of the page says so once; urllib3 would at every request.
            urllib3.disable_warnings(InsecureRequestWarning)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    except (OSError, ssl.SSLError) as error:
        if (starved := out_of_descriptors(str(line.ca_bundle), error)) is not None:
            raise starved from error
        raise CaBundleError(
            f"{line.ca_bundle}: cannot be used as {line.settings}CA_BUNDLE: {printable(str(error), 200)}",
            hint=f"{line.settings}CA_BUNDLE is a file of PEM certificates that the server is trusted by",
        ) from error
    if line.certificate:
        try:
            # an empty password, since we are asked for one on the terminal otherwise
            context.load_cert_chain(line.certificate, line.key, password="")
        except (OSError, ssl.SSLError) as error:
            files = line.certificate if line.key in (None, line.certificate) else f"{line.certificate} with {line.key}"
            raise ClientCertificateError(
                f"{files}: cannot be used as client certificate: {printable(str(error), 200)}",
                hint=f"{line.settings}CLIENT_CERT is a PEM file of the certificate and its chain, "
                f"{line.settings}CLIENT_KEY one of its private key without a password",
            ) from error
    return context


def _starved(asked: str, error: Exception, line: Line) -> OutOfDescriptors | None:
    """Resolvers and OpenSSL pass over files that they cannot open: the name is then not found, or no root trusted."""
    url = line.where(asked)
    if isinstance(error, NameResolutionError | SSLError):
        return perhaps_out_of_descriptors(url, error)
    return out_of_descriptors(url, error)


def _failure(asked: str, error: Exception, line: Line, proxy: Proxy | None) -> TransportError:
    url = line.where(asked)
    if proxy is not None and isinstance(error, ProxyError):
        return _proxy_failure(url, error, proxy)
    if isinstance(error, SSLError):
        said = str(error)
        if "certificate has expired" in said or "certificate is not yet valid" in said:
            return TransportError(
                f"{url}: TLS failed: {printable(said, 200)}",
                transient=False,
                hint="is this machine's clock right? timedatectl shows it; if it is, that server's certificate is bad",
            )
        plain = "WRONG_VERSION_NUMBER" in str(error) or "HTTP_REQUEST" in str(error)
        return TransportError(
            f"{url}: TLS failed: {printable(str(error), 200)}",
            transient=False,
            hint="that port answers without TLS: is it plain http?"
            if plain
            else f"if that server's CA is a private one, set {line.settings}CA_BUNDLE to the PEM file of its roots",
        )
    if isinstance(error, NameResolutionError):
        return TransportError(
            f"{url}: its host name cannot be resolved", sent=False, hint="check the name and this host's resolver"
        )
    if isinstance(error, NewConnectionError):
        return TransportError(
            f"{url}: cannot connect: {_reason(error)}", sent=False, hint="is the server running and reachable?"
        )
    if isinstance(error, HttpTimeout):
        return TransportError(f"{url}: no answer in time", hint="the server is slow or a firewall drops the connection")
    if isinstance(error, ProtocolError):
        if any(isinstance(why, BadStatusLine) and not isinstance(why, ConnectionError) for why in error.args):
            return TransportError(
                f"{url}: the answer is not HTTP", transient=False, hint="does that port speak TLS? then write https://"
            )
        return TransportError(
            f"{url}: the connection broke before the answer was complete",
            hint="see the log of that server"
            + ("; does that port speak TLS? then write https://" if url.startswith("http:") else ""),
        )
    return TransportError(f"{url}: {printable(str(error), 200)}", transient=isinstance(error, HTTPError))


def _proxy_failure(url: str, error: ProxyError, proxy: Proxy) -> TransportError:
    """Nothing was sent to the server itself."""
    cause = error.original_error
    said = str(cause)
    if "407" in said:
        return _refused(url, proxy)
    if said.startswith("Tunnel connection failed: "):
        status = printable(said.removeprefix("Tunnel connection failed: "), 100)
        return TransportError(
            f"{url}: proxy {proxy.url} does not connect to it: {status}",
            transient=status.startswith("5"),
            sent=False,
            hint="see the log and the rules of the proxy, or name the host in no_proxy",
        )
    why = _reason(cause) if isinstance(cause, NewConnectionError | NameResolutionError) else printable(said, 200)
    return TransportError(f"{url}: proxy {proxy.url}: cannot connect: {why}", sent=False, hint=_PROXY_HINT)


def _refused(url: str, proxy: Proxy) -> TransportError:
    return TransportError(
        f"{url}: proxy {proxy.url} wants another user and password (407)",
        transient=False,
        sent=False,
        hint="write them into the proxy's URL: http://USER:PASSWORD@HOST:PORT, with %40 for an @ in them",
    )


def _reason(error: Exception) -> str:
    """The system's own words, which urllib3 puts behind its own."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return printable(str(error).rpartition(": ")[2] or str(error), 200)
