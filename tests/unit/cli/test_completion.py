"""`certkeeper completion`: what is kept is what is printed, and the parser is all that it comes from."""

import argparse
from pathlib import Path

import pytest

from certkeeper.cli.completion.command import SHELLS
from certkeeper.cli.completion.grammar import Flag, Value, grammar
from certkeeper.cli.main import main

KEPT = Path(__file__).parents[3] / "contrib" / "completion"
FILES = {"bash": "certkeeper.bash", "zsh": "_certkeeper", "fish": "certkeeper.fish"}


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_kept_is_what_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Made anew by: certkeeper completion SHELL > contrib/completion/FILE."""
    assert main(["completion", shell]) == 0
    assert (KEPT / FILES[shell]).read_text() == capsys.readouterr().out


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["completion", "tcsh"])
    assert "invalid choice: 'tcsh'" in capsys.readouterr().err


def test_a_parser_s_words_are_taken_as_they_are() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    parts = parser.add_subparsers()
    part = parts.add_parser("go", help="it goes", add_help=False)
    part.add_argument("--far", "-f", action="store_true", help="100%% of\n  the way")
    part.add_argument("--into", metavar="FILE", help="where")
    part.add_argument("how", choices=("fast", "slow"))
    program = grammar(parser)
    (go,) = program.parts
    assert (go.words, go.name, go.about) == ("certkeeper go", "go", "it goes")
    assert go.flags == (
        Flag(("--far", "-f"), "100% of the way"),
        Flag(("--into",), "where", Value(file=True)),
    )
    assert go.argument == Value(("fast", "slow"))
    assert list(program.all()) == [program, go]


@pytest.mark.parametrize("shell", SHELLS)
def test_words_of_a_help_are_no_code(shell: str) -> None:
    parser = argparse.ArgumentParser(add_help=False)
    part = parser.add_subparsers().add_parser("go", help="it's $(here): [there]", add_help=False)
    part.add_argument("--x", help="it's `here` [there] \\ $HOME")
    text = SHELLS[shell](grammar(parser))
    assert "it's" not in text
