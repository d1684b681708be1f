"""Plain-text dialogues that end where TLS begins. Each yields what it needs next and is sent the octets that came.

A dialogue that returns means: the server waits for a ClientHello now. NoTls is raised where it does not offer TLS.
"""

import re
import struct
from collections.abc import Callable, Generator
from typing import TypeAlias

from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.value import dataclass
from certkeeper.service.endpoint import Protocol

MOST = 1 << 16
"""Octets of plain text that a server may send at once."""


@dataclass(frozen=True, slots=True)
class Send:
    data: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """One line, with its end."""


@dataclass(frozen=True, slots=True)
class Exactly:
    octets: int


@dataclass(frozen=True, slots=True)
class Until:
    """Everything up to and with what the pattern finds."""

    pattern: "re.Pattern[bytes]"


Need: TypeAlias = Send | Line | Exactly | Until
Dialogue: TypeAlias = Generator[Need, bytes, None]


class NoTls(CertkeeperError):
    """The server does not offer TLS here, or speaks another protocol."""

    label = "handshake"


def dialogue(protocol: Protocol, name: str) -> Dialogue:
    """What is said before TLS; `name` is the domain that is asked for, where the protocol wants one.

    Raises:
        NoTls: with what the server said.
    """
    begin = _DIALOGUES.get(protocol)
    if begin is not None:
        yield from begin(name)


def _smtp(_name: str) -> Dialogue:
    yield from _mail(b"EHLO")


def _lmtp(_name: str) -> Dialogue:
    yield from _mail(b"LHLO")


def _mail(hello: bytes) -> Dialogue:
    yield from _reply(b"220", "its greeting")
    # A name that is nobody's, as RFC 5321 §4.1.4 allows a client that has none.
    offered = yield from _ask(hello + b" [127.0.0.1]\r\n", b"250", hello.decode())
    if not any(line[4:].strip().upper() == b"STARTTLS" for line in offered):
        raise NoTls("STARTTLS is not offered")
    yield from _ask(b"STARTTLS\r\n", b"220", "STARTTLS")


def _ftp(_name: str) -> Dialogue:
    yield from _reply(b"220", "its greeting")
    yield from _ask(b"AUTH TLS\r\n", b"234", "AUTH TLS")


def _ask(command: bytes, wanted: bytes, what: str) -> Generator[Need, bytes, list[bytes]]:
    yield Send(command)
    return (yield from _reply(wanted, what))


def _reply(wanted: bytes, what: str) -> Generator[Need, bytes, list[bytes]]:
    """The lines of one reply, `250-` for all but the last (RFC 5321 §4.2.1)."""
    lines: list[bytes] = []
    while True:
        line = yield Line()
        lines.append(line)
        if line[3:4] != b"-":
            break
    if not lines[-1].startswith(wanted):
        raise NoTls(f"{what} was answered with {_shown(lines[-1])}")
    return lines


def _imap(_name: str) -> Dialogue:
    greeting = yield Line()
    if not greeting.upper().startswith((b"* OK", b"* PREAUTH")):
        raise NoTls(f"its greeting is {_shown(greeting)}")
    yield Send(b"a STARTTLS\r\n")
    answer = yield Line()
    while answer.startswith(b"*"):
        answer = yield Line()
    if not answer.upper().startswith(b"A OK"):
        raise NoTls(f"STARTTLS was answered with {_shown(answer)}")


def _pop3(_name: str) -> Dialogue:
    greeting = yield Line()
    if not greeting.startswith(b"+OK"):
        raise NoTls(f"its greeting is {_shown(greeting)}")
    yield Send(b"STLS\r\n")
    answer = yield Line()
    if not answer.startswith(b"+OK"):
        raise NoTls(f"STLS was answered with {_shown(answer)}")


def _sieve(_name: str) -> Dialogue:
    """RFC 5804 §1.7, §2.2."""
    offered = yield from _sieve_reply("its greeting")
    if not any(line.upper().startswith(b'"STARTTLS"') for line in offered):
        raise NoTls("STARTTLS is not offered")
    yield Send(b"STARTTLS\r\n")
    yield from _sieve_reply("STARTTLS")


def _sieve_reply(what: str) -> Generator[Need, bytes, list[bytes]]:
    lines: list[bytes] = []
    while True:
        line = yield Line()
        first = line.split(maxsplit=1)[0].upper() if line.strip() else b""
        if first == b"OK":
            return lines
        if first in {b"NO", b"BYE"}:
            raise NoTls(f"{what} was answered with {_shown(line)}")
        if not line.startswith(b'"'):
            raise NoTls(f"{what} is {_shown(line)}")
        lines.append(line)


