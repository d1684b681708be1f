from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.errors import CertkeeperError, ExitCode, Fault, Location, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("", ""),
        ("Größe 例", "Größe 例"),
        ("two\nlines\r\n and\ttabs", "two lines and tabs"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("a\x00b\x07c\x7fd\x9be", "a b c d e"),
        ("right\u202eleft", "right left"),
        ("zero\u200bwidth", "zero width"),
        ("half \ud800 pair", "half pair"),
        ("  around  ", "around"),
    ],
)
def test_strangers_text_is_made_safe_to_show(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_long_text_is_cut_with_a_mark() -> None:
    assert printable("abcde", 5) == "abcde"
    assert printable("abcdef", 5) == "abcde …"
    assert printable("x" * 1_000_000) == "x" * 2000 + " …"


@given(st.text(max_size=60), st.integers(1, 30))
def test_what_is_shown_is_printable_and_bounded(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit + 2
    assert shown.endswith(" …") or len(text) <= limit


def test_an_error_carries_what_to_do_and_when() -> None:
    error = CertkeeperError("zone: gone", hint="type this", retry_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert (str(error), error.hint, error.retry_at) == ("zone: gone", "type this", datetime(2026, 1, 1, tzinfo=UTC))
    bare = CertkeeperError("zone: gone")
    assert (bare.hint, bare.retry_at, bare.fault, bare.exit_code) == ("", None, Fault.OURS, ExitCode.FAILED)


def test_exit_codes_that_monitoring_relies_on() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "USAGE": 2,
        "LOCKED": 3,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }


def test_a_place_is_written_as_compilers_do() -> None:
    assert str(Location("config", 12)) == "config:12"
    assert str(Location("config")) == "config"
