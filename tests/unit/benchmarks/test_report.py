import json

import pytest
from benchmarks.model import Pace, Result, Sample, Scenario, Started, Table, ZoneTimes
from benchmarks.report import COLUMNS, Contestant, Report, as_json, document, number, row, section, zone_row, zone_table

OURS = Result("certkeeper", [Sample(1.0, 0.5, 40_960, 12, 13), Sample(3.0, 0.7, 40_960, 12, 13)], Started(1, 30))
PEER = Result("dehydrated", [Sample(8.0, 2.4, 10_240, 23, 6)], Started(1261, 1261))
FAILED = Result("lego", failure="ended with 1\nacme: error")
TABLE = Table(Scenario("1x2", "1 certificate with 2 names", (2,)), Pace(), 0.5, (OURS, PEER, FAILED))
REPORT = Report(
    {"kernel": "6.1"},
    [Contestant("certkeeper", "0.1", ("nothing is switched off",)), Contestant("lego", None, ("one by one",))],
    [TABLE],
    "benchmarks/run",
)


@pytest.mark.parametrize(("value", "text"), [(0.042, "0.04"), (9.96, "9.96"), (12.34, "12.3"), (1234.5, "1,234")])
def test_a_number_has_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_a_row_has_medians_and_what_they_are_of_ours() -> None:
    assert dict(zip(COLUMNS[:2], row(OURS, OURS)[:2], strict=True)) == {"program": "certkeeper", "seconds": "2.00"}
    cells = row(PEER, OURS)
    assert cells == ["dehydrated", "8.00", "4.00", "-", "2.40", "4.00", "10", "23", "6", "1,261", "1,261", "1"]


def test_without_ours_there_is_no_ratio_and_without_a_trace_no_count() -> None:
    cells = row(Result("lego", [Sample(8.0, 2.4, 10_240, 23, 6)]), None)
    assert cells == ["lego", "8.00", "-", "-", "2.40", "-", "10", "23", "6", "-", "-", "1"]


def test_a_failure_is_a_row_and_a_sentence() -> None:
    lines = section(TABLE)
    (line,) = [line for line in lines if line.startswith("| lego")]
    assert line.count("|") == len(COLUMNS) + 1
    assert "lego failed: ended with 1." in lines


def test_a_proof_is_compared_with_what_the_secondaries_needed() -> None:
    zones = (ZoneTimes("a.example", 2, 2, 1.0, 1.2), ZoneTimes("b.example", 2, 3, 3.0, 4.8))
    watched = Result("certkeeper", [Sample(1.0, 0.5, 40_960, 12, 13, zones)])
    cells = ["certkeeper", "2", "2", "2 … 3", "2.00 s", "3.00 s", "3.00 s", "4.80 s", "1.50", "1.60"]
    assert zone_row(watched) == cells
    assert len(zone_table(Table(TABLE.scenario, Pace(), 0.5, (watched, FAILED)))) == 4
    assert zone_table(TABLE) == []


def test_the_title_says_how_quick_the_ca_is() -> None:
    slow = Table(TABLE.scenario, Pace(sleeps=True, retry_after=3), 0.5, ())
    assert section(slow)[0] == "## 1x2, the CA takes its time, Retry-After 3"


def test_the_document_says_who_is_missing() -> None:
    text = document(REPORT)
    assert "**lego** is not here: left out" in text
    assert "one by one" not in text
    assert "- kernel: 6.1" in text
    assert text.count("\n\n\n") == 0


def test_json_holds_every_measurement() -> None:
    said = json.loads(as_json(REPORT))
    assert [len(each["samples"]) for each in said["tables"][0]["results"]] == [2, 1, 0]
    assert said["tables"][0]["results"][1]["started"]["processes"] == 1261
