"""What runs with OCSP responses cost, counted."""

import pytest

from bed.ocspresponder import OcspResponder
from bed.waiting import wait_until
from builders.cost import Budget, Cost, cost_of
from builders.page import Page

pytestmark = pytest.mark.real


FIRST = Budget(opened=52, modules=295, processes=0, ca=11, patches=0, others=0)
"""A certificate for one name, by http-01, and its response."""
NOTHING_DUE = Budget(opened=14, modules=230, processes=0, ca=0, patches=0, others=0)


def test_a_page_with_responses(page: Page, responder: OcspResponder) -> None:
    page.configure(ARI="no")
    first = cost_of(page, "--accept-terms")
    assert (first.done.code, first.done.err) == (0, ""), first.done.text
    assert FIRST.exceeded(first) == {}
    assert len(responder.asked) == 1

    def known() -> Cost | None:
        """What is young is not in the index."""
        cost = cost_of(page)
        assert (cost.done.code, cost.done.err) == (0, ""), cost.done.text
        return cost if cost.opened_below(page.certs) == 0 else None

    cost = wait_until(known, "the index has it", deadline=20)
    assert cost is not None
    assert NOTHING_DUE.exceeded(cost) == {}
    assert len(responder.asked) == 1
    assert cost.heavy == {"sqlite3"}
