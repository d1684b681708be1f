"""A list of many thousand lines with errors here and there: all of them are told in one pass, each once."""

import re
from pathlib import Path

from builders.page import certkeeper

LINES = 20_000
EVERY = 100


def test_all_errors_of_a_long_list_are_told_at_once(tmp_path: Path) -> None:
    wrong = range(EVERY // 2, LINES + 1, EVERY)
    lines = [
        f"bad{number}..example" if number in wrong else f"n{number}.example www.n{number}.example"
        for number in range(1, LINES + 1)
    ]
    (tmp_path / "domains.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = tmp_path / "config"
    config.write_text(f'BASEDIR="{tmp_path}"\nWELLKNOWN="{tmp_path}"\n', encoding="utf-8")
    done = certkeeper("config", "check", "--config", config, cwd=tmp_path)
    assert done.code == 1
    told = re.findall(r"domains\.txt:(\d+): bad(\d+)\.\.example: an empty label", done.text)
    assert told == [(str(number), str(number)) for number in wrong]
