"""What is written already is not written again, whoever is silent; and nothing is written where nobody was heard."""

import pytest

from certkeeper.base.value import replace
from certkeeper.dane.facts import Answer, Trust
from certkeeper.dane.rollover import decide
from certkeeper.dane.tlsa import Tlsa
from unit.dane.test_rollover import BOTH, CUR, NXT, OTH, at, place

NOTHING = frozenset[Tlsa]()


@pytest.mark.parametrize(
    ("sets", "add"),
    [
        ((BOTH, None), NOTHING),
        ((frozenset({CUR}), None), frozenset({NXT})),
        ((BOTH, frozenset({CUR})), frozenset({NXT})),
        ((None, None), NOTHING),
        ((), NOTHING),
    ],
)
def test_those_who_answer_count(sets: tuple[frozenset[Tlsa] | None, ...], add: frozenset[Tlsa]) -> None:
    assert decide(place(*sets), None, at(0)).add == add


def test_a_frozen_server_is_not_written_for() -> None:
    stuck = Answer("ns2", frozenset({CUR}), 3600, frozen=True)
    assert decide(replace(place(BOTH), answers=(*place(BOTH).answers, stuck)), None, at(0)).add == NOTHING


def test_what_nobody_proves_is_written_once() -> None:
    assert decide(replace(place(BOTH, BOTH), trust=Trust.UNPROVEN), None, at(0)).add == NOTHING
    assert decide(replace(place(NOTHING), trust=Trust.UNPROVEN), None, at(0)).add == BOTH


def test_ours_stay_beside_somebody_else_s_where_dane_is_not_wanted_any_more() -> None:
    age = decide(place(BOTH | {OTH}), None, at(0)).age
    alone = replace(place(BOTH | {OTH}), types=frozenset(), sights=())
    found = decide(alone, age, at(9))

    assert (found.remove, found.kept) == (
        NOTHING,
        "without it clients would have somebody else's record alone, which is to be removed first",
    )
    assert decide(replace(place(BOTH), types=frozenset(), sights=()), age, at(9)).remove == BOTH
