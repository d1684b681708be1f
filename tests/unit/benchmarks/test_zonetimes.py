import pytest
from benchmarks.model import ZoneTimes
from benchmarks.zonetimes import MissingError, zone_times

API = '[webserver] 0637581a-2b3c-41a2-9816-bf770f37f904 127.0.0.1:41034 "{} HTTP/1.1" 204 368'
PATCH, NOTIFY = "PATCH /api/v1/servers/localhost/zones/{}.", "PUT /api/v1/servers/localhost/zones/{}./notify"
COMMITTED = "AXFR-in zone: '{}', primary: '127.0.0.2', zone committed with serial 2026112402"


def log(*lines: tuple[float, str]) -> str:
    return "".join(f"{at:.6f} Nov 24 16:19:56 {text}\n" for at, text in lines)


def call(at: float, what: str, zone: str = "a.example") -> tuple[float, str]:
    return at, API.format(what.format(zone))


def commit(at: float, zone: str = "a.example") -> tuple[float, str]:
    return at, COMMITTED.format(zone)


PRIMARY = log(
    call(10.0, "GET /api/v1/servers/localhost/zones/{}."),
    call(10.5, PATCH),
    call(10.6, NOTIFY),
    call(11.0, PATCH, "b.example"),
    call(11.1, NOTIFY, "b.example"),
    call(15.0, PATCH),
    call(15.1, NOTIFY),
)
FIRST = log(commit(9.0), commit(11.0), commit(12.0, "b.example"), commit(16.0))
SECOND = log(commit(11.5), commit(11.75, "b.example"), commit(17.0))
OUTPUT = """zone a.example: served by 127.0.0.2 (ns1.a.example), 127.0.0.3 (ns2) after 1.2 s (serial 7, tcp)
    127.0.0.2 (ns1.a.example): after 0.1 s, serial 7
zone b.example: served by 127.0.0.2 (ns1.b.example) after 1.5 s
"""


def test_a_zone_needs_what_its_last_secondary_needs_for_the_first_change() -> None:
    assert zone_times(PRIMARY, (FIRST, SECOND), OUTPUT) == (
        ZoneTimes("a.example", patches=2, notifies=2, needed=1.0, proof=1.2),
        ZoneTimes("b.example", patches=1, notifies=1, needed=1.0, proof=1.5),
    )


@pytest.mark.parametrize(
    ("second", "output"), [(log(commit(9.0)), OUTPUT), (SECOND, "nothing")], ids=["no commit", "no proof"]
)
def test_what_the_logs_do_not_show_is_not_made_up(second: str, output: str) -> None:
    with pytest.raises(MissingError, match=r"a\.example"):
        zone_times(PRIMARY, (FIRST, second), output)
