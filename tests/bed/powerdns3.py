"""The API of PowerDNS 3.4 (version 0), as far as a hook needs it: no prefix, no final dots, records in one list.

No distribution has that server any more. `prefix` and `id_` make another server of it: one of version 1 that goes by
an id of its own is refused at `localhost`.
"""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from bed.serving import OwnServer, Serving

Record = dict[str, Any]


class PowerDns3(Serving):
    """One server with one zone."""

    def __init__(self, zone: str, *, kind: str = "Native", soa_edit_api: str = "", id_: str = "localhost") -> None:
        self.zone = zone
        self.id = id_
        self.details: dict[str, Any] = {"kind": kind, "soa_edit_api": soa_edit_api, "soa_edit": "", "serial": 7}
        soa = f"ns1.{zone} hostmaster.{zone} 7 10800 3600 604800 3600"
        self.held: list[Record] = [self.record(zone, "SOA", soa), self.record(zone, "NS", f"ns1.{zone}")]
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.serve(_Handler)
        self.url = f"http://127.0.0.1:{self.port}"

    @staticmethod
    def record(name: str, kind: str, content: str, ttl: int = 60) -> Record:
        return {"name": name, "type": kind, "ttl": ttl, "disabled": False, "content": content}

    def txt(self, owner: str) -> set[str]:
        return {item["content"] for item in self.held if (item["name"], item["type"]) == (owner, "TXT")}

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401 (whatever JSON holds)
        """The status and the JSON of an answer."""
        base, zone = f"/servers/{self.id}", f"/servers/{self.id}/zones/{self.zone}."
        entry = {"id": f"{self.zone}.", "name": self.zone, **self.details}
        match method, path:
            case "GET", "/servers":
                return 200, [{"type": "Server", "id": self.id, "version": "3.4.11"}]
            case "GET", _ if path == f"{base}/zones":
                return 200, [entry]
            case "GET", _ if path == zone:
                return 200, {**entry, "records": self.held}
            case "PATCH", _ if path == zone:
                return self._patched(body)
            case "PUT", _ if path == zone:
                self.details |= body
                return 200, entry
            case "PUT", _ if path == f"{zone}/notify":
                return 200, {"result": "Notification queued"}
        return 404, {"error": "Not Found"}

    def _patched(self, body: Any) -> tuple[int, Any]:  # noqa: ANN401 (as above)
        for rrset in body["rrsets"]:
            for record in rrset.get("records", []):
                same = all(record[key] == rrset[key] for key in ("name", "type", "ttl"))
                if not same or record["name"].endswith("."):
                    return 422, {"error": "record does not belong to its RRset"}
            key = (rrset["name"], rrset["type"])
            self.held = [item for item in self.held if (item["name"], item["type"]) != key]
            if rrset["changetype"] == "REPLACE":
                self.held += [{**self.record(*key, item["content"], item["ttl"])} for item in rrset["records"]]
        return 200, {}


class _Handler(BaseHTTPRequestHandler):
    server: OwnServer[PowerDns3]
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        powerdns = self.server.owner
        powerdns.asked.append((self.command, path))
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        powerdns.bodies.append(body)
        status, said = powerdns.answer(self.command, path, body)
        content = json.dumps(said).encode()
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_PUT = do_PATCH = do_GET  # noqa: N815 (names of the base class)

    def log_message(self, *_: object) -> None:
        """Tests say what they want to know."""
