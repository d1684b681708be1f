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
