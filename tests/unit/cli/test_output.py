import errno
import io

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
    assert out.trouble is None


def test_the_first_trouble_is_kept_and_then_there_is_silence() -> None:
    out = Output(Broken())
    assert (out.write("one"), out.write("two")) == (3, 3)
    out.flush()
    assert isinstance(out.trouble, OSError)
    assert out.trouble.errno == errno.ENOSPC


def test_a_stream_that_was_closed_before_the_start_is_silent() -> None:
    out = Output(None)
    out.write("text")
    out.flush()
    assert (out.isatty(), out.trouble) == (False, None)
