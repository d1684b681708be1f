"""What the port Http promises: one try, every status an answer, bounded in size and time, TLS always verified."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from bed.faults import Answer, Asked, Fault, FaultProxy, HangUp, Late
from certkeeper.adapters.bounds import Bounds
from certkeeper.adapters.http import MAX_BODY, CaBundleError, HttpClient
from certkeeper.base.wire import Request, TransportError

Serve = Callable[[Callable[[Asked], Fault | None]], FaultProxy]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def serve(stack: ExitStack) -> Serve:
    """A server that answers by rule."""
    return lambda rule: stack.enter_context(FaultProxy("http://127.0.0.1:9", rule))


def get(url: str) -> Request:
    return Request("GET", url)


@pytest.mark.parametrize("status", [200, 201, 204, 301, 302, 307, 400, 401, 404, 409, 429, 500, 502, 503])
def test_every_status_is_an_answer(serve: Serve, status: int) -> None:
    headers = {"Location": "http://127.0.0.1:9/", "Retry-After": "120", "X-Two": "a"}
    server = serve(lambda _: Answer(status, b"" if status == 204 else b"said", headers))
    before = datetime.now(tz=UTC)
    response = HttpClient().send(get(f"{server.url}/x"))
    assert response.status == status
    assert response.body == (b"" if status == 204 else b"said")
    assert response.header("RETRY-AFTER") == "120"
    assert before <= response.at <= datetime.now(tz=UTC) + timedelta(seconds=1)
    assert len(server.requests()) == 1


def test_method_path_body_and_headers_arrive_as_given(serve: Serve) -> None:
    server = serve(lambda asked: Answer(200, asked.body))
    response = HttpClient().send(Request("POST", f"{server.url}/a?b=c%2F", (("x-api-key", "k"),), b"\0body"))
    assert response.body == b"\0body"
    (asked,) = server.requests()
    assert (asked.method, asked.path) == ("POST", "/a?b=c%2F")


def test_nothing_is_sent_twice(serve: Serve) -> None:
    server = serve(lambda _: HangUp())
    with pytest.raises(TransportError) as raised:
        HttpClient().send(Request("POST", f"{server.url}/x", (), b"pay"))
    assert raised.value.transient
    assert len(server.requests()) == 1


def test_an_answer_that_is_too_large_is_refused(serve: Serve) -> None:
    server = serve(lambda asked: Answer(200, bytes(MAX_BODY + (asked.path == "/large"))))
    client = HttpClient()
    assert len(client.send(get(f"{server.url}/fits")).body) == MAX_BODY
    with pytest.raises(TransportError, match=f"{server.url}/large.*larger than") as raised:
        client.send(get(f"{server.url}/large"))
    assert not raised.value.transient
    assert len(client.send(get(f"{server.url}/fits")).body) == MAX_BODY


def test_the_limit_counts_what_is_unpacked(serve: Serve) -> None:
    bomb = gzip.compress(bytes(MAX_BODY * 8))
    server = serve(lambda _: Answer(200, bomb, {"Content-Encoding": "gzip"}))
    with pytest.raises(TransportError, match="larger than"):
        HttpClient().send(get(server.url))


def test_connections_are_used_again_and_shared_by_threads(serve: Serve) -> None:
    server = serve(lambda asked: Answer(200, asked.path.encode()))
    client = HttpClient()
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda n=number: bodies.append(client.send(get(f"{server.url}/{n}")).body))
        for number in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(bodies) == sorted(f"/{number}".encode() for number in range(24))


def test_a_slow_answer_within_the_bound_is_waited_for(serve: Serve) -> None:
    server = serve(lambda _: Late(1.0))
    start = time.monotonic()
    assert HttpClient().send(get(f"{server.url}/x")).status == 502
    assert time.monotonic() - start >= 1


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture
def secure(stack: ExitStack, authority: trustme.CA) -> FaultProxy:
    certificate = authority.issue_cert("localhost", key_type=trustme.KeyType.ECDSA)
    return stack.enter_context(FaultProxy("http://127.0.0.1:9", lambda _: Answer(200, b"ok"), certificate=certificate))


def test_tls_is_verified_against_the_bundle(secure: FaultProxy, authority: trustme.CA, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    assert HttpClient(str(bundle)).send(get(f"{secure.url}/x")).body == b"ok"


def test_tls_without_the_bundle_is_refused_for_good(secure: FaultProxy) -> None:
    with pytest.raises(TransportError, match=f"{secure.url}.*TLS") as raised:
        HttpClient().send(get(secure.url))
    assert not raised.value.transient
    assert "CA_BUNDLE" in raised.value.hint
    assert secure.requests() == []


def test_a_certificate_for_another_name_is_refused(stack: ExitStack, authority: trustme.CA, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    certificate = authority.issue_cert("other.example", key_type=trustme.KeyType.ECDSA)
    server = stack.enter_context(FaultProxy("http://127.0.0.1:9", lambda _: Answer(200), certificate=certificate))
    with pytest.raises(TransportError, match="TLS"):
        HttpClient(str(bundle)).send(get(server.url))


def test_a_bundle_that_is_none_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(CaBundleError, match=str(path)):
            HttpClient(str(path))


def test_a_closed_port_and_an_unknown_host_are_told_apart() -> None:
    with pytest.raises(TransportError, match=r"http://127\.0\.0\.1:9/x.*connection refused") as raised:
        HttpClient().send(get("http://127.0.0.1:9/x"))
    assert raised.value.transient
    assert raised.value.hint
    with pytest.raises(TransportError, match=r"nowhere\.invalid.*cannot be resolved") as raised:
        HttpClient().send(get("http://nowhere.invalid/x"))
    assert raised.value.hint


def test_a_connection_that_breaks_is_told_in_plain_words_with_a_hint(serve: Serve) -> None:
    server = serve(lambda _: HangUp())
    with pytest.raises(TransportError) as raised:
        HttpClient().send(get(f"{server.url}/x"))
    assert str(raised.value).startswith(f"{server.url}/x: ")
    assert "(" not in str(raised.value)
    assert raised.value.hint


def test_a_port_that_answers_in_tls_is_told(stack: ExitStack) -> None:
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    def alert() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(bytes.fromhex("15 03 01 00 02 02 46"))

    thread = threading.Thread(target=alert)
    thread.start()
    with pytest.raises(TransportError, match="the answer is not HTTP") as raised:
        HttpClient().send(get(f"http://127.0.0.1:{server.getsockname()[1]}/x"))
    thread.join(timeout=30)
    assert "https://" in raised.value.hint
    assert not raised.value.transient


def test_an_answer_that_breaks_off_is_an_error(stack: ExitStack) -> None:
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    def half() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    thread = threading.Thread(target=half)
    thread.start()
    with pytest.raises(TransportError) as raised:
        HttpClient().send(get(f"http://127.0.0.1:{server.getsockname()[1]}/x"))
    thread.join(timeout=10)
    assert raised.value.transient


def test_what_speaks_no_http_is_an_error(stack: ExitStack) -> None:
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    def greet() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"SSH-2.0-x\r\n")

    thread = threading.Thread(target=greet)
    thread.start()
    with pytest.raises(TransportError):
        HttpClient().send(get(f"http://127.0.0.1:{server.getsockname()[1]}/x"))
    thread.join(timeout=10)


def test_nobody_is_waited_for_longer_than_a_minute() -> None:
    assert Bounds() == Bounds(connect=10, read=30, whole=50)


def test_a_server_that_says_nothing_is_given_up(stack: ExitStack) -> None:
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    with pytest.raises(TransportError, match="no answer in time") as raised:
        HttpClient(bounds=Bounds(read=0.2)).send(get(f"http://127.0.0.1:{server.getsockname()[1]}/x"))
    assert raised.value.transient
    assert raised.value.sent


@pytest.mark.parametrize("header", [b"Content-Length: 1000000\r\n", b""], ids=["with a length", "until the end"])
def test_a_server_that_speaks_a_letter_at_a_time_is_given_up(stack: ExitStack, header: bytes) -> None:
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    enough = threading.Event()

    def drip() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n")
            while not enough.wait(0.05):
                connection.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    with pytest.raises(TransportError, match="no answer in time"):
        HttpClient(bounds=Bounds(whole=0.5)).send(get(f"http://127.0.0.1:{server.getsockname()[1]}/x"))
    enough.set()
    thread.join(timeout=10)


@pytest.mark.parametrize(("begins", "ends"), [(-9, -1), (1, 9)], ids=["expired", "not yet valid"])
def test_a_certificate_out_of_its_time_hints_at_the_clock(
    stack: ExitStack, authority: trustme.CA, tmp_path: Path, begins: int, ends: int
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    now = datetime.now(UTC)
    certificate = authority.issue_cert(
        "localhost",
        key_type=trustme.KeyType.ECDSA,
        not_before=now + timedelta(days=begins),
        not_after=now + timedelta(days=ends),
    )
    server = stack.enter_context(FaultProxy("http://127.0.0.1:9", lambda _: Answer(200), certificate=certificate))
    with pytest.raises(TransportError, match="TLS failed") as raised:
        HttpClient(str(bundle)).send(get(server.url))
    assert not raised.value.transient
    assert "timedatectl" in raised.value.hint
