"""Rolls of keys under a client that connects all the time, by way of a cache: it never meets a key that no record in
the cache matches. The same client sees what goes wrong where somebody just swaps keys.
"""

import os
from pathlib import Path

import pytest

from bed.waiting import wait_until
from integration.dane.clients import Clients
from integration.dane.published import FOREIGN, Published, said
from integration.dane.swapped import another_pair

pytestmark = pytest.mark.real
ROLLS = 2 if os.environ.get("CERTKEEPER_LONG") else 1


def client(page: Published) -> Clients:
    return Clients(page.unbound.dns, page.owner, page.port, page.zone)


def meets_only(clients: Clients, records: set[str]) -> None:
    wait_until(lambda: clients.records() == records, "the cache has the records as they are now")


def test_the_next_key_is_deployed_after_the_wait_and_no_client_fails(page: Published) -> None:
    page.publish(FOREIGN)
    page.run()
    keys = [page.current]
    clients = client(page)
    # Somebody else's record by itself is none of ours.
    meets_only(clients, page.records())
    with clients:
        for _ in range(ROLLS):
            ahead, patches = page.next, len(page.patches())
            page.ready()
            done = page.run("--force")

            assert (done.code, done.err) == (0, ""), done.text
            assert (page.current, page.served()) == (ahead, ahead)
            assert page.records() == {keys[-1], ahead, page.next, FOREIGN}
            assert f"TLSA {page.owner}: replacing, " in said(done)
            assert "1 issued, 1 deployed, TLSA records changed at 1 place" in done.out

            done = page.run_until("TLSA records changed")

            assert page.records() == {ahead, page.next, FOREIGN}
            assert len(page.patches()) == patches + 2
            # Whatever it says afterwards is of the records as they are now.
            assert "replacing" not in said(done), done.text
            meets_only(clients, page.records())
            keys.append(ahead)
    assert (clients.failed, clients.trouble) == ([], [])
    assert list(clients.seen) == keys


def test_a_swap_of_keys_without_publication_is_seen(page: Published, tmp_path: Path) -> None:
    page.run()
    pair = another_pair(tmp_path, page.zone)
    with client(page) as clients:
        wait_until(lambda: clients.seen[page.current] > 1, "the client met the key")
        assert clients.failed == []
        page.swap(*pair)
        wait_until(lambda: clients.failed, "the client met a key that no record matches")
