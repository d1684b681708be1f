"""Dialogues with servers in memory; tests/integration/services has the real ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.service.endpoint import Protocol
from certkeeper.service.starttls import Exactly, Line, NoTls, Send, Until, dialogue

PLAIN = [item for item in Protocol if item is not Protocol.TLS]


class Ended(Exception):
    """The server has nothing more to say."""


class SaidMore(Exception):
    """What comes after the go-ahead is the handshake's, or an attack; adapters refuse it."""


def talk(protocol: Protocol, *said: bytes) -> bytes:
    """What the client sent until TLS may begin, to a server that says all this at once."""
    left, sent = b"".join(said), b""
    steps = dialogue(protocol, "example.org")
    answer: bytes | None = None
    while True:
        try:
            need = steps.send(answer) if answer is not None else next(steps)
        except StopIteration:
            if left:
                raise SaidMore from None
            return sent
        if isinstance(need, Send):
            sent, answer = sent + need.data, b""
            continue
        end = _end(need, left)
        if not end:
            raise Ended
        answer, left = left[:end], left[end:]


def _end(need: object, left: bytes) -> int:
    match need:
        case Line():
            return left.find(b"\n") + 1
        case Exactly(octets):
            return octets if len(left) >= octets else 0
        case Until(pattern):
            found = pattern.search(left)
            return found.end() if found else 0
    raise AssertionError(need)


@pytest.mark.parametrize(
    ("protocol", "said", "sent"),
    [
        (Protocol.SMTP, b"220-a\r\n220 b\r\n250-x\r\n250-STARTTLS\r\n250 OK\r\n220 go\r\n", b"STARTTLS\r\n"),
        (Protocol.LMTP, b"220 b\r\n250-x\r\n250 starttls\r\n220 go\r\n", b"LHLO [127.0.0.1]\r\nSTARTTLS\r\n"),
        (Protocol.FTP, b"220 b\r\n234 go\r\n", b"AUTH TLS\r\n"),
        (Protocol.IMAP, b"* OK hi\r\n* CAPABILITY IMAP4rev1\r\na OK go\r\n", b"a STARTTLS\r\n"),
        (Protocol.POP3, b"+OK hi\r\n+OK go\r\n", b"STLS\r\n"),
        (Protocol.SIEVE, b'"SIEVE" "x"\r\n"STARTTLS"\r\nOK\r\nOK "go"\r\n', b"STARTTLS\r\n"),
        (Protocol.POSTGRES, b"S", b"\x00\x00\x00\x08\x04\xd2\x16\x2f"),
        (Protocol.LDAP, b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00", b"1.3.6.1.4.1.1466.20037"),
        (
            Protocol.XMPP_CLIENT,
            b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features><proceed/>",
            b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        ),
    ],
)
def test_a_server_that_offers_tls_is_brought_there(protocol: Protocol, said: bytes, sent: bytes) -> None:
    assert sent in talk(protocol, said)


@pytest.mark.parametrize(
    ("protocol", "said", "word"),
    [
        (Protocol.SMTP, b"554 no\r\n", "its greeting was answered with 554 no"),
        (Protocol.SMTP, b"220 b\r\n250 OK\r\n", "STARTTLS is not offered"),
        (Protocol.SMTP, b"220 b\r\n250-STARTTLSX\r\n250 OK\r\n", "STARTTLS is not offered"),
        (Protocol.SMTP, b"220 b\r\n250 STARTTLS\r\n454 not now\r\n", "454 not now"),
        (Protocol.IMAP, b"* BYE no\r\n", "* BYE no"),
        (Protocol.IMAP, b"* OK\r\na BAD what\r\n", "a BAD what"),
        (Protocol.POP3, b"+OK\r\n-ERR no\r\n", "-ERR no"),
        (Protocol.SIEVE, b'"SIEVE" "x"\r\nOK\r\n', "not offered"),
        (Protocol.SIEVE, b"HTTP/1.1 400\r\n", "HTTP/1.1 400"),
        (Protocol.POSTGRES, b"N", "refused"),
        (Protocol.LDAP, b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00", "refused"),
        (Protocol.LDAP, b"HTTP", "no LDAP message"),
        (Protocol.MYSQL, b"\x05\x00\x00\x00\xff\x69\x04no", "refuses to talk: no"),
        (Protocol.MYSQL, b"\x01\x00\x00\x00\x0a", "no packet"),
        (Protocol.XMPP_CLIENT, b"<stream:stream><stream:features/>", "not offered for example.org"),
        (Protocol.XMPP_SERVER, b"<stream:stream><stream:error><host-unknown/>", "not offered"),
    ],
)
def test_a_server_that_does_not_offer_tls_is_told(protocol: Protocol, said: bytes, word: str) -> None:
    with pytest.raises(NoTls) as caught:
        talk(protocol, said)
    assert word in str(caught.value)


@pytest.mark.parametrize("protocol", PLAIN)
@given(
    said=st.one_of(
        st.binary(max_size=200),
        st.sampled_from([b"220 x\r\n", b"* OK\r\n", b"+OK\r\n"]).flatmap(
            lambda head: st.binary(max_size=100).map(lambda rest: head + rest)
        ),
    )
)
def test_nothing_that_a_server_says_breaks_a_dialogue(protocol: Protocol, said: bytes) -> None:
    ending: type[object]
    try:
        ending = type(talk(protocol, said))
    except (NoTls, Ended, SaidMore) as error:
        ending = type(error)
    # Whatever else is raised is a defect of ours.
    assert ending in {bytes, NoTls, Ended, SaidMore}
