"""What a person sees of a run on a terminal."""

import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from rich.console import Console

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import (
    CertificateIssued,
    LineageFailed,
    Noted,
    OrderOpened,
    ServersWaited,
    ZoneChanged,
    ZoneProven,
)
from certkeeper.base.progress import Advanced
from certkeeper.base.traces import (
    CertificateChecked,
    CertificateRequested,
    ChallengesDue,
    ChallengesOver,
    OrderRequested,
)
from certkeeper.cli.live import Terminal, Wait
from certkeeper.cli.steps import Steps

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    """A terminal of that size."""

    def __init__(self, width: int, height: int, encoding: str = "utf-8") -> None:
        self._raw = io.BytesIO()
        self.file = io.TextIOWrapper(self._raw, encoding=encoding, newline="")
        self.now = 0.0
        console = Console(
            file=self.file, width=width, height=height, force_terminal=True, highlight=False, soft_wrap=True
        )
        self.report = Terminal(console, lambda: self.now)

    def drawn(self) -> list[str]:
        """What is under way, as it is drawn now."""
        self.report._live.refresh()
        console = self.report._console
        return ["".join(part.text for part in line) for line in console.render_lines(self.report, pad=False)]

    @property
    def said(self) -> str:
        self.file.flush()
        return _ESCAPES.sub("", self._raw.getvalue().decode(self.file.encoding))


def under_way(screen: Screen, *lineages: str) -> None:
    for lineage in lineages:
        screen.report.tell(OrderRequested(lineage))


def test_each_certificate_has_a_line_with_its_step() -> None:
    screen = Screen(80, 24)
    under_way(screen, "a.test", "mail.example.org")
    screen.report.tell(ChallengesDue("mail.example.org", ("mail.example.org",)))
    screen.now = 5.0
    lines = screen.drawn()
    assert lines[:2] == [
        "  a.test            opening an order (5 s)",
        "  mail.example.org  1 name to prove (5 s)",
    ]
    screen.report.tell(CertificateIssued("a.test", "2027-03-01T00:00:00Z", "/certs/a.test"))
    screen.report.tell(LineageFailed("mail.example.org", CertkeeperError("no such zone", hint="make it")))
    assert len(screen.drawn()) == len(lines) - 2
    screen.report.close()
    assert "✓ a.test: certificate valid until 2027-03-01T00:00:00Z is live in /certs/a.test" in screen.said
    assert "✗ mail.example.org: no such zone" in screen.said


@pytest.mark.parametrize(("width", "height"), [(20, 6), (40, 10), (80, 24), (200, 3)])
def test_what_is_drawn_anew_fits_the_terminal(width: int, height: int) -> None:
    screen = Screen(width, height)
    under_way(screen, *(f"a-rather-long-name-{number}.example.org" for number in range(100)))
    screen.report.tell(
        ServersWaited("example.org", tuple(f"ns{number}.example.org (192.0.2.1)" for number in range(9)))
    )
    screen.report.tell(Advanced(1, 2, 3, 1000, 60.0, 10.0, timedelta(minutes=2)))
    screen.now = 12.0
    lines = screen.drawn()
    assert all(len(line) <= width for line in lines), lines
    assert len(lines) <= max(height, 5), lines
    screen.report.close()


def test_where_there_are_too_many_their_number_is_told() -> None:
    screen = Screen(80, 12)
    under_way(screen, *(f"{number}.test" for number in range(30)))
    lines = screen.drawn()
    assert lines[3] == "  3.test  opening an order"
    assert lines[4] == "  and 26 more"
    screen.report.close()


def test_how_far_a_long_run_has_come_has_a_line_of_its_own_above_what_is_waited_for() -> None:
    screen = Screen(80, 24)
    screen.report.tell(Advanced(10, 0, 0, 1000, 1.0, 10.0, None))
    above, below = screen.drawn()[-2:]
    assert above == "10 of 1,000 issued, 10/s"
    assert below.endswith("waiting for the CA")
    screen.report.close()


def test_a_terminal_without_unicode_gets_signs_that_it_has() -> None:
    screen = Screen(60, 24, encoding="latin-1")
    under_way(screen, "a" * 50)
    screen.report.tell(Noted("zone z", "odd"))
    screen.report.tell(CertificateIssued("a.test", "2027-03-01T00:00:00Z", "/certs/a.test"))
    screen.report.tell(LineageFailed("b.test", CertkeeperError("no")))
    assert any("..." in line for line in screen.drawn())
    screen.report.close()
    assert "! zone z: odd" in screen.said
    assert "+ a.test: certificate valid" in screen.said
    assert "x b.test: no" in screen.said


