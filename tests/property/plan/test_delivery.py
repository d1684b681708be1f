"""What another user hands to root: whatever octets it is, it is a delivery within its limits, or refused."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certkeeper.base.names import Alias, Identifier
from certkeeper.plan.delivery import (
    MOST_CERTIFICATES,
    MOST_CHAIN,
    MOST_KEY,
    Answer,
    BadDelivery,
    Delivered,
    Delivery,
    Reply,
    decode,
    decode_reply,
    encode,
    encode_reply,
    for_others,
)
from certkeeper.plan.records import Shown

NAMES = st.sampled_from(["example.org", "*.example.org", "xn--bcher-kva.example", "ip:192.0.2.1", "ip:2001:db8::1"])
WORDS = st.sampled_from(["nginx", "mumble.2", "a-b_c"])
DELIVERED = st.builds(
    Delivered,
    alias=st.integers(0, 10**6).map(lambda number: Alias(f"a{number}.example.org")),
    identifiers=st.lists(NAMES.map(Identifier.parse), min_size=1, max_size=3).map(tuple),
    targets=st.lists(WORDS, max_size=3).map(tuple),
    looked_at=st.booleans(),
    stamp=st.integers(1, 10**12 - 1),
    privkey=st.binary(max_size=40),
    fullchain=st.binary(max_size=40),
)
DELIVERIES = st.builds(
    Delivery,
    certificates=st.lists(DELIVERED, max_size=4, unique_by=lambda item: item.alias).map(tuple),
    put_right=st.integers(0, 100),
    failed=st.booleans(),
)
REASONS = st.text(max_size=700).map(for_others)
# Other work on the machine is no failure.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@UNHURRIED
@given(DELIVERIES)
def test_what_is_handed_over_is_what_root_reads(delivery: Delivery) -> None:
    assert decode(encode(delivery)) == delivery


@UNHURRIED
@given(DELIVERIES, st.data())
def test_octets_that_somebody_changed_are_refused_or_within_the_limits(delivery: Delivery, data: st.DataObject) -> None:
    octets = bytearray(encode(delivery))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(octets)))
        end = data.draw(st.integers(at, min(len(octets), at + 8)))
        octets[at:end] = data.draw(st.binary(max_size=8))
    _assert_refused_or_sound(bytes(octets))


@UNHURRIED
@given(st.binary(max_size=200))
def test_any_octets_are_refused_or_within_the_limits(octets: bytes) -> None:
    for begin in (b"", b"certkeeper delivery 1\n", encode(Delivery())):
        _assert_refused_or_sound(begin + octets)


@UNHURRIED
@given(st.integers(0, 10**9))
def test_a_length_is_believed_only_where_the_octets_are_there(length: int) -> None:
    begin = b"certkeeper delivery 1\n"
    _assert_refused_or_sound(begin + length.to_bytes(4) + b"no")


@UNHURRIED
@given(
    st.lists(
        st.builds(
            Answer,
            WORDS,
            DELIVERED.map(lambda item: item.alias),
            st.integers(0, 9),
            st.sampled_from(Shown),
            st.integers(0, 9),
            REASONS,
        )
    ),
    REASONS,
)
def test_what_root_answers_is_what_the_user_reads(answers: list[Answer], refusal: str) -> None:
    assert decode_reply(encode_reply(Reply(tuple(answers), refusal))) == Reply(tuple(answers), refusal)


def _assert_refused_or_sound(octets: bytes) -> None:
    try:
        found = decode(octets)
    except BadDelivery:
        return
    assert len(found.certificates) <= MOST_CERTIFICATES
    for item in found.certificates:
        assert Alias.parse(item.alias.text) == item.alias
        assert all(Identifier.parse(str(name)) == name for name in item.identifiers)
        assert not any("/" in word for word in item.targets)
        assert (len(item.privkey) <= MOST_KEY, len(item.fullchain) <= MOST_CHAIN, item.stamp > 0) == (True, True, True)
    # One delivery has one form: nothing can hide in another.
    assert encode(found) == octets
