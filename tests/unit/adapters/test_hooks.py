import os
import signal
import sys
import threading
import time
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bed.waiting import wait_until
from builders.effects import ended, started
from certkeeper.adapters.hooks import HookFailed, Hooks, ShownHooks
from certkeeper.adapters.scripts import script_trouble
from certkeeper.apply.ports import HookCall
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.config.shell import Shell

SOON = 20.0


def script(tmp_path: Path, *lines: str, name: str = "hook.sh") -> str:
    path = tmp_path / name
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return str(path)


def call(path: str, *arguments: str, **environment: str) -> HookCall:
    return HookCall(path, "deploy_cert", arguments, tuple(environment.items()), timedelta(seconds=SOON))


def failure(hook: HookCall, *, deadline: float = SOON, of: str = "") -> HookFailed:
    with pytest.raises(HookFailed) as caught:
        Hooks().call(replace(hook, bound=timedelta(seconds=deadline)))
    assert str(caught.value).startswith(f"hook {of or hook.script} deploy_cert: ")
    assert caught.value.hint
    assert caught.value.fault is Fault.OPERATOR
    assert caught.value.local
    assert caught.value.exit_code is ExitCode.FAILED
    return caught.value


def gone(pid: int) -> bool:
    """Dead; a zombie that waits for somebody else counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


# --- what it gets -----------------------------------------------------------------------------------------------------


def test_the_occasion_comes_first_and_arguments_stay_whole(tmp_path: Path) -> None:
    hook = script(tmp_path, 'for word in "$@"; do echo "<$word>"; done')
    said = Hooks().call(call(hook, "example.org", "/a path/with blanks", "", "$(id)", "*", "ü\nx"))
    assert said == "<deploy_cert>\n<example.org>\n</a path/with blanks>\n<>\n<$(id)>\n<*>\n<ü\nx>\n"


def test_a_command_gets_its_own_words_only(tmp_path: Path) -> None:
    hook = script(tmp_path, 'for word in "$@"; do echo "<$word>"; done; echo "$MINE"')
    said = Hooks().call(replace(call("as people read it", MINE="yes"), command=(hook, "-v", "$(id)")))
    assert said == "<-v>\n<$(id)>\nyes\n"


def test_the_environment_is_ours_and_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATORS", "own")
    monkeypatch.setenv("CERTDIR", "/elsewhere")
    hook = script(tmp_path, 'echo "$OPERATORS $CERTDIR $altnames $PATH"')
    said = Hooks().call(call(hook, CERTDIR="/certs", altnames="a.example b.example"))
    assert said == f"own /certs a.example b.example {os.environ['PATH']}\n"
    assert os.environ["CERTDIR"] == "/elsewhere"


def test_what_only_we_need_to_know_stays_with_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDNS_KEY", "p")
    monkeypatch.setenv("EAB_HMAC_KEY", "e")
    line = 'echo "<${PDNS_KEY-}${EAB_HMAC_KEY-}>"'
    assert Hooks().call(call(script(tmp_path, line))) == "<>\n"
    assert Hooks().call(call(script(tmp_path, line, name="pdns_api.sh"))) == "<p>\n"
    exported = Shell({"EAB_HMAC_KEY": "page"}, frozenset({"EAB_HMAC_KEY"}))
    assert Hooks(exported).call(call(script(tmp_path, line))) == "<page>\n"


@pytest.mark.parametrize("way", ["file", "folder", "above", "link", "command", "PATH"])
def test_what_everybody_can_change_is_not_called(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "hooks"
    folder.mkdir()
    path = script(folder, f"touch {tmp_path}/ran", name="hook")
    guilty = Path(path) if way in {"file", "command", "PATH"} else tmp_path if way == "above" else folder
    hook = call(path)
    if way == "link":
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere/hook").symlink_to(path)
        hook = call(f"{tmp_path}/elsewhere/hook")
    elif way == "PATH":
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        hook = call("hook")
    elif way == "command":
        hook = replace(call("as people read it"), command=(path,))
    guilty.chmod(0o777)
    refused = failure(hook)
    through = "" if hook.script == str(guilty) or way == "command" else f", through {guilty}"
    assert f" deploy_cert: is not run: everybody on this machine can change it{through}, and so have" in str(refused)
    assert refused.hint == f"chmod o-w {guilty}"
    assert not (tmp_path / "ran").exists()
    # A sticky folder is as good as the owners of what is in it.
    guilty.chmod(0o755 if guilty.is_file() else 0o1777)
    Hooks().call(hook)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("guilty", ["hooks.d", "hooks.d/20-b"])
def test_scripts_of_a_folder_that_everybody_can_change_are_not_called(tmp_path: Path, guilty: str) -> None:
    (tmp_path / "hooks.d").mkdir()
    for name in ("10-a", "20-b"):
        script(tmp_path / "hooks.d", f"touch {tmp_path}/{name}", name=name)
    (tmp_path / guilty).chmod(0o777)
    through = "" if guilty == "hooks.d" else f", through {tmp_path}/{guilty}"
    assert f"everybody on this machine can change it{through}, and" in str(script_trouble(f"{tmp_path}/hooks.d"))
    with pytest.raises(HookFailed, match="is not run: everybody"):
        Hooks().call(call(f"{tmp_path}/hooks.d"))
    assert not (tmp_path / "20-b").exists()


def test_the_scripts_of_a_folder_are_called_in_order_until_one_fails(tmp_path: Path) -> None:
    for name, line in (("30-c", "echo c"), ("10-a", "echo a"), ("20-b", "echo b; exit 3"), (".10-x", "echo x")):
        script(tmp_path, line, name=name)
    error = failure(call(str(tmp_path)), of=f"{tmp_path}/20-b")
    assert str(error).endswith("ended with status 3: b")
    script(tmp_path, "echo b", name="20-b")
    assert Hooks().call(call(str(tmp_path))) == "a\nb\nc\n"


def test_at_an_end_every_script_is_called(tmp_path: Path) -> None:
    done = tmp_path / "done"
    (folder := tmp_path / "hooks.d").mkdir()
    script(folder, "exit 3", name="a")
    script(folder, f"echo $1 >>{done}", name="b")
    for name in ("exit_hook", "clean_challenge"):
        with pytest.raises(HookFailed, match=r"a .*ended with status 3"):
            Hooks().call(HookCall(str(folder), name, ()))
    assert done.read_text() == "exit_hook\nclean_challenge\n"


def test_what_is_shown_goes_where_ours_goes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hook = script(tmp_path, "echo out; echo err >&2")
    assert ShownHooks().call(call(hook)) == ""
    assert capfd.readouterr() == ("out\n", "err\n")
    assert ShownHooks().call(HookCall(hook, "generate_csr", ())) == "out\n"
    assert capfd.readouterr() == ("", "err\n")


def test_a_script_that_prints_where_we_print_reads_what_we_could_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hook = script(tmp_path, "read -r line; echo got $line")
    (tmp_path / "typed").write_text("Enter\nagain\n")
    own = os.dup(0)
    try:
        with (tmp_path / "typed").open() as typed:
            os.dup2(typed.fileno(), 0)
        ShownHooks().call(call(hook))
        assert ShownHooks().call(HookCall(hook, "generate_csr", ())) == "got again\n"
    finally:
        os.dup2(own, 0)
        os.close(own)
    assert capfd.readouterr().out == "got Enter\n"


def test_it_gets_no_input_and_no_file_of_ours(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), False)
        hook = script(tmp_path, "wc -c", "ls /proc/self/fd | grep -v '^[012]$' | wc -l")
        assert Hooks().call(call(hook)).split() == ["0", "1"], "ls itself holds the listing open"


def test_it_has_a_session_of_its_own(tmp_path: Path) -> None:
    code = "import os; print(os.getsid(0), os.getpid())"
    session, pid = Hooks().call(call(script(tmp_path, f"exec {sys.executable} -I -c '{code}'"))).split()
    assert session == pid != str(os.getsid(0))


def test_a_broken_pipe_inside_it_is_as_in_a_shell(tmp_path: Path) -> None:
    hook = script(tmp_path, "yes | head -n 1; echo done")
    assert Hooks().call(call(hook)) == "y\ndone\n"


# --- what it says -----------------------------------------------------------------------------------------------------


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


# --- how it ends ------------------------------------------------------------------------------------------------------


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


def test_a_failure_is_told_with_what_was_said(tmp_path: Path) -> None:
    error = failure(call(script(tmp_path, "echo no such service >&2", "exit 7")))
    assert str(error).endswith("deploy_cert: ended with status 7: no such service")


def test_a_silent_failure(tmp_path: Path) -> None:
    assert str(failure(call(script(tmp_path, "exit 1")))).endswith(": ended with status 1")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_death_by_a_signal_is_called_that(tmp_path: Path, number: signal.Signals) -> None:
    error = failure(call(script(tmp_path, f"kill -{number.value} $$")))
    assert f"ended with signal {number.value}" in str(error)


def test_one_that_is_not_executable(tmp_path: Path) -> None:
    path = script(tmp_path, "exit 0")
    Path(path).chmod(0o644)
    error = failure(call(path))
    assert "cannot be started: permission denied" in str(error)
    assert path in error.hint


def test_one_that_is_missing(tmp_path: Path) -> None:
    error = failure(call(str(tmp_path / "none.sh")))
    assert "cannot be started: no such file" in str(error)


def test_one_whose_interpreter_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "hook"
    path.write_text("#!/nowhere/bash\n")
    path.chmod(0o755)
    assert "cannot be started: " in str(failure(call(str(path))))


def test_one_without_an_interpreter_line(tmp_path: Path) -> None:
    path = tmp_path / "hook"
    path.write_text("echo hello\n")
    path.chmod(0o755)
    assert "cannot be started: exec format error" in str(failure(call(str(path))))


def test_a_folder(tmp_path: Path) -> None:
    assert "cannot be started: permission denied" in str(failure(call(str(tmp_path))))


def test_too_many_words(tmp_path: Path) -> None:
    error = failure(call(script(tmp_path, "exit 0"), altnames="x" * 3_000_000))
    assert "argument list too long" in str(error)


# --- how long it takes ------------------------------------------------------------------------------------------------


def test_one_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    hook = script(tmp_path, f"sleep 1000 & echo $! > {pids}", f"echo $$ >> {pids}", "trap '' TERM INT", "wait")
    start = time.monotonic()
    error = failure(call(hook), deadline=1)
    assert time.monotonic() - start < SOON
    assert "did not end within 1 s and was killed" in str(error)
    for pid in map(int, pids.read_text().split()):
        wait_until(lambda pid=pid: gone(pid), "it is killed")  # type: ignore[misc]


def test_what_stays_in_the_background_holds_nothing_up(tmp_path: Path) -> None:
    pids = tmp_path / "pid"
    hook = script(tmp_path, f"sleep 1000 & echo $! > {pids}", "echo started")
    start = time.monotonic()
    try:
        assert Hooks().call(call(hook)) == "started\n"
        assert time.monotonic() - start < SOON
        assert not gone(int(pids.read_text())), "a daemon that it started lives on"
    finally:
        os.kill(int(pids.read_text()), signal.SIGKILL)


def test_what_stays_in_the_background_may_print_on(tmp_path: Path) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    os.mkfifo(go)
    hook = script(tmp_path, f"(read -r x <{go}; head -c 3000000 /dev/zero; echo $? >{done}) &", "echo started")
    assert Hooks().call(call(hook)) == "started\n"
    assert not done.exists()
    go.write_text("go\n")
    wait_until(lambda: done.exists() and done.read_text() != "", "it printed all of it")
    assert done.read_text() == "0\n"


def test_what_prints_for_ever_in_the_background_holds_nothing_up(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hook = script(tmp_path, f"yes & echo $! > {pid}", "exit 4")
    try:
        error = failure(call(hook), deadline=SOON * 3)
        assert "ended with status 4" in str(error)
        assert not gone(int(pid.read_text()))
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_it_comes_to_its_end_where_we_are_killed(tmp_path: Path) -> None:
    begun, go, done = tmp_path / "begun", tmp_path / "go", tmp_path / "done"
    os.mkfifo(go)
    hook = script(tmp_path, f"echo x >{begun}", f"read -r x <{go}", f"head -c 3000000 /dev/zero; echo $? >{done}")
    pid = started(lambda: Hooks().call(call(hook)))
    wait_until(begun.exists, "it is under way")
    os.kill(pid, signal.SIGKILL)
    assert ended(pid) == -signal.SIGKILL
    go.write_text("go\n")
    wait_until(lambda: done.exists() and done.read_text() != "", "it printed all of it")
    assert done.read_text() == "0\n"


def test_nothing_is_left_of_a_call(tmp_path: Path) -> None:
    hooks, hook = Hooks(), call(script(tmp_path, "echo said"))
    before, others = os.listdir("/proc/self/fd"), children()  # noqa: PTH208 - names only
    for _ in range(3):
        hooks.call(hook)
        with pytest.raises(HookFailed):
            hooks.call(call(str(tmp_path / "none")))
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208 - as above
    wait_until(lambda: children() <= others, "no process is left")


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_one_at_a_time(tmp_path: Path) -> None:
    witness = tmp_path / "inside"
    hook = script(tmp_path, f"mkdir {witness} || exit 9", "sleep 0.02", f"rmdir {witness}")
    hooks = Hooks()
    errors: list[CertkeeperError] = []

    def work() -> None:
        try:
            hooks.call(call(hook))
        except CertkeeperError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_the_next_one_is_called_after_a_failure(tmp_path: Path) -> None:
    hooks = Hooks()
    with pytest.raises(HookFailed):
        hooks.call(call(str(tmp_path / "none")))
    assert hooks.call(call(script(tmp_path, "echo fine"))) == "fine\n"
