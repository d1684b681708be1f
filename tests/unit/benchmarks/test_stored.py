import dataclasses
import json

import pytest
from benchmarks.model import Pace, Result, Sample, Scenario, Started, Table, ZoneTimes
from benchmarks.report import Contestant, Report, as_json
from benchmarks.scenarios import BY_NAME
from benchmarks.stored import MismatchError, from_json, joined

RESULTS = (Result("certkeeper", [Sample(1.0, 0.5, 40_960, 12, 13)], Started(1, 30)), Result("lego", failure="no"))
US = Contestant("certkeeper", "0.1", ("nothing",))


def report(*tables: Table, version: str = "0.1", kernel: str = "6.1") -> Report:
    return Report({"kernel": kernel}, [dataclasses.replace(US, version=version)], list(tables), "benchmarks/run")


def table(name: str, wall: float = 1.0, *, sleeps: bool = False) -> Table:
    samples = [Sample(wall, 0.5, 40_960, 12, 13)]
    return Table(BY_NAME[name], Pace(sleeps), 0.5, (Result("certkeeper", samples),))


def test_what_was_kept_is_read_as_it_was() -> None:
    scenario = Scenario("1x2", "one", (2,), ("example.org", "example.net"), secondaries=1, lag=20.0)
    kept = report(Table(scenario, Pace(retry_after=3), 0.5, RESULTS))
    assert from_json(as_json(kept)) == kept


def test_times_of_zones_are_kept_and_may_be_missing() -> None:
    zones = (ZoneTimes("example.org", 2, 2, 1.0, 1.5),)
    watched = Result("certkeeper", [Sample(1.0, 0.5, 40_960, 12, 13, zones)])
    kept = report(Table(BY_NAME["zones"], Pace(), 0.5, (watched,)))
    assert from_json(as_json(kept)) == kept
    older = json.loads(as_json(report(table("1x2"))))
    del older["tables"][0]["results"][0]["samples"][0]["zones"]
    assert from_json(json.dumps(older)) == report(table("1x2"))


def test_tables_are_put_in_order_and_the_later_one_counts() -> None:
    first = report(table("1x50"), table("1x2", 9.0), table("1x2", sleeps=True))
    made = joined([first, report(table("1x2", 1.0))], list(BY_NAME))
    assert [(each.scenario.name, each.pace.sleeps) for each in made.tables] == [
        ("1x2", False),
        ("1x2", True),
        ("1x50", False),
    ]
    assert made.tables[0].results[0].samples[0].wall == 1.0
    assert [each.name for each in made.contestants] == ["certkeeper"]


@pytest.mark.parametrize("other", [report(kernel="6.2"), report(version="0.2")], ids=["machine", "version"])
def test_numbers_of_another_machine_or_version_are_refused(other: Report) -> None:
    with pytest.raises(MismatchError):
        joined([other, report(table("1x2"))], list(BY_NAME))
