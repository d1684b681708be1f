"""The main job at a CA that refuses good nonces, takes its time, and hands out long chains: all end issued."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bed.faults import Asked, FaultyPebble, Rewrite
from bed.pebble import Options
from bed.world import World
from builders.page import Page, assert_clean_dns

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
MakeWorld = Callable[..., World]

NAMES = {
    "example.org": {"example.org", "*.example.org"},
    "www": {"www.example.org", "mail.example.org", "x.example.org"},
}
LINES = ("example.org *.example.org", "www.example.org mail.example.org x.example.org > www")


def everything_is_issued_and_renewed(page: Page) -> None:
    for arguments in ((), ("--force",)):
        done = page.run(*arguments)
        assert (done.code, done.err) == (0, ""), done.text
        for alias, names in NAMES.items():
            assert page.verified_names(alias) == names
    assert {len(page.stamps(alias)) for alias in NAMES} == {2}
    assert "nothing due" in page.run().out
    assert_clean_dns(page.world, page.world.zone)


@pytest.mark.parametrize("reuse", [0, 50, 100])
def test_a_quarter_of_the_nonces_is_refused(make_page: MakePage, make_world: MakeWorld, reuse: int) -> None:
    world = make_world(pebble=Options(nonce_reject=25, authz_reuse=reuse))
    everything_is_issued_and_renewed(make_page(*LINES, world=world))
    proofs = world.pebble.counts()["POST", "/chalZ"]
    assert proofs >= 5
    if reuse == 100:
        assert world.primary.recorder.counts()["PATCH", f"/api/v1/servers/localhost/zones/{world.zone}"] == 2


def test_long_chains_alternate_roots_and_retry_after(make_page: MakePage, make_world: MakeWorld) -> None:
    page = make_page(*LINES, world=make_world(pebble=Options(hostile=True)))
    everything_is_issued_and_renewed(page)
    chain = (page.place("www") / "chain.pem").read_text()
    assert chain.count("BEGIN CERTIFICATE") == 3


def test_validation_takes_its_time(make_page: MakePage, make_world: MakeWorld) -> None:
    page = make_page(*LINES, world=make_world(pebble=Options(sleep=True, nonce_reject=25)))
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    for alias, names in NAMES.items():
        assert page.verified_names(alias) == names
    assert_clean_dns(page.world, page.world.zone)


def test_a_slow_order_is_asked_for_no_more_often_than_the_ca_says(
    make_page: MakePage, make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(pebble=Options(sleep=True))

    def rule(asked: Asked) -> Rewrite | None:
        return Rewrite(headers={"Retry-After": "2"}) if asked.kind == "/my-order" else None

    with FaultyPebble(world.pebble, rule, tmp_path) as ca:
        done = make_page("example.org", world=world, CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle)).run()
    assert done.code == 0, done.text
    # At most five seconds of validation, a look every two; then finalize and its own look.
    assert world.pebble.counts()["POST", "/my-order"] <= 6