_FEATURES = re.compile(rb"</(?:\w+:)?features\s*>|<(?:\w+:)?features[^>]*/>|<(?:\w+:)?error\b|</(?:\w+:)?stream\s*>")
_TLS_NAMESPACE = "urn:ietf:params:xml:ns:xmpp-tls"
_ANSWER = re.compile(rb"<(?:\w+:)?(?:proceed|failure)\b[^>]*>")


def _xmpp_client(name: str) -> Dialogue:
    yield from _xmpp(name, "jabber:client")


def _xmpp_server(name: str) -> Dialogue:
    yield from _xmpp(name, "jabber:server")


def _xmpp(name: str, namespace: str) -> Dialogue:
    """RFC 6120 §5.4. The name holds nothing that XML would have to escape."""
    header = (
        f"<?xml version='1.0'?><stream:stream to='{name}' version='1.0' "
        f"xmlns='{namespace}' xmlns:stream='http://etherx.jabber.org/streams'>"
    )
    yield Send(header.encode())
    features = yield Until(_FEATURES)
    if _TLS_NAMESPACE.encode() not in features:
        raise NoTls(f"STARTTLS is not offered for {name}: {_shown(features[-200:])}")
    yield Send(f"<starttls xmlns='{_TLS_NAMESPACE}'/>".encode())
    answer = yield Until(_ANSWER)
    if b"proceed" not in answer:
        raise NoTls(f"STARTTLS was answered with {_shown(answer)}")


_LDAP_STARTTLS = b"1.3.6.1.4.1.1466.20037"


def _ldap(_name: str) -> Dialogue:
    """RFC 4511 §4.14: an extended request with message ID 1, and no value."""
    request = b"\x77" + bytes([len(_LDAP_STARTTLS) + 2]) + b"\x80" + bytes([len(_LDAP_STARTTLS)]) + _LDAP_STARTTLS
    yield Send(b"\x30" + bytes([len(request) + 3]) + b"\x02\x01\x01" + request)
    head = yield Exactly(2)
    length = head[1]
    if length & 0x80:
        octets = yield Exactly(min(length & 0x7F, 4))
        length = int.from_bytes(octets, "big")
    if head[0] != 0x30 or length > MOST:
        raise NoTls(f"its answer is no LDAP message: {head.hex()}")
    message = yield Exactly(length)
    # messageID, then the extended response [APPLICATION 24] that begins with resultCode, an ENUMERATED of one octet.
    if not re.match(rb"\x02.{1,5}?\x78(?:[\x00-\x7f]|\x81.|\x82..)\x0a\x01\x00", message, re.DOTALL):
        raise NoTls("StartTLS was refused")


def _postgres(_name: str) -> Dialogue:
    """SSLRequest: the length of the message, and a number that is no protocol version."""
    yield Send(struct.pack("!II", 8, 80877103))
    answer = yield Exactly(1)
    if answer != b"S":
        raise NoTls("SSLRequest was refused" if answer == b"N" else f"SSLRequest was answered with {_shown(answer)}")


_MYSQL_SSL = 0x0800
_MYSQL_CAPABILITIES = _MYSQL_SSL | 0x0200 | 0x8000
"""SSL, and what goes with it: the protocol of 4.1 and its authentication."""


def _mysql(_name: str) -> Dialogue:
    head = yield Exactly(4)
    length = int.from_bytes(head[:3], "little")
    if length > MOST:
        raise NoTls("its greeting is no packet of MySQL's")
    packet = yield Exactly(length)
    if packet[:1] == b"\xff":
        raise NoTls(f"it refuses to talk: {_shown(packet[3:])}")
    version, ended, rest = packet[1:].partition(b"\0")
    # Connection id (4), the first part of the challenge (8), a zero, then the lower capability flags.
    if packet[:1] != b"\x0a" or not ended or len(version) > 100 or len(rest) < 15:
        raise NoTls("its greeting is no packet of MySQL's")
    if not int.from_bytes(rest[13:15], "little") & _MYSQL_SSL:
        raise NoTls("TLS is not offered")
    body = struct.pack("<IIB23x", _MYSQL_CAPABILITIES, 1 << 24, 33)
    yield Send(len(body).to_bytes(3, "little") + bytes([head[3] + 1 & 0xFF]) + body)


def _shown(octets: bytes) -> str:
    return printable(octets.decode("utf-8", "replace").strip(), 120) or "nothing"


_DIALOGUES: dict[Protocol, Callable[[str], Dialogue]] = {
    Protocol.FTP: _ftp,
    Protocol.IMAP: _imap,
    Protocol.LDAP: _ldap,
    Protocol.LMTP: _lmtp,
    Protocol.MYSQL: _mysql,
    Protocol.POP3: _pop3,
    Protocol.POSTGRES: _postgres,
    Protocol.SIEVE: _sieve,
    Protocol.SMTP: _smtp,
    Protocol.XMPP_CLIENT: _xmpp_client,
    Protocol.XMPP_SERVER: _xmpp_server,
}
