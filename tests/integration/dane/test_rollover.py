"""Which key the next certificate gets: the present one until every cache has met the next one's record."""

import pytest

from integration.dane.published import FOREIGN, Published

pytestmark = pytest.mark.real


def test_a_renewal_while_the_gate_is_closed_keeps_the_key_and_touches_nothing_in_dns(page: Published) -> None:
    page.configure(TLSA_MARGIN="3600")
    page.publish(FOREIGN)
    page.run()
    current, ahead, leaf = page.current, page.next, page.leaf(page.zone)
    done = page.run("--force")

    assert (done.code, done.err) == (0, ""), done.text
    assert page.leaf(page.zone) != leaf
    assert (page.current, page.next, page.served()) == (current, ahead, current)
    assert page.records() == {current, ahead, FOREIGN}
    assert len(page.patches()) == 1
