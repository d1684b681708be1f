"""The certificates: each one in a table, and of very many those that matter, and how many are renewed when."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from certkeeper.base.events import count
from certkeeper.cli.report.html import Markup, day, element, joined, when
from certkeeper.cli.report.model import Certificate, Mood
from certkeeper.cli.report.table import badge, paragraph, section, table, time_or
from certkeeper.cli.report.timeline import MOST_BARS, timeline

MOST_ROWS = 200
"""Certificates that have a row of their own, where there are no more; else those that need something."""
_FIRST = 20
"""Those that have one nevertheless, since they are renewed first."""
_MOST_NAMES = 100
_FEW = 50
_SHOWN_NAMES = 3
_MOST_LISTED = 3000
"""Names of certificates that are listed by week."""
_HEADS = ("Certificate", "State", "Ends", "Renewed from", "Services", "OCSP response")


def timeline_section(certificates: Sequence[Certificate], made: datetime) -> Markup | None:
    """The picture, and what its signs mean."""
    picture = timeline(certificates, made.replace(hour=0, minute=0, second=0, microsecond=0))
    if picture is None:
        return None
    many = sum(1 for item in certificates if item.ends is not None) > MOST_BARS
    return section("timeline", "Timeline", element("figure", picture, _key(many=many)))


def _key(*, many: bool) -> Markup:
    signs: tuple[tuple[Markup, str], ...]
    if many:
        signs = (
            (Markup('<rect width="11" height="13" y="1" class="column renewals"/>'), "renewed in that week"),
            (Markup('<rect width="11" height="13" y="1" class="column ends"/>'), "ends in that week, if not renewed"),
        )
    else:
        signs = (
            (Markup('<rect width="24" height="10" y="3" rx="5" class="bar good"/>'), "valid"),
            (Markup('<polygon points="10,0 17,7 10,14 3,7" class="renewal"/>'), "renewed from here"),
            (
                Markup(
                    '<rect width="24" height="10" y="3" rx="5" class="bar good"/>'
                    '<rect width="24" height="10" y="3" rx="5" class="over"/>'
                ),
                "time left, should that fail",
            ),
        )
    spans = (
        element("span", element("svg", sign, viewBox="0 0 24 14", aria_hidden="true"), said) for sign, said in signs
    )
    return element("figcaption", *spans, class_="key timeline-key")


def certificates_section(certificates: Sequence[Certificate]) -> Markup:
    """Those that matter most come first."""
    if not certificates:
        return section("certificates", "Certificates", paragraph("The list of certificates is empty.", class_="about"))
    rows, rest = _parted(certificates)
    about = None
    if rest:
        said = (
            f"The {count(len(rows), 'certificate')} that need attention first, or are renewed first, of "
            f"{len(certificates):,}. The others are below, by the week in which they are renewed."
        )
        about = paragraph(said, class_="about")
    few = len(certificates) <= _FEW
    shown = table("Certificates", _HEADS, (_row(item, names=_MOST_NAMES if few else 10) for item in rows))
    weeks = _by_week(rest) if rest else None
    return section("certificates", "Certificates", about, shown, weeks)


def _parted(certificates: Sequence[Certificate]) -> tuple[Sequence[Certificate], Sequence[Certificate]]:
    if len(certificates) <= MOST_ROWS:
        return certificates, ()
    wanting = sum(item.mood is not Mood.GOOD for item in certificates)
    most = min(wanting + _FIRST, MOST_ROWS)
    return certificates[:most], certificates[most:]


def _row(item: Certificate, *, names: int) -> list[Markup | None]:
    """As _HEADS."""
    return [
        joined(item.alias, _names(item, names)),
        joined(badge(item.mood, item.state.value), *(paragraph(line, class_="message") for line in _said(item))),
        time_or(item.ends, "not issued"),
        time_or(item.renew_at, "not known"),
        _services(item),
        _staple(item) if item.staple else None,
    ]


def _said(item: Certificate) -> Iterator[str]:
    if item.next:
        yield item.next
    yield from item.last


def _names(item: Certificate, most: int) -> Markup | None:
    others = [each for each in item.names if each != item.alias]
    if not others:
        return None
    first = element("p", ", ".join(others[:_SHOWN_NAMES]), class_="names")
    rest = others[_SHOWN_NAMES:]
    if not rest:
        return first
    more = ", ".join(rest[:most]) + (f" and {len(rest) - most} more" if len(rest) > most else "")
    inside = element("p", more, class_="names")
    return joined(first, element("details", element("summary", f"{len(rest)} more names"), inside))


def _staple(item: Certificate) -> Markup:
    until = (
        paragraph(Markup("until "), when(item.staple_until), class_="names") if item.staple_until is not None else None
    )
    return joined(badge(item.staple_mood, item.staple), until)


def _services(item: Certificate) -> Markup | None:
    """Those that are in order share a line."""
    parts: list[Markup] = []
    for mood in Mood:
        alike = [given for given in item.services if given.mood is mood]
        for said in dict.fromkeys(given.said for given in alike):
            names = ", ".join(given.service for given in alike if given.said == said)
            parts.append(element("li", badge(mood, said), Markup(" "), names))
    return element("ul", *parts) if parts else None


def _by_week(rest: Sequence[Certificate]) -> Markup:
    """How many are renewed in each week, and their names as far as these fit on a page."""
    weeks: dict[datetime | None, list[Certificate]] = {}
    for item in rest:
        weeks.setdefault(_week(item.renew_at or item.ends), []).append(item)
    known = sorted(week for week in weeks if week is not None)
    order: list[datetime | None] = [*known, *([None] if None in weeks else [])]
    each = max(_MOST_LISTED // max(len(order), 1), 1)
    rows = (_week_row(week, weeks[week], each) for week in order)
    return joined(
        element("h3", "The others, by week"),
        table("The other certificates, by the week in which they are renewed", _WEEK_HEADS, rows),
    )


_WEEK_HEADS = ("Week of", "Certificates", "First end", "Which")


def _week_row(week: datetime | None, items: Sequence[Certificate], most: int) -> list[Markup | None]:
    ends = [item.ends for item in items if item.ends is not None]
    names = ", ".join(item.alias for item in items[:most])
    names += f" and {len(items) - most} more" if len(items) > most else ""
    return [
        joined(day(week) if week is not None else "no date"),
        joined(f"{len(items):,}"),
        when(min(ends)) if ends else None,
        element("details", element("summary", "names"), element("p", names, class_="names")),
    ]


def _week(instant: datetime | None) -> datetime | None:
    if instant is None:
        return None
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())
