from hypothesis import given
from hypothesis import strategies as st

from builders.plans import leaf
from certkeeper.lineage.revocation import (
    KEY_COMPROMISE,
    Revocation,
    is_compromised,
    read_revocations,
    reason_of,
    write_revocations,
)

KEY, OTHER = "a" * 64, "b" * 64
_HEX = st.text("0123456789abcdef", min_size=1, max_size=40)
_REVOCATIONS = st.builds(Revocation, _HEX, st.sampled_from([KEY, OTHER]), st.integers(0, 10))


@given(st.lists(_REVOCATIONS, max_size=8))
def test_what_was_written_is_read_and_the_last_word_counts_unless_the_key_is_compromised(
    added: list[Revocation],
) -> None:
    content = b""
    for item in added:
        content = write_revocations(read_revocations(content), item)
    last = {(item.serial, item.key_id): item for item in added}
    last |= {(item.serial, item.key_id): item for item in added if item.reason == KEY_COMPROMISE}
    assert set(read_revocations(content)) == set(last.values())
    assert len(read_revocations(content)) == len(last)


@given(st.binary(max_size=200))
def test_any_content_is_read_and_what_was_read_is_read_again(content: bytes) -> None:
    found = read_revocations(content)
    for number, item in enumerate(found):
        written = write_revocations(found[:number], item)
        assert item in read_revocations(written)


def test_a_line_that_says_nothing_costs_no_other_one() -> None:
    line = f"01ab {KEY} 4\n".encode()
    assert read_revocations(b"\xff\n" + line + b"01 02 03\n" + line[:-3]) == (Revocation("01ab", KEY, 4),)


def test_a_certificate_is_told_by_its_serial_and_its_key() -> None:
    known = [Revocation("1", KEY, 4)]
    assert reason_of(leaf("example.org", serial="1", key_id=KEY), known) == 4
    assert reason_of(leaf("example.org", serial="2", key_id=KEY), known) is None
    assert reason_of(leaf("example.org", serial="1", key_id=OTHER), known) is None
    assert reason_of(None, known) is None


def test_a_key_is_compromised_whatever_the_certificate() -> None:
    known = [Revocation("1", KEY, KEY_COMPROMISE), Revocation("2", OTHER, 4)]
    assert is_compromised(KEY, known)
    assert not is_compromised(OTHER, known)
    assert not is_compromised(None, known)


def test_a_compromise_outlasts_every_later_reason() -> None:
    for later in (0, 3, 4, 5):
        content = write_revocations([Revocation("1", KEY, KEY_COMPROMISE)], Revocation("1", KEY, later))
        assert read_revocations(content) == (Revocation("1", KEY, KEY_COMPROMISE),)
    content = write_revocations([Revocation("1", KEY, 4)], Revocation("1", KEY, KEY_COMPROMISE))
    assert read_revocations(content) == (Revocation("1", KEY, KEY_COMPROMISE),)


def test_the_file_does_not_grow_for_ever() -> None:
    known = [Revocation(f"{number:x}", KEY, 0) for number in range(5000)]
    assert len(read_revocations(write_revocations(known, Revocation("ff", OTHER, 0)))) == 1000
