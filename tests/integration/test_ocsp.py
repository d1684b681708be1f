"""Responses from a real `openssl ocsp`, and what else may be at its address, over real HTTP on loopback."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from select import select
from time import monotonic
from typing import Self, cast

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bed import ports
from bed.process import Process
from bed.serving import OwnServer, Serving
from builders.certificates import NOW, Wish, intermediate, new_key, root
from builders.responder import Says, Signer, answer, by_issuer, delegate
from certkeeper.adapters.bounds import WORKING, Bounds
from certkeeper.adapters.http import HttpClient
from certkeeper.base.wire import Request, TransportError
from certkeeper.ocsp.fetch import RESPONSE_TYPE, fetched
from certkeeper.ocsp.model import CertStatus, Flaw, NoStaple, Staple
from certkeeper.ocsp.request import Issued, issued

DAY = timedelta(days=1)
SHORT = Bounds(connect=1.0, read=0.3, whole=0.6)


def certificate(url: str) -> Issued:
    # The responder's answers are of the real time.
    return issued(intermediate().leaf(new_key(), Wish(ocsp_url=url, not_after=NOW + 10_000 * DAY)), intermediate().pem)


def get(asked: Issued, bounds: Bounds = WORKING) -> Staple:
    """The exchange over the real client, step by step."""
    client, exchange = HttpClient(bounds=bounds), fetched(asked, "certkeeper/test", b"")
    step: object = next(exchange)
    try:
        while True:
            step = exchange.send(client.send(cast("Request", step)))
    except StopIteration as stop:
        return cast("Staple", stop.value)


class Responder:
    """`openssl ocsp`, which knows the certificates that it is told of when it starts."""

    def __init__(self, folder: Path, signer: Signer, states: str) -> None:
        self.port = ports.reserve()
        self.url = f"http://127.0.0.1:{self.port}"
        self.certificates = [certificate(self.url) for _ in states]
        lines = [self._line(item, state) for item, state in zip(self.certificates, states, strict=True) if state != "?"]
        files = {
            "index.txt": "".join(lines).encode(),
            "index.txt.attr": b"unique_subject = no\n",
            "ca.pem": intermediate().pem,
            "signer.pem": signer.certificate.public_bytes(Encoding.PEM),
            "signer.key": signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        }
        for name, content in files.items():
            (folder / name).write_bytes(content)
        words = "ocsp -index index.txt -CA ca.pem -rsigner signer.pem -rkey signer.key -ndays 7 -ignore_err -port"
        self._process = Process(
            "openssl ocsp",
            ["openssl", *words.split(), str(self.port)],
            cwd=folder,
            log=folder / "log",
            # A connection that nobody asks anything on would keep it waiting for good.
            ready=lambda: b"waiting for OCSP client" in (folder / "log").read_bytes(),
        )

    @staticmethod
    def _line(asked: Issued, state: str) -> str:
        serial = f"{asked.cert_id.serial:X}"
        serial = serial.zfill(len(serial) + len(serial) % 2)
        revoked = f"{NOW - DAY:%y%m%d%H%M%SZ},superseded" if state == "R" else ""
        return f"{state}\t{NOW + 80 * DAY:%y%m%d%H%M%SZ}\t{revoked}\t{serial}\tunknown\t/CN=a\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()
        ports.release(self.port)


@pytest.mark.parametrize(
    "signer",
    [by_issuer(), delegate(not_before=NOW - 1000 * DAY, not_after=NOW + 10_000 * DAY)],
    ids=["issuer", "delegate"],
)
def test_a_real_responder(tmp_path: Path, signer: Signer) -> None:
    with Responder(tmp_path, signer, "VR?") as responder:
        good, revoked, unknown = (get(item) for item in responder.certificates)
    assert good.status is CertStatus.GOOD
    assert timedelta(days=6) < good.life <= timedelta(days=7)
    assert (revoked.status, revoked.revocation_reason) == (CertStatus.REVOKED, "superseded")
    assert revoked.revoked_at == (NOW - DAY)
    assert unknown.status is CertStatus.UNKNOWN


@pytest.mark.parametrize(
    "signer",
    [by_issuer(root()), delegate(root()), delegate(usage=None, not_after=NOW + 10_000 * DAY)],
    ids=["root", "delegate of the root", "no delegate"],
)
def test_a_real_responder_that_may_not_say_so(tmp_path: Path, signer: Signer) -> None:
    with Responder(tmp_path, signer, "V") as responder, pytest.raises(NoStaple) as caught:
        get(responder.certificates[0])
    assert caught.value.flaw is Flaw.SIGNER


class Odd(Serving):
    """A server at a responder's address that does what a test has it do."""

    def __init__(self, act: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.act = act
        self.asked: list[tuple[str, str]] = []
        self.serve(_Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    def _act(self) -> None:
        owner = cast("OwnServer[Odd]", self.server).owner
        owner.asked.append((self.command, self.path))
        self.rfile.read(int(self.headers.get("content-length") or 0))
        owner.act(self)

    do_GET = do_POST = _act  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nobody reads it."""


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"content-length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def refused(act: Callable[[BaseHTTPRequestHandler], None], bounds: Bounds = WORKING) -> NoStaple | TransportError:
    with Odd(act) as server, pytest.raises((NoStaple, TransportError)) as caught:
        get(certificate(server.url), bounds)
    assert 1 <= len(server.asked) <= 4
    assert isinstance(caught.value, NoStaple | TransportError)
    return caught.value


def test_nobody_is_there() -> None:
    port = ports.reserve()
    with pytest.raises(TransportError, match="cannot connect"):
        get(certificate(f"http://127.0.0.1:{port}"))
    ports.release(port)


def test_somebody_who_sends_a_letter_at_a_time() -> None:
    def dribble(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000000")
        handler.end_headers()
        try:
            while handler.wfile.write(b" ") and not select([handler.connection], [], [], 0.05)[0]:
                pass
        except OSError:
            return

    begun = monotonic()
    assert isinstance(refused(dribble, SHORT), TransportError)
    assert monotonic() - begun < 5


def test_a_portal_that_answers_everything() -> None:
    error = refused(lambda handler: reply(handler, 200, b"<html>log in", content_type="text/html"))
    assert "text/html" in str(error)


def test_ten_megabytes() -> None:
    error = refused(lambda handler: reply(handler, 200, b"\0" * (10 << 20), content_type=RESPONSE_TYPE))
    assert "larger than" in str(error)
    error = refused(lambda handler: reply(handler, 200, b"\0" * (1 << 20), content_type=RESPONSE_TYPE))
    assert "1048576 octets" in str(error)


def test_redirects_without_end_and_to_a_file() -> None:
    assert "more than 3 times" in str(refused(lambda handler: reply(handler, 302, b"", location="/again")))
    assert "file:///etc/passwd" in str(refused(lambda handler: reply(handler, 302, b"", location="file:///etc/passwd")))


def test_a_busy_one() -> None:
    error = refused(lambda handler: reply(handler, 503, b"", retry_after="60"))
    assert "status 503" in str(error)
    assert error.retry_at is not None


@pytest.fixture
def now() -> datetime:
    return datetime.now(tz=UTC)


def served(says: Says, signer: Signer | None = None, of: Issued | None = None) -> Staple:
    """What a responder's answer comes to that is made when it is asked for."""
    made: list[bytes] = []
    with Odd(lambda handler: reply(handler, 200, made[0], content_type=RESPONSE_TYPE)) as server:
        asked = certificate(server.url)
        made.append(answer(of or asked, says, signer))
        return get(asked)


def test_answers_of_other_times_and_of_others(now: datetime) -> None:
    good = Says(this_update=now - DAY, next_update=now + DAY)
    assert served(good).status is CertStatus.GOOD
    wrong = {
        Flaw.NOT_YET: (replace(good, this_update=now + timedelta(hours=1)), None, None),
        Flaw.EXPIRED: (replace(good, next_update=now - timedelta(hours=1)), None, None),
        Flaw.SIGNER: (good, by_issuer(root()), None),
        Flaw.OTHER_CERTIFICATE: (good, None, certificate("http://ocsp.example.net")),
    }
    for flaw, (says, signer, of) in wrong.items():
        with pytest.raises(NoStaple) as caught:
            served(says, signer, of)
        assert caught.value.flaw is flaw


def test_a_responder_that_knows_post_alone(now: datetime) -> None:
    made: list[bytes] = []

    def act(handler: BaseHTTPRequestHandler) -> None:
        if handler.command == "GET":
            reply(handler, 405, b"")
        else:
            reply(handler, 200, made[0], content_type=RESPONSE_TYPE)

    with Odd(act) as server:
        asked = certificate(server.url)
        made.append(answer(asked, Says(this_update=now - DAY, next_update=now + DAY)))
        assert get(asked).status is CertStatus.GOOD
    assert [method for method, _ in server.asked] == ["GET", "POST"]
