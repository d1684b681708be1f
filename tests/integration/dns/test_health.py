"""What `dns doctor` saw of real zones is on the page for browsers, and what `report --look` sees, too."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.namespace import without_resolver
from builders.page import Page, certkeeper

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]


def test_the_page_shows_zones_as_somebody_saw_them_last(make_page: MakePage, zone: str) -> None:
    page = make_page(f"www.{zone}")
    assert "Nobody has looked yet" in shown(page)
    (page.folder / "state").mkdir(mode=0o700)
    page.dns("doctor")
    seen = shown(page)
    assert zone in seen
    assert str(page.world.secondary.server) in seen
    # Another zone, which is nobody's, takes nothing away.
    page.dns("doctor", "nowhere.example")
    assert all(name in shown(page) for name in (zone, "nowhere.example"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        page.configure(NAMESERVERS=f"{page.world.nameservers} 127.0.0.1:{dead.getsockname()[1]}")
        assert "no answer" not in shown(page)
        looked = shown(page, "--look")
    assert "no answer" in looked
    assert "nowhere.example" not in looked
    assert shown(page) == looked


def shown(page: Page, *words: str) -> str:
    """The part of the page that is about zones."""
    command: tuple[str | Path, ...] = ("report", "--config", page.config, "--html", "-", *words)
    done = certkeeper(*command, cwd=page.folder, prefix=without_resolver())
    assert done.code == 0, done.err
    return done.out.partition('<section id="zones"')[2].partition("</section>")[0]
