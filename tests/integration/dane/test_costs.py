"""What runs with TLSA records cost, counted."""

import pytest

from bed.waiting import wait_until
from builders.cost import Budget, Cost, cost_of
from integration.dane.published import Published

pytestmark = pytest.mark.real

FIRST = Budget(opened=190, modules=400, processes=8, ca=13, patches=3, others=20)
"""A certificate is ordered, its challenge published and withdrawn, its record published, and nginx reloaded."""
NOTHING_DUE = Budget(opened=26, modules=345, processes=0, ca=0, patches=0, others=0)
"""Name servers are asked, and PowerDNS is not."""


def test_a_page_with_tlsa_records(page: Published) -> None:
    page.configure(ARI="no")
    first = cost_of(page, "--accept-terms")
    assert (first.done.code, first.done.err) == (0, ""), first.done.text
    assert FIRST.exceeded(first) == {}

    def known() -> Cost | None:
        """What is young is not in the index."""
        cost = cost_of(page)
        assert (cost.done.code, cost.done.err) == (0, ""), cost.done.text
        return cost if cost.opened_below(page.certs) < 5 else None

    cost = wait_until(known, "the index has it", deadline=20)
    assert cost is not None
    assert NOTHING_DUE.exceeded(cost) == {}
