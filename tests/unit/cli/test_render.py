import io

import pytest

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import CertificateIssued, LineageFailed, Noted, ServerSeen, ZoneProven, ZoneUnproven
from certkeeper.base.progress import Advanced
from certkeeper.cli.output import Output
from certkeeper.cli.render import Lines, print_error
from certkeeper.cli.saying import Saying

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
    report, mute = Lines(stream), Lines(quiet, Saying.PROBLEMS)
    for second in range(1, 31):
        report.tell(advanced(second))
        mute.tell(advanced(second))
    assert stream.getvalue().splitlines() == [f"{issued} of 1,000 issued, 10/s" for issued in (100, 200, 300)]
    assert quiet.getvalue() == ""


def test_quiet_leaves_notes() -> None:
    stream = io.StringIO()
    report = Lines(stream, Saying.PROBLEMS)
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


def test_only_changes_leaves_what_is_different_now_and_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    report = Lines(stream, Saying.CHANGES)
    report.tell(ZoneProven("z", (FAST, LATE), 4.0))
    report.tell(advanced(20))
    report.tell(CertificateIssued("a.test", "2027-03-01T00:00:00Z", "/certs/a.test"))
    report.tell(Noted("z", "odd"))
    report.tell(LineageFailed("b.test", CertkeeperError("no")))
    assert stream.getvalue().splitlines() == [
        "a.test: certificate valid until 2027-03-01T00:00:00Z is live in /certs/a.test",
        "z: odd",
    ]
    assert capsys.readouterr().err == "certkeeper: error: b.test: no\n"
