"""Rolls while a secondary is stopped, behind, or serves an old zone for good: the key waits, what is said names the
server, no client meets a key without a record, and the roll is completed when the secondary is back.
"""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bed import lookups
from bed.powerdns import PowerDns
from bed.waiting import wait_until
from bed.world import World
from builders.page import openssl
from integration.dane.clients import Clients
from integration.dane.conftest import MakePublished
from integration.dane.published import FOREIGN, READY, Published, said, typed

pytestmark = pytest.mark.real
ANNOUNCING = "waits for every name server to serve the next key's record with proof"
PRESENT = "key: the present one again"
LAG = 3.0
"""Seconds."""
_SINCE = re.compile(r"next key, everywhere since (\S+Z)")


@pytest.fixture
def page(make_world: Callable[..., World], make_published: MakePublished) -> Published:
    """In a world of its own, with one key that is published by itself. Its secondary does what a test tells it."""
    world = make_world(zones=(), lag=0.001)
    page = make_published(world=world, PRIVATE_KEY_RENEW="no", PDNS_WAIT="2")
    page.publish(FOREIGN)
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert page.records() == {page.current, FOREIGN}
    page.unset("PRIVATE_KEY_RENEW")
    return page


@pytest.fixture
def clients(page: Published) -> Iterator[Clients]:
    """From before the next key is published until the test's end."""
    clients = Clients(page.unbound.dns, page.owner, page.port, page.zone)
    wait_until(lambda: page.current in clients.records(), "the cache has the record")
    with clients:
        yield clients


def lag(page: Published, seconds: float | None) -> None:
    assert page.world.secondary.forwarder is not None
    page.world.secondary.forwarder.lag = seconds


def served_by(server: PowerDns, page: Published) -> set[str]:
    return {str(item).lower() for rrset in lookups.ask(server.dns, page.owner, "TLSA").answer for item in rrset}


@contextmanager
def frozen(page: Published) -> Iterator[None]:
    """It answers, with the zone as it is now, whatever happens to it."""
    lag(page, None)
    try:
        yield
    finally:
        lag(page, 0.001)
        page.transfer()


@contextmanager
def silent(page: Published) -> Iterator[None]:
    """It takes questions and does not answer."""
    pid = page.world.secondary.process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def stopped(page: Published) -> AbstractContextManager[None]:
    return page.world.secondary.down()


def holds(page: Published, why: str) -> None:
    """The gate is shut, all say so and why, and whoever decides has to say what breaks."""
    before = page.current
    run = page.run()
    assert run.code == 0, run.text
    assert why in said(run)
    assert PRESENT in page.plan("--force").out
    for words in (("tlsa", "status", page.zone), ("why", page.zone)):
        assert why in typed(page, *words).out
    refused = typed(page, "tlsa", "roll", page.zone)
    assert (refused.code, page.current, page.served()) == (1, before, before)
    assert why in refused.err


def completes(page: Published) -> None:
    """The roll, once everybody is back. A secondary may take its time to ask for the zone."""
    page.configure(PDNS_WAIT="30")
    old, ahead = page.current, page.next
    page.ready()
    done = page.run("--force")
    assert (done.code, done.err) == (0, ""), done.text
    assert (page.current, page.served()) == (ahead, ahead)
    page.run_until("TLSA records changed")
    assert page.records() == {ahead, page.next, FOREIGN}
    assert old not in page.records()


def unharmed(clients: Clients, *keys: str) -> None:
    wait_until(lambda: keys[-1] in clients.seen, "the client met the new key")
    assert clients.failed == []
    assert list(clients.seen) == list(keys)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["Master", "Native"])
