"""Reports that earlier runs kept with --json, read again: a document can be put together from several runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.model import Pace, Result, Sample, Scenario, Started, Table, ZoneTimes
from benchmarks.report import Contestant, Report


class MismatchError(Exception):
    """Reports that do not go together."""


def _scenario(said: dict[str, Any]) -> Scenario:
    # Older ones do not say who takes part.
    lists = {name: tuple(said.get(name, ())) for name in ("sizes", "zones", "only")}
    return Scenario(**{**said, **lists})


def _sample(said: dict[str, Any]) -> Sample:
    return Sample(**{**said, "zones": tuple(ZoneTimes(**each) for each in said.get("zones", ()))})


def _result(said: dict[str, Any]) -> Result:
    samples = [_sample(sample) for sample in said["samples"]]
    started = Started(**said["started"]) if said["started"] else None
    return Result(said["program"], samples, started, said["failure"])


def _table(said: dict[str, Any]) -> Table:
    results = tuple(_result(result) for result in said["results"])
    return Table(_scenario(said["scenario"]), Pace(**said["pace"]), said["load"], results)


def from_json(text: str) -> Report:
    """What `as_json` made."""
    said = json.loads(text)
    contestants = [Contestant(each["name"], each["version"], tuple(each["settings"])) for each in said["contestants"]]
    return Report(said["facts"], contestants, [_table(table) for table in said["tables"]], said["command"])


def read(path: Path) -> Report:
    return from_json(path.read_text(encoding="utf-8"))


def joined(reports: Sequence[Report], order: Sequence[str]) -> Report:
    """One report of several; where two have the same table, the later one counts.

    They have to be of the same machine and the same versions: other numbers do not belong into one document.
    """
    last = reports[-1]
    for report in reports:
        if report.facts != last.facts:
            raise MismatchError(f"{report.command}: measured on another machine or with other servers")
    versions: dict[str, Contestant] = {}
    for contestant in (each for report in reports for each in report.contestants):
        if versions.setdefault(contestant.name, contestant).version != contestant.version:
            raise MismatchError(f"{contestant.name}: measured in versions that differ")
    tables = {(table.scenario.name, table.pace): table for report in reports for table in report.tables}
    ordered = sorted(tables.values(), key=lambda table: (order.index(table.scenario.name), table.pace.sleeps))
    return Report(last.facts, list(versions.values()), ordered, "; ".join(report.command for report in reports))
