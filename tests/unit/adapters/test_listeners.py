import contextlib
import errno
import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from cryptography import x509

from bed import ports
from builders.certificates import NOW
from certkeeper.acme.alpn import PROTOCOL, acme_certificate
from certkeeper.adapters.keys import make
from certkeeper.adapters.listeners import CannotListen, OwnListeners
from certkeeper.apply.ports import AnsweredChallenge
from certkeeper.base.keys import KeyAlgorithm, KeySpec
from certkeeper.base.names import Identifier
from certkeeper.config.methods import ChallengeType
from certkeeper.config.settings import ServerAddress

HTTP, TLS = ChallengeType.HTTP_01, ChallengeType.TLS_ALPN_01
TOKEN = AnsweredChallenge(HTTP, "t0k-en_", b"t0k-en_.print")
PATH = "/.well-known/acme-challenge/t0k-en_"


@pytest.fixture
def port() -> Iterator[int]:
    found = ports.reserve()
    yield found
    ports.release(found)


@pytest.fixture
def listeners(port: int) -> Iterator[OwnListeners]:
    made = OwnListeners()
    with contextlib.closing(made):
        made.listen(HTTP, [ServerAddress("127.0.0.1", port)])
        made.answer(TOKEN)
        yield made


def talk(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(4096):
            answer += chunk
        return answer


def get(port: int, path: str, method: str = "GET") -> tuple[str, bytes]:
    head, _, body = talk(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).partition(b"\r\n\r\n")
    return head.decode().partition("\r\n")[0].partition(" ")[2], body


@pytest.mark.usefixtures("listeners")
def test_the_token_of_the_run_is_answered_with_its_key_authorization_and_nothing_else(port: int) -> None:
    assert get(port, PATH) == ("200 OK", b"t0k-en_.print")


@pytest.mark.usefixtures("listeners")
@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/", "GET"),
        (f"{PATH}x", "GET"),
        (f"{PATH}?x", "GET"),
        (f"/x{PATH}", "GET"),
        ("/.well-known/acme-challenge/", "GET"),
        ("/.well-known/acme-challenge/../acme-challenge/t0k-en_", "GET"),
        (f"http://x{PATH}", "GET"),
        (PATH, "POST"),
        (PATH, "HEAD"),
        (PATH, "get"),
        (f"{PATH} x", "GET"),
    ],
)
def test_everything_else_is_not_found(port: int, path: str, method: str) -> None:
    assert get(port, path, method) == ("404 Not Found", b"")


@pytest.mark.usefixtures("listeners")
@pytest.mark.parametrize("request_", [b"\r\n\r\n", b"\0" * 9000, b"GET " + b"x" * 20_000, b"\xff\xfe\r\n\r\n"])
def test_nonsense_is_answered_and_forgotten(port: int, request_: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        assert b"200" not in talk(port, request_)
    assert get(port, PATH)[0] == "200 OK"


def test_what_is_taken_back_is_not_found(listeners: OwnListeners, port: int) -> None:
    listeners.unanswer(TOKEN)
    assert get(port, PATH)[0] == "404 Not Found"


def test_people_who_say_nothing_keep_nobody_out(listeners: OwnListeners, port: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert get(port, PATH)[0] == "200 OK"
    listeners.close()
    with pytest.raises(ConnectionRefusedError):
        get(port, PATH)


def test_listening_twice_is_listening_once(listeners: OwnListeners, port: int) -> None:
    listeners.listen(HTTP, [ServerAddress("127.0.0.1", port)])
    assert listeners.addresses(HTTP) == (("127.0.0.1", port),)


def test_an_empty_host_is_every_address(port: int) -> None:
    with contextlib.closing(OwnListeners()) as made:
        made.listen(HTTP, [ServerAddress("", port)])
        hosts = {host for host, _ in made.addresses(HTTP)}
        assert ip_address(0).exploded in hosts
        assert hosts <= {ip_address(0).exploded, "::"}
        assert get(port, PATH)[0] == "404 Not Found"


@pytest.mark.usefixtures("listeners")
def test_a_port_that_is_taken_is_an_error_that_names_the_setting(port: int) -> None:
    with contextlib.closing(OwnListeners()) as other, pytest.raises(CannotListen) as caught:
        other.listen(TLS, [ServerAddress("127.0.0.1", port)])
    assert str(caught.value) == f"TLS_ALPN_LISTEN 127.0.0.1:{port}: cannot listen: address already in use"
    assert f":{port}" in caught.value.hint
    assert caught.value.local
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.EADDRINUSE


def tls_answer(text: str, key_authorization: str) -> AnsweredChallenge:
    key = make(KeySpec(KeyAlgorithm.P256))
    certificate = acme_certificate(key, Identifier.parse(text), key_authorization, NOW)
    return AnsweredChallenge(TLS, text.removeprefix("ip:"), certificate + key.pem)


def handshake(port: int, name: str, protocol: str = PROTOCOL) -> tuple[str | None, x509.Certificate]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname=name) as tls,
    ):
        der = tls.getpeercert(binary_form=True)
        assert der is not None
        return tls.selected_alpn_protocol(), x509.load_der_x509_certificate(der)


def test_each_server_name_gets_its_certificate_over_acme_tls_only(port: int) -> None:
    with contextlib.closing(OwnListeners()) as made:
        made.listen(TLS, [ServerAddress("127.0.0.1", port)])
        for name in ("a.example.org", "b.example.org"):
            made.answer(tls_answer(name, f"{name}.print"))
        for name in ("a.example.org", "B.Example.ORG"):
            protocol, certificate = handshake(port, name)
            assert protocol == PROTOCOL
            named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            assert named.get_values_for_type(x509.DNSName) == [name.lower()]
        with pytest.raises(ssl.SSLError):
            handshake(port, "c.example.org")
        assert handshake(port, "a.example.org", "http/1.1")[0] is None
