"""What a hook prints in place of a request, or a file holds, is a request or an error: never anything else."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import new_key
from certkeeper.base.names import Identifier
from certkeeper.lineage.csr import BadCsr, build, read_csr
from certkeeper.lineage.request import ReceivedCsr

NAMES = (Identifier.parse("example.org"), Identifier.parse("*.example.org"), Identifier.parse("ip:192.0.2.1"))
REQUEST = build(new_key(), NAMES)
PEM, DER = REQUEST.pem, REQUEST.der
BODY = PEM.splitlines()[1]


def outcome(printed: bytes) -> ReceivedCsr | BadCsr:
    try:
        return read_csr(printed)
    except BadCsr as error:
        return error


@given(before=st.binary(max_size=50), after=st.binary(max_size=50))
def test_a_request_is_found_whatever_stands_around_it(before: bytes, after: bytes) -> None:
    found = outcome(before + b"\n" + PEM + after)
    assert isinstance(found, ReceivedCsr)
    assert found.identifiers == NAMES
    assert found.der == DER


@given(printed=st.binary(max_size=300) | st.lists(st.sampled_from([PEM, BODY, *PEM.splitlines(), b"\n"])).map(b"".join))
def test_garbage(printed: bytes) -> None:
    found = outcome(printed)
    assert isinstance(found, ReceivedCsr) or str(found).isprintable()


@given(at=st.integers(0, len(DER) - 1), octet=st.integers(0, 255), keep=st.integers(0, len(DER)))
def test_a_request_that_was_hit_or_cut_is_an_error(at: int, octet: int, keep: int) -> None:
    hit = bytearray(DER)
    hit[at] = octet
    for text in (bytes(hit), DER[:keep]):
        found = outcome(pem(text))
        assert isinstance(found, BadCsr) or found.der == DER


def pem(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE REQUEST-----\n"
