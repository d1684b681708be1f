"""Dynamic updates at servers that are not there, or odd."""

import socket
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bed import ports
from certkeeper.adapters.dns.rfc2136 import Rfc2136, UpdateRefused
from certkeeper.base.errors import CertkeeperError, Fault
from certkeeper.base.names import DnsName
from certkeeper.base.wire import TransportError
from certkeeper.config.settings import Rfc2136Settings, Secret, ServerAddress
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import Zone, ZoneKind, txt_rdata

KEY_NAME = "certkeeper"
SECRET = b64encode(b"made up").decode()


def add(owner: str, value: str) -> ChangeSet:
    return ChangeSet.of([RecordChange(DnsName.parse(owner), "TXT", add=frozenset({txt_rdata(value)}))])


ZONE = Zone(DnsName("example.org"), "example.org", ZoneKind.PRIMARY, 1)


def at(address: tuple[str, int]) -> Rfc2136:
    return Rfc2136(Rfc2136Settings(ServerAddress(*address), KEY_NAME, "hmac-sha256", Secret(SECRET)))


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(TransportError, match=r"name server 127\.0\.0\.1:9: connection refused") as raised:
        at(("127.0.0.1", 9)).zones([DnsName("example.org")])
    assert raised.value.fault is Fault.REMOTE
    with pytest.raises(TransportError, match=r"nowhere\.invalid cannot be resolved"):
        at(("nowhere.invalid", 53)).zones([DnsName("example.org")])


@contextmanager
def odd_server(answer: Callable[[dns.message.Message], bytes]) -> Iterator[tuple[str, int]]:
    """Speaks DNS over TCP; looks are answered with "nothing there", updates with whatever the test likes."""
    port = ports.reserve()
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(30)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(10)
                    while head := connection.recv(2, socket.MSG_WAITALL):
                        wire = connection.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                        query = dns.message.from_wire(wire, keyring=KEY)
                        reply = answer(query) if query.opcode() == 5 else looked(query)
                        connection.sendall(struct.pack("!H", len(reply)) + reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield "127.0.0.1", port
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            ports.release(port)


def looked(query: dns.message.Message) -> bytes:
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    return reply.to_wire()


def refusing(rcode: dns.rcode.Rcode) -> Callable[[dns.message.Message], bytes]:
    def answer(query: dns.message.Message) -> bytes:
        reply = dns.message.Message(id=query.id)
        reply.flags |= dns.flags.QR
        reply.set_opcode(query.opcode())
        reply.set_rcode(rcode)
        return reply.to_wire()

    return answer


def signed(query: dns.message.Message, *, key: dns.tsig.Key, error: int = 0, other: bytes = b"") -> bytes:
    reply = dns.message.Message(id=query.id)
    reply.flags |= dns.flags.QR
    reply.set_opcode(query.opcode())
    reply.use_tsig(key, tsig_error=error, other_data=other)
    reply.request_mac = query.mac or b""
    return reply.to_wire()


KEY = dns.tsig.Key(KEY_NAME, SECRET, "hmac-sha256")
WRONG = dns.tsig.Key(KEY_NAME, b64encode(b"x" * 32).decode(), "hmac-sha256")


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        pytest.param(refusing(dns.rcode.NOERROR), TransportError, "the answer is not signed", id="unsigned"),
        pytest.param(
            lambda query: signed(query, key=WRONG), TransportError, "signature is not the server's", id="forged"
        ),
        pytest.param(lambda _: b"\x00" * 5, TransportError, "no DNS message", id="garbage"),
        pytest.param(
            lambda _: refusing(dns.rcode.NOERROR)(dns.message.Message(id=1)),
            TransportError,
            "another question",
            id="id",
        ),
        pytest.param(refusing(dns.rcode.NOTIMP), UpdateRefused, r"takes no dynamic updates \(NOTIMP\)", id="NOTIMP"),
        pytest.param(refusing(dns.rcode.NOTAUTH), UpdateRefused, r"not its primary \(NOTAUTH\)", id="NOTAUTH"),
        pytest.param(refusing(dns.rcode.SERVFAIL), TransportError, "SERVFAIL", id="SERVFAIL"),
        pytest.param(refusing(dns.rcode.YXRRSET), UpdateRefused, "refused with YXRRSET", id="YXRRSET"),
        pytest.param(
            lambda query: signed(
                query, key=KEY, error=dns.rcode.BADTIME, other=(int(time.time()) + 3600).to_bytes(6, "big")
            ),
            UpdateRefused,
            r"clock is \d+ s behind the server's \(BADTIME\)",
            id="BADTIME",
        ),
        pytest.param(
            lambda query: signed(query, key=KEY, error=dns.rcode.BADTIME), UpdateRefused, "BADTIME", id="BADTIME bare"
        ),
        pytest.param(
            lambda query: signed(query, key=KEY, error=dns.rcode.BADTRUNC),
            UpdateRefused,
            "TSIG error 22",
            id="BADTRUNC",
        ),
    ],
)
def test_what_an_odd_server_answers(
    answer: Callable[[dns.message.Message], bytes], kind: type[CertkeeperError], said: str
) -> None:
    with odd_server(answer) as address, pytest.raises(kind, match=said) as raised:
        at(address).change(ZONE, add("example.org", "value"))
    assert "zone example.org" in str(raised.value)


def test_an_answer_that_drips_is_given_up() -> None:
    """Octet by octet it would take hours; the look ends at its own bound all the same."""
    port = ports.reserve()
    over = threading.Event()
    with socket.create_server(("127.0.0.1", port)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                while not over.wait(0.05):
                    connection.send(b"\xff")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            with pytest.raises(TransportError, match=rf"name server 127\.0\.0\.1:{port}: "):
                at(("127.0.0.1", port)).zones([DnsName("example.org")])
        finally:
            over.set()
            thread.join(10)
            ports.release(port)


@given(st.data())
def test_an_answer_of_any_octets_is_an_error_with_a_name(data: st.DataObject) -> None:
    update = dns.update.UpdateMessage("example.org.")
    update.use_tsig(KEY)
    update.to_wire()
    wire = bytearray(signed(update, key=WRONG))
    for _ in range(data.draw(st.integers(0, 3))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(wire[: data.draw(st.integers(0, len(wire)))])
    with pytest.raises((TransportError, UpdateRefused)):
        at(("192.0.2.1", 53))._judge(ZONE, update, cut)
