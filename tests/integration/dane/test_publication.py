"""TLSA records as a run publishes them: beside what others have, and nothing more often than it is needed."""

import pytest

from integration.dane.published import FOREIGN, Published, said

pytestmark = pytest.mark.real
AGEING = "ageing, waits for caches to forget the set without the next key's record, until TIME"


def test_the_first_run_publishes_both_keys_beside_a_foreign_record_and_the_second_changes_nothing(
    page: Published,
) -> None:
    page.publish(FOREIGN)
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert page.served() == page.current
    assert page.records() == {page.current, page.next, FOREIGN}
    assert page.unbound.secure(page.owner, "TLSA")
    assert page.patches() == [[f"{page.owner}."]]
    assert f"zone {page.zone}: 2 TLSA records changed" in done.out.splitlines()
    assert f"TLSA {page.owner}: {AGEING}" in said(done).splitlines()
    assert "1 issued, 1 deployed, TLSA records changed at 1 place" in done.out

    requests = len(page.world.primary.recorder.requests())
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert len(page.world.primary.recorder.requests()) == requests
    assert said(done).startswith(f"TLSA {page.owner}: ")
