"""The command line of benchmarks/run, once it is inside its namespace."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import ROOT
from benchmarks.certbot import Certbot
from benchmarks.lego import Lego, LegoUnchecked
from benchmarks.machine import facts
from benchmarks.model import Pace, Table
from benchmarks.programs import Certkeeper, Dehydrated, DehydratedPdnsApi, Program
from benchmarks.report import Contestant, Report, as_json, document, tables
from benchmarks.runner import Limits, progress, run
from benchmarks.scenarios import BY_NAME, SCENARIOS
from benchmarks.stapled import STAPLED
from benchmarks.stored import MismatchError, joined, read
from benchmarks.uacme import Uacme
from benchmarks.unchanged import UNCHANGED

PROGRAMS: tuple[type[Program], ...] = (
    Certkeeper,
    Lego,
    LegoUnchecked,
    Certbot,
    Uacme,
    Dehydrated,
    DehydratedPdnsApi,
    *UNCHANGED,
    *STAPLED,
)
DOCUMENT = ROOT / "docs/benchmarks.md"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description="certkeeper and its peers on one bed")
    parser.add_argument("--only", default="", metavar="NAMES", help=f"scenarios, of {','.join(BY_NAME)}; none")
    parser.add_argument("--programs", default="", metavar="NAMES", help=", ".join(each.name for each in PROGRAMS))
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="timed runs (default: %(default)s)")
    parser.add_argument(
        "--budget",
        type=float,
        default=120,
        metavar="SECONDS",
        help="of timed runs for a program in a scenario; the first one is always made (default: %(default)g)",
    )
    sleeps = parser.add_mutually_exclusive_group()
    sleeps.add_argument("--sleeps", action="store_true", help="only with a CA that takes its time, in any scenario")
    sleeps.add_argument("--no-sleeps", action="store_true", help="only with a CA that validates at once")
    parser.add_argument(
        "--retry-after", type=int, default=0, metavar="SECONDS", help="what the CA says; 0: nothing (default)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="all measurements")
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="FOLDER",
        help="one more run of certkeeper in each scenario, with a CPU profile in FOLDER: SCENARIO-PROGRAM.txt, .pstats",
    )
    parser.add_argument(
        "--join",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="tables of an earlier run's --json that this one does not measure; may be repeated",
    )
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md also after a run of a part")
    parsed = parser.parse_args(arguments)
    if parsed.json and not parsed.json.parent.is_dir():
        parser.error(f"{parsed.json.parent} is no folder")
    if parsed.profile and not parsed.profile.is_dir():
        parser.error(f"{parsed.profile} is no folder")
    for path in parsed.join:
        if not path.is_file():
            parser.error(f"{path} is no file")
    parsed.only = [] if parsed.only == "none" else _chosen(parser, parsed.only, list(BY_NAME))
    parsed.programs = _chosen(parser, parsed.programs, [each.name for each in PROGRAMS])
    return parsed


def _chosen(parser: argparse.ArgumentParser, said: str, known: list[str]) -> list[str]:
    """In the order that is known; all where nothing was said."""
    names = [name for name in said.split(",") if name] or known
    unknown = sorted(set(names) - set(known))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    return [name for name in known if name in names]


def paces(options: argparse.Namespace, *, both: bool) -> list[Pace]:
    """Without and with the CA's sleeps."""
    if options.sleeps:
        return [Pace(True, options.retry_after)]
    sleeps = [False, True] if both and not options.no_sleeps else [False]
    return [Pace(each, options.retry_after) for each in sleeps]


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    chosen = [each for each in PROGRAMS if each.name in options.programs]
    here = [each for each in chosen if each.executable()]
    for program in chosen:
        if program not in here:
            progress(f"{program.name} is not here: left out; {program.source}")
    contestants = [Contestant(each.name, each.version() if each in here else None, each.settings) for each in chosen]
    machine, limits = facts(), Limits(options.repeat, options.budget)
    measured: list[Table] = []
    earlier = [read(path) for path in options.join]

    def report() -> Report:
        own = Report(machine, contestants, measured, " ".join(("benchmarks/run", *arguments)))
        return joined([*earlier, own], list(BY_NAME))

    report()  # what does not go together is said before anything is measured
    for scenario in SCENARIOS:
        if scenario.name in options.only:
            for pace in paces(options, both=scenario.with_sleeps):
                with tempfile.TemporaryDirectory(prefix="certkeeper-benchmark-") as folder:
                    measured.append(run(Path(folder) / "stage", scenario, pace, here, limits, options.profile))
                if options.json:  # also where a later one is interrupted
                    options.json.write_text(as_json(report()), encoding="utf-8")
    needed = [each for each in PROGRAMS if not each.optional]
    everything = len(options.only) == len(BY_NAME) and set(needed) <= set(here)
    if options.write or (everything and not (options.sleeps or options.no_sleeps or options.retry_after)):
        DOCUMENT.write_text(document(report()), encoding="utf-8")
        progress(f"written: {DOCUMENT.relative_to(ROOT)}")
    sys.stdout.write(tables(report()) + os.linesep)
    return 1 if any(result.failure for table in measured for result in table.results) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except MismatchError as error:
        progress(str(error))
        sys.exit(2)
