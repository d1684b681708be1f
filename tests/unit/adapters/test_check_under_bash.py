"""All that is wrong with a page that bash evaluates, found without running anything that a run would not have run."""

import os
import shutil
from pathlib import Path

import pytest

from certkeeper.adapters.page import check_page
from certkeeper.base.errors import Location
from certkeeper.config.check import Checked
from certkeeper.config.evaluating import Evaluator
from certkeeper.config.findings import Severity

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
    found = check(tmp_path, 'SOURCE_CONFIG="yes"\nKEYSIZE=1\nX=$(true)\nARI=perhaps\n', Evaluator.PARSER)
    assert errors(found, tmp_path) == ["config:4", "config:6"]


def test_a_value_that_counts_no_more_is_not_told(tmp_path: Path) -> None:
    found = check(tmp_path, "KEYSIZE=x\nKEYSIZE=1\nARI=perhaps\nARI=no\n")
    assert errors(found, tmp_path) == ["config:4"]


@pytest.mark.parametrize(
    "fails",
    [
        'cd "$X"',
        "cd /nonexistent",
        "X=$(false)",
        "X=$(cd /nonexistent && pwd)",
        "f() { false; }; f",
        "if true; then false; fi",
        "foo )",
        '. "/nonexistent/more"',
        "exit 0",
    ],
)
def test_no_command_runs_after_one_that_failed(tmp_path: Path, fails: str) -> None:
    found = check(tmp_path, f'KEYSIZE=1\n{fails}\ntouch "{tmp_path}/marker"\nRENEW_DAYS=soon\n')
    assert not (tmp_path / "marker").exists()
    assert errors(found, tmp_path) == ["config:4"]
    assert found.configuration is None


def test_what_a_list_would_have_run_is_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    found = check(tmp_path, f'ARI=perhaps\ncd /nonexistent && touch "{marker}"\nRENEW_DAYS=soon\n')
    assert not marker.exists()
    assert errors(found, tmp_path) == ["config:3", "config:5"]


def test_each_file_runs_once_however_much_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    text = f"echo x >>{tmp_path}/times\nARI=perhaps\n"
    (tmp_path / "conf.d" / "a.sh").write_text(text)
    found = check(tmp_path, f'CONFIG_D="{tmp_path}/conf.d"\necho x >>{tmp_path}/times\nKEYSIZE=1\nRENEW_DAYS=soon\n')
    assert (tmp_path / "times").read_text() == "x\nx\n"
    wrong = {str(item.where) for item in found.findings if item.severity is Severity.ERROR}
    assert wrong == {f"{tmp_path}/config:5", f"{tmp_path}/config:6", f"{tmp_path}/conf.d/a.sh:2"}


def test_no_other_file_runs_after_something_was_wrong(tmp_path: Path) -> None:
    own = tmp_path / "certs" / "example.org"
    own.mkdir(parents=True)
    (own / "config").write_text(f'touch "{tmp_path}/marker"\nKEY_ALGO=none\n')
    found = check(tmp_path, "KEYSIZE=1\n")
    assert not (tmp_path / "marker").exists()
    assert errors(found, tmp_path) == ["config:3"]
    assert [str(item.where) for item in found.findings if item.code == "not-evaluated"] == [str(own / "config")]
    found = check(tmp_path, "KEYSIZE=2048\n")
    assert (tmp_path / "marker").exists()
    assert "not-evaluated" not in {item.code for item in found.findings}
    assert [item.code for item in found.findings if item.severity is Severity.ERROR] == ["rejected"]


def test_an_included_file_is_read_on_as_well(tmp_path: Path) -> None:
    (tmp_path / "more").write_text('ARI=perhaps\nHOOK_TIMEOUT=q\n. "$HERE/deeper"\n')
    (tmp_path / "deeper").write_text("KEYSIZE=1\n")
    found = check(tmp_path, 'HERE=$(dirname "${BASH_SOURCE[0]}")\nsource "$HERE/more"\nRENEW_DAYS=soon\n')
    assert errors(found, tmp_path) == ["config:5", "deeper:1", "more:1", "more:2"]
