import threading
from contextlib import suppress

import pytest

from certkeeper.adapters.dns.powerdns_ability import Turns, has_single_records


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("4.7.3", False),
        ("4.9.11", False),
        ("4.9.12", True),
        ("4.9.18", True),
        ("5.0.0", False),
        ("5.0.1", False),
        ("5.0.2", True),
        ("5.0.2-rc1", True),
        ("5.1.0-alpha1", True),
        ("10.0.0", True),
        ("4.10.0", True),
        ("", False),
        ("0.0.0-git", False),
        ("master", False),
    ],
)
def test_versions_that_have_extend_and_prune(version: str, expected: bool) -> None:  # noqa: FBT001 - a parameter of the case
    assert has_single_records(version) is expected


def test_several_write_at_once_and_one_after_a_failure() -> None:
    turns = Turns()
    outcomes: list[bool] = []

    def meet(meeting: threading.Barrier, seconds: float) -> None:
        with turns.turn(), suppress(threading.BrokenBarrierError):
            meeting.wait(seconds)
            outcomes.append(True)

    def meetings(people: int, seconds: float) -> int:
        outcomes.clear()
        meeting = threading.Barrier(people)
        threads = [threading.Thread(target=meet, args=(meeting, seconds)) for _ in range(people)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        return len(outcomes)

    assert meetings(4, 30) == 4
    assert meetings(5, 0.3) == 0
    turns.one_at_a_time()
    assert meetings(2, 0.3) == 0
    assert meetings(1, 30) == 1
