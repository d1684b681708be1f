"""HTML as text that is escaped once: what is no Markup is a stranger's text."""

import html
from datetime import UTC, datetime

from certkeeper.base.errors import printable
from certkeeper.base.times import iso

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, *children: str | None, **attributes: str | float | None) -> Markup:
    """`<tag …>…</tag>`. An attribute that is None is left out; `class_` is class, `aria_label` is aria-label."""
    words = "".join(
        f' {_name(name)}="{html.escape(printable(str(value)))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{words}>{joined(*children)}</{tag}>")


def joined(*parts: str | None) -> Markup:
    """One after the other, with nothing in between."""
    return Markup("".join(part if isinstance(part, Markup) else text(part) for part in parts if part is not None))


def text(value: str) -> Markup:
    """What a stranger may have written: no markup, no control characters, none that turn the direction of writing."""
    return Markup(html.escape(printable(value)))


def _name(attribute: str) -> str:
    return attribute.rstrip("_").replace("_", "-")


def icon(name: str) -> Markup:
    """A sign that is said in words beside it."""
    return Markup(f'<svg class="icon" aria-hidden="true"><use href="#i-{name}"/></svg>')


def day(instant: datetime) -> str:
    """`10 Feb 2027`, whatever the language of the machine."""
    return f"{instant.day} {_MONTHS[instant.month - 1]} {instant.year}"


def month(instant: datetime) -> str:
    """`Feb`, and `Jan 2027` where a year begins."""
    name = _MONTHS[instant.month - 1]
    return f"{name} {instant.year}" if instant.month == 1 else name


def when(instant: datetime) -> Markup:
    """A time of UTC, to the minute."""
    at = instant.astimezone(UTC)
    date, clock = element("span", day(at), class_="date"), element("span", f"{at:%H:%M} UTC", class_="clock")
    return element("time", date, Markup(" "), clock, datetime=iso(at))
