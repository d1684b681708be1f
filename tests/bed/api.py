"""The few PowerDNS API requests that the bed itself makes."""

import json
import urllib.error
import urllib.request
from typing import Any

Json = Any
"""What json can carry. The bed looks into answers; the servers' words are documented with them."""


class ApiError(RuntimeError):
    """The server's refusal, in its own words."""

    def __init__(self, request: str, status: int, text: str) -> None:
        super().__init__(f"{request}: {status} {text}")
        self.status = status


class Api:
    def __init__(self, url: str, key: str) -> None:
        self.url = f"{url}/api/v1/servers/localhost"
        self._key = key
        # not urlopen: a proxy of the environment has no business on loopback
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Json = None) -> Json:
        """The decoded answer, None where there is none."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-API-Key": self._key, "Accept": "application/json", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 (our own URL)
        try:
            with self._opener.open(request, timeout=10) as reply:
                text = reply.read()
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(f"{method} {path}", error.code, error.read().decode(errors="replace")) from None
        return json.loads(text) if text else None

    def rrsets(self, zone: str) -> list[dict[str, Json]]:
        found: list[dict[str, Json]] = self.call("GET", f"/zones/{zone}")["rrsets"]
        return found
