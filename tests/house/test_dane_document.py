"""docs/dane.md shows the table of states that the code works by."""

from pathlib import Path

from certkeeper.dane.rollover import ROWS, TABLE, State
from certkeeper.dane.transitions import FROM_ANY, USUAL, document

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "dane.md"


def test_the_picture_is_what_the_code_makes() -> None:
    made = DOCUMENT.read_text(encoding="utf-8").partition("<!-- generated -->\n")[2]
    assert made == document(), (
        "run: python -c 'from certkeeper.dane.transitions import document; print(document())' and put it there"
    )


def test_every_state_has_one_row_and_a_way_to_it() -> None:
    assert len(TABLE) == len(ROWS) == len(State)
    reached = {way.after for way in USUAL} | {after for _, after in FROM_ANY}
    assert reached == set(State)
