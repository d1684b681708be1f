"""What the parent zone says, and CAA: on real port 53, in a namespace with a parent, a child and a resolver."""

import json
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
from builders.page import Done, certkeeper

pytestmark = pytest.mark.real

PARENT, PRIMARY, SECONDARY = "127.0.0.10", "127.0.0.2", "127.0.0.3"
ZONE = "example.org."
WRONG_DS = "1 13 2 " + "00" * 32


@dataclass(frozen=True, slots=True)
class Internet:
    """org at one server, example.org at two others, and a resolver that finds both."""

    namespace: Namespace
    parent: PowerDns
    primary: PowerDns
    secondary: PowerDns
    pebble: Pebble
    folder: Path

    def delegate(self, *names: str, ds: tuple[str, ...] = ()) -> None:
        contents = [f"{name}.example.org." for name in names]
        glue = [
            rrset(name, "A", [{"ns1": PRIMARY, "ns2": SECONDARY}[name[:3]]]) for name in contents if name[:3] != "ns3"
        ]
        self.namespace.call(self.parent.patch, "org.", rrset(ZONE, "NS", contents), rrset(ZONE, "DS", ds), *glue)

    def own_ds(self) -> str:
        keys = self.namespace.call(self.primary.api.call, "GET", f"/zones/{ZONE}/cryptokeys")
        (found,) = [ds for key in keys for ds in key["ds"] if ds.split()[2] == "2"]
        return str(found)

    def patch(self, *rrsets: dict[str, object]) -> None:
        """Changed at both name servers."""
        self.namespace.call(self.primary.patch, ZONE, *rrsets)
        self.namespace.call(self.secondary.api.call, "PUT", f"/zones/{ZONE}/axfr-retrieve")
        wanted = self.namespace.call(self.primary.serial, ZONE)
        wait_until(lambda: self.namespace.call(self.secondary.serial, ZONE) == wanted, "the secondary has the change")

    def dns(self, *words: str) -> Done:
        return certkeeper(
            "dns", *words, "--config", self.folder / "config", cwd=self.folder, prefix=self.namespace.prefix
        )

    def codes(self) -> set[str]:
        """What the doctor finds of the zone and its names, by code."""
        (zone,) = json.loads(self.dns("doctor", "--json").out)["zones"]
        return {finding["code"] for finding in zone["findings"]}


@pytest.fixture
def internet(tmp_path: Path) -> Iterator[Internet]:
    with ExitStack() as stack:
        namespace = stack.enter_context(Namespace())
        parent = namespace.call(PowerDns, tmp_path / "parent", address=PARENT, port=53)
        stack.callback(parent.stop)
        glue = [rrset("ns.org", "A", [PARENT])]
        namespace.call(parent.create_zone, "org.", nameservers=["ns.org."], records=glue, dnssec=False)
        primary = namespace.call(PowerDns, tmp_path / "primary", address=PRIMARY, port=53)
        stack.callback(primary.stop)
        secondary = namespace.call(
            PowerDns, tmp_path / "secondary", role="secondary", address=SECONDARY, port=53, primary=primary
        )
        stack.callback(secondary.stop)
        soa = "ns1.example.org. hostmaster.example.org. 1 10800 3600 604800 300"
        records = [
            rrset("ns1.example.org", "A", [PRIMARY]),
            rrset("ns2.example.org", "A", [SECONDARY]),
            rrset(ZONE, "SOA", [soa], ttl=300),
        ]
        namespace.call(primary.create_zone, ZONE, records=records)
        resolver = namespace.call(Resolver, tmp_path / "resolver", zones={"org.": [(PARENT, 53)]}, port=53, max_ttl=0)
        stack.callback(resolver.stop)
        pebble = namespace.call(Pebble, tmp_path / "pebble", dns_server=resolver.dns, caa_identities=["ca.test"])
        stack.callback(pebble.stop)
        folder = tmp_path / "page"
        folder.mkdir()
        (folder / "domains.txt").write_text("example.org *.example.org\nwww.example.org\n")
        (folder / "config").write_text(
            f'CA="{pebble.directory_url}"\nCA_BUNDLE="{pebble.ca_bundle}"\nCHALLENGETYPE="dns-01"\n'
            f'PDNS_HOST="{primary.api_url}"\nPDNS_KEY="secret"\nPDNS_WAIT="20"\nCONTACT_EMAIL="host@example.org"\n'
            'KEY_ALGO="prime256v1"\nACCOUNT_KEY_ALGO="prime256v1"\n'
        )
        made = Internet(namespace, parent, primary, secondary, pebble, folder)
        made.delegate("ns1", "ns2", ds=(made.own_ds(),))
        yield made


def test_a_zone_in_order_has_no_finding(internet: Internet) -> None:
    done = internet.dns("doctor")
    assert done.code == 0, done.text
    assert done.out.splitlines()[-1] == "1 zone: nothing wrong"
    assert "ns2.example.org (127.0.0.3): serial " in done.out
    assert "signatures until 20" in done.out


