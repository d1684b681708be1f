"""`certkeeper ocsp …`."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from enum import StrEnum

from certkeeper.apply.staplecare import look_over, put_beside
from certkeeper.apply.stapling import StapleLook, asked_all
from certkeeper.apply.verdict import Grade, worst
from certkeeper.base.errors import CertkeeperError, ExitCode, Fault
from certkeeper.base.keys import KeyPolicy
from certkeeper.base.names import Alias
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass, replace
from certkeeper.cli.compose import USER_AGENT, Machine, open_machine
from certkeeper.cli.documents import write_document
from certkeeper.cli.render import Lines, print_error
from certkeeper.cli.saying import Saying
from certkeeper.cli.select import select
from certkeeper.cli.signals import raise_terminated
from certkeeper.config.settings import CertSpec
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.ocsp.freshness import Asked, Due, kept, late, noted_failure, noted_success, refreshed_at
from certkeeper.ocsp.model import Flaw, NoStaple, Staple


class Refused(CertkeeperError):
    """A certificate that clients refuse as it is: it is revoked, or no response comes along that it needs."""

    label = "ocsp-response"
    fault = Fault.OPERATOR


class State(StrEnum):
    """How it is with a certificate's response."""

    GOOD = "good"
    MISSING = "missing"
    USELESS = "useless"
    REVOKED = "revoked"
    NO_RESPONDER = "no responder"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Row:
    """A certificate of the page: what was found, and what went wrong. `done`: a newer response was kept.

    `must_staple`: clients refuse it without a response. `remembered`: runs know that it is revoked. `asked` is what
    they are to know of this try, where a response came.
    """

    label: str
    longest_age: timedelta
    found: StapleLook | None = None
    error: CertkeeperError | None = None
    done: bool = False
    must_staple: bool = False
    spec: CertSpec | None = None
    remembered: bool = False
    asked: Asked | None = None

    @property
    def state(self) -> State:
        if self.found is None:
            return State.UNREADABLE
        trouble = self.error if self.error is not None else self.found.trouble
        if isinstance(trouble, NoStaple) and trouble.flaw is Flaw.REVOKED:
            return State.REVOKED
        if self.found.issued.subject.url is None:
            return State.NO_RESPONDER
        if self.found.held is not None:
            return State.GOOD
        return State.USELESS if self.found.trouble is not None else State.MISSING

    @property
    def refused(self) -> bool:
        """Whether clients refuse the certificate, since there is nothing to send along."""
        return self.must_staple and self.state is State.MISSING

    @property
    def told(self) -> CertkeeperError | None:
        """What people should hear of it."""
        error = self.error or (self.found.trouble if self.found is not None else None)
        if error is not None and self.spec is not None and self.state is State.REVOKED:
            return Refused(str(error), hint=_replacement(self.spec, remembered=self.remembered))
        if not self.refused:
            return error
        because = "it has must-staple, and there is no OCSP response: clients refuse it"
        text = because if error is None else f"{because}; {error}"
        return Refused(text, hint=f"certkeeper ocsp fetch {self.label}")


