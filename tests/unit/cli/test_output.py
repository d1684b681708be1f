import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from certkeeper.cli.output import Output


class Broken(io.StringIO):
    """A stream on a full disk."""

    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_what_is_written_arrives() -> None:
    stream = io.StringIO()
    out = Output(stream)
    assert out.write("text") == 4
    out.flush()
    assert stream.getvalue() == "text"
    assert (out.trouble, out.is_lost) == (None, False)


def test_the_first_trouble_is_kept_and_then_there_is_silence() -> None:
    out = Output(Broken())
    assert (out.write("one"), out.write("two")) == (3, 3)
    out.flush()
    assert isinstance(out.trouble, OSError)
    assert out.trouble.errno == errno.ENOSPC
    assert out.is_lost


def test_what_a_terminal_has_no_sign_for_does_not_silence_it() -> None:
    raw = io.BytesIO()
    out = Output(io.TextIOWrapper(raw, encoding="latin-1", write_through=True))
    out.write("is … café")
    out.write("!")
    assert (raw.getvalue().decode("latin-1"), out.trouble) == ("is ? café!", None)


def test_a_stream_that_was_closed_before_the_start_is_silent() -> None:
    out = Output(None)
    out.write("text")
    out.flush()
    assert (out.isatty(), out.trouble, out.is_lost) == (False, None, True)


@pytest.mark.parametrize("command", [("--version",), ("status", "--json"), ("plan", "--json")])
def test_a_full_disk_is_told_once_at_the_end(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "config").write_text('DNS_PROVIDER="manual"\n')
    (tmp_path / "domains.txt").write_text("")
    place = ("--config", tmp_path / "config") if len(command) > 1 else ()
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "certkeeper", *command, *place],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 1
    told = [line for line in ended.stderr.splitlines() if "error" in line]
    assert told == ["certkeeper: error: standard output: cannot write: no space left on device"]


def test_a_reader_that_went_away_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "certkeeper", "--version"],
            check=False,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")