def test_a_terminal_that_was_left_in_the_middle_has_its_cursor() -> None:
    """Nobody shows it again after a kill."""
    screen = Screen(80, 24)
    screen.file.flush()
    raw = screen._raw.getvalue().decode()
    assert raw.rfind("\x1b[?25h") > raw.rfind("\x1b[?25l")
    screen.report.close()


@pytest.mark.parametrize(("color", "expected"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color_means_no_color(color: dict[str, str], *, expected: bool) -> None:
    file = io.StringIO()
    console = Console(
        file=file,
        width=80,
        force_terminal=True,
        soft_wrap=True,
        color_system="standard",
        _environ={"TERM": "x", **color},
    )
    report = Terminal(console, lambda: 0.0)
    report.tell(LineageFailed("b.test", CertkeeperError("no")))
    report.close()
    assert ("\x1b[31m" in file.getvalue()) == expected


class TestSteps:
    def test_one_certificate_from_order_to_end(self) -> None:
        now = [0.0]
        steps = Steps(lambda: now[0])
        seen = []
        for event in (
            OrderRequested("a.test"),
            OrderOpened("a.test", "pending", 1),
            ChallengesDue("a.test", ("a.test", "www.a.test")),
            ZoneChanged("other.test", "published", 1, 1),
            ZoneChanged("a.test", "published", 2, 1),
            ZoneProven("a.test", (), 1.0),
            ChallengesOver("a.test", True),
            ZoneChanged("a.test", "withdrawn", 2, 0),
            CertificateRequested("a.test"),
            CertificateChecked("a.test"),
            CertificateIssued("a.test", "2027-03-01T00:00:00Z", "/certs/a.test"),
        ):
            steps.tell(event)
            now[0] += 1
            seen.append([step for _, step in steps.rows()])
        assert seen == [
            ["opening an order"],
            ["order opened"],
            ["2 names to prove"],
            ["2 names to prove (2 s)"],
            ["waits for DNS"],
            ["waits for the CA"],
            ["names proven"],
            ["names proven (2 s)"],
            ["waits for issuance"],
            ["going live"],
            [],
        ]

    @pytest.mark.parametrize(
        "last", [lambda: Noted("a.test", "kept as it is"), lambda: LineageFailed("a.test", CertkeeperError("no"))]
    )
    def test_one_that_fails_is_taken_back_and_gone(self, last: Callable[[], Noted | LineageFailed]) -> None:
        steps = Steps(lambda: 0.0)
        for event in (OrderRequested("a.test"), Noted("a.test", "goes on"), ChallengesOver("a.test", False)):
            steps.tell(event)
        assert steps.rows() == [("a.test", "taking back what was published")]
        steps.tell(last())
        assert steps.rows() == []


def test_a_narrow_terminal_gets_lines_that_end_between_words() -> None:
    stream = io.StringIO()
    report = Terminal(Console(file=stream, width=60, highlight=False, soft_wrap=True))
    address = "https://ca.example/" + 60 * "x"
    report.tell(Noted("zone example.org", f"one two three four five six seven eight nine ten eleven {address} twelve"))
    report.close()
    lines = [line for line in stream.getvalue().splitlines() if line.strip()]
    assert lines[0] == "! zone example.org: one two three four five six seven eight"
    assert lines[1] == "    nine ten eleven"
    assert lines[2:] == [f"    {address}", "    twelve"]


def test_a_wait_says_for_how_long_and_goes_on_while_the_words_change() -> None:
    now = 100.0
    wait = Wait("waiting for the CA", lambda: now)
    assert str(wait) == "waiting for the CA"
    now = 107.9
    assert str(wait) == "waiting for the CA (7 s)"
    wait.turn_to("servers", "zone z: waiting for ns1, ns2")
    now = 109.0
    wait.turn_to("servers", "zone z: waiting for ns2")
    assert str(wait) == "zone z: waiting for ns2 (1 s)"
    wait.turn_to("waiting for the certificates")
    assert str(wait) == "waiting for the certificates"


def test_what_is_waited_for_fits_a_narrow_terminal() -> None:
    now = 0.0
    stream = io.StringIO()
    console = Console(file=stream, width=60, force_terminal=True, highlight=False, soft_wrap=True)
    report = Terminal(console, lambda: now)
    report.tell(ServersWaited("example.org", ("ns1.example.org (192.0.2.1)", "ns2.example.org (192.0.2.2)")))
    now = 12.0
    report.close()
    shown = [_ESCAPES.sub("", line) for line in stream.getvalue().split("\n")]
    assert any(line.rstrip().endswith("(12 s)") for line in shown), shown
    assert all(len(line.rpartition("\r")[2].rstrip()) <= 60 for line in shown), shown
