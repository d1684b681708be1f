"""Challenges that are answered in another zone, at another provider: delegation by CNAME, by NS, and by PDNS_SUFFIX.

Two independent primaries on real port 53: `ours` holds example.net and is the page's, `theirs` holds example.org.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed.namespace import Namespace
from bed.pebble import Pebble
from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from builders.page import Done, certkeeper, openssl

pytestmark = pytest.mark.real

OURS, THEIRS = "127.0.0.2", "127.0.0.3"
OWNER = "_acme-challenge.example.org"


@dataclass(frozen=True, slots=True)
class Internet:
    namespace: Namespace
    ours: PowerDns
    theirs: PowerDns
    pebble: Pebble
    folder: Path

    def command(self, name: str, *arguments: str, more: str = "") -> Done:
        config = self.folder / "config"
        config.write_text(
            f'CA="{self.pebble.directory_url}"\nCA_BUNDLE="{self.pebble.ca_bundle}"\nCHALLENGETYPE="dns-01"\n'
            f'PDNS_HOST="{self.ours.api_url}"\nPDNS_KEY="secret"\nPDNS_WAIT="20"\n'
            f'KEY_ALGO="prime256v1"\nACCOUNT_KEY_ALGO="prime256v1"\n{more}'
        )
        return certkeeper(name, *arguments, "--config", config, cwd=self.folder, prefix=self.namespace.prefix)

    def run(self, *, more: str = "") -> Done:
        return self.command("run", "--accept-terms", more=more)

    def put(self, server: PowerDns, zone: str, owner: str, kind: str, *contents: str) -> None:
        self.namespace.call(server.patch, zone, rrset(owner, kind, contents))

    def left(self) -> set[tuple[str, str]]:
        """TXT records, wherever they are."""
        held = ((self.ours, "example.net"), (self.theirs, "example.org"))
        return {
            (owner, kind)
            for server, zone in held
            for owner, kind in self.namespace.call(server.records, zone)
            if kind == "TXT"
        }

    def assert_issued(self, done: Done) -> None:
        assert (done.code, done.err) == (0, ""), done.text
        assert "example.org" in openssl("x509", "-in", self.folder / "certs/example.org/cert.pem", "-text")
        assert self.left() == set()


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    with ExitStack() as stack:
        namespace = stack.enter_context(Namespace())
        ours = namespace.call(PowerDns, tmp_path / "ours", address=OURS, port=53)
        stack.callback(ours.stop)
        theirs = namespace.call(PowerDns, tmp_path / "theirs", address=THEIRS, port=53, api_key="other")
        stack.callback(theirs.stop)
        for server, zone, address in ((ours, "example.net", OURS), (theirs, "example.org", THEIRS)):
            records = [rrset(f"ns1.{zone}", "A", [address])]
            namespace.call(server.create_zone, zone, nameservers=[f"ns1.{zone}"], records=records, dnssec=False)
        zones = {"example.net.": [ours.dns], "example.org.": [theirs.dns]}
        resolver = namespace.call(Resolver, tmp_path / "resolver", zones=zones, port=53, max_ttl=0)
        stack.callback(resolver.stop)
        pebble = namespace.call(Pebble, tmp_path / "pebble", dns_server=resolver.dns)
        stack.callback(pebble.stop)
        folder = tmp_path / "page"
        folder.mkdir()
        (folder / "domains.txt").write_text("example.org\n")
        yield Internet(namespace, ours, theirs, pebble, folder)


def test_a_cname_of_a_zone_elsewhere_is_followed_to_ours(internet: Internet) -> None:
    internet.put(internet.theirs, "example.org", OWNER, "CNAME", "org.acme.example.net.")
    planned = internet.command("plan")
    assert "    org.acme.example.net TXT" in planned.out.splitlines(), planned.text
    done = internet.run()
    internet.assert_issued(done)
    assert "zone example.net: 1 challenge record of 1 certificate published" in done.out


def test_a_zone_elsewhere_without_a_cname_is_an_error_that_names_the_name(internet: Internet) -> None:
    done = internet.run()
    assert done.code == 1
    assert "no zone at PowerDNS" in done.only_error()
    assert "example.org" in done.only_error()


def test_a_challenge_name_that_is_delegated_by_ns_is_a_zone_of_ours(internet: Internet) -> None:
    internet.namespace.call(internet.ours.create_zone, OWNER, nameservers=["ns1.example.net"], dnssec=False)
    internet.put(internet.theirs, "example.org", OWNER, "NS", "ns1.example.net.")
    done = internet.run()
    internet.assert_issued(done)
    assert f"zone {OWNER}: 1 challenge record" in done.out


def test_two_providers_in_one_certificate_each_with_its_own_key(internet: Internet) -> None:
    zones = internet.folder / "zones"
    zones.mkdir()
    (zones / "example.org").write_text(f'PDNS_HOST="{internet.theirs.api_url}"\nPDNS_KEY="other"\n')
    (internet.folder / "domains.txt").write_text("example.org www.example.net *.example.org\n")
    done = internet.run(more=f'ZONES_D="{zones}"\n')
    internet.assert_issued(done)
    assert "zone example.org: 2 challenge records of 1 certificate published" in done.out
    assert "zone example.net: 1 challenge record of 1 certificate published" in done.out


def test_a_cname_to_a_zone_of_another_provider_is_written_there(internet: Internet) -> None:
    """The page's provider holds the name; ZONES_D says who holds what it leads to."""
    zones = internet.folder / "zones"
    zones.mkdir()
    (zones / "example.org").write_text(f'PDNS_HOST="{internet.theirs.api_url}"\nPDNS_KEY="other"\n')
    (internet.folder / "domains.txt").write_text("www.example.net > example.org\n")
    internet.put(internet.ours, "example.net", "_acme-challenge.www.example.net", "CNAME", "x.example.org.")
    done = internet.run(more=f'ZONES_D="{zones}"\n')
    assert done.code == 0, done.text
    assert "zone example.org: 1 challenge record" in done.out
    assert internet.left() == set()


