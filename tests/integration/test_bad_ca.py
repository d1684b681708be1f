"""What goes wrong at the CA, and on the way there.

Each time: one error that names its object, a hint what to do, the other certificates issued, the exit code, and no
challenge record left behind.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.faults import Answer, Asked, Fault, FaultyPebble, HangUp, HoleyDns, Rewrite
from bed.pebble import Options, Pebble
from bed.world import World
from builders.badinput import the_others_are_issued
from builders.page import Page, assert_clean_dns

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
MakeWorld = Callable[..., World]


def test_the_ca_is_down(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"www.{zone}", CA="https://localhost:9/dir")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert "https://localhost:9/dir" in error
    assert "connection refused" in error
    assert not (page.folder / "accounts").exists()
    assert_clean_dns(page.world, zone)


def test_the_cas_api_is_not_trusted(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.unset("CA_BUNDLE")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert page.world.pebble.directory_url in error
    assert "CA_BUNDLE" in "".join(done.hints)


def test_a_bundle_without_a_certificate(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.configure(CA_BUNDLE=str(page.domains))
    assert page.plan().code == 0, "looking needs no CA"
    done = page.run()
    assert done.code == 2
    assert str(page.domains) in done.only_error()


def test_a_page_that_is_no_directory(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.configure(CA=page.world.pebble.directory_url.replace("/dir", "/nonce-plz"))
    done = page.run()
    assert done.code == 1
    assert "/nonce-plz" in done.only_error()


def test_every_nonce_is_refused(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(pebble=Options(nonce_reject=100), secondaries=0)
    done = make_page("example.org", world=world).run()
    assert done.code == 1
    assert "nonce" in done.only_error()
    assert_clean_dns(world, world.zone)


def test_a_name_that_the_ca_refuses_stops_its_certificate_only(make_page: MakePage, make_world: MakeWorld) -> None:
    # Pebble 2.10 dies of names with fewer labels than a blocked one.
    world = make_world(pebble=Options(blocklist=("blocked.example",)), zones=("example.org", "blocked.example"))
    page = make_page("example.org", "www.example.org www.blocked.example", world=world)
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith("www.example.org: ")
    assert "www.blocked.example" in error
    assert "rejectedIdentifier" in error
    the_others_are_issued(page, "example.org")
    assert_clean_dns(world, *world.zones)


def test_one_invalid_name_among_ten_is_the_one_that_is_named(
    make_page: MakePage, shared_world: World, zone: str, tmp_path: Path
) -> None:
    names = [f"n{number}.{zone}" for number in range(10)]
    with (
        HoleyDns(shared_world.primary.dns, {f"_acme-challenge.n7.{zone}"}) as dns_of_the_ca,
        Pebble(tmp_path / "ca", dns_server=dns_of_the_ca.dns) as pebble,
    ):
        page = make_page(
            f"good.{zone}",
            " ".join([*names, "> ten"]),
            CA=pebble.directory_url,
            CA_BUNDLE=str(pebble.ca_bundle),
        )
        done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith("ten: ")
    assert [name for name in names if f"{name}:" in error.replace("ten: ", "")] == [f"n7.{zone}"]
    assert page.live() == {f"good.{zone}"}
    assert_clean_dns(shared_world, zone)


@pytest.fixture
def stuck_ca(shared_world: World, tmp_path: Path, zone: str) -> Iterator[FaultyPebble]:
    """A CA that never finishes the orders of names that start with `stuck`."""

    def processing(body: bytes) -> bytes:
        order = json.loads(body)
        names = [identifier["value"] for identifier in order.get("identifiers", ())]
        if order.get("status") == "valid" and f"stuck.{zone}" in names:
            order["status"] = "processing"
        return json.dumps(order).encode()

    def rule(asked: Asked) -> Fault | None:
        return Rewrite(processing) if asked.kind in {"/my-order", "/finalize-order"} else None

    with FaultyPebble(shared_world.pebble, rule, tmp_path / "stuck") as proxy:
        yield proxy


def test_an_order_that_is_processed_for_ever_is_given_up(
    make_page: MakePage, zone: str, stuck_ca: FaultyPebble
) -> None:
    page = make_page(
        zone, f"stuck.{zone}", CA=stuck_ca.directory_url, CA_BUNDLE=str(stuck_ca.ca_bundle), ORDER_TIMEOUT="2"
    )
    start = time.monotonic()
    done = page.run()
    assert time.monotonic() - start < 15
    assert done.code == 1
    error = done.only_error()
    assert error.startswith(f"stuck.{zone}: ")
    assert "still processing after 2" in error
    assert page.live() == {zone}
    assert_clean_dns(page.world, zone)


def test_a_ca_that_closes_connections_is_asked_again(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    page = make_page(f"{zone} *.{zone}", f"www.{zone}")
    faults: list[Fault | None] = [HangUp(), HangUp(passed_on=True), Answer(503, b"busy"), None, None]

    def rule(asked: Asked) -> Fault | None:
        # One request in a kind fails, each kind in another way.
        return faults[sum(map(ord, asked.kind)) % len(faults)] if asked.nth == 2 else None

    with FaultyPebble(page.world.pebble, rule, tmp_path / "faulty") as ca:
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert page.live() == {zone, f"www.{zone}"}
    assert_clean_dns(page.world, zone)


def test_a_ca_that_hangs_up_on_everything_is_an_error_in_plain_words(
    make_page: MakePage, zone: str, tmp_path: Path
) -> None:
    page = make_page(zone)
    with FaultyPebble(page.world.pebble, lambda _: HangUp(), tmp_path / "faulty") as ca:
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert ca.directory_url in error
    assert "RemoteDisconnected" not in error


def test_a_finalize_whose_answer_is_lost_still_ends_in_the_certificate(
    make_page: MakePage, zone: str, tmp_path: Path
) -> None:
    page = make_page(zone)

    def rule(asked: Asked) -> Fault | None:
        return HangUp(passed_on=True) if asked.kind == "/finalize-order" and asked.nth == 1 else None

    with FaultyPebble(page.world.pebble, rule, tmp_path / "faulty") as ca:
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        done = page.run()
    assert done.code == 0, done.text
    page.verified_names(zone)


def test_a_registration_that_was_cut_off_is_finished_by_the_next_run(
    make_page: MakePage, zone: str, tmp_path: Path
) -> None:
    page = make_page(zone)
    broken = True

    def rule(asked: Asked) -> Fault | None:
        return HangUp() if broken and asked.kind == "/sign-me-up" else None

    with FaultyPebble(page.world.pebble, rule, tmp_path / "faulty") as ca:
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        assert page.run().code == 1
        broken = False
        again = page.run()
    assert again.code == 0, again.text
    assert page.live() == {zone}


def test_terms_that_nobody_accepted(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    before = {path.name for path in page.folder.iterdir()}
    done = page.run(terms=False)
    assert done.code == 2
    assert "terms of service" in done.only_error()
    assert "--accept-terms" in "".join(done.hints)
    # The journal is opened before anybody is asked; nothing else comes into being.
    assert {path.name for path in page.folder.iterdir()} - before <= {"state"}
    assert_clean_dns(page.world, zone)
