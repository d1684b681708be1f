"""What is remembered of TLSA records is read as it was written, whatever strangers publish."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.adapters.tlsamemory import read_memory, written
from certkeeper.base.names import Alias, DnsName
from certkeeper.dane.age import Standing, TlsaAge
from certkeeper.dane.tlsa import Tlsa
from certkeeper.plan.records import KnownKey, TlsaMemory
from certkeeper.zone.behind import Behind

octet = st.integers(0, 255)
records = st.builds(Tlsa, octet, octet, octet, st.binary(max_size=70))
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
names = st.sampled_from([DnsName("_25._tcp.mail.example.org"), DnsName("_443._tcp.xn--bcher-kva.example")])
standing = st.builds(
    Standing, times, st.integers(0, 2**31), st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds))
)
ages = st.builds(
    TlsaAge,
    times,
    st.frozensets(names),
    st.dictionaries(records, standing, max_size=4),
    st.dictionaries(records, times, max_size=4),
    st.dictionaries(st.integers(0, 2**31), times, max_size=4),
    st.frozensets(records, max_size=4),
)
known = st.builds(
    KnownKey,
    st.sampled_from([Alias("a.test"), Alias("two names")]),
    st.text(st.sampled_from("0123456789abcdef"), max_size=64),
    times,
    st.frozensets(records, max_size=3),
)
behind = st.dictionaries(st.text(max_size=20), st.builds(Behind, st.integers(0, 2**32 - 1), times), max_size=3)
memories = st.builds(TlsaMemory, names, names, ages, st.lists(known, max_size=3).map(tuple), behind)

BAD_RECORD = '[["a.test", "", 1, ["00"]]]'
"""Shorter than the three numbers of a record."""


@given(memories)
def test_it_is_read_as_it_was_written(memory: TlsaMemory) -> None:
    assert read_memory(*written(memory)) == memory


@pytest.mark.parametrize("column", [2, 3, 4])
@pytest.mark.parametrize("text", ["", "null", "[1]", '{"at": "x"}', "[[1, 2]]", '{"a": 1}', BAD_RECORD])
def test_what_makes_no_sense_is_an_error_that_the_journal_knows(column: int, text: str) -> None:
    age = TlsaAge(datetime(2027, 1, 1, tzinfo=UTC), frozenset(), {}, {}, {})
    row = list(written(TlsaMemory(DnsName("a.test"), DnsName("test"), age)))
    row[column] = text
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_memory(*row)
