"""Readers of records and owners never crash, and what they read they write again."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.errors import CertkeeperError
from certkeeper.dane.der import checked_spki, spki_of
from certkeeper.dane.owner import TlsaOwner
from certkeeper.dane.tlsa import Tlsa, TlsaType, publishable

T = TypeVar("T")

octet = st.integers(0, 255)
records = st.builds(Tlsa, octet, octet, octet, st.binary(max_size=80))


@given(records)
def test_every_record_survives_both_forms(record: Tlsa) -> None:
    assert Tlsa.parse(str(record)) == record
    assert Tlsa.from_wire(record.wire) == record
    assert Tlsa.parse(f"\\# {len(record.wire)} {record.wire.hex()}") == record


@given(records)
def test_what_is_sent_has_numbers_that_clients_know_and_the_right_length(record: Tlsa) -> None:
    try:
        publishable([record])
    except CertkeeperError:
        assert record.refusal
        return
    assert record.usage <= 3
    assert record.selector <= 1
    assert (record.matching_type, len(record.data)) in {(1, 32), (2, 64)} or (
        record.matching_type == 0 and record.data[0] == 0x30
    )


def outcome(read: Callable[[T], object], value: T) -> object:
    """What was read, or the error; anything else that is raised fails the test."""
    try:
        return read(value)
    except CertkeeperError as error:
        return error


@given(st.text(max_size=60) | st.from_regex(r"\s*[0-9]{1,3} [0-9]{1,3} [0-9]{1,3} [0-9a-fA-F ]*", fullmatch=True))
def test_any_text_is_a_record_or_an_error_with_words(text: str) -> None:
    for read in (Tlsa.parse, TlsaType.parse, TlsaOwner.parse):
        found = outcome(read, text)
        assert str(found)
        assert isinstance(found, CertkeeperError) or outcome(read, str(found)) == found


@given(st.binary(max_size=80))
def test_any_octets_are_a_key_or_an_error_with_words(octets: bytes) -> None:
    for read in (spki_of, checked_spki):
        found = outcome(read, octets)
        assert str(found) if isinstance(found, CertkeeperError) else found in octets  # type: ignore[operator]
