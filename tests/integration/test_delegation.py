"""Without NAMESERVERS: the zone's own NS and address records say whom to ask. On real port 53, in a namespace."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed.api import Json
from bed.namespace import Namespace
from bed.pebble import Pebble
from bed.powerdns import PowerDns, rrset
from bed.resolver import Resolver
from bed.waiting import wait_until
from builders.page import Done, certkeeper, openssl

pytestmark = pytest.mark.real

PRIMARY, SECONDARY, NOBODY, PARENT = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"
ZONE = "example.org."
NAMES = ("ns1.example.org.", "ns2.example.org.")
GLUE = {"ns1.example.org.": PRIMARY, "ns2.example.org.": SECONDARY}


@dataclass(frozen=True, slots=True)
class Internet:
    """Name servers where the world's are, and a resolver in resolv.conf that finds them."""

    namespace: Namespace
    primary: PowerDns
    secondary: PowerDns
    pebble: Pebble
    folder: Path

    def run(self, *arguments: str, wait: int = 20, **settings: str) -> Done:
        config = self.folder / "config"
        (self.folder / "domains.txt").write_text("example.org *.example.org\n")
        config.write_text(
            f'CA="{self.pebble.directory_url}"\nCA_BUNDLE="{self.pebble.ca_bundle}"\nCHALLENGETYPE="dns-01"\n'
            f'PDNS_HOST="{self.primary.api_url}"\nPDNS_KEY="secret"\nPDNS_WAIT="{wait}"\n'
            'KEY_ALGO="prime256v1"\nACCOUNT_KEY_ALGO="prime256v1"\n'
            + "".join(f'{name}="{value}"\n' for name, value in settings.items())
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
    with made(tmp_path) as internet:
        yield internet


@contextmanager
def made(
    tmp_path: Path, *, dnssec: bool = False, delegation: Callable[[PowerDns], list[dict[str, Json]]] | None = None
) -> Iterator[Internet]:
    """With a `delegation` there is a parent, too, which has these records of example.org."""
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
        namespace.call(primary.create_zone, ZONE, records=records, dnssec=dnssec)
        zones = {ZONE: [primary.dns]}
        if delegation is not None:
            parent = namespace.call(PowerDns, tmp_path / "parent", address=PARENT, port=53)
            stack.callback(parent.stop)
            own = rrset("ns1.org", "A", [PARENT])
            namespace.call(
                parent.create_zone,
                "org",
                nameservers=["ns1.org"],
                dnssec=True,  # PowerDNS shows no DS otherwise
                records=[own, *namespace.call(delegation, primary)],
            )
            zones["org."] = [parent.dns]
        resolver = namespace.call(Resolver, tmp_path / "resolver", zones=zones, port=53, max_ttl=0)
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


def test_all_of_them_are_demanded_and_one_has_no_route(internet: Internet) -> None:
    done = internet.run(PROPAGATION="all")
    assert done.code == 1
    assert "ns2.example.org ([2001:db8::53]) is not asked: no IPv6 route" in done.only_error()
    assert internet.pebble.counts()["POST", "/chalZ"] == 0
    done = internet.run("--force", PROPAGATION="all", DNS_IGNORE="2001:db8::53")
    assert (done.code, done.err) == (0, ""), done.text
    assert "not asked, as DNS_IGNORE says: ns2.example.org ([2001:db8::53])" in done.out


def test_extra_name_servers_are_asked_too(internet: Internet) -> None:
    done = internet.run(wait=3, EXTRA_NAMESERVERS=f"example.org={SECONDARY},{NOBODY}", DNS_IGNORE="ns2.example.org")
    assert done.code == 0, done.text
    (line,) = [line for line in done.out.splitlines() if "served by" in line]
    assert f"ns1.example.org ({PRIMARY}), {SECONDARY}" in line
    (note,) = [line for line in done.text.splitlines() if "did not answer" in line]
    assert NOBODY in note


# --- the parent -------------------------------------------------------------------------------------------------------


def referring(
    names: tuple[str, ...] = NAMES, *, glue: dict[str, str] | None = None, ds: list[str] | None = None
) -> Callable[[PowerDns], list[dict[str, Json]]]:
    def delegation(primary: PowerDns) -> list[dict[str, Json]]:
        own = [anchor.split(" DS ")[1] for anchor in primary.trust_anchors(ZONE)]
        return [
            rrset(ZONE, "NS", names),
            *(rrset(name, "A", [address]) for name, address in (glue or GLUE).items()),
            *([rrset(ZONE, "DS", own if ds is None else ds)] if own and ds != [] else []),
        ]

    return delegation


def test_a_server_that_only_the_parent_names_is_asked(tmp_path: Path) -> None:
    """A CA's resolver begins there: what such a server says is what the CA may hear."""
    ns3 = "ns3.example.org."
    with made(tmp_path, delegation=referring((*NAMES, ns3), glue=GLUE | {ns3: PARENT})) as internet:
        done = internet.run(wait=3)
    assert done.code == 0, done.text
    notes = [line for line in done.text.splitlines() if "ns3.example.org" in line]
    assert any("the parent names ns3.example.org, the zone itself does not" in line for line in notes)
    assert any(f"ns3.example.org ({PARENT}) is not authoritative for" in line for line in notes)


def test_a_secure_zone_is_proven_with_signatures_that_the_parent_vouches_for(tmp_path: Path) -> None:
    with made(tmp_path, dnssec=True, delegation=referring()) as internet:
        done = internet.run()
    assert (done.code, done.err) == (0, ""), done.text
    (line,) = [line for line in done.out.splitlines() if "served by" in line]
    assert line.endswith("udp and tcp, signed)")


def test_a_ds_of_another_key_is_told_before_a_challenge_is_spent(tmp_path: Path) -> None:
    wrong = [f"12345 13 2 {'ab' * 32}"]
    with made(tmp_path, dnssec=True, delegation=referring(ds=wrong)) as internet:
        done = internet.run(wait=2)
        assert internet.pebble.counts()["POST", "/chalZ"] == 0
    assert done.code == 1
    assert "signed, with a DNSKEY that the parent's DS does not name" in done.only_error()


def test_a_signed_zone_without_ds_is_insecure_and_no_failure(tmp_path: Path) -> None:
    with made(tmp_path, dnssec=True, delegation=referring(ds=[])) as internet:
        done = internet.run()
    assert (done.code, done.err) == (0, ""), done.text
    (line,) = [line for line in done.out.splitlines() if "served by" in line]
    assert "signed" not in line
