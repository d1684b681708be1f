"""The page: one file, for any web server. Nothing in it is loaded from elsewhere, and nothing in it runs."""

import hashlib
from collections.abc import Sequence

from certkeeper.base.events import count
from certkeeper.base.times import iso
from certkeeper.base.value import replace
from certkeeper.cli.report.certificates import certificates_section, timeline_section
from certkeeper.cli.report.html import Markup, element, icon, joined, text, when
from certkeeper.cli.report.model import Certificate, Mood, Page
from certkeeper.cli.report.sections import (
    attention_section,
    dane_section,
    events_section,
    services_section,
    zones_section,
)
from certkeeper.cli.report.style import DIGEST, STYLE
from certkeeper.plan.state import PROBLEMS

_POLICY = f"default-src 'none'; style-src '{DIGEST}'; img-src data:; base-uri 'none'; form-action 'none'"
# Without one, browsers ask the web server for a file that is not there.
_FAVICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%230b655f'/%3E"
    "%3Cpath d='M4 8.4l2.7 2.7L12 5.6' fill='none' stroke='white' stroke-width='2'/%3E%3C/svg%3E"
)
_SIGNS = Markup(
    '<svg class="defs" aria-hidden="true">'
    '<symbol id="i-good" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="currentColor"/>'
    '<path d="M4.6 8.3l2.3 2.3 4.5-4.8" fill="none" stroke="var(--sheet)" stroke-width="1.8"/></symbol>'
    '<symbol id="i-waits" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" '
    'stroke-width="1.6"/><path d="M8 4.4V8l2.4 1.8" fill="none" stroke="currentColor" stroke-width="1.6"/></symbol>'
    '<symbol id="i-wrong" viewBox="0 0 16 16"><path d="M8 1.2L15.4 14.4H.6z" fill="currentColor"/>'
    '<path d="M8 5.6v4.2M8 11.2v1.7" stroke="var(--sheet)" stroke-width="1.7"/></symbol>'
    '<symbol id="i-unknown" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" '
    'stroke-width="1.6"/><path d="M5 8h6" stroke="currentColor" stroke-width="1.6"/></symbol>'
    "</svg>"
)
MARK = "<!-- a certkeeper report; certkeeper writes this file anew"


def render(page: Page) -> str:
    """The whole file. The same page gives the same file."""
    body = _body(page)
    # What is a part of the first line is not a part of the digest in it.
    midnight = replace(page, made=page.made.replace(hour=0, minute=0, second=0, microsecond=0))
    digest = hashlib.sha256(_document(midnight, _body(midnight)).encode()).hexdigest()
    return f"<!doctype html>\n{MARK}: {digest} -->\n{_document(page, body)}"


def first_lines(rendered: str) -> str:
    """What two pages have in common that show the same, made on the same day."""
    return rendered[: rendered.index("-->")]


def _document(page: Page, body: Markup) -> str:
    head = joined(
        Markup('<meta charset="utf-8">'),
        _meta("viewport", "width=device-width, initial-scale=1"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        _meta("referrer", "no-referrer"),
        _meta("robots", "noindex, nofollow"),
        _meta("color-scheme", "light dark"),
        Markup(f'<link rel="icon" href="{_FAVICON}">'),
        element("title", f"{_verdict(page)[1]} · certificates of {page.host}"),
        Markup(f"<style>{STYLE}</style>"),
    )
    return f'<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _meta(name: str, content: str) -> Markup:
    return Markup(f'<meta name="{name}" content="{content}">')


def _body(page: Page) -> Markup:
    main = element(
        "main",
        attention_section(page.found, page.orphans),
        timeline_section(page.certificates, page.made),
        certificates_section(page.certificates),
        services_section(page.certificates),
        dane_section(page.owners),
        zones_section(page.zones),
        events_section(page.events),
        id="main",
    )
    skip = element("a", "to the content", class_="skip", href="#main")
    return joined(_SIGNS, skip, Markup("\n"), _header(page), Markup("\n"), main, Markup("\n"), _footer(page))


def _header(page: Page) -> Markup:
    mood, said = _verdict(page)
    numbers = [
        ("Made", when(page.made)),
        ("Next due", _next_due(page)),
        ("Certificates", text(f"{len(page.certificates):,}")),
        *([("Problems", text(f"{problems:,}"))] if (problems := _problems(page.certificates)) else []),
    ]
    return element(
        "header",
        element("p", "Certificates and DNS", class_="eyebrow"),
        element("h1", page.host),
        element("p", icon(mood), element("span", said), class_=f"verdict wash-{mood}"),
        element("dl", *(_number(name, value) for name, value in numbers), class_="numbers"),
    )


def _number(name: str, value: Markup) -> Markup:
    return element("div", element("dt", name), element("dd", value))


def _next_due(page: Page) -> Markup:
    if page.next_due is None:
        return text("nothing")
    if page.next_due <= page.made:
        return text("now, with the next run")
    name = element("span", page.next_name, class_="soft") if page.next_name else None
    return joined(when(page.next_due), Markup(" "), name)


def _verdict(page: Page) -> tuple[Mood, str]:
    """How it all is, in one sentence."""
    problems = _problems(page.certificates)
    if problems:
        them = "needs" if problems == 1 else "need"
        return Mood.WRONG, f"{count(problems, 'certificate')} of {len(page.certificates):,} {them} attention"
    moods = [item.mood for item in page.found]
    moods += [item.mood for item in page.owners] + [item.mood for item in page.zones or ()]
    elsewhere = moods.count(Mood.WRONG)
    if elsewhere:
        return Mood.WRONG, f"{count(elsewhere, 'problem')} beside the certificates"
    if not page.certificates:
        return Mood.UNKNOWN, "No certificates yet"
    all_ = "The certificate is" if len(page.certificates) == 1 else f"All {len(page.certificates):,} certificates are"
    return Mood.GOOD, f"{all_} in order"


def _problems(certificates: Sequence[Certificate]) -> int:
    return sum(item.state in PROBLEMS for item in certificates)


def _footer(page: Page) -> Markup:
    return element(
        "footer",
        element(
            "p",
            f"Made by certkeeper {page.version} at {iso(page.made)}. It shows the state of that time; where runs keep "
            "it fresh (REPORT_FILE), it is made anew when something changes, and at least once a day.",
        ),
    )
