"""ARI's names are DER, its instants lie in the window, and no answer breaks the reader."""

import base64
from datetime import UTC, datetime, timedelta

from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NOW, Wish, intermediate, new_key
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.renewal_info import LATEST, SOONEST, Window, ask_again_after, cert_id, read_renewal_info
from certkeeper.base.wire import Response
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.plan.advice import id_of

SECONDS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001 - naive bounds
    lambda instant: instant.replace(microsecond=0)
)
INSTANTS = st.one_of(SECONDS.map(lambda instant: instant.isoformat()), st.text(max_size=30))
ANSWERS = st.one_of(
    st.binary(max_size=60),
    st.builds(
        '{{"suggestedWindow":{{"start":"{}","end":"{}"}},"explanationURL":"{}"}}'.format,
        INSTANTS,
        INSTANTS,
        st.text(max_size=20),
    ).map(lambda text: text.encode("utf-8", "surrogatepass")),
)


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@given(st.binary(min_size=1, max_size=32), st.integers(1, 2**159))
def test_the_name_holds_the_serial_as_der_does(key_identifier: bytes, serial: int) -> None:
    name = cert_id(key_identifier, serial)
    first, dot, second = name.partition(".")
    assert dot
    assert "=" not in name
    assert unpadded(first) == key_identifier
    content = unpadded(second)
    assert int.from_bytes(content, "big", signed=True) == serial
    # DER: no shorter way to write it.
    assert len(content) == 1 or content[0] != 0 or content[1] >= 0x80


def test_a_certificates_name_is_what_is_in_its_octets() -> None:
    for _ in range(20):
        pem = intermediate().leaf(new_key(), Wish(authority_key_id=b"\x01\x02\x03"))
        certificate = x509.load_pem_x509_certificate(pem)
        first, _, second = id_of(parse_leaf(pem)).partition(".")
        content = unpadded(second)
        assert unpadded(first) == b"\x01\x02\x03"
        # tbsCertificate: version [0], then the serial INTEGER with its length.
        assert b"\x02" + bytes([len(content)]) + content in certificate.tbs_certificate_bytes[:48]


@given(SECONDS, st.timedeltas(timedelta(seconds=1), timedelta(days=3000)), st.text(max_size=20))
def test_the_instant_lies_in_the_window(start: datetime, length: timedelta, whose: str) -> None:
    length = timedelta(seconds=int(length.total_seconds()))
    end = min(start, datetime(9990, 1, 1, tzinfo=UTC)) + length
    if end > start:
        window = Window(start, end)
        assert start <= window.choose(whose) < end
        assert window.choose(whose) == window.choose(whose)


@given(ANSWERS)
def test_any_answer_is_a_window_that_ends_after_it_begins_or_none(body: bytes) -> None:
    try:
        found = read_renewal_info(Response(200, NOW, (), body))
    except MalformedBody:
        return
    assert found.window.start < found.window.end
    assert found.window.start <= found.window.choose("a") < found.window.end
    assert found.explanation.isprintable()


@given(st.text(max_size=40))
def test_any_retry_after_is_a_wait_from_a_minute_to_a_day(text: str) -> None:
    assert SOONEST <= ask_again_after(Response(200, NOW, (("retry-after", text),))) <= LATEST
