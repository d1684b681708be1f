import pytest
from benchmarks.main import PROGRAMS, paces, parse
from benchmarks.model import Pace
from benchmarks.scenarios import BY_NAME


def test_everything_is_chosen_where_nothing_is_said() -> None:
    options = parse([])
    assert options.only == list(BY_NAME)
    assert options.programs == [program.name for program in PROGRAMS]


def test_a_choice_keeps_the_known_order() -> None:
    options = parse(["--only", "1x50,1x2", "--programs", "lego,certkeeper"])
    assert options.only == ["1x2", "1x50"]
    assert options.programs == ["certkeeper", "lego"]


def test_what_is_unknown_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--only", "1x3"])
    assert "unknown: 1x3" in capsys.readouterr().err


def test_small_scenarios_are_run_at_both_paces_of_the_ca() -> None:
    assert paces(parse([]), both=True) == [Pace(), Pace(sleeps=True)]
    assert paces(parse([]), both=False) == [Pace()]
    assert paces(parse(["--no-sleeps"]), both=True) == [Pace()]
    assert paces(parse(["--sleeps", "--retry-after", "3"]), both=False) == [Pace(sleeps=True, retry_after=3)]
