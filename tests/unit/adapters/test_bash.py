"""Pages that bash evaluates: the real bash, and what the reader of a page makes of its answer."""

import os
import shutil
import signal
from itertools import product
from pathlib import Path

import pytest

from bed.waiting import wait_until
from builders.effects import ended, started
from certkeeper.adapters.bash import evaluate
from certkeeper.adapters.hooks import HookFailed, Hooks
from certkeeper.adapters.page import read_page
from certkeeper.apply.ports import HookCall
from certkeeper.base.errors import Location
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.errors import ConfigError
from certkeeper.config.evaluating import Errors, Evaluate, Evaluator
from certkeeper.config.settings import Configuration
from certkeeper.config.shell import Shell

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
BASE = 'CHALLENGETYPE="http-01"\n'
FUNCTION = """\
tell() {
  local about=$1
  if [ "$about" = deploy_cert ]; then
    printf '%s\\n' "$@" "$OWN" "$alias" "$-" "$(env | grep -c '^OWN=')" "$(env | grep -c '^SEEN=')"
    false
    [ -z "${FAIL:-}" ] || return 3
  fi
}
"""


class Bench:
    """A page in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.write("domains.txt", "example.org\nmail.example.org > mail\n")

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def read(self, text: str, evaluator: Evaluator = Evaluator.BASH) -> Configuration:
        config = self.write("config", BASE + text)
        return read_page(config, str(self.folder), os.environ, evaluator=evaluator)

    def error(self, text: str) -> ConfigError:
        with pytest.raises(ConfigError) as caught:
            self.read(text)
        return caught.value


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_commands_conditions_and_functions_count(bench: Bench) -> None:
    bench.write("more", "# more\nACCOUNTDIR=/a/b\n")
    found = bench.read(
        "days() { echo 9; }\nRENEW_DAYS=$(days)\nif [ -d / ]; then CERTDIR=$BASEDIR/c; else LOCKFILE=; fi\n"
        "export CONTACT_EMAIL=m@example.org\n. $BASEDIR/more\n"
    )
    settings = found.settings
    assert found.certificates[0].renew.days == 9
    assert (settings.certdir, settings.accountdir) == (f"{bench.folder}/c", "/a/b")
    assert settings.lockfile == f"{bench.folder}/lock"
    assert {name: found.assigned[name].where for name in ("RENEW_DAYS", "CERTDIR", "ACCOUNTDIR")} == {
        "RENEW_DAYS": Location(str(bench.config), 3),
        "CERTDIR": Location(str(bench.config), 4),
        "ACCOUNTDIR": Location(f"{bench.folder}/more", 2),
    }
    assert not found.findings


def test_a_value_that_is_the_default_is_set_all_the_same(bench: Bench) -> None:
    found = bench.read("RENEW_DAYS=32\n")
    assert found.certificates[0].renew.wished
    assert found.assigned["RENEW_DAYS"].where == Location(str(bench.config), 2)
    assert not bench.read("").certificates[0].renew.wished


@pytest.mark.row("B10")
@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("CA = x\n", 2, "status 127"),
        ('X=1\nHOOK="x\n', 3, "cannot read this"),
        ("X=1\n\nHOOK=$NOWHERE\n", 4, "NOWHERE is not set"),
        ("X=1\nfalse\nX=2\n", 3, "status 1"),
        ("exit 0\n", 2, "ends the shell"),
    ],
)
def test_what_stops_bash_is_an_error_with_file_and_line(bench: Bench, text: str, line: int, reason: str) -> None:
    error = bench.error(text)
    assert error.where == Location(str(bench.config), line)
    assert reason in error.reason
    assert error.hint


def test_an_invalid_value_keeps_its_line(bench: Bench) -> None:
    assert str(bench.error("\nOCSP_DAYS=$(echo x)\n")).startswith(f"{bench.config}:3: OCSP_DAYS: 'x'")


def test_no_secret_is_shown(bench: Bench) -> None:
    error = bench.error("PDNS_KEY= verysecret\n")
    assert "verysecret" not in f"{error} {error.hint} {error!r}"
    found = bench.read("PDNS_KEY=verysecret\nset -x\nX=$PDNS_KEY\necho $X\n")
    assert "verysecret" not in repr(found)
    assert [item.code for item in found.findings] == ["config-output"]


def test_drop_ins_and_accounts_go_on_in_the_same_shell(bench: Bench) -> None:
    bench.write("d/a.sh", "twice() { echo $1$1; }\nBASE=4\n")
    bench.write("d/b.sh", "RENEW_DAYS=$(twice $BASE)\n")
    bench.write("domains.txt", "")
    found = bench.read(f"CONFIG_D={bench.folder}/d\n")
    assert found.assigned["RENEW_DAYS"].value == "44"
    assert found.drop_ins == (f"{bench.folder}/d/a.sh", f"{bench.folder}/d/b.sh")
    folder = "aHR0cHM6Ly9hY21lLXYwMi5hcGkubGV0c2VuY3J5cHQub3JnL2RpcmVjdG9yeQo"
    bench.write(f"accounts/{folder}/config", "CONTACT_EMAIL=$(twice m)@example.org\n")
    assert bench.read(f"CONFIG_D={bench.folder}/d\n").settings.contact_email == "mm@example.org"


def test_a_certificates_own_file_may_set_what_it_may_set_otherwise(bench: Bench) -> None:
    bench.write("certs/mail/config", "false\nRENEW_DAYS=$(echo ${alias}|wc -c)\nCONTACT_EMAIL=x@example.org\n")
    found = bench.read("")
    assert [spec.renew.days for spec in found.certificates] == [32, 5]
    assert found.settings.contact_email == ""
    assert [(item.code, item.where) for item in found.findings] == [
        ("not-per-certificate", Location(f"{bench.folder}/certs/mail/config", 3))
    ]


def test_a_certificates_own_file_that_bash_cannot_read_rejects_it_alone(bench: Bench) -> None:
    own = bench.write("certs/mail/config", ";; a note\nRENEW_DAYS=5\n")
    found = bench.read("")
    assert [str(spec.alias) for spec in found.certificates] == ["example.org"]
    error = found.rejected[0].error
    assert isinstance(error, ConfigError)
    assert error.where == Location(own, 1)


def test_the_page_itself_may_ask_for_bash(bench: Bench) -> None:
    asking = 'SOURCE_CONFIG="yes"  # functions\nRENEW_DAYS=$(echo 7)\n'
    assert bench.read(asking, Evaluator.PARSER).certificates[0].renew.days == 7
    with pytest.raises(ConfigError, match="command substitution") as caught:
        bench.read("RENEW_DAYS=$(echo 7)\n", Evaluator.PARSER)
    assert "--source-config" in caught.value.hint
    bench.write("d/a.sh", 'SOURCE_CONFIG="yes"\n')
    late = bench.read(f"CONFIG_D={bench.folder}/d\n", Evaluator.PARSER)
    assert [item.code for item in late.findings] == ["source-config"]


def test_bash_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("X=1\nsleep 100 &\nwhile :; do :; done\n", encoding="utf-8")
    found = evaluate(Evaluate(str(config), Shell(os.environ), Errors.END), deadline=0.3)
    assert found.shell is None
    assert "did not end" in found.trouble


def test_bash_that_closed_all_it_has_is_stopped_too(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text('trap - DEBUG; for fd in {0..30}; do eval "exec $fd>&-"; done\nwhile :; do :; done\n')
    found = evaluate(Evaluate(str(config), Shell(os.environ), Errors.END), deadline=0.5)
    assert found.shell is None
    assert found.trouble == "bash did not end within 0 s"


@pytest.mark.parametrize(
    ("number", "handled"),
    [*product((signal.SIGINT, signal.SIGTERM), (True, False)), (signal.SIGHUP, False)],
)
def test_who_is_told_to_end_leaves_nothing_running(tmp_path: Path, number: signal.Signals, *, handled: bool) -> None:
    config, pids = tmp_path / "config", tmp_path / "pids"
    config.write_text(f"sleep 300 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; sleep 301\n")

    def act() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # A command that ran in this process before may have left its own.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        if handled:
            raise_terminated()
        evaluate(Evaluate(str(config), Shell(os.environ), Errors.END))

    child = started(act)
    wait_until(pids.exists, "bash runs")
    os.kill(child, number)
    unwinds = number is signal.SIGINT or (handled and number is signal.SIGTERM)
    assert ended(child) == (1 if unwinds else -number)
    bash, sleep = pids.read_text().split()
    for pid in (bash, sleep):
        wait_until(lambda pid=pid: not _runs(pid), f"{pid} is gone")  # type: ignore[misc]


def test_a_terminal_that_goes_away_takes_nothing_with_it(tmp_path: Path) -> None:
    config, begun, goes_on = tmp_path / "config", tmp_path / "begun", tmp_path / "goes_on"
    config.write_text(f"touch {begun}; until [ -e {goes_on} ]; do sleep 0.05; done; BASEDIR=/there\n")

    def act() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        raise_terminated()
        found = evaluate(Evaluate(str(config), Shell(os.environ), Errors.END))
        assert found.shell is not None
        (tmp_path / "found").write_text(found.shell.variables["BASEDIR"])

    child = started(act)
    wait_until(begun.exists, "bash runs")
    os.kill(child, signal.SIGHUP)
    goes_on.touch()
    assert ended(child) == 0
    assert (tmp_path / "found").read_text() == "/there"


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_path_of_the_pages_own_does_not_hide_bash(bench: Bench) -> None:
    bench.write("certs/mail/config", "RENEW_DAYS=5\n")
    found = bench.read("export PATH=/nonexistent\n")
    assert [spec.renew.days for spec in found.certificates] == [32, 5]


def test_what_is_left_in_the_background_is_not_waited_for(bench: Bench) -> None:
    assert bench.read("sleep 30 &\nRENEW_DAYS=8\n").certificates[0].renew.days == 8


def test_a_machine_without_bash_is_an_error_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "config").write_text("", encoding="utf-8")
    found = evaluate(Evaluate(str(tmp_path / "config"), Shell({"PATH": str(tmp_path)}), Errors.END))
    assert found.trouble.startswith("bash cannot be started")


@pytest.mark.row("B20")
class TestFunctionsAsHooks:
    def call(self, found: Configuration, name: str = "deploy_cert", **environment: str) -> str:
        given = (("alias", "mail"), *environment.items())
        call = HookCall(found.certificates[0].hook, name, ("one", "two words"), given)
        return Hooks(shell=found.shell).call(call)

    def test_b20_a_function_is_called_as_dehydrated_calls_it(self, bench: Bench) -> None:
        found = bench.read(f"{FUNCTION}OWN='a b'\nexport SEEN=1\nHOOK=tell\n")
        said = self.call(found).splitlines()
        assert said[:5] == ["deploy_cert", "one", "two words", "a b", "mail"]
        # dehydrated's options; a variable of the page is the function's to see, and its children see those exported.
        assert {"e", "u", "f"} <= set(said[5])
        assert said[6:] == ["0", "1"]
        assert self.call(found, "this_hookscript_is_broken") == ""

    def test_its_failure_is_the_hooks(self, bench: Bench) -> None:
        found = bench.read(f"{FUNCTION}OWN=1\nHOOK=tell\n")
        with pytest.raises(HookFailed, match="hook tell deploy_cert: ended with status 3"):
            self.call(found, FAIL="1")

    def test_b20_without_bash_it_is_an_error_that_names_the_way_out(self, bench: Bench) -> None:
        with pytest.raises(ConfigError, match="tell: a function is not understood") as caught:
            bench.read(f"{FUNCTION}HOOK=tell\n", Evaluator.PARSER)
        assert "--source-config" in caught.value.hint

    def test_a_certificate_may_name_one_of_the_pages(self, bench: Bench) -> None:
        bench.write("certs/mail/config", "HOOK=tell\n")
        found = bench.read(f"{FUNCTION}OWN=own\n")
        assert [spec.hook for spec in found.certificates] == ["", "tell"]
        call = HookCall("tell", "deploy_cert", (), (("alias", "mail"),))
        assert "own" in Hooks(shell=found.shell).call(call)


@pytest.mark.parametrize("evaluator", list(Evaluator))
def test_what_the_page_exports_is_in_the_environment_of_scripts(bench: Bench, evaluator: Evaluator) -> None:
    script = Path(bench.write("hook", '#!/bin/sh\necho "$SEEN-${HIDDEN-none}-$GIVEN"\n'))
    script.chmod(0o700)
    found = bench.read("export SEEN=1 GIVEN=2\nHIDDEN=3\n", evaluator)
    call = HookCall(str(script), "deploy_cert", (), (("GIVEN", "4"),))
    assert Hooks(shell=found.shell).call(call) == "1-none-4\n"
