"""ALERT_SUMMARY: how it is with all certificates, once in a while."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from certkeeper.base.events import count
from certkeeper.base.times import duration_text, iso
from certkeeper.cli.compose import Machine
from certkeeper.cli.status import look
from certkeeper.cli.statusdocument import Row
from certkeeper.cli.ways import Letter, heading, trouble_lines
from certkeeper.plan.alerts import Trouble
from certkeeper.plan.state import PROBLEMS, State

_NEXT = 5
"""How many of those that are renewed next are named."""


def summary_letter(machine: Machine, troubles: Sequence[Trouble]) -> Letter:
    """What `certkeeper status` counts, what is wrong now, and what comes next."""
    seen = look(machine, ())
    states = [row.state for row in seen.rows] + [State.REJECTED] * len(seen.selected.rejected)
    problems = sum(1 for state in states if state in PROBLEMS)
    good = machine.last_good.read()
    title = f"summary: {count(len(states), 'certificate')}, {count(problems, 'problem')}"
    counted = {state.value: states.count(state) for state in State if state in states}
    lines = [", ".join(f"{number} {state}" for state, number in counted.items()) or "no certificate"]
    lines += [f"the last good run was on {iso(good)}"] if good is not None else ["no run ended well yet"]
    lines += ["", "What needs a person:"] if troubles else []
    lines += [line for item in troubles for line in trouble_lines(item)]
    coming = list(_coming(seen.rows, seen.now))
    lines += ["", "Renewed next:", *coming] if coming else []
    document = {
        **heading(title, machine.settings),
        "troubles": [],
        "recovered": [],
        "summary": {
            "states": counted,
            "problems": problems,
            "last_good_run": iso(good) if good is not None else None,
            "troubles": [{"subject": item.subject, "message": item.message} for item in troubles],
        },
    }
    return Letter(title, lines, document, "warning" if problems or troubles else "info")


def _coming(rows: Sequence[Row], now: datetime) -> Iterator[str]:
    renewals = [(at, row) for row in rows if (at := row.decision.renew_at) is not None and at > now]
    for at, row in sorted(renewals, key=lambda item: (item[0], item[1].spec.alias.text))[:_NEXT]:
        yield f"    {row.spec.alias}: in {duration_text(at - now)}, on {iso(at)}"
