"""What goes wrong at PowerDNS, and at the servers behind it.

Each time: one error that names its object, a hint what to do, the other certificates issued, the exit code, and no
challenge record left behind.
"""

from collections.abc import Callable

import pytest

from bed.faults import Answer, Asked, Fault, FaultyPowerDns, HangUp
from bed.world import World
from builders.badinput import spent, the_others_are_issued
from builders.page import Page, assert_clean_dns

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
MakeWorld = Callable[..., World]


def test_powerdns_is_down(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PDNS_HOST="http://127.0.0.1:9")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert "http://127.0.0.1:9" in error
    assert "connection refused" in error
    assert page.world.pebble.counts()["POST", "/order-plz"] == 0 or page.live() == set()


def test_powerdns_is_down_is_said_once_for_all_certificates(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, f"www.{zone}", f"mail.{zone}", PDNS_HOST="http://127.0.0.1:9")
    done = page.run()
    assert done.code == 1
    assert len([line for line in done.err.splitlines() if "connection refused" in line]) == 1, done.err


def test_a_wrong_api_key(make_page: MakePage, zone: str) -> None:
    page = make_page(zone, PDNS_KEY="guess")
    done = page.run()
    assert done.code == 1
    assert "API key is refused" in done.only_error()
    assert "PDNS_KEY" in "".join(done.hints)
    assert "guess" not in done.text


def test_something_else_listens_where_powerdns_should(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    with FaultyPowerDns(page.world.primary, lambda _: Answer(200, b"<html>welcome</html>")) as other:
        page.configure(PDNS_HOST=other.url)
        done = page.run()
    assert done.code == 1
    assert "not JSON" in done.only_error()


def test_an_unknown_zone_stops_its_certificate_only(make_page: MakePage, zone: str) -> None:
    typo = "x" + zone
    page = make_page(zone, f"www.{typo}")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith(f"www.{typo}: ")
    assert "no zone at PowerDNS" in error
    the_others_are_issued(page, zone)
    assert_clean_dns(page.world, zone)


def test_a_secondary_zone_is_not_written_to(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.configure(PDNS_HOST=page.world.secondary.api_url)
    done = page.run()
    assert done.code == 1
    assert "is a secondary" in done.only_error()
    assert_clean_dns(page.world, zone)


def failing(method: str, *, times: int, status: int = 500) -> Callable[[Asked], Fault | None]:
    return lambda asked: (
        Answer(status, b'{"error": "the database is locked"}')
        if asked.method == method and asked.nth <= times
        else None
    )


@pytest.mark.parametrize("fault", [Answer(500, b'{"error": "busy"}'), HangUp(), HangUp(passed_on=True)])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_change_that_fails_once_is_tried_again(make_page: MakePage, zone: str, fault: Fault, nth: int) -> None:
    page = make_page(f"{zone} *.{zone}")
    with FaultyPowerDns(
        page.world.primary, lambda asked: fault if asked.method == "PATCH" and asked.nth == nth else None
    ) as api:
        page.configure(PDNS_HOST=api.url)
        done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    the_others_are_issued(page, zone)
    assert_clean_dns(page.world, zone)


def test_a_look_that_fails_once_is_tried_again(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    with FaultyPowerDns(page.world.primary, failing("GET", times=1)) as api:
        page.configure(PDNS_HOST=api.url)
        done = page.run()
    assert done.code == 0, done.text


@pytest.mark.long
def test_changes_that_always_fail_end_the_certificates_of_that_zone_only(
    make_page: MakePage, shared_world: World
) -> None:
    good, bad = (shared_world.new_zone().removesuffix(".") for _ in range(2))
    page = make_page(good, bad)

    def rule(asked: Asked) -> Fault | None:
        broken = asked.method == "PATCH" and bad in asked.path
        return Answer(500, b'{"error": "disk is full"}') if broken else None

    with FaultyPowerDns(shared_world.primary, rule) as api:
        page.configure(PDNS_HOST=api.url)
        shared_world.pebble.forget()
        done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith(f"{bad}: ")
    assert "disk is full" in error
    assert spent(shared_world.pebble) == 1
    the_others_are_issued(page, good)
    assert_clean_dns(shared_world, good, bad)


def test_a_change_that_may_have_gone_through_is_taken_back(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    patched: list[Asked] = []
    failed_looks: list[Asked] = []

    def rule(asked: Asked) -> Fault | None:
        if asked.method == "PATCH":
            patched.append(asked)
            return HangUp(passed_on=True) if len(patched) == 1 else None
        if patched and len(failed_looks) < 9 and asked.method == "GET" and "?" not in asked.path:
            failed_looks.append(asked)
            return HangUp()
        return None

    with FaultyPowerDns(page.world.primary, rule) as api:
        page.configure(PDNS_HOST=api.url)
        done = page.run()
    assert done.code == 1
    assert len(done.errors) == 1
    assert [b"DELETE" in asked.body for asked in patched] == [False, True]
    assert page.live() == set()
    assert_clean_dns(page.world, zone)


def test_a_withdrawal_that_always_fails_is_an_error_that_says_what_is_left(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    with FaultyPowerDns(
        page.world.primary,
        lambda asked: Answer(500, b'{"error": "gone"}') if asked.method == "PATCH" and asked.nth > 1 else None,
    ) as api:
        page.configure(PDNS_HOST=api.url)
        done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert f"zone {zone}" in error
    assert f"_acme-challenge.{zone} TXT" in "".join(done.hints)
    the_others_are_issued(page, zone)


def test_a_notify_that_fails_is_a_note(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.configure(NAMESERVERS=page.world.primary.server)
    with FaultyPowerDns(page.world.primary, failing("PUT", times=9)) as api:
        page.configure(PDNS_HOST=api.url)
        done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert "secondaries were not notified" in done.out


def test_a_secondary_that_never_catches_up_stops_its_zone_only(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(lag=None, zones=("example.org", "example.net"))
    page = make_page("example.org", "example.net", world=world, PDNS_WAIT="2")
    page.configure(NAMESERVERS=f"{world.nameservers} example.net={world.primary.server}")
    done = page.run()
    assert done.code == 1
    error = done.only_error()
    assert error.startswith("example.org: ")
    assert world.secondary.server in error
    assert spent(world.pebble) == 1
    the_others_are_issued(page, "example.net")
    assert_clean_dns(world, *world.zones)
