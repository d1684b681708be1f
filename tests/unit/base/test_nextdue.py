from datetime import UTC, datetime

import pytest

from certkeeper.base.nextdue import due_heard, due_said

DUE = datetime(2027, 1, 20, 5, 4, 58, tzinfo=UTC)


def test_what_is_said_is_heard() -> None:
    assert due_heard(f"3 certificates, nothing due{due_said(DUE)}\n") == DUE
    assert due_said(None) == ""


@pytest.mark.parametrize(
    "line", ["", "nothing to do", "1 issued; next due tomorrow", "; next due 2027-99-20T05:04:58Z", "next due 2027"]
)
def test_other_lines_say_nothing(line: str) -> None:
    assert due_heard(line) is None
