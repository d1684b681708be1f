"""The page for browsers, as text: what is on it, what never is, and what it looks like to whoever sees little."""

import base64
import hashlib
import html.parser
import itertools
import re
from datetime import timedelta

import pytest

from builders.report import EVIL, NOW, RECORD, certificate, evil_page, long_page, whole_page
from certkeeper.base.value import replace
from certkeeper.cli.report.html import element, text, when
from certkeeper.cli.report.model import Mood, Page
from certkeeper.cli.report.page import MARK, first_lines, render
from certkeeper.cli.report.style import STYLE
from certkeeper.cli.report.wording import said

VOID = {"meta", "link"}


class Reader(html.parser.HTMLParser):
    """Elements in their order, and whether they are closed in the order in which they were opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def having(self, tag: str) -> list[dict[str, str | None]]:
        return [words for name, words in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page() -> Reader:
    return Reader(render(whole_page()))


def test_it_is_well_formed_and_names_its_parts(page: Reader) -> None:
    assert page.open == []
    assert page.having("html") == [{"lang": "en"}]
    ids = [words["id"] for _, words in page.elements if "id" in words]
    assert len(ids) == len(set(ids))
    for section in page.having("section"):
        assert section["aria-labelledby"] in ids
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_tables_have_headings_and_a_caption(page: Reader) -> None:
    assert len(page.having("table")) == len(page.having("caption")) == 5
    assert {words["scope"] for words in page.having("th")} == {"col", "row"}
    # A style that makes rows cards takes their meaning away, unless it is said.
    for tag, role in (("table", "table"), ("tr", "row"), ("td", "cell")):
        assert {words.get("role") for words in page.having(tag)} == {role}


def test_the_picture_is_told_in_words(page: Reader) -> None:
    pictures = [words for words in page.having("svg") if words.get("role") == "img"]
    assert len(pictures) == 2
    for picture in pictures:
        assert {str(picture["aria-labelledby"]), str(picture["aria-describedby"])} <= {
            str(words.get("id")) for _, words in page.elements
        }
    assert "department.intranet.example.net, 31 Dec 2026" in page.text.replace("The next", "the next")
    assert "the first one to end is shop.example.com, 16 Dec 2026" in page.text.replace("The first", "the first")
    assert all(words.get("aria-hidden") == "true" for words in page.having("svg") if words.get("role") != "img")


def test_everything_that_is_known_is_there(page: Reader) -> None:
    for words in (
        "2 certificates of 4 need attention",
        "mx1.example.org",
        "CAA record for example.com forbids issuance",
        "LOCKFILE can be written by others",
        "1 certificate that nothing asks for any more: old.example.org",
        "_25._tcp.mail.example.org",
        "no answer",
        "cannot be read",
        "the CA refused it",
        "the test of the configuration failed",
        RECORD,
        "shop5.example.com",
        "1 Dec 2026 04:40 UTC",
        "21 Dec 2026",
    ):
        assert words in page.text, words


def test_a_state_is_said_in_words_beside_its_colour(page: Reader) -> None:
    for word in ("failed", "missing", "ok", "not taken", "seen", "in order", "wrong", "warning:"):
        assert word in page.text


def test_nothing_is_loaded_and_nothing_runs(page: Reader) -> None:
    [policy] = [words["content"] for words in page.having("meta") if words.get("http-equiv")]
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert page.having("script") == page.having("img") == page.having("iframe") == []
    for _, words in page.elements:
        assert not {name for name in words if name.startswith("on")} | {"style"} & set(words)
        for name in ("href", "src"):
            assert re.match(r"#|data:image/svg\+xml,", words.get(name) or "#")
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_what_strangers_write_stays_text() -> None:
    written = render(evil_page())
    evil = Reader(written)
    assert evil.open == []
    assert evil.having("script") == evil.having("img") == []
    assert "<script>alert(1)</script>" in evil.text
    assert "\u202e" not in written
    assert "\x1b" not in written
    assert EVIL.split("\u202e", maxsplit=1)[0] not in written


def test_the_same_page_is_the_same_file_and_the_first_line_tells_another_one() -> None:
    page = whole_page()
    written = render(page)
    assert written == render(whole_page())
    assert written.startswith(f"<!doctype html>\n{MARK}")
    later = render(replace(page, made=NOW + timedelta(hours=3)))
    assert later != written
    assert first_lines(later) == first_lines(written)
    assert first_lines(render(replace(page, made=NOW + timedelta(days=1)))) != first_lines(written)
    assert first_lines(render(replace(page, certificates=page.certificates[1:]))) != first_lines(written)


def test_of_very_many_the_page_stays_small_and_shows_what_matters() -> None:
    written = render(long_page(10_000))
    assert len(written.encode()) < 200_000
    page = Reader(written)
    assert "3 certificates of 10,000 need attention" in page.text
    assert len(page.having("tr")) < 60
    for number in range(3):
        assert f"bad{number}.example.org" in page.text
    assert "customer-00000." in page.text
    weeks = [int(words.replace(",", "")) for words in page.words if re.fullmatch(r"[\d,]{2,}", words)]
    assert sum(weeks) > 9_900
    assert "renewed in that week" in page.text


def test_a_page_of_nothing_says_so() -> None:
    page = Reader(render(Page("host", NOW, "1.0")))
    assert "No certificates yet" in page.text
    assert "certkeeper dns doctor" in page.text
    assert [words["id"] for words in page.having("section")] == ["certificates", "zones"]


def test_all_in_order_is_said_and_what_is_wrong_elsewhere_counts() -> None:
    page = Page("host", NOW, "1.0", (certificate("a.example"), certificate("b.example")))
    assert "All 2 certificates are in order" in Reader(render(page)).text
    owners = tuple(replace(item, mood=Mood.WRONG) for item in whole_page().owners)
    assert "1 problem beside the certificates" in Reader(render(replace(page, owners=owners))).text


def colours() -> dict[str, dict[str, str]]:
    """Light and dark, by the names that the style sheet gives them."""
    light, dark = STYLE.split("@media (prefers-color-scheme:dark)", 1)
    dark = dark.split("}}", 1)[0]
    return {
        name: dict(re.findall(r"--([\w-]+):(#[0-9a-f]{6})", part)) for name, part in (("light", light), ("dark", dark))
    }


def brightness(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((brightness(one), brightness(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_can_be_read_and_signs_can_be_seen(scheme: str) -> None:
    named = colours()[scheme]
    grounds = [named["ground"], named["sheet"]]
    for ink in ("ink", "soft", "accent", *(mood.value for mood in Mood)):
        assert min(contrast(named[ink], ground) for ground in grounds) >= 4.5, ink
    for mood in Mood:
        assert contrast(named[mood.value], named[f"wash-{mood}"]) >= 4.5, mood
        assert contrast(named[f"bar-{mood}"], named["sheet"]) >= 3, mood


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("/etc/ssl/private/privkey.pem: cannot read", "…/privkey.pem: cannot read"),
        ("cannot read:/srv/keys/a/key.pem", "cannot read:…/key.pem"),
        ("asked https://acme.example/directory/x/y twice", "asked https://acme.example/directory/x/y twice"),
        ("LOCKFILE=/run/lock/ck.lock, and '/root/hook.sh'", "LOCKFILE=…/ck.lock, and '…/hook.sh'"),
        ("~/certs/a.pem (/home/u/b.pem)", "…/a.pem (…/b.pem)"),
        ("3 of 4, and/or 1/2", "3 of 4, and/or 1/2"),
    ],
)
def test_paths_of_this_machine_stay_here(message: str, shown: str) -> None:
    assert said(message) == shown


def test_elements_are_escaped_once() -> None:
    assert element("p", "a & b", text("<c>"), class_="d\"'") == '<p class="d&quot;&#x27;">a &amp; b&lt;c&gt;</p>'
    assert "2026-12-01T04:40:00Z" in when(NOW)
