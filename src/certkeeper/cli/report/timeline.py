"""When certificates end and are renewed, as a picture: a bar for each, or, of many, a column for each week.

A picture is made for wide screens and one for narrow ones, since its letters shrink with it. It shows whole days, so it
is the same all day long.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from certkeeper.base.value import dataclass
from certkeeper.cli.report.html import Markup, day, element, joined, month
from certkeeper.cli.report.model import Certificate, Mood

MOST_BARS = 40
"""Certificates; more than that are counted by week."""
_LONGEST = timedelta(days=400)
_SHORTEST = timedelta(days=14)
_ROW = 30
_TOP = 34
_PLOT = 190
_WEEKS = 58


@dataclass(frozen=True, slots=True)
class Format:
    """Lengths in the picture's own units. `label` is the room before the bars, `letters` what fits in there."""

    name: str
    width: int
    label: int
    letters: int


WIDE = Format("wide", 960, 260, 32)
NARROW = Format("narrow", 360, 0, 36)


@dataclass(frozen=True, slots=True)
class _Axis:
    start: datetime
    end: datetime
    left: float
    right: float

    def at(self, instant: datetime) -> float:
        """Where it is; what is beyond the picture is at its edge."""
        share = (instant - self.start) / (self.end - self.start)
        return round(self.left + min(max(share, 0.0), 1.0) * (self.right - self.left), 1)

    def months(self) -> Iterator[datetime]:
        first = self.start.replace(day=1)
        while (first := (first + timedelta(days=32)).replace(day=1)) < self.end:
            yield first


def timeline(certificates: Sequence[Certificate], today: datetime) -> Markup | None:
    """The pictures; None where no certificate is there yet. `today` is a midnight."""
    shown = sorted((item for item in certificates if item.ends is not None), key=lambda item: (item.ends, item.alias))
    if not shown:
        return None
    draw = _bars if len(shown) <= MOST_BARS else _columns
    return joined(*(draw(shown, today, format_) for format_ in (WIDE, NARROW)))


def _axis(shown: Sequence[Certificate], today: datetime, left: float, right: float) -> _Axis:
    last = max(item.ends for item in shown if item.ends is not None)
    span = min(max(last - today, _SHORTEST), _LONGEST)
    return _Axis(today - span * 0.06, today + span * 1.03, left, right)


def _picture(format_: Format, height: float, title: str, description: str, *parts: Markup) -> Markup:
    ids = f"timeline-{format_.name}", f"timeline-{format_.name}-text"
    return element(
        "svg",
        element("title", title, id=ids[0]),
        element("desc", description, id=ids[1]),
        *parts,
        class_=f"timeline {format_.name}",
        viewBox=f"0 0 {format_.width} {height:g}",
        role="img",
        aria_labelledby=ids[0],
        aria_describedby=ids[1],
    )


def _scale(axis: _Axis, top: float, bottom: float, today: datetime) -> Iterator[Markup]:
    """Months, and today."""
    now = axis.at(today)
    months = list(axis.months())
    # Names of months need some room.
    every = 1 + int(46 * len(months) / (axis.right - axis.left))
    for number, first in enumerate(months):
        x = axis.at(first)
        yield element("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid")
        if number % every == 0 and now + 36 < x < axis.right - 14:
            yield element("text", month(first), x=x, y=top - 9, class_="tick", text_anchor="middle")
    yield element("line", x1=now, x2=now, y1=top - 4, y2=bottom, class_="today")
    yield element("text", "today", x=now, y=top - 9, class_="tick strong", text_anchor="middle")


def _bars(shown: Sequence[Certificate], today: datetime, format_: Format) -> Markup:
    """A bar from today to each end; from its renewal on it is a pale one."""
    narrow = not format_.label
    row = _ROW + 16 if narrow else _ROW
    axis = _axis(shown, today, 0 if narrow else format_.label + 22, format_.width - 8)
    bottom = _TOP + row * len(shown) + 4
    parts = [*_scale(axis, _TOP, bottom, today)]
    for number, item in enumerate(shown):
        parts.append(_bar(item, today, axis, _TOP + row * number, format_))
    return _picture(
        format_, bottom + 6, "When certificates end, and when they are renewed", _told(shown, today), *parts
    )


def _bar(item: Certificate, today: datetime, axis: _Axis, top: float, format_: Format) -> Markup:
    narrow = not format_.label
    ends = item.ends or today
    middle = top + (32 if narrow else _ROW / 2)
    start, end = sorted((axis.at(today), axis.at(ends)))
    renewal = item.renew_at if item.renew_at is not None and item.renew_at < ends else None
    turn = min(max(axis.at(renewal), start), end) if renewal is not None else end
    ended = ends <= today
    label_x, label_y = (27, top + 18) if narrow else (22, middle + 5)
    label = _shortened(item.alias, format_.letters)
    tip = f"{item.alias}: ends {day(ends)}" + (f", renewed from {day(renewal)}" if renewal is not None else "")
    sign = element("use", href=f"#i-{item.mood}", x=0, y=label_y - 13, width=16, height=16, class_=f"sign {item.mood}")
    bars = [_rect(start, end, middle, f"bar {item.mood}")]
    if renewal is not None and not ended and end - turn > 2:
        bars.append(_rect(turn, end, middle, "over"))
        points = f"{turn},{middle - 8} {turn + 7},{middle} {turn},{middle + 8} {turn - 7},{middle}"
        bars.append(element("polygon", points=points, class_="renewal"))
    return element(
        "g",
        element("title", tip),
        sign,
        element("text", label, x=label_x, y=label_y, class_="label"),
        *bars,
    )


