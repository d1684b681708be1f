"""A clock that is wrong opens no gate: the CA and PowerDNS say what the time is."""

import re
from pathlib import Path

import pytest

from bed.clock import Clock
from integration.dane.published import Published, said

pytestmark = pytest.mark.real


def test_a_clock_that_jumped_ahead_ends_no_wait(page: Published, tmp_path: Path) -> None:
    page.configure(TLSA_MARGIN="3600")
    page.run()
    clock, current = Clock(tmp_path), page.current
    clock.step("+2h")
    done = page.run("--force", prefix=clock.prefix)

    assert "1 issued" in done.out, done.text
    assert page.served() == page.current == current
    assert re.search(r"clock and those of the servers that it talks to are (2 h|1 h 59 min) apart", done.text)
    assert "set the clock: timedatectl" in said(done)
