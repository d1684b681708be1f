"""METRICS_FILE: what `certkeeper status` shows, as numbers for Prometheus. Times are instants, so they stay true.

Names, labels and what they mean are in docs/metrics.md, and stay.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from certkeeper import __version__
from certkeeper.base.errors import ExitCode
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import Machine
from certkeeper.cli.compose.telling import write_metrics
from certkeeper.cli.status import Seen
from certkeeper.cli.statusdocument import Row
from certkeeper.plan.state import PROBLEMS, State


@dataclass(frozen=True, slots=True)
class RunNumbers:
    """How the last run over the whole page ended. `good` is when the last good one did."""

    ended: datetime
    seconds: float
    exit_code: int
    good: datetime | None = None

    @property
    def plain(self) -> Mapping[str, str]:
        """By the names of their metrics."""
        numbers = {
            "certkeeper_run_timestamp_seconds": _instant(self.ended),
            "certkeeper_run_duration_seconds": f"{self.seconds:.3f}",
            "certkeeper_run_exit_code": str(int(self.exit_code)),
            "certkeeper_run_success": str(int(self.exit_code == ExitCode.DONE)),
        }
        good = {"certkeeper_good_run_timestamp_seconds": _instant(self.good)} if self.good is not None else {}
        return {**numbers, **good}


@dataclass(frozen=True, slots=True)
class _Family:
    name: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], str]]

    @property
    def lines(self) -> Iterator[str]:
        yield f"# HELP certkeeper_{self.name} {self.help}"
        yield f"# TYPE certkeeper_{self.name} gauge"
        for labels, number in self.samples:
            shown = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            yield f"certkeeper_{self.name}{f'{{{shown}}}' if shown else ''} {number}"


_HELP = {
    "certkeeper_run_timestamp_seconds": "When the last run over the whole page ended.",
    "certkeeper_run_duration_seconds": "How long it took.",
    "certkeeper_run_exit_code": "Its exit code.",
    "certkeeper_run_success": "1 where that is 0.",
    "certkeeper_good_run_timestamp_seconds": "When the last one ended that succeeded.",
}


def keep_metrics(machine: Machine, exit_code: int, look: Callable[[], Seen]) -> None:
    """Write METRICS_FILE after a run over the whole page.

    Raises:
        CertkeeperError: it cannot be written, or is somebody else's.
    """
    path, ended = machine.settings.telling.metrics_file, machine.clock.now()
    seconds = max(0.0, ended.timestamp() - machine.looked.began / 1e9)
    run = RunNumbers(ended, seconds, exit_code, machine.last_good.read())
    seen = look()
    coming = [at for row in seen.rows if (at := row.decision.renew_at) is not None and at > seen.now]
    write_metrics(path, metrics_text(run, seen.rows, len(seen.selected.rejected), min(coming, default=None)))


def metrics_text(run: RunNumbers, rows: Sequence[Row], rejected: int, due: datetime | None) -> str:
    """The whole file."""
    return _text((*_of_run(run), *_of_page(rows, rejected, due), *_of_certificates(rows), *_of_places(rows)))


def _text(families: Iterable[_Family]) -> str:
    return "".join(f"{line}\n" for family in families if family.samples for line in family.lines)


def _of_run(run: RunNumbers) -> Iterator[_Family]:
    for name, number in run.plain.items():
        yield _Family(name.removeprefix("certkeeper_"), _HELP[name], [({}, number)])


def _of_page(rows: Sequence[Row], rejected: int, due: datetime | None) -> Iterator[_Family]:
    yield _Family("info", "Which version wrote this.", [({"version": __version__}, "1")])
    if due is not None:
        yield _Family("next_due_timestamp_seconds", "When the next certificate is due.", [({}, _instant(due))])
    states = [row.state for row in rows] + [State.REJECTED] * rejected
    numbers: list[tuple[Mapping[str, str], str]] = [
        ({"state": state.value}, str(states.count(state))) for state in State if state is not State.ORPHANED
    ]
    yield _Family("certificates", "Certificates of the page, by state.", numbers)


def _of_certificates(rows: Sequence[Row]) -> Iterator[_Family]:
    leaves = [(row, row.lineage.leaf) for row in rows]
    yield _Family(
        "certificate_not_after_timestamp_seconds",
        "When the live certificate ends.",
        [(_named(row), _instant(leaf.not_after)) for row, leaf in leaves if leaf is not None],
    )
    yield _Family(
        "certificate_last_success_timestamp_seconds",
        "When the live certificate was issued.",
        [(_named(row), _instant(leaf.not_before)) for row, leaf in leaves if leaf is not None],
    )
    yield _Family(
        "certificate_due_timestamp_seconds",
        "From when on it is renewed.",
        [(_named(row), _instant(at)) for row in rows if (at := row.decision.renew_at) is not None],
    )
    yield _Family(
        "certificate_problem",
        "1 where a person has to see to it.",
        [(_named(row), str(int(row.state in PROBLEMS))) for row in rows],
    )
    yield _Family(
        "certificate_state",
        "Its state, as certkeeper status shows it.",
        [({**_named(row), "state": row.state.value}, "1") for row in rows],
    )


def _of_places(rows: Sequence[Row]) -> Iterator[_Family]:
    staples = [(row, row.staple) for row in rows if row.staple is not None]
    yield _Family(
        "staple_good",
        "1 where a good OCSP response is there.",
        [(_named(row), str(int(not staple.message))) for row, staple in staples],
    )
    yield _Family(
        "staple_this_update_timestamp_seconds",
        "When the OCSP response was true: its thisUpdate.",
        [(_named(row), _instant(staple.since)) for row, staple in staples if staple.since is not None],
    )
    yield _Family(
        "staple_until_timestamp_seconds",
        "When the OCSP response ends.",
        [(_named(row), _instant(staple.until)) for row, staple in staples if staple.until is not None],
    )
    stands = [(row, stand) for row in rows if row.records is not None for stand in row.records.stands]
    yield _Family(
        "tlsa_state",
        "Where its TLSA records stand (docs/dane.md).",
        [({**_named(row), "owner": stand.owner, "state": stand.state}, "1") for row, stand in stands],
    )
    yield _Family(
        "tlsa_held",
        "1 where something is in the way that does not end by itself.",
        [({**_named(row), "owner": stand.owner}, str(int(bool(stand.trouble)))) for row, stand in stands],
    )
    services = [(row, item) for row in rows for item in row.services]
    yield _Family(
        "deployment_state",
        "How far a service is with the live certificate.",
        [({**_named(row), "service": item.service, "state": item.progress.value}, "1") for row, item in services],
    )
    yield _Family(
        "deployment_failures",
        "How often in a row a service did not take it.",
        [({**_named(row), "service": item.service}, str(item.failures)) for row, item in services],
    )


def _named(row: Row) -> Mapping[str, str]:
    return {"certificate": row.spec.alias.text}


def _instant(at: datetime) -> str:
    return str(int(at.timestamp()))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
