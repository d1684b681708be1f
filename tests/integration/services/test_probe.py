"""Handshakes with real servers: every way into TLS, and what is seen of the certificate behind it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from bed import ports
from bed.services.dovecot import Dovecot
from bed.services.plain import MariaDbTls, OneServer, Postgres, Slapd, Vsftpd
from bed.services.postfix import Postfix
from bed.services.prosody import Prosody
from certkeeper.adapters.probe import Prober
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.handshake import Contact, Handshake, Look, Trouble, Unseen

NAME = "mail.example.org"
pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Set:
    """A certificate in the forms that servers want, and the root that it is trusted by."""

    chain: Path
    key: Path
    both: Path
    root: Path

    @property
    def serial(self) -> int:
        return x509.load_pem_x509_certificate(self.chain.read_bytes()).serial_number


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Set:
    folder = tmp_path_factory.mktemp("pair")
    for path in (folder, *folder.parents):
        if path.name.startswith(("pytest", "pair", "popen")):
            path.chmod(0o755)
    authority = trustme.CA()
    made = authority.issue_cert(NAME)
    found = Set(*(folder / name for name in ("chain.pem", "key.pem", "both.pem", "root.pem")))
    found.chain.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    made.private_key_pem.write_to_path(found.key)
    found.both.write_bytes(found.key.read_bytes() + found.chain.read_bytes())
    authority.cert_pem.write_to_path(found.root)
    found.key.chmod(0o644)  # a made-up key, that Prosody reads as its own user
    return found


@pytest.fixture(scope="module")
def endpoints(pair: Set, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    folder = tmp_path_factory.mktemp("servers")
    for path in folder.parents:
        if path.name.startswith(("pytest", "popen")):
            path.chmod(0o755)
    folder.chmod(0o755)
    with ExitStack() as stack:
        servers: list[Dovecot | Postfix | Prosody] = [
            stack.enter_context(Dovecot(folder / "dovecot", pair.chain, pair.key)),
            stack.enter_context(Postfix(pair.both)),
            stack.enter_context(Prosody(folder / "prosody", NAME, pair.chain, pair.key)),
        ]
        yield [f"{word}://{NAME}:{port}@127.0.0.1" for server in servers for word, port in server.ports.items()]


def look(pair: Set, *texts: str, patience: float = 10) -> tuple[Look, ...]:
    return Prober(ca_bundle=str(pair.root), patience=patience).look([Contact(parse_endpoint(text)) for text in texts])


def assert_is(pair: Set, seen: Look) -> None:
    assert isinstance(seen, Handshake), seen
    assert x509.load_der_x509_certificate(seen.chain[0]).serial_number == pair.serial
    assert (seen.untrusted, seen.staple) == ("", None)


def test_mail_and_xmpp_servers_show_their_certificate_on_every_port(pair: Set, endpoints: list[str]) -> None:
    assert len(endpoints) == 11
    for seen in look(pair, *endpoints):
        assert_is(pair, seen)


@pytest.mark.parametrize(
    ("word", "server"), [("ldap", Slapd), ("ftp", Vsftpd), ("mysql", MariaDbTls), ("postgres", Postgres)]
)
def test_so_do_the_others(pair: Set, word: str, server: type[OneServer]) -> None:
    with server(pair.chain, pair.key) as running:
        (seen,) = look(pair, f"{word}://{NAME}:{running.port}@127.0.0.1")
        assert_is(pair, seen)


def test_a_root_that_is_not_known_is_told_and_the_chain_is_seen(endpoints: list[str]) -> None:
    (seen,) = Prober().look([Contact(parse_endpoint(endpoints[0]))])
    assert isinstance(seen, Handshake)
    assert "issuer is not known" in seen.untrusted
    assert seen.chain


def test_an_unknown_domain_of_an_xmpp_server_is_told(pair: Set, endpoints: list[str]) -> None:
    text = next(item for item in endpoints if item.startswith("xmpp-client"))
    (seen,) = look(pair, text.replace(NAME, "other.example.org"))
    assert isinstance(seen, Unseen)
    assert seen.trouble is Trouble.NO_TLS


def test_nobody_there_no_such_host_and_a_server_that_hangs(pair: Set) -> None:
    closed = ports.reserve()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hangs = silent.getsockname()[1]
        refused, unknown, hung = look(
            pair, f"localhost:{closed}@127.0.0.1", "nobody.invalid", f"smtp://{NAME}:{hangs}@127.0.0.1", patience=0.5
        )
    ports.release(closed)
    assert isinstance(refused, Unseen)
    assert isinstance(unknown, Unseen)
    assert isinstance(hung, Unseen)
    assert [item.trouble for item in (refused, unknown, hung)] == [
        Trouble.UNREACHABLE,
        Trouble.UNRESOLVED,
        Trouble.TIMEOUT,
    ]


def test_plain_text_behind_the_go_ahead_is_no_handshake(pair: Set) -> None:
    """What somebody on the way put there would be taken for a word of the server's inside TLS."""
    said = [b"220 x\r\n", b"250 STARTTLS\r\n", b"220 go\r\n250 injected\r\n"]
    with _saying(said) as port:
        (seen,) = look(pair, f"smtp://{NAME}:{port}@127.0.0.1")
    assert isinstance(seen, Unseen)
    assert "plain text" in seen.message


def test_a_server_that_never_ends_a_line_is_left(pair: Set) -> None:
    with _saying([b"2" * 200_000]) as port:
        (seen,) = look(pair, f"smtp://{NAME}:{port}@127.0.0.1")
    assert isinstance(seen, Unseen)
    assert "without an end" in seen.message


def test_two_hundred_endpoints_are_looked_at_side_by_side(pair: Set, endpoints: list[str]) -> None:
    """One after the other, with a hanging one among them for each ten, would take 20 x the patience."""
    direct = next(item for item in endpoints if item.startswith("xmpps"))
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        hangs = f"smtp://{NAME}:{silent.getsockname()[1]}@127.0.0.1"
        began = time.monotonic()
        seen = look(pair, *([*[direct] * 9, hangs] * 20), patience=3)
        took = time.monotonic() - began
    assert len(seen) == 200
    assert sum(isinstance(item, Unseen) for item in seen) == 20
    assert took < 20 * 3


class _saying:  # noqa: N801 (reads as a verb where it is used)
    """A server that says one thing after each thing that it hears."""

    def __init__(self, said: list[bytes]) -> None:
        self._said = said
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            for index, text in enumerate(self._said):
                if index:
                    connection.recv(1000)
                with suppress(ConnectionResetError, BrokenPipeError):
                    connection.sendall(text)
            with suppress(ConnectionResetError, BrokenPipeError):
                connection.recv(1000)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._server.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._server.close()
