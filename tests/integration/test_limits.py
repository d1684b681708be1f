"""A real CA that says that it has had enough: the program obeys, remembers it, and says so."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from bed.faults import Answer, Asked, Fault, FaultyPebble, Rewrite
from bed.world import World
from builders.page import Page

pytestmark = pytest.mark.real

REFUSAL = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many new orders from this account"}


def test_a_limit_is_obeyed_by_the_runs_to_come(shared_world: World, tmp_path: Path) -> None:
    zone = shared_world.new_zone().removesuffix(".")
    generous = False
    headers = {"Content-Type": "application/problem+json", "Retry-After": "3600"}

    def rule(asked: Asked) -> Fault | None:
        refused = asked.kind == "/order-plz" and not generous
        return Answer(429, json.dumps(REFUSAL).encode(), headers) if refused else None

    with FaultyPebble(shared_world.pebble, rule, tmp_path) as ca:
        page = Page(
            tmp_path / "real", shared_world, zone, f"www.{zone}", CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle)
        )
        began = datetime.now(UTC)
        done = page.run()
        assert done.code == 1
        assert "rateLimited: too many new orders" in done.err
        asked = len(ca.requests())
        again = page.run()
        assert again.code == 1
        assert "not asked for certificates before" in again.err
        assert len(ca.requests()) == asked
        (limit,) = json.loads(page.status("--json").out)["limits"]
        told = datetime.fromisoformat(limit["retry_at"])
        assert began + timedelta(minutes=59) < told < began + timedelta(minutes=62)
        generous = True
        assert page.run("--force").code == 0
        assert json.loads(page.status("--json").out)["limits"] == []


def test_a_clock_that_differs_from_the_cas_is_told(shared_world: World, tmp_path: Path) -> None:
    zone = shared_world.new_zone().removesuffix(".")
    date = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)

    def rule(asked: Asked) -> Fault | None:
        return Rewrite(headers={"Date": date}) if asked.kind == "/dir" else None

    def fetched() -> int:
        return [item.kind for item in ca.requests()].count("/dir")

    with FaultyPebble(shared_world.pebble, rule, tmp_path) as ca:
        page = Page(tmp_path / "real", shared_world, zone, CA=ca.directory_url, CA_BUNDLE=str(ca.ca_bundle))
        # It costs no request: what does not look at the directory for something else does not look at the clock.
        assert "this machine's clock" not in page.plan().out
        assert fetched() == 0
        done = page.run()
        assert done.code == 0
        assert done.out.count("clock: this machine's clock is 120 min behind that of") == 1
        assert fetched() == 1
        page.configure(ACME_PROFILE_PREFERRED="default")
        assert "warning: this machine's clock is 120 min behind that of" in page.plan("--force").out
        assert fetched() == 2
