"""What PowerDNS says of a zone, also where it says something odd; the usual answers come from the real one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from builders.plans import zone
from certkeeper.adapters.dns.powerdns_api import PowerDnsError
from certkeeper.adapters.dns.powerdns_facts import NotRepaired, PowerDnsFacts
from certkeeper.adapters.http import HttpClient
from certkeeper.base.names import DnsName
from certkeeper.config.settings import PowerDnsSettings, Secret
from certkeeper.plan.doctor import Repair
from certkeeper.zone.facts import Ds
from certkeeper.zone.rrset import RRset

ZONE = zone("example.org")
KEY = {"active": True, "ds": ["7 13 2 AB CD", "8 13 x ab", "9 13", 7], "keytype": "csk"}
Answers = dict[str, object]


def metadata(**values: str) -> list[dict[str, object]]:
    return [{"kind": kind.replace("_", "-"), "metadata": [value]} for kind, value in values.items()]


@contextmanager
def server(answers: Mapping[str, object]) -> Iterator[tuple[PowerDnsFacts, list[str]]]:
    """A server that answers a path, or its end, with that JSON, and everything that is put with 204."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/api/v1/servers/localhost")
            asked.append(f"GET {path}")
            self.reply(json.dumps(answers.get(path, {})).encode())

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            asked.append(f"PUT {self.path.removeprefix('/api/v1/servers/localhost')} {body}".strip())
            self.reply(b"")

        def reply(self, body: bytes) -> None:
            self.send_response(200 if body else 204)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        settings = PowerDnsSettings(f"http://127.0.0.1:{listening.server_port}", Secret("key"))
        try:
            yield PowerDnsFacts(settings, HttpClient()), asked
        finally:
            listening.shutdown()
            thread.join()


def answers(**changes: object) -> Answers:
    good: Answers = {
        "/zones/example.org.?rrsets=false": {"dnssec": True},
        "/zones/example.org./metadata": metadata(SOA_EDIT_API="DEFAULT"),
        "/zones/example.org./cryptokeys": [KEY, {**KEY, "active": False, "ds": ["1 13 2 ff"]}],
        "/config": [{"name": "default-api-rectify", "value": "yes"}],
        "/zones/example.org.": {"rrsets": []},
    }
    return good | {
        f"/zones/example.org./{name}" if name != "config" else "/config": value for name, value in changes.items()
    }


def test_active_keys_count_and_broken_ds_texts_do_not() -> None:
    with server(answers()) as (facts, _):
        kept = facts.kept(ZONE)
    assert kept.ds == {Ds(7, 13, 2, "abcd")}
    assert (kept.signed, kept.presigned, kept.rectifies) == (True, False, True)


@pytest.mark.parametrize(
    ("own", "default", "expected"),
    [(None, "yes", True), (None, "no", False), ("0", "yes", False), ("1", "no", True)],
)
def test_a_zone_that_does_not_say_is_rectified_as_the_server_does(
    own: str | None,
    default: str,
    expected: bool,  # noqa: FBT001 - a table
) -> None:
    said = metadata(API_RECTIFY=own) if own is not None else []
    with server(answers(metadata=said, config=[{"name": "default-api-rectify", "value": default}])) as (facts, _):
        assert facts.kept(ZONE).rectifies is expected


def test_records_are_those_that_matter_and_are_served() -> None:
    records = [{"content": '"a" "b"', "disabled": False}, {"content": '"off"', "disabled": True}]
    rrsets = [
        {"name": "_acme-challenge.example.org.", "type": "TXT", "ttl": 60, "records": records},
        {"name": "example.org.", "type": "A", "ttl": 60, "records": []},
        {"name": "*.example.org.", "type": "TXT", "ttl": 60, "records": records},
        {"name": "example.org.", "type": "TXT", "ttl": "60", "records": records},
    ]
    with server(answers() | {"/zones/example.org.": {"rrsets": rrsets}}) as (facts, _):
        found = facts.kept(ZONE).records
    assert found == (RRset(DnsName("_acme-challenge.example.org"), "TXT", 60, frozenset({'"ab"'})),)


@pytest.mark.parametrize("body", [[], "text", 7])
def test_a_zone_that_is_no_object_is_an_error(body: object) -> None:
    with server(answers() | {"/zones/example.org.?rrsets=false": body}) as (facts, _), pytest.raises(PowerDnsError):
        facts.kept(ZONE)


def test_a_repair_touches_what_it_names_and_reads_it_back() -> None:
    with server(answers(metadata=metadata(SOA_EDIT_API="DEFAULT", API_RECTIFY="1"))) as (facts, asked):
        facts.repair(Repair(ZONE, "DEFAULT"))
        assert asked == ['PUT /zones/example.org. {"soa_edit_api": "DEFAULT"}', "GET /zones/example.org./metadata"]
        asked.clear()
        facts.repair(Repair(ZONE, rectify=True))
    assert asked == [
        'PUT /zones/example.org. {"api_rectify": true}',
        "PUT /zones/example.org./rectify",
        "PUT /cache/flush?domain=example.org.",
        "GET /zones/example.org./metadata",
    ]


@pytest.mark.parametrize(
    ("repair", "said"),
    [(Repair(ZONE, "DEFAULT"), "SOA-EDIT-API is still not set"), (Repair(ZONE, rectify=True), "off")],
)
def test_a_repair_that_does_not_show_is_an_error(repair: Repair, said: str) -> None:
    with server(answers(metadata=[])) as (facts, _), pytest.raises(NotRepaired, match=said):
        facts.repair(repair)