def test_a_secondary_with_an_old_zone_holds_the_gate_until_it_has_the_new_one(
    page: Published, clients: Clients, kind: str
) -> None:
    """A primary that says `Notification queued` of a native zone, too, has told nobody."""
    page.world.primary.api.call("PUT", f"/zones/{page.absolute}", {"kind": kind})
    secondary, old = page.world.secondary, page.current
    with frozen(page):
        announced = page.run()
        assert "1 set of TLSA records is not served everywhere yet" in announced.out
        assert served_by(secondary, page) == {old, FOREIGN}
        holds(page, ANNOUNCING)
        ahead = page.next
        missing = f"{page.zone}, next key, not at {secondary.server}"
        assert missing in typed(page, "tlsa", "status", page.zone).out
        assert page.records() == {old, ahead, FOREIGN}
        began = datetime.now(UTC).replace(microsecond=0)
    assert served_by(secondary, page) == {old, ahead, FOREIGN}
    page.run()
    # t_pub is of the last server's answer.
    since = datetime.fromisoformat(_SINCE.findall(typed(page, "tlsa", "status", page.zone).out)[0])
    assert since >= began
    page.world.primary.api.call("PUT", f"/zones/{page.absolute}", {"kind": "Master"})
    completes(page)
    unharmed(clients, old, ahead)
    assert clients.trouble == []


@pytest.mark.parametrize("gone", [stopped, pytest.param(silent, marks=pytest.mark.long)])
def test_a_secondary_that_goes_while_the_next_key_ages_holds_the_gate_until_it_is_back(
    page: Published, clients: Clients, gone: Callable[[Published], AbstractContextManager[None]]
) -> None:
    page.ready()
    old, ahead, server = page.current, page.next, page.world.secondary.server
    with gone(page):
        holds(page, f"{server} gives no answer")
        assert f"{server} is silent" in typed(page, "tlsa", "status", page.zone).out
        leaf, renewed = page.leaf(page.zone), page.run("--force")
        # A certificate that is due is had, with the key that all caches know.
        assert renewed.code == 0, renewed.text
        assert page.leaf(page.zone) != leaf
        assert (page.current, page.served()) == (old, old)
    back = page.run()
    assert READY not in back.out
    completes(page)
    unharmed(clients, old, ahead)


@pytest.mark.long
def test_a_secondary_that_is_stopped_before_the_old_record_goes(page: Published, clients: Clients) -> None:
    page.ready()
    old, ahead = page.current, page.next
    assert page.run("--force").code == 0
    assert page.served() == ahead
    with stopped(page):
        page.run()
    assert served_by(page.world.secondary, page) >= {old, ahead}
    page.ready()
    assert page.records() == {ahead, page.next, FOREIGN}
    page.run("--force")
    assert page.served() != ahead
    unharmed(clients, old, ahead, page.current)


def test_a_secondary_that_lags_is_who_the_wait_counts_from(page: Published, clients: Clients) -> None:
    page.configure(PDNS_WAIT="20")
    lag(page, LAG)
    old, began = page.current, datetime.now(UTC)
    done = page.run()

    assert (done.code, done.err) == (0, ""), done.text
    assert "not served everywhere" not in done.out
    assert served_by(page.world.secondary, page) == {old, page.next, FOREIGN}
    since = datetime.fromisoformat(_SINCE.findall(typed(page, "tlsa", "status", page.zone).out)[0])
    assert (since - began).total_seconds() >= LAG - 1
    lag(page, 0.001)
    assert page.current == old
    assert clients.failed == []


@pytest.mark.long
def test_the_next_key_behind_such_a_secondary_s_back_is_seen(page: Published, clients: Clients, tmp_path: Path) -> None:
    """So the holds above are what kept clients unharmed."""
    with frozen(page):
        page.run()
        key, certificate = page.place(page.zone) / "privkey.roll.pem", tmp_path / "made.pem"
        openssl("req", "-x509", "-key", key, "-subj", f"/CN={page.zone}", "-out", certificate)
        page.swap(certificate, key)
        wait_until(lambda: clients.failed, "the client met a key that its cache has no record of", deadline=30)
    assert page.next in clients.seen
