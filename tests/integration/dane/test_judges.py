"""A roll on real ports, as others see it who verify TLSA records: Postfix, openssl, ldns and hash-slinger agree with
every step of it, and refuse what was swapped behind the records' back.

They find ports, resolver and records as they would in the world, which takes a network namespace. Where none can be
made those tests are skipped, and only the last one says something: of those who can be told records and a port.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bed.namespace import Namespace
from bed.powerdns import rrset
from bed.waiting import wait_until
from bed.world import World
from integration.dane import judges
from integration.dane.clients import Clients
from integration.dane.judges import Verdict
from integration.dane.published import Published
from integration.dane.servers import HTTPS, EveryPort, Servers
from integration.dane.swapped import another_pair

pytestmark = pytest.mark.real
DNS = 53
DIRECT = {"https", "smtps", "imaps", "xmpps-client", "xmpps-server"}
"""What ldns-dane can be asked of: it does not know STARTTLS."""
HASH_SLINGER = {"https": "no", "smtps": "no", "imaps": "no", "smtp": "smtp", "submission": "smtp", "imap": "imap"}
"""What hash-slinger knows, and what it calls it."""


class Court:
    """All judges, in a namespace with everything that they need. It is built and asked from inside."""

    def __init__(self, namespace: Namespace, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bed-judges-")))
        folder.chmod(0o755)
        self._prefix = namespace.prefix
        world = stack.enter_context(World(folder / "world", zones=()))
        zone = world.new_zone().removesuffix(".")
        services = "nginx postfix dovecot prosody"
        self.page = Published(folder, stack, world, zone, ports=(DNS, HTTPS), DEPLOY=services, PRIVATE_KEY_RENEW="no")
        self.page.put(rrset(zone, "MX", [f"10 {zone}."], ttl=self.page.ttl))
        self.servers = Servers(self.page, stack, at_home=True)
        self.clients = EveryPort(self.page, self.servers.ports)
        self._anchor = folder / "anchor"
        self._anchor.write_text("".join(f"{line}\n" for line in world.primary.trust_anchors(zone)), "ascii")
        self.asked = 0

    def verdicts(self) -> Iterator[tuple[str, Verdict]]:
        """Of records as the cache has them."""
        page, name = self.page, self.page.zone
        yield "Postfix on port 25", judges.postfix(name, self._prefix)
        yield "ldns of the live chain", judges.ldns(HTTPS, name, page.pair(name)[0], self._prefix)
        for word, port in self.servers.ports.items():
            self.clients.owner = f"_{port}._tcp.{name}"
            yield f"openssl on {word}", judges.openssl(port, name, word, self.clients.records())
            if word in DIRECT:
                yield f"ldns on {word}", judges.ldns(port, name, prefix=self._prefix)
            if starttls := HASH_SLINGER.get(word):
                yield f"hash-slinger on {word}", judges.hash_slinger(port, name, self._anchor, starttls, self._prefix)

    def against(self) -> dict[str, str]:
        """Who does not accept what is served, and what they say."""
        said = dict(self.verdicts())
        self.asked += len(said)
        return {who: verdict.text for who, verdict in said.items() if not verdict.good}

    def cached(self, *records: str) -> None:
        """Waits until those are published, and in the cache, at every port."""
        assert self.page.records() == set(records)
        for port in self.servers.ports.values():
            self.clients.owner = f"_{port}._tcp.{self.page.zone}"
            wait_until(lambda: self.clients.records() == set(records), "the cache has the records as they are now")


Enter = Callable[[Callable[[Court], None]], None]


@pytest.fixture
def enter() -> Iterator[Enter]:
    """Runs the body of a test in a namespace of its own."""
    with Namespace() as namespace:

        def inside(body: Callable[[Court], None]) -> None:
            with ExitStack() as stack:
                body(Court(namespace, stack))

        yield lambda body: namespace.call(inside, body)


def _ran(court: Court, *words: str) -> None:
    done = court.page.run(*words)
    assert (done.code, done.err) == (0, ""), done.text


def _roll(court: Court) -> None:
    page = court.page
    _ran(court)
    old = page.current
    court.cached(old)
    assert court.against() == {}, "with the record of the one key alone"
    page.unset("PRIVATE_KEY_RENEW")
    client = EveryPort(page, court.servers.ports)
    with client:
        _ran(court)
        ahead = page.next
        court.cached(old, ahead)
        assert court.against() == {}, "with the next key's record beside it"
        page.ready()
        _ran(court, "--force")
        assert page.current == ahead
        court.cached(old, ahead, page.next)
        assert court.against() == {}, "after the switch"
        page.run_until("TLSA records changed")
        court.cached(ahead, page.next)
        assert court.against() == {}, "after the old record went"
        page.configure(TLSA_MARGIN="3600")
        leaf = page.leaf(page.zone)
        _ran(court, "--force")
        assert (page.leaf(page.zone) != leaf, page.current) == (True, ahead)
        court.cached(ahead, page.next)
        assert court.against() == {}, "after a renewal with the same key"
        wait_until(lambda: all(ahead in met for met in client.met.values()), "the client met the new key everywhere")
    assert (client.failed, client.trouble) == ([], [])
    assert {word: met for word, met in client.met.items() if met != {old, ahead}} == {}
    assert court.asked == 5 * len(dict(court.verdicts()))


@pytest.mark.long
def test_all_judges_agree_at_every_step_of_a_roll(enter: Enter) -> None:
    enter(_roll)


def _swap(court: Court) -> None:
    page = court.page
    _ran(court)
    court.cached(page.current)
    assert court.against() == {}
    fullchain, key = another_pair(page.folder.parent, page.zone)
    court.servers.swap(fullchain, key)
    with EveryPort(page, court.servers.ports) as client:
        wait_until(lambda: all(client.refused.values()), "the new key is everywhere", deadline=30)
    # The file that ldns was given is still the one before.
    assert set(dict(court.verdicts())) - set(court.against()) == {"ldns of the live chain"}


@pytest.mark.long
def test_all_judges_refuse_a_key_that_was_swapped(enter: Enter) -> None:
    enter(_swap)


def test_judges_that_can_be_told_records_agree_on_any_port(page: Published, tmp_path: Path) -> None:
    """The rest of them needs the namespace: Postfix has to have port 25, and a resolver at port 53."""
    page.run()
    clients = Clients(page.unbound.dns, page.owner, page.port, page.zone)

    def against(*records: str) -> list[str]:
        verdicts = {
            "openssl": judges.openssl(page.port, page.zone, "https", records),
            "ldns": judges.ldns_of_file(page.port, page.zone, records, tmp_path / "records"),
        }
        return [f"{who}: {verdict.text}" for who, verdict in verdicts.items() if not verdict.good]

    old, ahead = page.current, page.next
    wait_until(lambda: clients.records() == {old, ahead}, "the cache has the records")
    assert against(old, ahead) == []
    page.ready()
    page.run("--force")
    assert page.served() == ahead
    assert against(*clients.records()) == []
    page.run_until("TLSA records changed")
    wait_until(lambda: clients.records() == page.records(), "the cache has the records as they are now")
    assert against(*clients.records()) == []
    assert len(against(old)) == 2, "both refuse what does not match"
