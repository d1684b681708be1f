import re

import pytest

from certkeeper.cli.arguments import build_parser


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("dns doctor --nonsense", "dns doctor"),
        ("account roll-key x", "account roll-key"),
        ("dns test", "dns test"),
        ("run --nonsense", "run"),
        ("dns nonsense", "dns"),
        ("--nonsense status", ""),
    ],
)
def test_a_usage_error_shows_how_that_command_is_used(
    typed: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(typed.split())
    said = capsys.readouterr().err
    program = f"certkeeper {command}".rstrip()
    assert ended.value.code == 2
    assert said.startswith(f"usage: {program} [-h] ")
    assert f"\n{program}: error: " in said


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_help_fits_the_terminal_but_for_what_is_to_be_typed(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for command in ("", "run", "init", "history", "tlsa generate", "report", "deploy"):
        with pytest.raises(SystemExit):
            build_parser().parse_args([*command.split(), "--help"])
        said = capsys.readouterr().out
        paragraphs = said.partition("\n\n")[2].split("\n\n")
        prose = [part for part in paragraphs if not re.search(r"^( |example|options|positional)", part, re.MULTILINE)]
        wide = [line for part in prose for line in part.splitlines() if len(line) > columns]
        assert (command, prose != [], wide) == (command, True, [])
