"""A run on a terminal: lines for what ended, and below them what is under way, drawn anew a few times a second."""

import textwrap
import time
from collections.abc import Callable, Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from certkeeper.base.errors import CertkeeperError, printable
from certkeeper.base.events import (
    Event,
    LineageFailed,
    NamesProven,
    Noted,
    OrderOpened,
    ServersWaited,
    ZoneChanged,
    ZoneUnproven,
)
from certkeeper.base.progress import Advanced
from certkeeper.base.traces import Traced
from certkeeper.cli.pageform import in_form
from certkeeper.cli.steps import Steps

_SERVERS = "waiting for the name servers to serve the records"
_AWAITED = {
    "account-registered": "waiting for the CA",
    "order-opened": "waiting for the CA to say what it wants proven",
    "zone-changed": _SERVERS,
    "zone-proven": "waiting for the CA to validate the names",
    "names-proven": "waiting for the certificates",
}
"""What usually comes after an event, and takes its time."""

_NARROWEST = 20
"""Columns; a terminal that claims fewer than that has not told its size."""
_PER_SECOND = 4
_MOST_WAITED = 3
"""Lines about what is waited for."""
_MARKS = {"utf": ("✓", "!", "✗", "dots", "…"), "": ("+", "!", "x", "line", "...")}


class Wait:
    """What is waited for, in words, with the seconds since that began."""

    def __init__(self, step: str, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._step = self._words = step
        self._since = monotonic()

    def turn_to(self, step: str, words: str = "") -> None:
        """The seconds go on while the step is the same, whatever the words."""
        if step != self._step:
            self._step, self._since = step, self._monotonic()
        self._words = words or step

    def __str__(self) -> str:
        seconds = int(self._monotonic() - self._since)
        return f"{self._words} ({seconds} s)" if seconds else self._words


class Terminal:
    """Where a run's events go while a person watches.

    Lines end between words. A word that is wider than the terminal stays whole, so that it can be copied. What is drawn
    anew is never wider or higher than the terminal, and is gone at the end.
    """

    def __init__(
        self,
        console: Console | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        first: str = "waiting for the CA",
    ) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._done, self._note, self._wrong, spinner, self._more = _MARKS[
            "utf" if self._console.encoding.startswith("utf") else ""
        ]
        self._wait = Wait(first, monotonic)
        self._steps = Steps(monotonic)
        self._advanced = ""
        self._spinner = Spinner(spinner)
        self._told: CertkeeperError | None = None
        self._live = Live(
            self, console=self._console, refresh_per_second=_PER_SECOND, transient=True, vertical_overflow="crop"
        )
        self._live.start()
        # One that was killed meanwhile would leave the terminal without.
        self._console.show_cursor(show=True)

    def tell(self, event: Event) -> None:
        self._steps.tell(event)
        if isinstance(event, Traced):
            return
        if isinstance(event, ServersWaited):
            self._wait.turn_to(_SERVERS, printable(event.text))
            return
        if isinstance(event, Advanced):
            self._advanced = event.text
            return
        if isinstance(event, LineageFailed):
            self._tell_failure(event)
        elif not isinstance(event, OrderOpened | NamesProven):
            # Those are steps of a certificate, which has its line below.
            mark, style = (self._note, "yellow") if isinstance(event, Noted | ZoneUnproven) else (self._done, "")
            self._print(f"{mark} ", event.text, style)
            for line in event.details:
                self._print("    ", line, style)
        withdrawn = isinstance(event, ZoneChanged) and event.withdraws
        awaited = None if withdrawn else _AWAITED.get(event.label)
        if awaited:
            self._wait.turn_to(awaited)

    def close(self) -> None:
        self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, console.height
        below = list(self._below(width))
        for line in self._under_way(width, (height - len(below)) // 2):
            yield Text(line, no_wrap=True, overflow="crop")
        if self._advanced:
            yield _cut(self._advanced, width, self._more)
        spinner = self._spinner.render(console.get_time())
        for at, line in enumerate(below):
            head = Text.assemble(spinner if isinstance(spinner, Text) else "", " ") if not at else Text("  ")
            yield Text.assemble(head, _cut(line, width - 2, self._more), no_wrap=True, overflow="crop")

    def _under_way(self, width: int, room: int) -> Iterator[str]:
        """A line for each certificate, as many as half of the screen has."""
        rows = self._steps.rows()
        shown = rows if len(rows) <= room else rows[: max(room - 1, 0)]
        names = min(max((len(lineage) for lineage, _ in shown), default=0), max(width * 2 // 5, 8))
        for lineage, step in shown:
            name = _cut(lineage, names, self._more).plain
            yield _cut(f"  {name:{names}}  {step}", width, self._more).plain
        if len(shown) < len(rows) and room > 0:
            yield _cut(f"  and {len(rows) - len(shown)} more", width, self._more).plain

    def _below(self, width: int) -> Iterator[str]:
        lines = textwrap.wrap(str(self._wait), max(width - 2, _NARROWEST), break_on_hyphens=False)
        yield from lines[:_MOST_WAITED]

    def _tell_failure(self, event: LineageFailed) -> None:
        if event.error is self._told:
            self._print(f"{self._wrong} ", f"{event.lineage}: for the same reason", "red")
            return
        self._told = event.error
        self._print(f"{self._wrong} ", event.text, "red")
        if event.error.hint:
            self._print("  ", f"hint: {event.error.hint}")

    def _print(self, before: str, text: str, style: str = "") -> None:
        lines = textwrap.wrap(
            in_form(printable(text)),
            max(self._console.width, _NARROWEST),
            initial_indent=before,
            subsequent_indent=" " * (len(before) + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
        self._console.print(Text("\n".join(lines), style=style))


def _cut(line: str, width: int, more: str) -> Text:
    text = Text(line)
    if text.cell_len > width:
        text.truncate(max(width - len(more), 0), overflow="crop")
        text.append(more[: max(width, 0)])
    return text
