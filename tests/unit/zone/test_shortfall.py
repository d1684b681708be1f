import pytest

from certkeeper.base.names import DnsName
from certkeeper.zone.propagation import Answer, Evidence, Server, judge
from certkeeper.zone.shortfall import latest_serial, listed, shortfall

A, B = DnsName("a.example.org"), DnsName("b.example.org")
WANTED = {A: frozenset({"1"}), B: frozenset({"2"})}
NS1, NS2, NS3 = (Server(f"ns{at}", f"192.0.2.{at}") for at in (1, 2, 3))


def words(answer: Answer, other: Answer | None = None) -> str:
    evidence = {NS2: Evidence().heard(answer)}
    if other is not None:
        evidence[NS1] = Evidence().heard(other)
    return shortfall(NS2, [A, B], evidence, judge(evidence, WANTED, evidence))


def whole(serial: int | None, *, signed: bool = False) -> Answer:
    return Answer(WANTED, serial, signed=signed)


@pytest.mark.parametrize(
    ("serial", "other", "expected"),
    [
        (None, whole(6), ""),
        (5, None, " (at serial 5)"),
        (5, whole(None), " (at serial 5)"),
        (5, whole(6), " (still at serial 5, others are at 6)"),
        (2**32 - 1, whole(1), f" (still at serial {2**32 - 1}, others are at 1)"),
        (6, whole(6), " (although it says serial 6 as others do)"),
        (9, whole(6), " (although its serial 9 is newer than 6 of others)"),
    ],
)
def test_a_serial_explains(serial: int | None, other: Answer | None, expected: str) -> None:
    answer = Answer({A: frozenset({"1"}), B: frozenset()}, serial)
    assert words(answer, other) == f"still answers without b.example.org{expected}"


def test_each_kind_of_trouble_has_its_own_words() -> None:
    assert words(Answer(WANTED, 5, unsigned=frozenset(WANTED)), whole(5, signed=True)) == (
        "serves a.example.org, b.example.org unsigned although the zone is signed"
    )
    assert words(Answer(WANTED, 5, bogus={B: "with a signature that does not verify"}, signed=True)) == (
        "serves b.example.org with a signature that does not verify"
    )
    assert words(Answer({A: frozenset(), B: frozenset()}, 5, flaws={A: "as an alias that leads back to itself"})) == (
        "serves a.example.org as an alias that leads back to itself, still answers without b.example.org (at serial 5)"
    )


def test_the_newest_serial_is_that_of_rfc_1982() -> None:
    evidence = {
        NS1: Evidence().heard(whole(2**32 - 2)),
        NS2: Evidence().heard(whole(3)),
        NS3: Evidence().heard(whole(None)),
    }
    assert latest_serial([NS1, NS2, NS3], evidence) == 3
    assert latest_serial([NS3], evidence) is None


def test_long_lists_are_cut() -> None:
    owners = [DnsName(f"n{at}") for at in range(7)]
    assert listed(owners[:5]) == "n0, n1, n2, n3, n4"
    assert listed(owners) == "n0, n1, n2, n3, n4 …"