def show(options: argparse.Namespace) -> int:
    """Show what is kept.

    Raises:
        CertkeeperError: the page cannot be read.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    rows = _rows(machine, options.names)
    _print(rows, as_json=options.json)
    useless = {State.UNREADABLE, State.USELESS, State.REVOKED}
    return ExitCode.FAILED if any(row.state in useless or row.refused for row in rows) else ExitCode.DONE


def fetch(options: argparse.Namespace) -> int:
    """Ask for what is due, and keep it.

    Raises:
        CertkeeperError: nothing was started.
    """
    raise_terminated()
    machine = open_machine(options.config, evaluator=options.evaluator)
    with machine.lock(), closing(machine):
        rows = _rows(machine, options.names)
        now = machine.clock.now()
        asked = _asked_about(rows)
        wanted = [found for row, found in asked if options.force or found.due(row.longest_age, now).due is Due.FETCH]
        answers = dict(zip([item.alias.text for item in wanted], _answers(machine, wanted), strict=True))
        remembered = machine.asked.read()
        rows = [_kept(machine, row, answers[row.label], remembered) if row.label in answers else row for row in rows]
        rows = _remembered(machine, rows, [row for row in rows if row.label in answers], remembered)
    _print(rows, as_json=options.json)
    return ExitCode.FAILED if any(row.error is not None for row in rows) else ExitCode.DONE


def check(options: argparse.Namespace) -> int:
    """Ask, and judge; exit codes as monitoring plugins have them."""
    try:
        machine = open_machine(options.config, evaluator=options.evaluator)
        with closing(machine):
            rows = _rows(machine, options.names)
            wanted = [found for _, found in _asked_about(rows)]
            answers = dict(zip([item.alias.text for item in wanted], _answers(machine, wanted), strict=True))
    except CertkeeperError as error:
        print_error(error)
        return Grade.UNKNOWN
    rows = [_judged(row, answers[row.label]) if row.label in answers else row for row in rows]
    grade = worst([_grade(row, machine.clock.now()) for row in rows])
    if not options.json:
        sys.stdout.write(f"CERTKEEPER {grade.name} - {_summary(rows)}\n")
    _print(rows, as_json=options.json)
    return grade


def _summary(rows: Sequence[Row]) -> str:
    meant = [row for row in rows if row.state is not State.NO_RESPONDER]
    if not meant:
        return "no certificate names an OCSP responder"
    good = [row for row in meant if row.state is State.GOOD]
    unconfirmed = sum(row.error is not None for row in good)
    said = f"{len(good)} of {len(meant)} certificates with a good response"
    return said + (f"; {unconfirmed} could not be confirmed" if unconfirmed else "")


def _rows(machine: Machine, names: Sequence[str]) -> list[Row]:
    selected = select(machine.configuration, names)
    rows = [Row(item.label, timedelta(), error=item.error) for item in selected.rejected]
    for spec in selected.certificates:
        row = Row(spec.alias.text, timedelta(days=spec.ocsp_days), spec=spec)
        try:
            found = machine.staple_looks.look(spec.alias, machine.clock.now())
            rows.append(replace(row, found=found, must_staple=parse_leaf(found.cert).must_staple))
        except CertkeeperError as error:
            rows.append(replace(row, error=error))
    return rows


def _asked_about(rows: Sequence[Row]) -> list[tuple[Row, StapleLook]]:
    """Those whose certificate names a responder."""
    return [(row, row.found) for row in rows if row.found is not None and row.found.issued.subject.url is not None]


def _answers(machine: Machine, wanted: Sequence[StapleLook]) -> tuple[Staple | CertkeeperError, ...]:
    return machine.converse(asked_all(wanted, USER_AGENT)) if wanted else ()


def _kept(machine: Machine, row: Row, answer: Staple | CertkeeperError, remembered: Mapping[Alias, Asked]) -> Row:
    """The row after the answer was kept, where it is better than what is there: as a run keeps it, so that services
    are owed it and the script is told.
    """
    row = _judged(row, answer)
    found = row.found
    if found is None or row.spec is None or row.error is not None or not isinstance(answer, Staple):
        return row
    now = machine.clock.now()
    try:
        best = kept(found.held, answer)
        is_new = best is not found.held
        last = remembered.get(found.alias)
        asked = replace(noted_success(found.issued.subject, now), owes=is_new or (last is not None and last.owes))
        care = replace(look_over(row.spec, found, None, now), best=best, asked=asked)
        if care.is_new or care.owes:
            machine.journal.prepare()
            (care,) = machine.converse(put_beside([care], machine.settings, Lines(sys.stderr, Saying.PROBLEMS).tell))
        after = machine.staple_looks.look(found.alias, now)
    except CertkeeperError as error:
        return replace(row, error=error)
    return replace(row, found=after, done=is_new, error=care.error, asked=care.asked)


def _remembered(
    machine: Machine, rows: Sequence[Row], answered: Sequence[Row], before: Mapping[Alias, Asked]
) -> list[Row]:
    """The same after it was written down what runs need to know.

    They need not wait any more because of what failed before; a script that failed they call again. What was revoked
    they replace.
    """
    now = machine.clock.now()
    after, revoked = dict(before), set[str]()
    for row in answered:
        if row.found is None:
            continue
        alias, subject, last = row.found.alias, row.found.issued.subject, before.get(row.found.alias)
        if row.asked is not None and (last is not None or row.asked.owes):
            after[alias] = row.asked
        elif row.error is not None and row.state is State.REVOKED:
            owes = last is not None and last.owes
            after[alias] = replace(noted_failure(subject, last, row.error, now), owes=owes)
            revoked.add(row.label)
    if after != before:
        try:
            machine.asked.write(after)
        except CertkeeperError:
            return list(rows)
    return [replace(row, remembered=row.label in revoked) for row in rows]


def _replacement(spec: CertSpec, *, remembered: bool) -> str:
    """What to type to have another certificate in the place of a revoked one, with a new key."""
    if spec.request is not None:
        return "order another one with a new key: its request comes from elsewhere"
    if spec.ocsp_fetch:
        first = "" if remembered else f"certkeeper ocsp fetch --force {spec.alias}, then "
        return f"{first}certkeeper run {spec.alias}: that replaces it, with a new key"
    needs = ', with PRIVATE_KEY_RENEW="yes"' if spec.key.policy is KeyPolicy.REUSE else ""
    return f"certkeeper run --force {spec.alias}{needs}: that replaces it, with a new key"


def _judged(row: Row, answer: Staple | CertkeeperError) -> Row:
    """The row with what is wrong with the answer."""
    if isinstance(answer, CertkeeperError):
        return replace(row, error=answer)
    try:
        kept(row.found.held if row.found is not None else None, answer)
    except NoStaple as error:
        return replace(row, error=error)
    return row


def _grade(row: Row, now: datetime) -> Grade:
    if row.refused:
        return Grade.CRITICAL
    match row.state:
        case State.UNREADABLE:
            return Grade.UNKNOWN
        case State.REVOKED | State.USELESS:
            return Grade.CRITICAL
        case State.NO_RESPONDER | State.MISSING if row.error is None:
            return Grade.OK
        case _:
            pass
    if isinstance(row.error, NoStaple) and row.error.flaw is Flaw.UNKNOWN:
        return Grade.CRITICAL
    behind = row.state is State.GOOD and row.found is not None and late(row.found.held, now)
    return Grade.WARNING if behind or row.error is not None else Grade.OK


def _print(rows: Sequence[Row], *, as_json: bool) -> None:
    if as_json:
        write_document("ocsp", {"certificates": [_document(row) for row in rows]})
        return
    for row in rows:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(row)))
    sys.stdout.flush()
    for row in rows:
        if row.told is not None:
            print_error(row.told, subject=row.label)


def _lines(row: Row) -> Iterator[str]:
    held = row.found.held if row.found is not None else None
    if held is None or row.found is None or row.state is not State.GOOD:
        yield f"{row.label}: {row.state.value}"
        return
    again = refreshed_at(row.found.issued.subject, held, row.longest_age)
    new = ", new" if row.done else ""
    yield f"{row.label}: good from {iso(held.this_update)} until {iso(held.until)}, asked for again {iso(again)}{new}"


def _document(row: Row) -> Mapping[str, object]:
    found = row.found
    held = found.held if found is not None else None
    error, trouble = row.told, row.error or (found.trouble if found is not None else None)
    return {
        "name": row.label,
        "state": row.state.value,
        "responder": found.issued.subject.url if found is not None else None,
        "this_update": iso(held.this_update) if held is not None else None,
        "until": iso(held.until) if held is not None else None,
        "signer": held.signer if held is not None else None,
        "refresh_at": iso(refreshed_at(found.issued.subject, held, row.longest_age))
        if found is not None and held is not None
        else None,
        "fetched": row.done,
        "error": str(error) if error is not None else None,
        "flaw": trouble.flaw.value if isinstance(trouble, NoStaple) else None,
    }