def test_a_suffix_writes_where_a_cname_was_set_up_once(internet: Internet) -> None:
    internet.put(internet.theirs, "example.org", OWNER, "CNAME", f"{OWNER}.acme.example.net.")
    done = internet.run(more='PDNS_SUFFIX="acme.example.net"\n')
    internet.assert_issued(done)


def test_a_suffix_without_its_cname_is_seen_before_an_order(internet: Internet) -> None:
    more = 'PDNS_SUFFIX="acme.example.net"\n'
    planned = internet.command("plan", more=more)
    assert planned.code == 1
    assert f"there is no CNAME there, and PDNS_SUFFIX has its records written at {OWNER}.acme" in planned.text
    done = internet.run(more=more)
    assert f"create the record: {OWNER}. 3600 IN CNAME {OWNER}.acme.example.net." in done.err
    assert ("POST", "/order-plz") not in internet.pebble.counts()


def test_a_challenge_name_that_is_delegated_to_strangers_is_seen_before_an_order(internet: Internet) -> None:
    (internet.folder / "domains.txt").write_text("a.www.example.net example.net\n")
    internet.put(internet.ours, "example.net", "www.example.net", "NS", "ns.stranger.test.")
    done = internet.run()
    assert done.code == 1
    assert "zone example.net delegates www.example.net to ns.stranger.test" in done.only_error()
    assert ("POST", "/order-plz") not in internet.pebble.counts()


def test_a_circle_of_cnames_fails_its_own_certificate_only(internet: Internet) -> None:
    (internet.folder / "domains.txt").write_text("www.example.net\nexample.net\n")
    owner = "_acme-challenge.www.example.net"
    internet.put(internet.ours, "example.net", owner, "CNAME", f"a.{owner}.")
    internet.put(internet.ours, "example.net", f"a.{owner}", "CNAME", f"{owner}.")
    done = internet.run()
    assert done.code == 1
    assert f"{owner} -> a.{owner} -> {owner}" in done.only_error()
    assert "1 issued, 1 failed" in done.out
    assert internet.left() == set()
