"""The ways from state to state, and the picture of them in docs/dane.md. The simulated world goes no other ways."""

from certkeeper.base.value import dataclass
from certkeeper.dane.rollover import TABLE, State


@dataclass(frozen=True, slots=True)
class Transition:
    """`event` is what happened; losing sight of a record is no event of its own, since every wait begins anew then."""

    before: State
    event: str
    after: State


USUAL = (
    Transition(State.OFF, "DANE is wanted", State.UNPUBLISHED),
    Transition(State.UNPUBLISHED, "current and next are published", State.PUBLISHING),
    Transition(State.PUBLISHING, "all servers serve the current record", State.ANNOUNCING),
    Transition(State.PUBLISHING, "all servers serve both records", State.AGEING),
    Transition(State.PUBLISHING, "the same, and there is no next key", State.STEADY),
    Transition(State.STEADY, "a next key is made", State.ANNOUNCING),
    Transition(State.ANNOUNCING, "all servers serve the next record (t_pub)", State.AGEING),
    Transition(State.AGEING, "2 x L and a margin are over (t_safe)", State.READY),
    Transition(State.READY, "the next key went live", State.REPLACING),
    Transition(State.REPLACING, "every endpoint shows the live key: the old record goes", State.ANNOUNCING),
    Transition(State.REPLACING, "the same, and there is no next key yet", State.STEADY),
    Transition(State.LEAVING, "caches have forgotten", State.OFF),
)
"""The circle that keys go."""

FROM_ANY = (
    ("DANE is not wanted any more", State.LEAVING),
    ("a live key that no record matches", State.REPAIRING),
    ("a server is silent, behind or unproven, or a record was removed by hand", State.PUBLISHING),
)
"""What may happen in every state."""


def document() -> str:
    """The table and the picture as docs/dane.md has them."""
    lines = ["| state | when (the first that holds) | published | to be ordered | waits for |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.state} | {row.when} | {row.publishes} | {row.order} | {row.waits_for or 'nothing'} |" for row in TABLE
    ]
    lines += ["", "```mermaid", "stateDiagram-v2", "    [*] --> off"]
    lines += [f"    {way.before} --> {way.after}: {way.event}" for way in USUAL]
    lines += [f"    any --> {after}: {event}" for event, after in FROM_ANY]
    return "\n".join([*lines, "```"]) + "\n"
