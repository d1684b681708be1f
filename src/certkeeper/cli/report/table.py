"""Tables that stay tables where a narrow screen shows their rows as cards."""

from collections.abc import Iterable, Sequence

from certkeeper.cli.report.html import Markup, element, icon, joined, when
from certkeeper.cli.report.model import Found, Mood

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str | None]]) -> Markup:
    """The first cell of each row is its heading; a column that nobody has anything in is left out. What has a style of
    its own says its role, or loses it.
    """
    shown = list(rows)
    kept = [at for at in range(len(heads)) if not at or any(row[at] for row in shown)]
    heads, rows = [heads[at] for at in kept], [[row[at] for at in kept] for row in shown]
    titles = element("tr", *(element("th", head, scope="col", role="columnheader") for head in heads), role="row")
    body = (
        element(
            "tr",
            element("th", row[0], scope="row", role="rowheader"),
            *(
                element("td", cell, role="cell", data_label=head if cell else None)
                for head, cell in zip(heads[1:], row[1:], strict=True)
            ),
            role="row",
        )
        for row in rows
    )
    return element(
        "table",
        element("caption", caption),
        element("thead", titles, role="rowgroup"),
        element("tbody", *body, role="rowgroup"),
        role="table",
    )


def badge(mood: Mood, words: str) -> Markup:
    return element("span", icon(mood), element("span", words), class_=f"badge wash-{mood}")


def paragraph(*parts: str | None, class_: str | None = None) -> Markup:
    return element("p", *parts, class_=class_)


def time_or(instant: "datetime | None", otherwise: str) -> Markup:
    return when(instant) if instant is not None else element("span", otherwise, class_="soft")


def listed(found: Iterable[Found]) -> Markup:
    """What is wrong, and what to do."""
    items = (
        element(
            "li",
            element("span", icon(item.mood), class_=str(item.mood)),
            element(
                "div",
                paragraph(element("strong", f"{item.severity}:"), Markup(" "), item.message),
                paragraph(item.fix, class_="names") if item.fix else None,
            ),
        )
        for item in found
    )
    return element("ul", *items, class_="list")


def section(anchor: str, title: str, *parts: Markup | None) -> Markup:
    """With its heading as its name."""
    heading = element("h2", title, id=f"{anchor}-title")
    return element("section", heading, joined(*parts), id=anchor, aria_labelledby=f"{anchor}-title")
