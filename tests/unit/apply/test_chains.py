"""Which chain is taken of those that a CA offers, and what is asked for it."""

from collections.abc import Callable
from datetime import datetime

import pytest

from builders.ca import ORIGIN, Answer, Played, Reply, open_session, play, problem
from builders.certificates import NAMES, NOW, Authority, intermediate, new_key, new_root, root
from certkeeper.acme.body import MalformedBody
from certkeeper.acme.order import Order, OrderStatus
from certkeeper.apply.chains import ChainNotOffered, obtain_chain
from certkeeper.base.errors import OutOfDescriptors
from certkeeper.base.wire import Request, TransportError
from certkeeper.lineage.chainwish import ChainWish
from certkeeper.lineage.integrity import check
from certkeeper.lineage.model import BadChain, Leaf

URL = f"{ORIGIN}/certificate/1"
ORDER = Order(f"{ORIGIN}/order/1", OrderStatus.VALID, (), "", NOW, certificate=URL)
KEY = new_key()
LEAF = intermediate().leaf(KEY)
OTHER_ROOT = new_root("Other Root")


def crossed(by: Authority) -> bytes:
    """The chain with the intermediate as that authority signed it."""
    return LEAF + by.crossed(intermediate()).pem


DEFAULT = LEAF + intermediate().pem
OTHER = crossed(OTHER_ROOT)
LINKS = ("</certificate/1/1>;rel=alternate", "</certificate/1/2>;rel=alternate")


def answers(*alternates: Answer, default: bytes = DEFAULT) -> Callable[[Request], Answer]:
    table: dict[str, Answer] = {URL: Reply(200, default, links=LINKS[: len(alternates)])}
    table[f"{ORIGIN}/nonce"] = Reply()
    table |= {f"{URL}/{number}": answer for number, answer in enumerate(alternates, 1)}
    return lambda request: table[request.url]


def obtained(
    wanted: str, ca: Callable[[Request], Answer], *, required: bool = False
) -> tuple[Played[tuple[bytes, Leaf]], list[str]]:
    notes: list[str] = []

    def checked(chain: bytes, at: datetime) -> Leaf:
        return check(chain, key_id=KEY.key_id, identifiers=NAMES, now=at)

    return play(obtain_chain(open_session(), ORDER, ChainWish(wanted, required), checked, notes.append), ca), notes


@pytest.mark.parametrize("wanted", ["", "Test Root"])
def test_alternates_are_not_asked_for_without_need(wanted: str) -> None:
    played, notes = obtained(wanted, answers(Reply(200, OTHER)))
    assert played.value[0] == DEFAULT
    assert played.urls == ["/certificate/1"]
    assert notes == []


def test_an_alternate_of_that_name_is_taken_and_no_more_are_asked_for() -> None:
    played, notes = obtained("Other Root", answers(Reply(200, OTHER), Reply(200, DEFAULT)))
    assert played.value[0] == OTHER
    assert played.value[1].key_id == KEY.key_id
    assert played.urls == ["/certificate/1", "/certificate/1/1"]
    assert notes == []


def test_a_name_in_the_middle_counts_where_no_chain_ends_in_it() -> None:
    played, notes = obtained("Test Intermediate", answers(Reply(200, OTHER)))
    assert played.value[0] == DEFAULT
    assert len(played.urls) == 2
    assert notes == []


def test_where_none_has_the_name_the_default_is_taken_and_all_are_named() -> None:
    played, notes = obtained("No\x1bRoot", answers(Reply(200, OTHER)))
    assert played.value[0] == DEFAULT
    (note,) = notes
    assert note == (
        "no chain of the CA holds PREFERRED_CHAIN 'No Root', so its default is taken; it offers "
        "1. Test Intermediate < Test Root; 2. Test Intermediate < Other Root"
    )


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(problem("serverInternal", "no"), "serverInternal: no", id="refused"),
        pytest.param(TransportError("gone", transient=False), "gone", id="lost"),
        pytest.param(Reply(200, b"<html>"), "no PEM certificate", id="no chain"),
        pytest.param(Reply(200, LEAF + root().pem), "is not signed by", id="out of order"),
        pytest.param(Reply(200, intermediate().leaf(new_key()) + OTHER), "the leaf's key", id="another key"),
    ],
)
def test_an_alternate_that_is_no_good_is_left_out_and_said(answer: Answer, why: str) -> None:
    played, notes = obtained("Other Root", answers(answer, Reply(200, OTHER)))
    assert played.value[0] == OTHER
    assert len(notes) == 1
    assert why in notes[0]


def test_what_is_wrong_with_this_machine_is_no_reason_to_take_another_chain() -> None:
    played, _ = obtained("Other Root", answers(OutOfDescriptors("x"), Reply(200, OTHER)))
    assert isinstance(played.error, OutOfDescriptors)


def test_a_default_that_is_no_good_ends_it() -> None:
    played, _ = obtained("Other Root", answers(Reply(200, OTHER), default=LEAF + root().pem))
    assert isinstance(played.error, BadChain)
    played, _ = obtained("Other Root", answers(default=b"<html>"))
    assert isinstance(played.error, MalformedBody)


@pytest.mark.row("G13")
def test_one_that_is_required_and_is_not_there_is_an_error_that_names_all() -> None:
    played, notes = obtained("No Root", answers(Reply(200, OTHER)), required=True)
    assert isinstance(played.error, ChainNotOffered)
    assert "'No Root'; it offers 1. Test Intermediate" in str(played.error)
    assert played.error.local
    assert notes == []
    assert obtained("Other Root", answers(Reply(200, OTHER)), required=True)[0].value[0] == OTHER
