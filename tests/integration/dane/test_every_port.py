"""A roll on every port of a mail, chat and web server at once: one change of the zone, and no client that fails."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.waiting import wait_until
from integration.dane import judges
from integration.dane.conftest import MakePublished
from integration.dane.published import Published
from integration.dane.servers import EveryPort, Servers
from integration.dane.swapped import another_pair

pytestmark = [pytest.mark.real, pytest.mark.long]


@pytest.fixture
def page(make_published: MakePublished) -> Published:
    return make_published(DEPLOY="nginx postfix dovecot prosody")


@pytest.fixture
def servers(page: Published) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(page, stack)


def test_a_roll_on_every_port(page: Published, servers: Servers) -> None:
    owners = sorted(f"_{port}._tcp.{page.zone}." for port in servers.ports.values())
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert [sorted(found) for found in page.patches()] == [owners]
    old, ahead = page.current, page.next
    clients = EveryPort(page, servers.ports)
    wait_until(lambda: clients.records() == {old, ahead}, "the cache has the records")
    with clients:
        page.ready()
        done = page.run("--force")
        assert (done.code, done.err) == (0, ""), done.text
        assert page.current == ahead
        page.run_until("TLSA records changed")
        wait_until(lambda: all(ahead in met for met in clients.met.values()), "the client met the new key everywhere")
    assert (clients.failed, clients.trouble) == ([], [])
    assert {word: met for word, met in clients.met.items() if met != {old, ahead}} == {}
    records = {ahead, page.next}
    assert [
        word for word, port in servers.ports.items() if not judges.openssl(port, page.zone, word, records).good
    ] == []
    wrong = {f"3 1 1 {'0' * 64}"}
    assert not judges.openssl(page.port, page.zone, "https", wrong).good


def test_a_swap_of_keys_without_publication_is_seen_on_every_port(
    page: Published, servers: Servers, tmp_path: Path
) -> None:
    page.run()
    clients = EveryPort(page, servers.ports)
    wait_until(lambda: clients.records() == page.records(), "the cache has the records")
    with clients:
        wait_until(lambda: all(clients.met.values()), "the client was everywhere")
        assert clients.failed == []
        servers.swap(*another_pair(tmp_path, page.zone))
        wait_until(
            lambda: all(clients.refused.values()), "the client met a key without a record everywhere", deadline=30
        )