def _rect(start: float, end: float, middle: float, look: str) -> Markup:
    """Whatever is short is still to be seen."""
    width = round(max(end - start, 4), 1)
    return element("rect", x=start, y=middle - 6, width=width, height=12, rx=6, class_=look)


def _columns(shown: Sequence[Certificate], today: datetime, format_: Format) -> Markup:
    """For each week how many are renewed, and how many end if they are not."""
    narrow = not format_.label
    left, right, bottom = 44, format_.width - 8, _TOP + _PLOT
    axis = _axis(shown, today, left, right)
    first = today - timedelta(days=today.weekday())
    renewals = _by_week([item.renew_at for item in shown if item.renew_at is not None], first)
    ends = _by_week([item.ends for item in shown if item.ends is not None], first)
    most = max((*renewals.values(), *ends.values()), default=1)
    parts = [*_levels(most, left, right, bottom), *_scale(axis, _TOP, bottom, today)]
    for counts, look, offset in ((ends, "column ends", 0.5), (renewals, "column renewals", 0.0)):
        for week, number in counts.items():
            begins = first + timedelta(weeks=week)
            x, following = axis.at(begins), axis.at(begins + timedelta(weeks=1))
            wide = max((following - x) * 0.44, 1.5)
            high = max(number / most * (_PLOT - 8), 2)
            tip = f"week of {day(begins)}: {number} {'renewed' if offset == 0 else 'end'}"
            place = round(x + (following - x) * (0.06 + offset * 0.88), 1)
            parts.append(
                element(
                    "rect",
                    element("title", tip),
                    x=place,
                    y=round(bottom - high, 1),
                    width=round(wide, 1),
                    height=round(high, 1),
                    rx=1.5 if narrow else 2,
                    class_=look,
                )
            )
    parts.append(element("line", x1=left, x2=right, y1=bottom, y2=bottom, class_="base"))
    title = "How many certificates are renewed, and how many end, in each week"
    return _picture(format_, bottom + 10, title, _told(shown, today), *parts)


def _by_week(instants: Sequence[datetime], first: datetime) -> dict[int, int]:
    counts: dict[int, int] = {}
    for instant in instants:
        week = min(max((instant - first) // timedelta(weeks=1), -1), _WEEKS)
        counts[week] = counts.get(week, 0) + 1
    return dict(sorted(counts.items()))


def _levels(most: int, left: float, right: float, bottom: float) -> Iterator[Markup]:
    """Lines with how many that is."""
    for share in (0.5, 1.0):
        number = max(round(most * share), 1)
        y = round(bottom - number / most * (_PLOT - 8), 1)
        yield element("line", x1=left, x2=right, y1=y, y2=y, class_="grid")
        yield element("text", f"{number}", x=left - 8, y=y + 4, class_="tick", text_anchor="end")


def _told(shown: Sequence[Certificate], today: datetime) -> str:
    """The picture in words. The table below has all of it."""
    first = shown[0]
    coming = [item for item in shown if item.renew_at is not None and item.renew_at >= today]
    renewed = min(coming, key=_renewal, default=None)
    last = shown[-1]
    words = [f"{len(shown):,} certificates" if len(shown) > 1 else "1 certificate"]
    if first.ends is not None and last.ends is not None:
        words.append(f"the first one to end is {first.alias}, {day(first.ends)}")
        words.append(f"the last one is {last.alias}, {day(last.ends)}")
    if renewed is not None and renewed.renew_at is not None:
        words.append(f"the next renewal is that of {renewed.alias}, {day(renewed.renew_at)}")
    return ". ".join(word[0].upper() + word[1:] for word in words) + ". The table of certificates says the same."


def _renewal(item: Certificate) -> datetime:
    return item.renew_at or datetime.max.replace(tzinfo=UTC)


def _shortened(alias: str, letters: int) -> str:
    """Both ends of a long name tell it from others."""
    if len(alias) <= letters:
        return alias
    return f"{alias[: letters - 12]}…{alias[-11:]}"


def mood_of(certificates: Sequence[Certificate]) -> Mood:
    """The worst of them."""
    order = (Mood.WRONG, Mood.WAITS, Mood.UNKNOWN, Mood.GOOD)
    return min((item.mood for item in certificates), key=order.index, default=Mood.GOOD)
