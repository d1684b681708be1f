"""Runs programs in a scenario: in turn, each with fresh names, and with its certificates looked at afterwards."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from benchmarks import ROOT
from benchmarks.forge import forged
from benchmarks.internet import Internet
from benchmarks.model import Pace, Result, Sample, Scenario, Started, Table, Wanted, again, order
from benchmarks.programs import Job, Program
from benchmarks.trace import started, tracer
from benchmarks.zonetimes import MissingError

METER = ROOT / "benchmarks/meter.py"
TAIL_LINES = 12
SETTLED = 2.5
"""Seconds after which a program may count on it that a file is not being written."""


class RunFailedError(Exception):
    """The text says how, and ends with what the program said last."""


def progress(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Limits:
    repeats: int
    budget: float
    """Seconds of timed runs that a program may use in a scenario before it is not repeated again."""


class Stage:
    """A scenario's internet with all programs in front of it."""

    def __init__(
        self,
        folder: Path,
        scenario: Scenario,
        internet: Internet,
        programs: Sequence[type[Program]],
        profiles: Path | None = None,
    ) -> None:
        """`profiles`: the folder for CPU profiles, where they are wanted."""
        self.folder = folder
        self.profiles = profiles
        self.scenario = scenario
        self.internet = internet
        self.programs = {each.name: each(folder / each.name, internet) for each in programs}
        self.results = {name: Result(name) for name in self.programs}
        self._idle: dict[str, Job] = {}

    def _run(self, name: str, job: Job, prefix: Sequence[str] = ()) -> Sample:
        program = self.programs[name]
        self.internet.forget()
        timeout = self.scenario.timeout
        report, log = program.folder / "meter.json", program.folder / "output"
        meter = [sys.executable, "-I", "-S", str(METER), str(report), str(timeout)]
        with log.open("wb") as out:
            subprocess.run(
                [*meter, *prefix, *job.command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=program.folder,
                env=program.environment(job.environment),
                timeout=timeout + 60,
                check=True,
            )
        said = json.loads(report.read_text())
        if said["code"] != 0:
            how = "took too long" if said["code"] is None else f"ended with {said['code']}"
            raise RunFailedError(f"{how}\n{tail(log)}")
        asked = (self.internet.ca_requests(), self.internet.api_requests())
        return Sample(said["wall"], said["cpu"], said["peak_kib"], *asked)

    def register(self, name: str) -> None:
        self._run(name, self.programs[name].registration())

    def trace(self, name: str) -> Started:
        """A run of its own, under strace."""
        program = self.programs[name]
        wanted = self.scenario.wanted(f"{name}trace")
        log = program.folder / "strace"
        self._run(name, program.job(wanted, wait=self.scenario.wait), tracer(log))
        self.check(program, wanted)
        return started(log.read_text(errors="replace"))

    def time(self, name: str, repetition: int) -> Sample:
        program = self.programs[name]
        if self.scenario.due:
            wanted = self.scenario.wanted(f"{name}{repetition}")
            sample = self._run(name, program.job(wanted, wait=self.scenario.wait))
            self.check(program, wanted)
            return self.watched(program, sample) if self.scenario.watched else sample
        sample = self._run(name, self._settled(name))
        if self.internet.pebble.counts()["POST", "/order-plz"]:
            raise RunFailedError("an order was opened, though nothing was due")
        return sample

    def profile(self, name: str, folder: Path) -> None:
        """A run of its own, with a CPU profile, where the program can be looked into."""
        program = self.programs[name]
        job = (
            program.job(self.scenario.wanted(f"{name}profile"), wait=self.scenario.wait) if self.scenario.due else None
        )
        profiled = program.profiled(job or self._settled(name), folder / f"{self.scenario.name}-{name}")
        if profiled is not None:
            self._run(name, profiled)

    def _settled(self, name: str) -> Job:
        """The run over certificates that are not due, once all is as it will be."""
        program = self.programs[name]
        if name not in self._idle:
            self._idle[name] = program.forge(forged(self.scenario.wanted("idle"), self.scenario.responder))
            for _ in range(program.beforehand):
                time.sleep(SETTLED)
                self._run(name, self._idle[name])
            if program.beforehand:
                time.sleep(SETTLED)
        return self._idle[name]

    def watched(self, program: Program, sample: Sample) -> Sample:
        """With what each zone took, which only certkeeper tells."""
        try:
            zones = self.internet.zone_times((program.folder / "output").read_text(errors="replace"))
        except MissingError as error:
            raise RunFailedError(str(error)) from error
        return dataclasses.replace(sample, zones=zones)

    def check(self, program: Program, wanted: Sequence[Wanted]) -> None:
        """That what was asked for is there: a program that fails quickly is not a quick one."""
        for each in wanted:
            path = program.certificate(each)
            if not path.exists():
                raise RunFailedError(f"{each.label} was not issued\n{tail(program.folder / 'output')}")
            extension = x509.load_pem_x509_certificate(path.read_bytes()).extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            )
            if set(extension.value.get_values_for_type(x509.DNSName)) != set(each.names):
                raise RunFailedError(f"{each.label} has other names than it was asked for")

    def attempt(self, name: str, step: str, repetition: int = 0) -> None:
        result = self.results[name]
        try:
            if step == "register":
                self.register(name)
            elif step == "trace":
                result.started = self.trace(name)
            elif step == "profile" and self.profiles is not None:
                self.profile(name, self.profiles)
            else:
                result.samples.append(self.time(name, repetition))
        except RunFailedError as error:
            result.failure = str(error)
            progress(f"  {name}: {step} failed: {error}")
        else:
            took = f" {result.samples[-1].wall:.2f} s" if step == "time" else ""
            progress(f"  {name}: {step}{took}")


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])


def run(
    folder: Path,
    scenario: Scenario,
    pace: Pace,
    programs: Sequence[type[Program]],
    limits: Limits,
    profiles: Path | None = None,
) -> Table:
    """One table. `folder` does not exist yet; `profiles` is where CPU profiles go."""
    progress(f"{scenario.name}{pace.suffix}: {scenario.title}")
    load = os.getloadavg()[0]
    repeats = min(limits.repeats, scenario.most_repeats or limits.repeats)
    with Internet(folder / "internet", scenario, pace) as internet:
        stage = Stage(folder, scenario, internet, [each for each in programs if each.suits(scenario)], profiles)
        names = list(stage.programs)
        for name in names:
            stage.attempt(name, "register")
        if scenario.traced and not pace.sleeps and tracer(folder):
            for name in names:
                if not stage.results[name].failure:
                    stage.attempt(name, "trace")
        for repetition in range(repeats):
            for name in order(names, repetition):
                if again(stage.results[name], repeats, limits.budget):
                    stage.attempt(name, "time", repetition)
        for name in names if profiles is not None else ():
            if not stage.results[name].failure:
                stage.attempt(name, "profile")
    return Table(scenario, pace, load, tuple(stage.results.values()))
