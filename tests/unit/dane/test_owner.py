import pytest

from certkeeper.base.names import DnsName
from certkeeper.dane.owner import BadOwner, TlsaOwner, Transport, parse_port

MX = TlsaOwner(25, Transport.TCP, DnsName("mail.example.org"))


@pytest.mark.parametrize(
    "text",
    [
        "_25._tcp.mail.example.org",
        "_25._TCP.Mail.Example.ORG.",
        "mail.example.org:25",
        " mail.example.org:25/tcp ",
    ],
)
def test_the_forms_that_people_write(text: str) -> None:
    assert TlsaOwner.parse(text) == MX
    assert MX.name == DnsName("_25._tcp.mail.example.org")
    assert TlsaOwner.parse(str(MX)) == MX


def test_other_transports_and_unicode() -> None:
    assert TlsaOwner.parse("_853._udp.ns.example.org").protocol is Transport.UDP
    assert str(TlsaOwner.parse("bücher.example:443")) == "_443._tcp.xn--bcher-kva.example"
    assert parse_port("443") == (443, Transport.TCP)
    assert parse_port("132/sctp") == (132, Transport.SCTP)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no port"),
        ("mail.example.org", "no port"),
        ("mail.example.org:0", "no port from 1"),
        ("mail.example.org:65536", "no port from 1"),
        ("mail.example.org:smtp", "no port from 1"),
        ("_025._tcp.mail.example.org", "no zeros in front"),
        ("_25.mail.example.org", "no protocol"),
        ("_25._tcp", "no protocol"),
        ("_25._dccp.mail.example.org", "none of tcp, udp, sctp"),
        ("mail.example.org:25/", "none of tcp, udp, sctp"),
        ("*.example.org:443", "a wildcard is no host"),
        ("_443._tcp.*.example.org", "a wildcard is no host"),
        ("localhost:25", "at least two labels"),
        ("192.0.2.1:25", "an address has no TLSA records"),
        ("a..example.org:25", "empty label"),
        (f"{'a' * 60}." * 4 + "org:25", "longer than 253"),
        ("x" * 1000 + ":25", "longer than a name"),
    ],
)
def test_what_is_none_is_told(text: str, said: str) -> None:
    with pytest.raises(BadOwner, match=said):
        TlsaOwner.parse(text)
