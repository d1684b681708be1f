"""`certkeeper why`."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing

from certkeeper.base.errors import ExitCode
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass
from certkeeper.cli.compose import open_machine
from certkeeper.cli.documents import write_document
from certkeeper.cli.plan import error_document
from certkeeper.cli.planning import planned
from certkeeper.cli.render import print_error
from certkeeper.cli.select import select
from certkeeper.cli.tlsa.turns import ways
from certkeeper.dane.wording import sentence
from certkeeper.plan.actions import LineagePlan
from certkeeper.plan.gates import Gate


@dataclass(frozen=True, slots=True)
class _Story:
    """Of one certificate. `places` are where its TLSA records stand, and how; `turns` are what a person wanted."""

    item: LineagePlan
    gate: Gate | None
    places: tuple[tuple[str, str], ...]
    turns: tuple[str, ...]


def why(options: argparse.Namespace) -> int:
    """Say of each certificate why it is due or is not, which key it would get, and what its TLSA records wait for.

    Raises:
        CertkeeperError: the page cannot be read.
    """
    machine = open_machine(options.config, evaluator=options.evaluator)
    selected = select(machine.configuration, options.names)
    with closing(machine):
        observed = machine.advised(selected, machine.observe())
        found = planned(machine, selected, observed, ())
        watch = machine.dane_watch
        view = watch.view() if watch is not None else None
        gates = watch.gates() if watch is not None else {}
    stories = [
        _Story(
            item,
            gates.get(item.alias),
            tuple((seat.name.text, sentence(seat.decision)) for seat in view.of(item.alias))
            if view is not None
            else (),
            tuple(turn.sentence for turn in ways(machine, [item.spec])) if watch is not None else (),
        )
        for item in found.lineages
    ]
    if options.json:
        rejected = [{"name": item.label, "error": error_document(item.error)} for item in selected.rejected]
        write_document("why", {"certificates": [_document(story) for story in stories], "rejected": rejected})
    else:
        for story in stories:
            sys.stdout.write("".join(f"{line}\n" for line in _lines(story)))
        for item in selected.rejected:
            print_error(item.error, subject=item.label)
    return ExitCode.FAILED if selected.rejected else ExitCode.DONE


def _lines(story: _Story) -> Iterator[str]:
    item, gate = story.item, story.gate
    yield f"{item.alias}: {item.reason.value}{f' ({item.detail})' if item.detail else ''}"
    if item.error is not None:
        yield f"    waits: {item.error}"
    if item.wake_at is not None:
        yield f"    next due {iso(item.wake_at)}"
    if gate is not None:
        yield f"    a renewal now gets {gate.allowed.value}{f': {gate.reason}' if gate.reason else ''}"
    for _, said in story.places:
        yield f"    TLSA {said}"
    for said in story.turns:
        yield f"    {said}"


def _document(story: _Story) -> Mapping[str, object]:
    item, gate = story.item, story.gate
    return {
        "alias": str(item.alias),
        "names": [str(name) for name in item.spec.identifiers],
        "reason": item.reason.value,
        "detail": item.detail,
        "waits": error_document(item.error) if item.error is not None else None,
        "wake_at": iso(item.wake_at) if item.wake_at is not None else None,
        "key": {"next": gate.allowed.value, "why": gate.reason or None} if gate is not None else None,
        "tlsa": [{"place": place, "sentence": said} for place, said in story.places],
        "turns": list(story.turns),
    }
