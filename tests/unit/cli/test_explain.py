"""`certkeeper explain`: what the runbook says, as a terminal shows it."""

import pytest

from certkeeper.base.errors import ExitCode
from certkeeper.cli.arguments import build_parser
from certkeeper.cli.explain import NoSuchId, explain, paragraphs


def typed(*words: str) -> int:
    return explain(build_parser().parse_args(["explain", *words]))


@pytest.mark.parametrize("columns", [40, 80, 300])
def test_a_paragraph_fits_the_terminal_and_is_whole(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert typed("no-answer") == ExitCode.DONE
    said = capsys.readouterr().out
    assert all(len(line) <= columns for line in said.splitlines())
    assert said.split() == ["no-answer", *paragraphs()["no-answer"].split()]
    assert "\n  To do: " in said


def test_without_an_id_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert typed() == ExitCode.DONE
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert listed == list(paragraphs())


@pytest.mark.parametrize(
    ("word", "hint"), [("no-anwser", "did you mean no-answer?"), ("x\x1b", "certkeeper explain lists them")]
)
def test_another_word_is_an_error_that_helps(word: str, hint: str) -> None:
    with pytest.raises(NoSuchId) as refused:
        typed(word)
    assert (refused.value.exit_code, refused.value.hint) == (ExitCode.USAGE, hint)
    assert "\x1b" not in str(refused.value)
