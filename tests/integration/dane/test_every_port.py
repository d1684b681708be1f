"""A roll on every port of a mail, chat and web server at once: one change of the zone, and no client that fails."""

import itertools
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from bed.services.dovecot import Dovecot
from bed.services.postfix import Postfix
from bed.services.prosody import ProsodyByFolder
from bed.waiting import wait_until
from integration.dane.clients import Clients
from integration.dane.conftest import MakePublished
from integration.dane.published import Published, of_leaf
from integration.services.deployed import described, probes, shown

pytestmark = [pytest.mark.real, pytest.mark.long]

STARTTLS = {
    "smtp": "smtp",
    "imap": "imap",
    "pop3": "pop3",
    "lmtp": "lmtp",
    "sieve": "sieve",
    "xmpp-client": "xmpp",
    "xmpp-server": "xmpp-server",
}


class EveryPort(Clients):
    """One port after the other."""

    def __init__(self, page: Published, ports: Mapping[str, int]) -> None:
        super().__init__(page.unbound.dns, page.owner, page.port, page.zone)
        self._turns = itertools.cycle(ports.items())
        self.met: dict[str, set[str]] = {word: set() for word in ports}

    def _once(self) -> None:
        word, self.port = next(self._turns)
        self.owner = f"_{self.port}._tcp.{self.name}"
        records = self.records()
        leaf = shown(self.port, self.name, STARTTLS.get(word, ""))
        if leaf is None:
            raise OSError(f"{word}: no handshake")
        record = of_leaf(leaf)
        self.seen[record] += 1
        self.met[word].add(record)
        if record not in records:
            self.failed.append(f"{word} shows {record}, in the cache {sorted(records)}")


class Servers:
    """All of them show what the page's folder has; `ports` has the port of each word."""

    def __init__(self, page: Published, stack: ExitStack) -> None:
        folder = page.folder.parent
        fullchain, key = (path.read_bytes() for path in page.pair(page.zone))
        copy, certificates = folder / "copies" / "chain.pem", folder / "certs"
        for path, content in (
            (copy, key + fullchain),
            (certificates / f"{page.zone}.crt", fullchain),
            (certificates / f"{page.zone}.key", key),
        ):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)
        for path in certificates.iterdir():
            shutil.chown(path, "prosody", "prosody")
        postfix = stack.enter_context(Postfix(copy))
        dovecot = stack.enter_context(Dovecot(folder / "dovecot", *page.pair(page.zone)))
        prosody = stack.enter_context(ProsodyByFolder(folder / "prosody", page.zone, certificates))
        self.ports = page.nginx.ports | postfix.ports | dovecot.ports | prosody.ports
        page.describe(
            nginx=described(page.nginx),
            postfix={
                "config": postfix.config,
                "files": {"key+fullchain": copy},
                "probe": probes(postfix.ports, *postfix.ports),
            },
            dovecot={"config": dovecot.config, "probe": probes(dovecot.ports, *dovecot.ports)},
            prosody={
                "config": prosody.config,
                "files": {"fullchain": certificates / "{name}.crt", "privkey": certificates / "{name}.key"},
                "probe": probes(prosody.ports, *prosody.ports),
            },
        )


@pytest.fixture
def page(make_published: MakePublished) -> Published:
    return make_published(DEPLOY="nginx postfix dovecot prosody")


@pytest.fixture
def servers(page: Published) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(page, stack)


def openssl_verifies(port: int, name: str, word: str, records: set[str]) -> bool:
    """By openssl's own DANE."""
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-dane_tlsa_domain", name, "-verify_return_error"]
    words += [word for record in sorted(records) for word in ("-dane_tlsa_rrdata", record)]
    if starttls := STARTTLS.get(word):
        words += ["-starttls", starttls, *(["-xmpphost", name] if starttls.startswith("xmpp") else [])]
    said = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=20)
    return "matched the EE certificate at depth 0" in said.stdout or "matched EE certificate at depth 0" in said.stdout


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
    assert [word for word, port in servers.ports.items() if not openssl_verifies(port, page.zone, word, records)] == []
    wrong = {f"3 1 1 {'0' * 64}"}
    assert not openssl_verifies(page.port, page.zone, "https", wrong)
