"""Calls of PowerDNS's HTTP API: JSON in, JSON out, and every refusal in the server's own words."""

import json
import re
import time
from collections.abc import Mapping
from urllib.parse import quote

from certkeeper.adapters.bounds import WORKING, Bounds
from certkeeper.adapters.http import Hear, HttpClient, Line, deaf
from certkeeper.base.errors import CertkeeperError, Fault, OutOfDescriptors, printable
from certkeeper.base.wire import Request, Response, TransportError
from certkeeper.config.settings import PowerDnsSettings

_LOOKS = 3
_IN_PASSING = 3.0
"""Seconds. What took longer to fail is down, and asking again would take as long."""
_TAG = re.compile(r"<[^<>]*>")
_DEFAULT_SERVER = "localhost"
_WHERE = "PDNS_HOST and PDNS_PORT must point at the webserver of pdns_server, with api=yes"


class PowerDnsError(CertkeeperError):
    """PowerDNS said no, in its own words; `status` is HTTP's, 0 where the answer could not be understood."""

    label = "dns-provider"
    fault = Fault.OPERATOR

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class ServerFailed(TransportError):
    """PowerDNS, or a proxy in front of it, failed at a request (5xx)."""


def http_client(settings: PowerDnsSettings, bounds: Bounds = WORKING, hear: Hear = deaf) -> HttpClient:
    """What speaks HTTP to that server.

    Raises:
        CaBundleError: PDNS_CA_BUNDLE cannot be used.
        ClientCertificateError: PDNS_CLIENT_CERT and PDNS_CLIENT_KEY cannot be used.
    """
    return HttpClient(
        line=Line(
            settings.ca_bundle,
            settings.client_cert,
            settings.client_key,
            settings.socket,
            settings="PDNS_",
            transport=settings.transport,
        ),
        bounds=bounds,
        hear=hear,
    )


class PowerDnsApi:
    """One server of one API. Paths begin behind `/servers/ID`; ids of zones go into them as the server gave them.

    `subject` begins messages, such as `zone example.org: `.
    """

    def __init__(self, settings: PowerDnsSettings, client: HttpClient, prefix: str = "/api/v1") -> None:
        """`prefix` is empty for version 0, that of PowerDNS 3."""
        self.url = settings.url
        base = "http://localhost" if settings.socket else settings.url
        self._root = base
        self._base = f"{base}{prefix}/servers/{quote(settings.server or _DEFAULT_SERVER, safe='')}"
        self._headers = (
            ("x-api-key", settings.api_key.reveal()),
            ("accept", "application/json"),
            ("content-type", "application/json"),
        )
        self._client = client

    def get(self, path: str, *, subject: str = "") -> object:
        """Look, and look again where that failed in passing.

        Raises:
            PowerDnsError: the server said no.
            TransportError: it did not answer, or not in a way that helps.
        """
        started = time.monotonic()
        for attempt in range(_LOOKS - 1):
            try:
                return self._call("GET", path, None, subject)
            except (TransportError, OutOfDescriptors) as error:
                if not error.transient or time.monotonic() - started > _IN_PASSING:
                    raise
                time.sleep(0.2 * 4**attempt)
        return self._call("GET", path, None, subject)

    def above(self, path: str) -> object:
        """What is at a path that is no server's. Raises as `get` does."""
        return self._sent("GET", f"{self._root}{path}", None, "")

    def put(self, path: str, body: object = None, *, subject: str = "") -> object:
        """Set or do something, once. Raises as `get` does."""
        return self._call("PUT", path, body, subject)

    def patch(self, path: str, body: object, *, subject: str = "") -> object:
        """Change something, once. Raises as `get` does."""
        return self._call("PATCH", path, body, subject)

    def error(self, text: str, *, hint: str = "") -> PowerDnsError:
        """An answer that cannot be used."""
        return PowerDnsError(f"{self.url}: {text}", hint=hint)

    def _call(self, method: str, path: str, body: object, subject: str) -> object:
        return self._sent(method, f"{self._base}{path}", body, subject)

    def _sent(self, method: str, url: str, body: object, subject: str) -> object:
        request = Request(method, url, self._headers, json.dumps(body).encode() if body is not None else b"")
        response = self._client.send(request)
        if response.status >= 500:
            raise ServerFailed(f"{self.url}: {subject}{_refusal(response)}", hint="see the log of pdns_server")
        if response.status >= 300:
            raise self._said_no(response, subject)
        if not response.body:
            return None
        try:
            return json.loads(response.body)
        except (ValueError, RecursionError) as error:
            shown = printable(response.body[:200].decode("utf-8", "replace"), 80)
            raise self.error(
                f"the answer is not JSON: {shown!r}",
                hint=_WHERE,
            ) from error

    def _said_no(self, response: Response, subject: str) -> PowerDnsError:
        if response.status == 401:
            return PowerDnsError(
                f"{self.url}: the API key is refused",
                status=response.status,
                hint="PDNS_KEY must be the api-key of pdns_server",
            )
        return PowerDnsError(
            f"{self.url}: {subject}{_refusal(response)}", status=response.status, hint=self._hint(response, subject)
        )

    def _hint(self, response: Response, subject: str) -> str:
        if response.status == 404:
            return (
                "was the zone deleted meanwhile?"
                if subject
                else "PDNS_SERVER must be the server's id, usually localhost"
            )
        if response.status < 400:
            return "PDNS_HOST must be the URL that this one redirects to"
        if response.status == 422 and b"onflict" in response.body:
            return "nothing may stand beside a CNAME: look at what is at that name, pdnsutil list-zone ZONE"
        # in the words of the web servers that stand in front of PowerDNS
        if (
            response.status == 400
            and self.url.startswith("http:")
            and re.search(rb"HTTPS port|SSL-enabled", response.body)
        ):
            return f'that port speaks TLS: write PDNS_HOST="https{self.url.removeprefix("http")}"'
        return ""


def foreign(api: PowerDnsApi, subject: str, answer: object) -> PowerDnsError:
    """JSON of a shape that PowerDNS's API does not have: something else answers at that address."""
    shown = printable(json.dumps(answer)[:200], 60)
    return api.error(f"{subject}the answer is not one of PowerDNS's API: {shown}", hint=_WHERE)


def objects(value: object) -> list[Mapping[str, object]]:
    """The JSON objects of an array; none where it is no array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(document: Mapping[str, object], key: str) -> str:
    """A member that is text, else nothing."""
    value = document.get(key)
    return value if isinstance(value, str) else ""


def number(document: Mapping[str, object], key: str) -> int:
    """A member that is a whole number, else 0."""
    value = document.get(key)
    return value if isinstance(value, int) else 0


def _refusal(response: Response) -> str:
    """PowerDNS's own words: {"error": …} where it speaks JSON, else the text."""
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        said = text(document, "error")
    else:
        said = " ".join(_TAG.sub(" ", response.body[:2000].decode("utf-8", "replace")).split())
    return f"HTTP {response.status}: {printable(said, 300)}" if said else f"HTTP {response.status}"
