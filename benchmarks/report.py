"""The measurements as a document and as JSON."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.model import Result, Sample, Table, median

OURS = "certkeeper"
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Contestant:
    name: str
    version: str | None
    """None: it is not here."""
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    facts: Mapping[str, str]
    contestants: Sequence[Contestant]
    tables: Sequence[Table]
    command: str


def as_json(report: Report) -> str:
    return json.dumps(dataclasses.asdict(report), indent=1, ensure_ascii=False) + "\n"


def number(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _middle(result: Result, of: Callable[[Sample], float]) -> float | None:
    return median(of(sample) for sample in result.samples) if result.samples else None


def ratio(value: float | None, ours: float | None) -> str:
    return number(value / ours) if value and ours else NOTHING


def spread(result: Result) -> str:
    walls = [sample.wall for sample in result.samples]
    return f"{number(min(walls))} … {number(max(walls))}" if len(walls) > 1 else NOTHING


COLUMNS = (
    "program",
    "seconds",
    "ratio",
    "least … most",
    "CPU seconds",
    "ratio",
    "peak MiB",
    "CA requests",
    "PowerDNS requests",
    "processes",
    "threads",
    "runs",
)


def row(result: Result, ours: Result | None) -> list[str]:
    wall, cpu = _middle(result, lambda sample: sample.wall), _middle(result, lambda sample: sample.cpu)
    if wall is None or cpu is None:
        return [result.program, "failed", *[NOTHING] * (len(COLUMNS) - 2)]
    our_wall = _middle(ours, lambda sample: sample.wall) if ours else None
    our_cpu = _middle(ours, lambda sample: sample.cpu) if ours else None
    started = (result.started.processes, result.started.threads) if result.started else (None, None)
    return [
        result.program,
        number(wall),
        ratio(wall, our_wall),
        spread(result),
        number(cpu),
        ratio(cpu, our_cpu),
        f"{(_middle(result, lambda sample: sample.peak_kib) or 0) / 1024:.0f}",
        f"{_middle(result, lambda sample: sample.ca_requests) or 0:,.0f}",
        f"{_middle(result, lambda sample: sample.api_requests) or 0:,.0f}",
        *(NOTHING if each is None else f"{each:,}" for each in started),
        str(len(result.samples)),
    ]


def markdown_table(table: Table) -> list[str]:
    ours = next((result for result in table.results if result.program in {OURS, *table.scenario.only[:1]}), None)
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" + "|---:" * (len(COLUMNS) - 1) + "|"]
    return lines + ["| " + " | ".join(row(result, ours)) + " |" for result in table.results]


ZONE_COLUMNS = (
    "program",
    "zones",
    "PATCHes per zone",
    "NOTIFYs per zone",
    "secondaries needed",
    "at most",
    "proof",
    "at most",
    "proof : needed",
    "at most",
)


def zone_row(result: Result) -> list[str]:
    """Over all zones of all runs."""
    zones = [zone for sample in result.samples for zone in sample.zones]
    needed, proof = [zone.needed for zone in zones], [zone.proof for zone in zones]
    return [
        result.program,
        str(len({zone.zone for zone in zones})),
        _few(zone.patches for zone in zones),
        _few(zone.notifies for zone in zones),
        *(text for times in (needed, proof) for text in (f"{number(median(times))} s", f"{number(max(times))} s")),
        number(sum(proof) / sum(needed)),
        number(max(zone.proof / zone.needed for zone in zones)),
    ]


def _few(counts: Iterable[int]) -> str:
    """A number that all have in common, or the least and the most."""
    found = sorted(counts)
    return str(found[0]) if found[0] == found[-1] else f"{found[0]} … {found[-1]}"


def zone_table(table: Table) -> list[str]:
    rows = [zone_row(result) for result in table.results if any(sample.zones for sample in result.samples)]
    head = ["", "| " + " | ".join(ZONE_COLUMNS) + " |", "|---" + "|---:" * (len(ZONE_COLUMNS) - 1) + "|"]
    return [*head, *("| " + " | ".join(each) + " |" for each in rows)] if rows else []


def section(table: Table) -> list[str]:
    scenario = table.scenario
    title = scenario.name + table.pace.suffix
    described = f"{scenario.title[:1].upper()}{scenario.title[1:]}. The machine's load before: {table.load:.1f}."
    lines = [f"## {title}", "", described, "", *markdown_table(table), *zone_table(table)]
    lines += [
        "",
        *(f"{each.program} failed: {each.failure.splitlines()[0]}." for each in table.results if each.failure),
    ]
    return [*lines, ""] if lines[-1] else lines


def _contestants(report: Report) -> list[str]:
    lines = []
    for each in report.contestants:
        lines.append(f"- **{each.name}** {each.version or 'is not here: left out'}")
        lines += [f"  - {setting}" for setting in each.settings if each.version]
    return lines


INTRODUCTION = Path(__file__).with_name("introduction.md")


def document(report: Report) -> str:
    lines = [INTRODUCTION.read_text(encoding="utf-8"), "## On what", ""]
    lines += [f"- {name}: {value}" for name, value in report.facts.items()]
    lines += ["", f"Command: `{report.command}`", "", "## Who, and with which settings", "", *_contestants(report), ""]
    for table in report.tables:
        lines += section(table)
    return "\n".join(lines).rstrip() + "\n"


def tables(report: Report) -> str:
    return "\n".join(line for table in report.tables for line in section(table))
