"""The proof of propagation with real servers: secondaries late and dead, signatures left out, a view from elsewhere."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bed.resolver import Resolver
from bed.world import World
from builders.liars import LyingServer, Mirror, Twist, cut_short, expired, rcode, without_signatures
from builders.page import Page

pytestmark = pytest.mark.real
MakePage = Callable[..., Page]
MakeWorld = Callable[..., World]


def details(text: str, server: str) -> str:
    """The line of its own that a server has got."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"    {server}: ")]
    return line


@pytest.mark.parametrize("dnssec", [True, False], ids=["signed", "unsigned"])
def test_one_secondary_is_late_and_another_one_dead(
    make_page: MakePage, make_world: MakeWorld, *, dnssec: bool
) -> None:
    world = make_world(secondaries=2, lag=1.5, dnssec=dnssec)
    sub = world.primary.create_zone("sub.example.org", dnssec=dnssec).removesuffix(".")
    late, dead = world.secondaries
    dead.process.stop()
    page = make_page("example.org *.example.org", f"www.{sub}", world=world, PDNS_WAIT="8")
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    for zone in ("example.org", sub):
        (line,) = [line for line in done.out.splitlines() if line.startswith(f"zone {zone}: served by")]
        assert f"{world.primary.server}, {late.server} after" in line
    notes = [line for line in done.out.splitlines() if "did not answer" in line]
    assert len(notes) == 2
    assert all(f"{dead.server} did not answer (connection refused)" in line for line in notes)
    lines = [line for line in done.out.splitlines() if line.startswith(f"    {late.server}: ")]
    assert len(lines) == 2
    assert all(float(re.findall(r"after ([\d.]+) s", line)[0]) >= 1 for line in lines)
    assert all(line.endswith("udp and tcp, signed" if dnssec else "udp and tcp") for line in lines)
    page.verified_names("example.org")


def test_a_dead_one_blocks_where_all_are_demanded(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PDNS_WAIT="6", PROPAGATION="all", EXTRA_NAMESERVERS="127.0.0.77:9")
    page.world.pebble.forget()
    done = page.run()
    assert done.code == 1
    assert "not every name server confirms: 127.0.0.77:9: connection refused" in done.only_error()
    assert page.world.pebble.counts()["POST", "/chalZ"] == 0
    page.configure(DNS_IGNORE="127.0.0.77", EXTRA_NAMESERVERS="", NAMESERVERS=f"{page.world.nameservers} 127.0.0.77:9")
    done = page.run("--force")
    assert (done.code, done.err) == (0, ""), done.text
    assert f"zone {zone}: not asked, as DNS_IGNORE says: 127.0.0.77:9" in done.out


def test_a_late_secondary_is_explained_by_its_serial(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(lag=None)
    before = world.primary.serial(world.zone)
    page = make_page("example.org", world=world, PDNS_WAIT="2")
    done = page.run()
    assert done.code == 1
    assert f"(still at serial {before}, others are at {(before or 0) + 1})" in done.only_error()
    assert f"serial {(before or 0) + 1}" in details(done.out, world.primary.server)
    assert "still answers without" in details(done.out, world.secondary.server)


HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("twist", "words"),
    [
        (without_signatures, r"serves _acme-challenge\.\S+ unsigned although the zone is signed"),
        (
            expired(HOUR_AGO),
            rf"serves _acme-challenge\.\S+ signed, and its DNSKEY with a signature that expired {HOUR_AGO:%F}",
        ),
    ],
    ids=["unsigned", "expired"],
)
def test_a_secondary_whose_signatures_are_no_good(make_page: MakePage, zone: str, twist: Twist, words: str) -> None:
    page = make_page(zone, PDNS_WAIT="6")
    page.world.pebble.forget()
    with LyingServer(Mirror(upstream=page.world.primary.dns), twist) as liar:
        shown = f"127.0.0.1:{liar.port}"
        page.configure(NAMESERVERS=f"{page.world.nameservers} {shown}")
        done = page.run()
        assert done.code == 1
        assert re.search(rf"{shown} {words}", done.only_error())
        assert page.world.primary.server not in done.only_error()
        assert page.world.pebble.counts()["POST", "/chalZ"] == 0
        page.configure(DNS_IGNORE=shown)
        assert page.run("--force").code == 0


def test_a_server_that_cuts_its_datagrams_short_counts_by_what_it_says_over_tcp(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    with LyingServer(Mirror(upstream=page.world.primary.dns), cut_short("udp")) as server:
        page.configure(NAMESERVERS=f"{page.world.nameservers} 127.0.0.1:{server.port}")
        done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert "does not work" not in done.text


def test_a_server_that_refuses_is_named_and_the_others_go_on(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PDNS_WAIT="4")
    with LyingServer(Mirror(upstream=page.world.primary.dns), rcode("REFUSED")) as liar:
        page.configure(NAMESERVERS=f"{page.world.nameservers} 127.0.0.1:{liar.port}")
        done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    (note,) = [line for line in done.out.splitlines() if "others serve" in line]
    assert f"127.0.0.1:{liar.port} answers REFUSED for _acme-challenge.{zone}; others serve the records" in note


class TestVantage:
    def test_a_validating_resolver_sees_it_after_the_name_servers_do(
        self, make_page: MakePage, make_world: MakeWorld
    ) -> None:
        """Asked before the late secondary had it, it would remember for an hour that the name was not there."""
        world = make_world(lag=1.5)
        resolver = world.resolver()
        page = make_page("example.org", world=world, VANTAGE_RESOLVERS=resolver.server)
        done = page.run()
        assert (done.code, done.err) == (0, ""), done.text
        assert f"seen by {resolver.server} after" in done.out

    def test_one_that_finds_it_bogus_is_named_with_what_it_answers(self, make_page: MakePage, zone: str) -> None:
        page = make_page(zone, PDNS_WAIT="3")
        page.world.pebble.forget()
        anchor = f"{zone}. DS 12345 13 2 {'ab' * 32}"
        folder = page.folder / "resolver"
        with Resolver(folder, zones={f"{zone}.": [page.world.primary.dns]}, trust_anchors=[anchor]) as resolver:
            page.configure(VANTAGE_RESOLVERS=resolver.server)
            done = page.run()
        assert done.code == 1
        assert f"resolver {resolver.server} answers SERVFAIL" in done.only_error()
        assert page.world.pebble.counts()["POST", "/chalZ"] == 0

    def test_one_that_is_not_there_is_waited_for_and_named(self, make_page: MakePage, zone: str) -> None:
        page = make_page(zone, PDNS_WAIT="6", VANTAGE_RESOLVERS="127.0.0.77:9")
        done = page.run()
        assert done.code == 1
        assert "resolver 127.0.0.77:9 connection refused" in done.only_error()
