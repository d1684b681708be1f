"""All that is wrong with a page that bash evaluates, and not only what bash meets first."""

import os
import shutil
from pathlib import Path

import pytest

from certkeeper.adapters.bash import evaluate
from certkeeper.adapters.page import check_page
from certkeeper.base.errors import Location
from certkeeper.config.check import Checked
from certkeeper.config.evaluating import Errors, Evaluate, Evaluator
from certkeeper.config.findings import Severity
from certkeeper.config.shell import Shell

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
BASE = 'CHALLENGETYPE="http-01"\nKEY_ALGO=rsa\n'


def check(folder: Path, text: str, evaluator: Evaluator = Evaluator.BASH) -> Checked:
    (folder / "domains.txt").write_text("example.org\n")
    config = folder / "config"
    config.write_text(BASE + text)
    return check_page(str(config), str(folder), os.environ, evaluator)


def errors(found: Checked, folder: Path) -> list[str]:
    """Places below the folder, sorted."""
    wrong = [item.where for item in found.findings if item.severity is Severity.ERROR]
    places = [Location(Path(where.file).name, where.line) for where in wrong if where is not None]
    assert len(places) == len(wrong)
    assert all(Path(where.file).parent == folder for where in wrong if where is not None)
    return [str(place) for place in sorted(places)]


@pytest.mark.parametrize("evaluator", Evaluator)
def test_it_goes_on_after_each_value(tmp_path: Path, evaluator: Evaluator) -> None:
    found = check(tmp_path, "KEYSIZE=1\nRENEW_DAYS=soon\nARI=perhaps\nOCSP_DAYS=x\n", evaluator)
    assert errors(found, tmp_path) == ["config:3", "config:4", "config:5", "config:6"]
    assert found.configuration is not None


def test_the_main_file_may_ask_for_bash_itself(tmp_path: Path) -> None:
    found = check(tmp_path, 'SOURCE_CONFIG="yes"\nKEYSIZE=1\nX=$(false)\nARI=perhaps\n', Evaluator.PARSER)
    assert errors(found, tmp_path) == ["config:4", "config:5", "config:6"]


def test_it_goes_on_after_what_stops_bash(tmp_path: Path) -> None:
    text = "X=$NOWHERE\nfalse\nf() {\n  false\n}\nf\nif true; then\n  false\nfi\nfoo )\nexit 0\nfalse\nKEYSIZE=1\n"
    found = check(tmp_path, text)
    assert errors(found, tmp_path) == [f"config:{line}" for line in (3, 4, 6, 10, 12, 13, 14, 15)]
    assert found.configuration is not None


@pytest.mark.parametrize("opened", ["if true; then\n  ARI=perhaps\n", 'HOOK="x\n', "f() {\n  true\n", "(\n"])
def test_what_has_no_end_does_not_hide_what_stands_above(tmp_path: Path, opened: str) -> None:
    found = check(tmp_path, f"KEYSIZE=1\n{opened}")
    assert found.configuration is not None
    assert "config:3" in errors(found, tmp_path)
    assert len(errors(found, tmp_path)) == 2


def test_an_included_file_is_read_on_as_well(tmp_path: Path) -> None:
    (tmp_path / "more").write_text('ARI=perhaps\nfalse\nHOOK_TIMEOUT=q\n. "$HERE/deeper"\n')
    (tmp_path / "deeper").write_text("KEYSIZE=1\nX=$NOWHERE\n")
    found = check(tmp_path, 'HERE=$(dirname "${BASH_SOURCE[0]}")\nsource "$HERE/more"\nRENEW_DAYS=soon\n')
    assert errors(found, tmp_path) == ["config:5", "deeper:1", "deeper:2", "more:1", "more:2", "more:3"]


def test_other_files_of_the_page_are_read_on_as_well(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.sh").write_text("ARI=perhaps\nfalse\n")
    found = check(tmp_path, f'CONFIG_D="{tmp_path}/conf.d"\nKEYSIZE=1\n')
    wrong = {str(item.where) for item in found.findings if item.severity is Severity.ERROR}
    assert wrong == {f"{tmp_path}/config:4", f"{tmp_path}/conf.d/a.sh:1", f"{tmp_path}/conf.d/a.sh:2"}


def test_bash_reads_the_text_in_the_place_of_the_file_and_calls_it_by_its_name(tmp_path: Path) -> None:
    config = str(tmp_path / "config")
    step = Evaluate(config, Shell(os.environ), Errors.END, {config: 'A=1\nB="${BASH_SOURCE[0]}"\nfalse\n'})
    found = evaluate(step)
    assert [str(ran.where) for ran in found.ran] == [f"{config}:{line}" for line in (1, 2, 3)]
    found = evaluate(Evaluate(config, Shell(os.environ), Errors.END, {config: 'B="${BASH_SOURCE[0]}"\n'}))
    assert found.shell is not None
    assert found.shell.variables["B"] == config
    assert "source" not in found.shell.callable
    assert "secret" not in repr(Evaluate(config, Shell({}), Errors.END, {config: "KEY=secret"}))


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are all that counts
    check(tmp_path, "false\nfalse\nARI=perhaps\n")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - as above
