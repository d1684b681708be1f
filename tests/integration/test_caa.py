"""CAA before an order: real records, a real resolver in resolv.conf, and a CA that says who it is."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed.namespace import Namespace
from bed.pebble import Pebble
from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from builders.page import Done, certkeeper
from certkeeper.adapters.caa import SystemCaa
from certkeeper.base.names import DnsName
from certkeeper.zone.caa import CaaAnswer, CaaRecord
from certkeeper.zone.propagation import Server

pytestmark = pytest.mark.real

PRIMARY = "127.0.0.2"
ZONE = "example.org."
BROKEN = "broken.example."


@dataclass(frozen=True, slots=True)
class Internet:
    """A zone, a resolver that finds it, and a CA with the CAA identity pebble.test."""

    namespace: Namespace
    primary: PowerDns
    pebble: Pebble
    folder: Path

    def caa(self, owner: str, *contents: str) -> None:
        self.namespace.call(self.primary.patch, ZONE, rrset(owner, "CAA", contents))

    def certkeeper(self, *words: str) -> Done:
        return certkeeper(*words, "--config", self.folder / "config", cwd=self.folder, prefix=self.namespace.prefix)


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    with ExitStack() as stack:
        namespace = stack.enter_context(Namespace())
        primary = namespace.call(PowerDns, tmp_path / "primary", address=PRIMARY, port=53)
        stack.callback(primary.stop)
        records = [rrset("ns1.example.org", "A", [PRIMARY])]
        namespace.call(primary.create_zone, ZONE, nameservers=["ns1.example.org"], records=records, dnssec=False)
        # A trust anchor that no key of the zone matches: to a validating resolver the zone is bogus.
        namespace.call(primary.create_zone, BROKEN, nameservers=["ns1.example.org"])
        resolver = namespace.call(
            Resolver,
            tmp_path / "resolver",
            zones={ZONE: [primary.dns], "org": [], BROKEN: [primary.dns]},
            trust_anchors=[f"{BROKEN} DS 1 13 2 {'00' * 32}"],
            port=53,
            max_ttl=0,
        )
        stack.callback(resolver.stop)
        pebble = namespace.call(
            Pebble, tmp_path / "pebble", dns_server=resolver.dns, caa_identities=["pebble.test", "pebble.example"]
        )
        stack.callback(pebble.stop)
        folder = tmp_path / "page"
        folder.mkdir()
        (folder / "domains.txt").write_text("a.example.org\nb.example.org\n")
        (folder / "config").write_text(
            f'CA="{pebble.directory_url}"\nCA_BUNDLE="{pebble.ca_bundle}"\nCHALLENGETYPE="dns-01"\n'
            f'PDNS_HOST="{primary.api_url}"\nPDNS_KEY="secret"\nPDNS_WAIT="20"\n'
            'KEY_ALGO="prime256v1"\nACCOUNT_KEY_ALGO="prime256v1"\n'
        )
        yield Internet(namespace, primary, pebble, folder)


def test_what_caa_forbids_is_said_before_an_order_and_the_others_go_on(internet: Internet) -> None:
    internet.caa("a.example.org", '0 issue "other.test"')
    done = internet.certkeeper("plan")
    assert done.code == 1
    assert 'the record a.example.org CAA 0 issue "other.test" forbids it' in done.text
    # The CA says in its directory who it is in CAA records; nothing else is asked of it.
    assert internet.pebble.requests() == [("GET", "/dir")]
    done = internet.certkeeper("run", "--accept-terms")
    assert done.code == 1
    assert done.only_error().startswith("a.example.org: the record a.example.org CAA")
    assert internet.pebble.counts()["POST", "/order-plz"] == 1
    assert internet.pebble.counts()["GET", "/dir"] == 2
    assert (internet.folder / "certs/b.example.org/cert.pem").exists()
    # Now there is an account, and records may be for another one.
    internet.caa("a.example.org")
    internet.caa(ZONE, '0 issue "pebble.example; accounturi=https://elsewhere/1"')
    done = internet.certkeeper("run", "--force")
    assert "it is for the account https://elsewhere/1, and ours is https://" in done.err
    assert internet.pebble.counts()["POST", "/order-plz"] == 1


def test_the_look_at_caa_can_be_switched_off(internet: Internet) -> None:
    internet.caa("a.example.org", '0 issue "other.test"')
    config = internet.folder / "config"
    config.write_text(config.read_text() + 'CAA_CHECK="no"\n')
    assert internet.certkeeper("plan").code == 0
    assert internet.pebble.requests() == []


def test_every_method_that_may_be_used_has_to_be_allowed(internet: Internet) -> None:
    config = internet.folder / "config"
    config.write_text(config.read_text().replace('"dns-01"', '"dns-persist-01 dns-01"'))
    internet.caa(ZONE, '0 issue "pebble.test; validationmethods=dns-persist-01"')
    done = internet.certkeeper("dns", "caa")
    assert done.code == 1
    assert "a.example.org: the record example.org CAA" in done.out
    assert 'issue "pebble.test; validationmethods=dns-persist-01,dns-01"' in done.out
    internet.caa(ZONE, '0 issue "pebble.test; validationmethods=dns-persist-01,dns-01"')
    assert internet.certkeeper("dns", "caa").code == 0


def test_records_come_as_they_are_and_a_failure_is_told_from_nothing(internet: Internet) -> None:
    internet.caa("a.example.org", '128 issue "a\\"b; c=d"', '0 issue ";"')
    internet.caa("nothing.b.example.org", '0 issue ";"')

    def ask(*names: str, server: Server | None = None) -> dict[str, CaaAnswer]:
        looked = internet.namespace.call(SystemCaa(server).caa, [DnsName(name) for name in names])
        return {name.text: answer for name, answer in looked.items()}

    resolver = Server("127.0.0.1", "127.0.0.1", 53)
    seen = ask("a.example.org", "b.example.org", "c.example.org", "x.broken.example", server=resolver)
    assert seen == {
        "a.example.org": CaaAnswer((CaaRecord(0, "issue", ";"), CaaRecord(128, "issue", 'a"b; c=d'))),
        "b.example.org": CaaAnswer(),
        "c.example.org": CaaAnswer(),
        "x.broken.example": CaaAnswer(trouble="this host's resolver answers SERVFAIL"),
    }
    # What the resolver refuses, and a resolver that is not there, tell nothing.
    assert ask("elsewhere.net", server=resolver) == {}
    assert ask("a.example.org", "b.example.org", server=Server("", "127.0.0.9", 53)) == {}
