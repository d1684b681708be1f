import io
import re

import pytest
from rich.console import Console

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import LineageFailed, Noted, ServerSeen, ServersWaited, ZoneProven, ZoneUnproven
from certkeeper.base.progress import Advanced
from certkeeper.cli.output import Output
from certkeeper.cli.render import Lines, Terminal, Wait, print_error

FAST = ServerSeen("ns1", 0.1, 5, ("udp", "tcp"))
LATE = ServerSeen("ns2", 4.0, 5, ("udp", "tcp"))


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (ZoneProven("z", (FAST,), 0.1), ["zone z: served by ns1 after 0.1 s (serial 5, udp and tcp)"]),
        (
            ZoneProven("z", (FAST, LATE), 4.0),
            [
                "zone z: served by ns1, ns2 after 4.0 s (serial 5, udp and tcp)",
                "    ns1: after 0.1 s, serial 5, udp and tcp",
                "    ns2: after 4.0 s, serial 5, udp and tcp",
            ],
        ),
        (
            ZoneUnproven("z", (ServerSeen("ns1", None, note="no\x1b answer"),), 9.0),
            ["zone z: not served everywhere after 9.0 s", "    ns1: no answer"],
        ),
    ],
)
def test_a_line_and_what_one_line_does_not_say(event: ZoneProven, lines: list[str]) -> None:
    """Through the stream that a run has, which knows less than a file."""
    stream = io.StringIO()
    Lines(Output(stream)).tell(event)  # type: ignore[arg-type]
    assert stream.getvalue().splitlines() == lines


def advanced(second: int) -> Advanced:
    return Advanced(second * 10, 0, 0, 1000, float(second), 10.0, None)


def test_a_log_says_every_ten_seconds_how_far_a_run_has_come() -> None:
    stream, quiet = io.StringIO(), io.StringIO()
    report, mute = Lines(stream), Lines(quiet, quiet=True)
    for second in range(1, 31):
        report.tell(advanced(second))
        mute.tell(advanced(second))
    assert stream.getvalue().splitlines() == [f"{issued} of 1,000 issued, 10/s" for issued in (100, 200, 300)]
    assert quiet.getvalue() == ""


def test_a_terminal_shows_how_far_a_run_has_come_before_what_it_waits_for() -> None:
    wait = Wait("waiting for the CA", lambda: 0.0)
    wait.advance(advanced(1).text)
    assert str(wait) == "10 of 1,000 issued, 10/s; waiting for the CA"


def test_quiet_leaves_notes() -> None:
    stream = io.StringIO()
    report = Lines(stream, quiet=True)
    report.tell(ZoneProven("z", (FAST, LATE), 4.0))
    report.tell(Noted("z", "odd"))
    assert stream.getvalue() == "z: odd\n"


@pytest.mark.parametrize("message", ["a.test: unauthorized", "unauthorized"])
def test_a_failure_names_its_certificate_once(message: str, capsys: pytest.CaptureFixture[str]) -> None:
    failed = LineageFailed("a.test", CertkeeperError(message, hint="look"))
    Lines(io.StringIO()).tell(failed)
    assert capsys.readouterr().err == "certkeeper: error: a.test: unauthorized\ncertkeeper: hint: look\n"
    assert failed.text == "a.test: unauthorized"


def test_an_error_about_another_name_names_both(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(CertkeeperError("a.test.example: unauthorized"), subject="a.test")
    print_error(CertkeeperError("a.test: unauthorized"))
    assert capsys.readouterr().err.splitlines() == [
        "certkeeper: error: a.test: a.test.example: unauthorized",
        "certkeeper: error: a.test: unauthorized",
    ]


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
    shown = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in stream.getvalue().split("\n")]
    assert any(line.rstrip().endswith("(12 s)") for line in shown), shown
    assert all(len(line.rpartition("\r")[2].rstrip()) <= 60 for line in shown), shown
