"""`certkeeper dns test` and `dns cleanup`: real records in real zones, also when somebody pulls the plug."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bed.faults import Asked, FaultyPebble, FaultyPowerDns, HangUp, Rewrite
from bed.powerdns import rrset, txt_rrset
from bed.waiting import wait_until
from bed.world import World
from builders.page import DEADLINE, Page, assert_clean_dns, environment

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
MakeWorld = Callable[..., World]


def test_a_record_goes_the_whole_way_and_is_gone_again(make_page: MakePage, zone: str) -> None:
    page = make_page(f"www.{zone}")
    world = page.world
    done = page.dns("test", f"www.{zone}")
    assert (done.code, done.err) == (0, ""), done.text
    owner = f"_certkeeper-test.www.{zone}"
    lines = done.out.splitlines()
    assert lines[0].startswith(f'zone {zone}: {owner} TXT "certkeeper-test-')
    assert lines[0].endswith(" published")
    for server in (world.primary, world.secondary):
        (line,) = [line for line in lines if line.startswith(f"{server.server}: after ")]
        assert " s, serial " in line
    assert any(line.startswith(f"zone {zone}: works: every name server that answers has it") for line in lines)
    assert lines[-1].endswith(" withdrawn")
    assert_clean_dns(world, zone)
    assert "nothing of ours is left" in page.dns("cleanup").out


def test_a_secondary_that_never_hears_of_it_fails_the_test(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(lag=None, zones=["deaf.example"])
    page = make_page("www.deaf.example", world=world, PDNS_WAIT="2")
    done = page.dns("test", "www.deaf.example")
    assert done.code == 1
    assert world.secondary.server in done.only_error()
    assert f"{world.primary.server}: after " in done.out
    assert_clean_dns(world, "deaf.example")


def test_names_that_cannot_be_tried_are_told_so(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    done = page.dns("test", "www.nowhere.example")
    assert (done.code, "no zone" in done.only_error()) == (1, True)
    assert page.dns("test", "not_a..name").code == 2
    assert page.dns("test", f"{zone}e").hints == [f"did you mean {zone}?"]
    owner = f"_acme-challenge.www.{zone}"
    page.world.primary.patch(zone, rrset(owner, "NS", ["ns.stranger.test."]))
    page.write_lines(f"www.{zone}")
    told = f"zone {zone} delegates {owner} to ns.stranger.test, so what is written there is not served"
    assert page.dns("test", f"www.{zone}").only_error() == told
    assert f"    {told}" in page.plan().out.splitlines()
    page.configure(PDNS_HOST=page.world.secondary.api_url)
    assert f"zone {zone} is a secondary" in page.dns("test", zone).only_error()


@contextmanager
def under_way(page: Page, name: str) -> Iterator[subprocess.Popen[str]]:
    """`dns test` under way, with its record published."""
    command = [sys.executable, "-m", "certkeeper", "dns", "test", "--config", str(page.config), name]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        owner = f"_certkeeper-test.{name}"
        wait_until(lambda: bool(page.world.primary.txt(owner)), "the record is published")
        yield process
        if process.poll() is None:
            process.kill()


def test_ctrl_c_takes_the_record_away(make_page: MakePage, make_world: MakeWorld) -> None:
    world = make_world(lag=None, zones=["stop.example"])
    page = make_page("stop.example", world=world, PDNS_WAIT="60")
    with under_way(page, "stop.example") as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert "withdrawn" in out
    assert "interrupted" in err
    assert "hint: the record is taken away again" in err
    assert_clean_dns(world, "stop.example")


@pytest.fixture
def killed(make_page: MakePage, make_world: MakeWorld) -> Page:
    """A page whose test was killed while it waited."""
    world = make_world(lag=None, zones=["dead.example"])
    page = make_page("dead.example *.dead.example", world=world, PDNS_WAIT="60")
    with under_way(page, "dead.example") as process:
        process.kill()
    assert world.primary.txt("_certkeeper-test.dead.example")
    return page


def test_a_killed_test_is_cleaned_up_and_nothing_of_others(killed: Page) -> None:
    world = killed.world
    other = "_acme-challenge.dead.example"
    world.primary.patch("dead.example", txt_rrset(other, "somebody-elses"))
    before = world.primary.records("dead.example")

    shown = killed.dns("cleanup", "--dry-run")
    assert shown.code == 1
    assert "_certkeeper-test.dead.example TXT" in shown.out
    assert "1 record would be removed" in shown.out
    assert f'    {other} TXT "somebody-elses"' in shown.out
    refused = killed.dns("cleanup")
    assert (refused.code, "--yes" in refused.err) == (1, True)
    assert world.primary.records("dead.example") == before

    done = killed.dns("cleanup", "--yes")
    assert (done.code, done.err) == (0, ""), done.text
    assert "1 record of an earlier run withdrawn" in done.out
    assert not world.primary.txt("_certkeeper-test.dead.example")
    assert world.primary.txt(other) == {"somebody-elses"}
    assert "nothing of ours is left" in killed.dns("cleanup", "--yes").out


def test_a_killed_test_is_cleaned_up_by_the_next_run_too(killed: Page) -> None:
    killed.configure(PDNS_WAIT="2")
    killed.run()
    assert not killed.world.primary.txt("_certkeeper-test.dead.example")


def test_what_cannot_be_removed_stays_owed(killed: Page) -> None:
    primary = killed.world.primary

    def rule(asked: Asked) -> HangUp | None:
        return HangUp() if asked.method == "PATCH" else None

    with FaultyPowerDns(primary, rule) as api:
        killed.configure(PDNS_HOST=api.url)
        done = killed.dns("cleanup", "--yes")
    assert done.code == 1
    assert "may still be there" in done.only_error()
    killed.configure(PDNS_HOST="http://127.0.0.1:9")
    done = killed.dns("cleanup", "--yes")
    assert done.code == 1
    assert "may still be in dead.example" in done.err
    killed.configure(PDNS_HOST=primary.api_url)
    assert killed.dns("cleanup", "--yes").code == 0


def test_a_ca_without_a_name_in_caa_is_an_error(make_page: MakePage, zone: str, tmp_path: Path) -> None:
    page = make_page(zone)

    def rule(asked: Asked) -> Rewrite | None:
        return Rewrite(nameless) if asked.kind == "/dir" else None

    def nameless(body: bytes) -> bytes:
        directory = json.loads(body)
        del directory["meta"]["caaIdentities"]
        return json.dumps(directory).encode()

    with FaultyPebble(page.world.pebble, rule, tmp_path / "nameless") as ca:
        page.configure(CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        done = page.dns("caa")
        assert done.code == 1
        assert "does not say by which name CAA records know it" in done.only_error()
        page.configure(CAA_CHECK="yes")
        assert page.run().code == 0
    page.configure(CA="https://127.0.0.1:9/dir")
    assert "CAA was not looked at" in page.dns("doctor").out
