"""Without NAMESERVERS: the zone's own NS and address records say whom to ask. On real port 53, in a namespace."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed.namespace import Namespace
from bed.pebble import Pebble
from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from bed.waiting import wait_until
from builders.page import Done, certkeeper, openssl

pytestmark = pytest.mark.real

PRIMARY, SECONDARY, NOBODY = "127.0.0.2", "127.0.0.3", "127.0.0.4"
ZONE = "example.org."


@dataclass(frozen=True, slots=True)
class Internet:
    """Name servers where the world's are, and a resolver in resolv.conf that finds them."""

    namespace: Namespace
    primary: PowerDns
    secondary: PowerDns
    pebble: Pebble
    folder: Path

    def run(self, *arguments: str, wait: int = 20) -> Done:
        config = self.folder / "config"
        (self.folder / "domains.txt").write_text("example.org *.example.org\n")
        config.write_text(
            f'CA="{self.pebble.directory_url}"\nCA_BUNDLE="{self.pebble.ca_bundle}"\nCHALLENGETYPE="dns-01"\n'
            f'PDNS_HOST="{self.primary.api_url}"\nPDNS_KEY="secret"\nPDNS_WAIT="{wait}"\n'
            'KEY_ALGO="prime256v1"\nACCOUNT_KEY_ALGO="prime256v1"\n'
        )
        return certkeeper(
            "run",
            "--accept-terms",
            *arguments,
            "--config",
            config,
            cwd=self.folder,
            prefix=self.namespace.prefix,
        )

    def left_on_the_secondary(self) -> list[str]:
        found = self.namespace.call(self.secondary.records, ZONE)
        return [owner for owner, kind in found if kind == "TXT"]


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    with ExitStack() as stack:
        namespace = stack.enter_context(Namespace())
        primary = namespace.call(PowerDns, tmp_path / "primary", address=PRIMARY, port=53)
        stack.callback(primary.stop)
        secondary = namespace.call(
            PowerDns, tmp_path / "secondary", role="secondary", address=SECONDARY, port=53, primary=primary
        )
        stack.callback(secondary.stop)
        records = [
            rrset("ns1.example.org", "A", [PRIMARY]),
            rrset("ns2.example.org", "A", [SECONDARY]),
            rrset("ns2.example.org", "AAAA", ["2001:db8::53"]),
        ]
        namespace.call(primary.create_zone, ZONE, records=records, dnssec=False)
        resolver = namespace.call(Resolver, tmp_path / "resolver", zones={ZONE: [primary.dns]}, port=53, max_ttl=0)
        stack.callback(resolver.stop)
        pebble = namespace.call(Pebble, tmp_path / "pebble", dns_server=resolver.dns)
        stack.callback(pebble.stop)
        folder = tmp_path / "page"
        folder.mkdir()
        yield Internet(namespace, primary, secondary, pebble, folder)


def test_both_name_servers_are_asked_and_an_address_without_a_route_is_skipped_with_a_note(
    internet: Internet,
) -> None:
    done = internet.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert re.search(r"served by ns1.example.org \(127.0.0.2\), ns2.example.org \(127.0.0.3\) after", done.out)
    (note,) = [line for line in done.out.splitlines() if "2001:db8::53" in line]
    assert "no IPv6 route" in note
    assert "example.org" in openssl("x509", "-in", internet.folder / "certs/example.org/cert.pem", "-text")
    assert [kind for _, kind in internet.namespace.call(internet.primary.records, ZONE) if kind == "TXT"] == []
    wait_until(lambda: not internet.left_on_the_secondary(), "the secondary is clean")


def test_a_name_server_without_an_address_of_use_is_named(internet: Internet) -> None:
    """ns3 has no address at all: who cannot be asked cannot confirm, and nobody else can answer for it."""
    names = ["ns1.example.org.", "ns2.example.org.", "ns3.example.org."]
    internet.namespace.call(internet.primary.patch, ZONE, rrset(ZONE, "NS", names))
    done = internet.run(wait=3)
    assert "ns3.example.org" in done.text


def test_a_name_server_that_is_down_is_a_warning(internet: Internet) -> None:
    names = ["ns1.example.org.", "ns2.example.org.", "ns3.example.org."]
    internet.namespace.call(
        internet.primary.patch, ZONE, rrset(ZONE, "NS", names), rrset("ns3.example.org", "A", [NOBODY])
    )
    done = internet.run(wait=7)
    assert done.code == 0, done.text
    (note,) = [line for line in done.text.splitlines() if "did not answer" in line]
    assert "ns3.example.org (127.0.0.4)" in note


def test_a_zone_that_nobody_delegates_to_us_is_an_error_with_a_way_out(internet: Internet) -> None:
    internet.namespace.call(internet.primary.patch, ZONE, rrset(ZONE, "NS", []))
    done = internet.run(wait=3)
    assert done.code == 1
    assert "example.org" in done.only_error()
    assert "NAMESERVERS" in "".join(done.hints)
