import pytest
from benchmarks.model import Result, Sample, Scenario, again, order
from benchmarks.scenarios import SCENARIOS


def result(*walls: float, failure: str | None = None) -> Result:
    return Result("lego", [Sample(wall, 0.1, 1000, 12, 13) for wall in walls], failure=failure)


def test_names_are_fresh_with_each_tag_and_spread_over_the_zones() -> None:
    scenario = Scenario("x", "two certificates", (3, 1), ("example.org", "example.net"))
    first, second = scenario.wanted("a1")
    assert (first.label, second.label) == ("c1-a1", "c2-a1")
    assert first.names == ("n0.c1-a1.example.org", "n1.c1-a1.example.net", "n2.c1-a1.example.org")
    assert not set(first.names) & {name for each in scenario.wanted("a2") for name in each.names}


def test_a_tag_becomes_part_of_a_label() -> None:
    (wanted,) = Scenario("x", "one certificate", (1,)).wanted("hook_api.sh1")
    assert wanted.names == ("n0.c1-hook-api-sh1.example.org",)


def test_certificates_may_have_a_zone_each() -> None:
    scenario = Scenario("x", "three certificates", (2, 1, 1), ("example.org", "example.net"), apart=True)
    zones = [{name.split(".", 2)[2] for name in each.names} for each in scenario.wanted("a")]
    assert zones == [{"example.net"}, {"example.org"}, {"example.net"}]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_labels_and_names_do_not_repeat(scenario: Scenario) -> None:
    wanted = scenario.wanted("a")
    names = [name for each in wanted for name in each.names]
    assert len(set(names)) == len(names) == sum(scenario.sizes)
    assert len({each.label for each in wanted}) == len(wanted)


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (result(), True),
        (result(10.0), True),
        (result(10.0, 10.0), True),
        (result(10.0, 10.0, 10.0), False),
        (result(60.0), False),
        (result(40.0, 21.0), False),
        (result(failure="no zone"), False),
    ],
)
def test_a_program_is_repeated_while_another_run_fits_into_its_budget(done: Result, *, expected: bool) -> None:
    assert again(done, repeats=3, budget=100.0) is expected


def test_every_program_goes_first_and_last_in_turn() -> None:
    programs = ("a", "b", "c")
    orders = [order(programs, repetition) for repetition in range(6)]
    assert all(sorted(each) == sorted(programs) for each in orders)
    assert {each[0] for each in orders} == {each[-1] for each in orders} == set(programs)
    assert orders[0] == programs
    assert order((), 1) == ()
