import io

import pytest

from certkeeper.base.events import Noted, ServerSeen, ZoneProven, ZoneUnproven
from certkeeper.cli.output import Output
from certkeeper.cli.render import Lines

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


def test_quiet_leaves_notes() -> None:
    stream = io.StringIO()
    report = Lines(stream, quiet=True)
    report.tell(ZoneProven("z", (FAST, LATE), 4.0))
    report.tell(Noted("z", "odd"))
    assert stream.getvalue() == "z: odd\n"