def test_what_the_parent_says_of_keys(internet: Internet) -> None:
    internet.delegate("ns1", "ns2")
    assert internet.codes() == {"ds-missing"}
    assert f"fix: give the registrar: {internet.own_ds()}" in internet.dns("doctor").out
    internet.delegate("ns1", "ns2", ds=(WRONG_DS,))
    done = internet.dns("doctor")
    assert done.code == 1
    assert f"error: zone example.org: the DS at its parent matches none of its keys: {WRONG_DS}" in done.out
    internet.delegate("ns1", "ns2", ds=(WRONG_DS, internet.own_ds()))
    assert internet.codes() == set()


def test_what_the_parent_says_of_servers(internet: Internet) -> None:
    internet.delegate("ns1", ds=(internet.own_ds(),))
    assert internet.codes() == {"ns-differ"}
    assert "only the zone names: ns2.example.org" in internet.dns("doctor").out
    names = [f"{name}.example.org." for name in ("ns1", "ns2", "ns3")]
    internet.patch(rrset(ZONE, "NS", names))
    internet.delegate("ns1", "ns2", "ns3", ds=(internet.own_ds(),))
    assert "ns-unresolved" in internet.codes()
    assert "the name server ns3.example.org has no address" in internet.dns("doctor").out


def test_a_zone_that_nobody_delegates(internet: Internet) -> None:
    internet.namespace.call(
        internet.parent.patch,
        "org.",
        rrset(ZONE, "NS", []),
        rrset(ZONE, "DS", []),
        rrset("ns1.example.org", "A", []),
        rrset("ns2.example.org", "A", []),
    )
    assert {"not-delegated", "servers-unknown"} <= internet.codes()


def test_caa_is_judged_and_proposed(internet: Internet) -> None:
    done = internet.dns("caa")
    assert done.code == 0, done.text
    assert "zone example.org: the present records allow every name" in done.out
    assert "there is no account yet" in done.out
    internet.patch(rrset(ZONE, "CAA", ['0 issue "other.test"']))
    assert internet.codes() == {"caa-forbids"}
    done = internet.dns("caa")
    assert done.code == 1
    assert 'the record example.org CAA 0 issue "other.test" forbids it: it names other.test and not ca.test' in done.out
    document = json.loads(internet.dns("caa", "--json").out)
    (zone,) = document["zones"]
    assert not zone["allowed"]
    assert zone["present"] == ['0 issue "other.test"']
    assert zone["proposed"] == [
        '0 issue "ca.test; validationmethods=dns-01"',
        '0 issuewild "ca.test; validationmethods=dns-01"',
        '0 iodef "mailto:host@example.org"',
    ]
    assert zone["commands"][0] == (
        "pdnsutil add-record example.org @ CAA 3600 '0 issue \"ca.test; validationmethods=dns-01\"'"
    )
    # What is proposed is what PowerDNS takes, and it allows.
    internet.patch(rrset(ZONE, "CAA", ['0 issue "other.test"', *zone["proposed"]]))
    done = internet.dns("caa")
    assert (done.code, "all that is proposed is there" in done.out) == (0, True)
    (only,) = json.loads(internet.dns("caa", "--json", "www.example.org").out)["zones"]
    assert [item["name"] for item in only["names"]] == ["www.example.org"]
    assert [line.split(" IN CAA ")[1].split()[1] for line in only["zone_file"]] == ["issue", "iodef"]


def test_caa_is_proposed_where_the_records_are_that_decide(internet: Internet) -> None:
    internet.patch(rrset("www.example.org", "CAA", ['0 issue "other.test"']))
    done = internet.dns("caa")
    assert done.code == 1
    assert "zone example.org, records at www.example.org: not allowed as it is" in done.out
    at_apex, deeper = json.loads(internet.dns("caa", "--json").out)["zones"]
    assert (at_apex["at"], at_apex["allowed"]) == ("example.org", True)
    assert (deeper["zone"], deeper["at"], deeper["allowed"]) == ("example.org", "www.example.org", False)
    assert [item["name"] for item in deeper["names"]] == ["www.example.org"]
    assert deeper["commands"][0].startswith("pdnsutil add-record example.org www CAA 3600 ")
    # What is proposed there allows.
    internet.patch(rrset("www.example.org", "CAA", ['0 issue "other.test"', *deeper["proposed"]]))
    assert internet.dns("caa").code == 0


def test_a_zone_that_somebody_else_writes_is_judged_by_what_dns_shows(internet: Internet) -> None:
    config = internet.folder / "config"
    config.write_text(config.read_text() + 'DNS_PROVIDER="manual"\n')
    done = internet.dns("doctor")
    assert done.code == 0, done.text
    assert "zone example.org: not written through PowerDNS" in done.out
    internet.delegate("ns1", "ns2", ds=(WRONG_DS,))
    assert internet.codes() == {"ds-mismatch"}
    assert "zone example.org: the present records allow every name" in internet.dns("caa").out
    assert "nothing that --fix can mend" in internet.dns("doctor", "--fix").out
