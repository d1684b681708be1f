"""The page for browsers in a real one: nothing is complained of, nothing is asked for, and everybody can read it."""

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.chromium import Browser
from builders.report import evil_page, long_page, whole_page
from certkeeper.cli.report.model import Page
from certkeeper.cli.report.page import render

PAGES = {"whole": whole_page(), "evil": evil_page(), "long": long_page(10_000)}
SCREENS = {"wide": (1200, False), "dark": (1200, True), "phone": (390, False), "phone-dark": (320, True)}


class Site(http.server.SimpleHTTPRequestHandler):
    """Any web server."""

    asked: list[str]

    def log_request(self, code: object = "-", size: object = "-") -> None:  # noqa: ARG002 - as its base has it
        self.asked.append(self.path)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """Where the pages are, and what was asked for."""
    folder, asked = tmp_path_factory.mktemp("site"), list[str]()
    for name, page in PAGES.items():
        (folder / f"{name}.html").write_text(render(page), encoding="utf-8")
    (folder / "broken.html").write_text(_broken(PAGES["whole"]), encoding="utf-8")
    handler = type("Here", (Site,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def _broken(page: Page) -> str:
    """As it would be if a stranger's text got through: the policy is what is left then."""
    evil = "<img src='http://127.0.0.1:1/x'><p style='color:red'>x</p><script>document.title='owned'</script>"
    return render(page).replace("</main>", f"{evil}</main>")


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_a_browser_has_nothing_to_complain_of(
    browser: Browser, site: tuple[str, list[str]], name: str, screen: str, tmp_path: Path
) -> None:
    url, asked = site
    width, dark = SCREENS[screen]
    asked.clear()
    browser.looks(width=width, dark=dark, phone=width < 500)
    visit = browser.visit(f"{url}/{name}.html")
    assert visit.complaints == []
    assert [request for request in visit.requests if not request.startswith("data:")] == [f"{url}/{name}.html"]
    assert asked == [f"/{name}.html"]
    # Nothing is cut off, and nobody has to scroll sideways.
    assert browser.value("document.documentElement.scrollWidth") == width
    assert _cut_off(browser) == []
    ground = browser.value("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == ("rgb(17, 22, 24)" if dark else "rgb(246, 245, 241)")
    shown = "narrow" if width < 500 else "wide"
    assert browser.value(f"getComputedStyle(document.querySelector('svg.{shown}')).display") == "block"
    kept = os.environ.get("CERTKEEPER_PICTURES")
    browser.picture((Path(kept) if kept else tmp_path) / f"{name}-{screen}.png")


def _cut_off(browser: Browser) -> object:
    """Texts that stick out of the part of the page that they are in."""
    return browser.value(
        """[...document.querySelectorAll('section, header, footer')].flatMap(part => {
            const right = part.getBoundingClientRect().right + 1;
            return [...part.querySelectorAll('h1, h2, h3, p, th, td, li, dd, .badge, text')]
                .filter(one => one.getBoundingClientRect().right > right)
                .map(one => one.textContent.slice(0, 60));
        })"""
    )


def test_a_screen_reader_meets_headings_tables_and_pictures(browser: Browser, site: tuple[str, list[str]]) -> None:
    for width in (1200, 390):
        browser.looks(width=width, phone=width < 500)
        browser.visit(f"{site[0]}/whole.html")
        nodes = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in browser.tree()]
        roles = [role for role, _ in nodes]
        assert ("heading", "mx1.example.org") in nodes
        regions = [name for role, name in nodes if role == "region"]
        assert regions == [
            "Worth a look",
            "Timeline",
            "Certificates",
            "Services",
            "DANE",
            "DNS zones",
            "Recent events",
        ]
        assert [name for role, name in nodes if role == "table"] == [
            "Certificates",
            "Services",
            "TLSA records",
            "DNS zones",
            "Recent events",
        ]
        assert ("columnheader", "Renewed from") in nodes
        assert any(role == "rowheader" and name.startswith("shop.example.com") for role, name in nodes)
        # One picture is there, whatever the screen, and the signs beside words are none.
        assert [name for role, name in nodes if role in {"image", "img"}] == [
            "When certificates end, and when they are renewed"
        ]
        assert {"main", "banner", "contentinfo"} <= set(roles)


def test_all_that_can_be_reached_with_the_keyboard_has_a_name(browser: Browser, site: tuple[str, list[str]]) -> None:
    browser.looks(width=1200)
    browser.visit(f"{site[0]}/whole.html")
    names = browser.value(
        "[...document.querySelectorAll('a, summary, button, input, [tabindex]')].map(one => one.textContent.trim())"
    )
    assert isinstance(names, list)
    assert names[0] == "to the content"
    assert all(names)


def test_the_policy_stops_what_would_get_through(browser: Browser, site: tuple[str, list[str]]) -> None:
    visit = browser.visit(f"{site[0]}/broken.html")
    assert browser.value("document.title") != "owned"
    assert browser.value("getComputedStyle(document.querySelector('main > p')).color") != "rgb(255, 0, 0)"
    assert len([text for text in visit.complaints if "Content Security Policy" in text]) >= 3
    assert not [text for text in site[1] if text == "/x"]
