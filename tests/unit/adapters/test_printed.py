"""What a child prints, seen through the hooks: read to its end, bounded, and safe to show."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.hookscripts import call, failure, script
from certkeeper.adapters.hooks import HookFailed, Hooks


def test_both_streams_are_kept_in_order(tmp_path: Path) -> None:
    hook = script(tmp_path, "echo one", "echo two >&2", "echo three")
    assert Hooks().call(call(hook)) == "one\ntwo\nthree\n"


def test_long_output_is_cut_and_said_to_be(tmp_path: Path) -> None:
    hook = script(tmp_path, "head -c 30000000 /dev/zero | tr '\\0' x", "echo; echo the last line")
    said = Hooks().call(call(hook))
    assert len(said) <= 1 << 17
    first, rest = said.split("\n", 1)
    assert first == f"[the first {30_000_015 - len(rest)} octets were cut]"
    assert rest.endswith("x\nthe last line\n")


def test_what_fits_is_whole(tmp_path: Path) -> None:
    said = Hooks().call(call(script(tmp_path, "head -c 65536 /dev/zero | tr '\\0' x")))
    assert said == "x" * 65536


def test_one_that_prints_for_ever_fills_no_disk_and_is_ended_at_its_deadline(tmp_path: Path) -> None:
    files = tmp_path / "files"
    hook = script(tmp_path, f"ls -lL /proc/$$/fd/2 >{files}", "exec yes 'all work and no play'")
    error = failure(call(hook), deadline=1)
    assert "was killed" in str(error)
    assert files.read_text().startswith("p"), "what it prints goes to a pipe, and not to a file"


def test_printing_much_kills_nobody(tmp_path: Path) -> None:
    done = tmp_path / "done"
    hook = script(tmp_path, "head -c 3000000 /dev/zero && head -c 3000000 /dev/zero >&2", f"echo $? >{done}")
    Hooks().call(call(hook))
    assert done.read_text() == "0\n"


def test_the_end_of_a_long_output_explains_a_failure(tmp_path: Path) -> None:
    """What went wrong is said last."""
    hook = script(tmp_path, "head -c 300000 /dev/zero | tr '\\0' x", "echo cannot reload nginx", "exit 3")
    error = failure(call(hook))
    assert "ended with status 3" in str(error)
    assert str(error).endswith("cannot reload nginx")
    assert len(str(error)) < 1000


def test_octets_of_any_kind_are_no_trouble(tmp_path: Path) -> None:
    hook = script(tmp_path, "printf '\\377\\000\\033[31mred\\n'", "exit 1")
    error = failure(call(hook))
    assert str(error).isprintable()


def test_a_hundred_megabytes_without_an_end_of_line_need_no_memory(tmp_path: Path) -> None:
    hook = script(tmp_path, "head -c 100000000 /dev/zero")
    tracemalloc.start()
    try:
        said = Hooks().call(call(hook))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert said.startswith("[the first 99934464 octets were cut]")
    assert most < 2_000_000


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(printed=st.binary(max_size=4000), status=st.sampled_from([0, 1, 255]))
def test_whatever_is_printed_is_text_or_a_failure_that_can_be_shown(
    tmp_path: Path, printed: bytes, status: int
) -> None:
    (tmp_path / "printed").write_bytes(printed)
    hook = call(script(tmp_path, f"cat {tmp_path}/printed", f"exit {status}"))
    if status:
        with pytest.raises(HookFailed) as caught:
            Hooks().call(hook)
        assert f"status {status}" in str(caught.value)
        assert str(caught.value).isprintable()
    else:
        assert Hooks().call(hook) == printed.decode("utf-8", "replace")
