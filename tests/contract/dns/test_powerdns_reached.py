"""How the API is reached: TLS of a private CA, client certificates, paths, unix sockets; and what goes wrong there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from bed.faults import Answer, FaultProxy
from bed.nginx import Nginx
from bed.powerdns import PowerDns as Server
from bed.world import World
from certkeeper.adapters.dns.powerdns import PowerDns
from certkeeper.adapters.dns.powerdns_api import PowerDnsError, http_client
from certkeeper.adapters.http import MAX_BODY, CaBundleError, ClientCertificateError
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.wire import TransportError
from certkeeper.config.settings import PowerDnsSettings, Secret
from contract.dns.providers import RealPowerDns, add, name

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture
def server(shared_world: World) -> Server:
    return shared_world.primary


@pytest.fixture
def nginx(tmp_path: Path, server: Server, authority: trustme.CA) -> Iterator[Nginx]:
    with Nginx(tmp_path / "nginx", server.api_url, authority) as nginx:
        yield nginx


def settings(url: str) -> PowerDnsSettings:
    return PowerDnsSettings(url, Secret("secret"))


def works(made: PowerDnsSettings, server: Server) -> None:
    """A record comes and goes."""
    real = RealPowerDns(server)
    zone = real.make_zone()
    owner = f"_acme-challenge.{zone}"
    dns = PowerDns(made, http_client(made))
    handle = dns.zones([name(owner)])[name(owner)]
    dns.change(handle, add(owner, "value"))
    dns.notify(handle)
    assert real.get(zone, owner) == {'"value"'}
    dns.change(handle, add(owner, "value").invert())
    assert real.get(zone, owner) == frozenset()


def fails(made: PowerDnsSettings) -> CertkeeperError:
    with pytest.raises(CertkeeperError) as caught:
        PowerDns(made, http_client(made)).zones([name("_acme-challenge.example.org")])
    assert "\n" not in str(caught.value)
    return caught.value


def test_tls_of_a_private_ca_below_a_path(nginx: Nginx, server: Server) -> None:
    works(replace(settings(nginx.tls), ca_bundle=str(nginx.ca_bundle)), server)


def test_a_private_ca_that_is_not_named(nginx: Nginx) -> None:
    error = fails(settings(nginx.tls))
    assert str(error).startswith(f"{nginx.tls}/api/v1/servers/localhost/zones: TLS failed")
    assert "PDNS_CA_BUNDLE" in error.hint


@pytest.mark.parametrize("together", [True, False])
def test_a_client_certificate(
    nginx: Nginx,
    server: Server,
    authority: trustme.CA,
    tmp_path: Path,
    together: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    leaf = authority.issue_cert("client.example", key_type=trustme.KeyType.ECDSA)
    made = replace(settings(nginx.strict), ca_bundle=str(nginx.ca_bundle), client_cert=str(tmp_path / "client.pem"))
    if together:
        leaf.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    else:
        leaf.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
        leaf.private_key_pem.write_to_path(tmp_path / "client.key")
        made = replace(made, client_key=str(tmp_path / "client.key"))
    works(made, server)


def test_a_client_certificate_that_is_missing_is_told_in_nginxs_words(nginx: Nginx) -> None:
    error = fails(replace(settings(nginx.strict), ca_bundle=str(nginx.ca_bundle)))
    assert str(error).startswith(f"{nginx.strict}: HTTP 400: 400 No required SSL certificate was sent")
    assert "<" not in str(error)


def test_files_that_hold_no_certificate_and_no_key(authority: trustme.CA, tmp_path: Path) -> None:
    empty, cert = tmp_path / "empty.pem", tmp_path / "cert.pem"
    empty.write_text("nothing\n")
    authority.issue_cert("a.example").cert_chain_pems[0].write_to_path(cert)
    other = tmp_path / "other.key"
    authority.issue_cert("b.example").private_key_pem.write_to_path(other)
    with pytest.raises(CaBundleError, match=r"empty\.pem: cannot be used as PDNS_CA_BUNDLE"):
        http_client(replace(settings("https://a"), ca_bundle=str(empty)))
    for client_cert, key, message in (
        (empty, None, r"empty\.pem: cannot be used as client certificate"),
        (cert, None, r"cert\.pem: cannot be used"),
        (cert, other, r"cert\.pem with .*other\.key: cannot be used"),
        (cert, tmp_path / "missing", r"cert\.pem with .*missing: cannot be used"),
    ):
        with pytest.raises(ClientCertificateError, match=message) as caught:
            http_client(
                replace(settings("https://a"), client_cert=str(client_cert), client_key=str(key) if key else None)
            )
        assert "PDNS_CLIENT_KEY" in caught.value.hint


def test_a_key_with_a_password_is_refused_and_nobody_asked_for_it(authority: trustme.CA, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - for this test alone

    leaf = authority.issue_cert("a.example", key_type=trustme.KeyType.ECDSA)
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    (tmp_path / "key").write_bytes(locked)
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    with pytest.raises(ClientCertificateError):
        http_client(
            replace(settings("https://a"), client_cert=str(tmp_path / "cert"), client_key=str(tmp_path / "key"))
        )


def test_a_unix_socket(nginx: Nginx, server: Server) -> None:
    works(settings(f"unix:{nginx.socket}"), server)


def test_unix_sockets_that_are_not_there_or_not_listened_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, reason in (
        (tmp_path / "missing", "no such file or directory"),
        (tmp_path / "file", "connection refused"),
    ):
        error = fails(settings(f"unix:{path}"))
        assert str(error) == f"unix:{path}: cannot connect: {reason}"
        assert isinstance(error, TransportError)
        assert error.hint


def test_http_where_tls_is_spoken(nginx: Nginx) -> None:
    url = nginx.tls.replace("https:", "http:")
    error = fails(settings(url))
    assert str(error).startswith(f"{url}: HTTP 400: 400 The plain HTTP request was sent to HTTPS port")
    assert f'PDNS_HOST="{nginx.tls}"' in error.hint


def test_tls_where_http_is_spoken(server: Server) -> None:
    error = fails(settings(server.api_url.replace("http:", "https:")))
    assert "TLS failed" in str(error)
    assert "plain http" in error.hint


@pytest.fixture
def answering(server: Server) -> Iterator[Callable[[Answer], str]]:
    """The URL of a server that always gives the same answer."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(FaultProxy(server.api_url, lambda _: answer)).url


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        pytest.param(Answer(200, b"<html><title>Hello"), "the answer is not JSON: '<html><title>Hello'", "", id="html"),
        pytest.param(Answer(200, b"[" * 100_000), "the answer is not JSON: '[[[[", "", id="deep"),
        pytest.param(Answer(200, b"\xff\xfe"), "the answer is not JSON", "", id="octets"),
        pytest.param(Answer(302, b"", {"Location": "/login"}), "HTTP 302", "redirects", id="redirect"),
        pytest.param(Answer(401, b"Unauthorized"), "the API key is refused", "PDNS_KEY", id="key"),
        pytest.param(Answer(403, b"<h1>No\x1b[2J</h1>"), "HTTP 403: No", "", id="forbidden"),
        pytest.param(Answer(422, b'{"error":"so not"}'), "HTTP 422: so not", "", id="refused"),
        pytest.param(
            Answer(422, b'{"error":"Conflicts with another RRset"}'), "HTTP 422: Conf", "CNAME", id="conflict"
        ),
        pytest.param(
            Answer(200, b'{"a": 1}'), 'the answer is not one of PowerDNS\'s API: {"a": 1}', "PDNS_HOST", id="a"
        ),
        pytest.param(Answer(200, b"null"), "the answer is not one of PowerDNS's API: null", "PDNS_HOST", id="null"),
        pytest.param(Answer(200, b"[1]"), "the answer is not one of PowerDNS's API: [1]", "PDNS_HOST", id="list"),
        pytest.param(Answer(200, b'[{"x": 1}]'), "the answer is not one of PowerDNS's API", "PDNS_HOST", id="objects"),
    ],
)
def test_answers_that_are_of_no_use(
    answering: Callable[[Answer], str], answer: Answer, message: str, hint: str
) -> None:
    url = answering(answer)
    error = fails(settings(url))
    assert isinstance(error, PowerDnsError)
    assert str(error).startswith(f"{url}: {message}")
    assert "\x1b" not in str(error)
    assert hint in error.hint


def test_an_answer_of_50_megabytes_is_not_read_to_its_end(answering: Callable[[Answer], str]) -> None:
    error = fails(settings(answering(Answer(200, bytes(50_000_000)))))
    assert f"larger than {MAX_BODY} octets" in str(error)
    assert error.hint
