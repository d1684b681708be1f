from datetime import timedelta

import pytest

from builders.dnsworld import NEVER, PRIMARY, SECONDARY, NameServer
from certkeeper.apply.pace import FEW, GROWTH, SERIAL_LOOKS, SLOWEST, SOME
from certkeeper.base.errors import CertkeeperError, OutOfDescriptors
from certkeeper.base.events import Noted, ServersIgnored, ServersWaited, ZoneProven, ZoneUnproven
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.propagation import (
    PATIENCE,
    REFUSAL_GRACE,
    REFUSALS_GRACE,
    Demand,
    Evidence,
    Server,
)
from unit.apply.proofs import BOUND, MANY, THIRD, A, B, Scene, texts


def test_servers_that_serve_it_at_once_are_asked_once() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer()}).run()
    assert proof.unproven.owners == frozenset()
    assert sorted(proof.asked) == [(PRIMARY, 0.0), (SECONDARY, 0.0)]
    assert texts(proof.events, ZoneProven) == [
        "zone example.org: served by ns1.test (192.0.2.1), ns2.test (192.0.2.2) after 0.0 s (serial 2, udp and tcp)"
    ]


@pytest.mark.parametrize("lag", [0.02, 0.05, 0.3, 1.0, 2.2, 4.9, 9.0, 20.0])
def test_a_lagging_server_is_seen_to_have_it_soon_after(lag: float) -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=lag)}).run()
    assert proof.unproven.owners == frozenset()
    assert lag <= proof.seconds <= max(lag * (1 + GROWTH), 0.031)
    assert proof.seconds < 1.5 * lag or lag < 0.03
    assert len(proof.times(SECONDARY)) < 22 + lag / SLOWEST


def test_a_server_that_lagged_is_looked_at_when_it_had_it_last_time() -> None:
    usual: dict[Server, float] = {}
    servers = {PRIMARY: NameServer(), SECONDARY: NameServer(lag=4)}
    Scene(servers, usual=usual).run()
    assert usual[PRIMARY] == 0
    assert 4 <= usual[SECONDARY] < 6
    usual[SECONDARY] = 4.0
    proof = Scene(servers, usual=usual).run()
    assert 4 < proof.seconds < 4.1


@pytest.mark.parametrize("lag", [1, 2, 3, 5, 7, 9])
def test_a_server_that_lacks_many_names_is_asked_for_its_serial_until_that_moves(lag: float) -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=lag)}, wanted=MANY).run()
    assert proof.unproven.owners == frozenset()
    sizes = proof.sizes(SECONDARY)
    assert sizes[0] == 0
    assert sizes[-1] in {1000, 1000 - FEW}
    assert sum(sizes) <= 1000 + FEW * len(sizes), "everything is asked for once, when there is something new"
    moved = [at for at, size in zip(proof.times(SECONDARY), sizes, strict=True) if size == 0 and at >= lag]
    assert len(moved) <= 1
    assert moved in ([], [proof.times(SECONDARY)[-1]])
    # It may lie about its serial: now and then a few names are asked for.
    runs = [len(run) for run in "".join("s" if not size else "w" for size in sizes).split("w") if run]
    assert max(runs) == SERIAL_LOOKS


def test_a_server_with_the_values_and_a_serial_that_never_moves_counts_by_its_values() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=1, says=7)}, wanted=MANY).run()
    assert proof.unproven.owners == frozenset()
    assert proof.seconds < 4
    (line,) = [line for event in proof.events for line in event.details if "ns2.test" in line]
    assert "serial 7" in line


def test_a_server_that_has_it_all_is_asked_for_its_serial_for_a_few_names_and_then_for_the_rest() -> None:
    proof = Scene({PRIMARY: NameServer()}, wanted=MANY).run()
    assert proof.unproven.owners == frozenset()
    assert proof.sizes(PRIMARY) == [0, FEW, 1000 - FEW]
    assert proof.times(PRIMARY) == [0.0, 0.0, 0.0]


def test_some_names_are_asked_for_all_at_once() -> None:
    proof = Scene({PRIMARY: NameServer()}, wanted=dict(list(MANY.items())[:SOME])).run()
    assert proof.unproven.owners == frozenset()
    assert proof.sizes(PRIMARY) == [0, SOME]


def test_a_server_that_is_seen_to_be_behind_is_not_asked_for_names_until_its_serial_moves() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=0.04)}, wanted=MANY).run()
    assert proof.unproven.owners == frozenset()
    assert sum(proof.sizes(SECONDARY)) in {1000, 1000 + FEW}


def test_few_missing_names_are_asked_for_outright() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=5)}).run()
    assert set(proof.sizes(SECONDARY)) == {2}


def test_a_server_that_confirmed_is_not_asked_again() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=5)}).run()
    assert proof.times(PRIMARY) == [0.0]


def test_a_lagging_secondary_is_told_once() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=20)}).run()
    assert texts(proof.events, ServersWaited) == ["zone example.org: waiting for ns2.test (192.0.2.2)"]
    assert proof.seconds < 22.5


def test_at_the_bound_a_server_without_the_values_fails_them() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=NEVER)}).run()
    assert proof.unproven.owners == {A, B}
    assert BOUND.total_seconds() <= proof.seconds < BOUND.total_seconds() + 0.5
    error = proof.unproven.error([A])
    assert str(error) == (
        "zone example.org: after 30 s ns2.test (192.0.2.2) still answers without _acme-challenge.a.example.org "
        "(still at serial 1, others are at 2)"
    )
    assert "WAIT" in error.hint
    (told,) = [event for event in proof.events if isinstance(event, ZoneUnproven)]
    assert [line.split(": ")[0] for line in told.details] == ["ns1.test (192.0.2.1)", "ns2.test (192.0.2.2)"]
    assert "after 0.0 s, serial 2, udp and tcp" in told.details[0]
    assert "still answers without _acme-challenge.a.example.org, _acme-challenge.b.example.org" in told.details[1]


def test_a_silent_name_server_is_waited_for_until_the_bound_and_then_noted() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(silent=True)}).run()
    assert proof.unproven.owners == frozenset()
    assert proof.seconds >= BOUND.total_seconds()
    (note,) = texts(proof.events, Noted)
    assert note.startswith("zone example.org: ns2.test (192.0.2.2) did not answer (")
    assert note.endswith("); others serve the records")


def test_a_name_server_that_refuses_is_not_waited_for_beyond_its_grace() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(error="answers REFUSED")}).run()
    assert proof.unproven.owners == frozenset()
    assert REFUSAL_GRACE <= proof.seconds <= REFUSAL_GRACE + SLOWEST
    assert texts(proof.events, Noted) == [
        "zone example.org: ns2.test (192.0.2.2) answers REFUSED; others serve the records"
    ]


def test_refusals_count_in_a_row_only() -> None:
    proof = Scene(
        {PRIMARY: NameServer(), SECONDARY: NameServer(error="answers SERVFAIL")}, unaskable={SECONDARY: 5}
    ).run()
    assert proof.seconds >= REFUSAL_GRACE
    once = Evidence().refused("answers REFUSED").refused("answers REFUSED").missed("timed out")
    assert (once.refusals, once.silent_tries) == (0, 3)


def test_where_nobody_serves_the_zone_the_wait_ends_before_the_bound() -> None:
    servers = {PRIMARY: NameServer(error="answers REFUSED"), SECONDARY: NameServer(error="answers SERVFAIL")}
    proof = Scene(servers, bound=timedelta(minutes=10)).run()
    assert proof.unproven.owners == {A, B}
    assert REFUSALS_GRACE <= proof.seconds <= REFUSALS_GRACE + SLOWEST
    error = proof.unproven.error([A])
    assert "ns1.test (192.0.2.1): answers REFUSED; ns2.test (192.0.2.2): answers SERVFAIL" in str(error)
    assert "within 6" in str(error)
    assert "correct the delegation" in error.hint


def test_a_secondary_that_loads_the_zone_late_counts_again() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(error="answers REFUSED", loads_at=5.0)}).run()
    assert set(proof.unproven.verdict.confirmed) == {PRIMARY, SECONDARY}
    assert proof.seconds < REFUSAL_GRACE


def test_where_all_are_demanded_one_that_refuses_is_not_outvoted() -> None:
    servers = {PRIMARY: NameServer(), SECONDARY: NameServer(error="answers REFUSED")}
    assert Scene(servers, demand=Demand.ALL).run().unproven.owners == {A, B}


def test_where_nobody_answers_the_wait_may_end_early_and_not_where_somebody_does() -> None:
    silent = NameServer(silent=True)
    proof = Scene({PRIMARY: silent, SECONDARY: silent}, silence=timedelta(seconds=5)).run()
    assert (proof.seconds, bool(proof.unproven.owners)) == (5.0, True)
    late = Scene({PRIMARY: silent, SECONDARY: NameServer(lag=9)}, silence=timedelta(seconds=5)).run()
    assert (late.seconds >= 9, late.unproven.owners) == (True, frozenset())


def test_a_silent_address_beside_one_that_confirms_is_asked_patience_times() -> None:
    servers = {PRIMARY: NameServer(), SECONDARY: NameServer(), THIRD: NameServer(silent=True)}
    proof = Scene(servers).run()
    assert proof.unproven.owners == frozenset()
    assert len(proof.times(THIRD)) == PATIENCE
    assert proof.seconds < 1


def test_nobody_answers() -> None:
    proof = Scene({PRIMARY: NameServer(silent=True), SECONDARY: NameServer(silent=True)}).run()
    assert proof.unproven.owners == {A, B}
    error = proof.unproven.error([A, B])
    assert "no name server confirms _acme-challenge.a.example.org, _acme-challenge.b.example.org within 30 s" in str(
        error
    )
    assert "ns1.test (192.0.2.1): " in str(error)
    assert "NAMESERVERS" in error.hint
    assert texts(proof.events, ZoneProven) == []


def test_addresses_that_are_left_out_are_told() -> None:
    proof = Scene({PRIMARY: NameServer()}, skipped=("ns1.test (2001:db8::1): no IPv6 route",)).run()
    assert texts(proof.events, Noted) == ["zone example.org: ns1.test (2001:db8::1): no IPv6 route"]


def test_slow_answers_do_not_stretch_the_bound() -> None:
    proof = Scene({PRIMARY: NameServer(lag=NEVER)}, answers={PRIMARY: 4.0}).run()
    assert proof.seconds == BOUND.total_seconds()


def test_a_server_that_takes_its_time_to_stay_silent_holds_no_other_one_up() -> None:
    servers = {PRIMARY: NameServer(), SECONDARY: NameServer(lag=1), THIRD: NameServer(silent=True)}
    proof = Scene(servers, answers={THIRD: 5.0}).run()
    assert 1 <= proof.times(SECONDARY)[-1] < 1.5
    assert proof.unproven.owners == frozenset()


def test_what_a_server_says_after_the_verdict_does_not_count() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer()}, answers={SECONDARY: 31.0}).run()
    assert proof.unproven.owners == frozenset()
    assert proof.unproven.verdict.confirmed == (PRIMARY,)
    assert dict(proof.unproven.verdict.silent) == {SECONDARY: "no answer yet"}


def test_many_missing_names_are_cut() -> None:
    proof = Scene({PRIMARY: NameServer(lag=NEVER)}, wanted=MANY).run()
    error: CertkeeperError = proof.unproven.error(sorted(MANY))
    assert str(error).count("example.org") == 1 + 5
    assert "n101.example.org … (at serial 1)" in str(error)


def test_a_server_that_says_the_new_serial_and_lacks_the_values_is_told_as_such() -> None:
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=NEVER, says=2)}).run()
    assert "although it says serial 2 as others do" in str(proof.unproven.error([A]))


def test_ignored_servers_are_told() -> None:
    proof = Scene({PRIMARY: NameServer()}, ignored=(SECONDARY,)).run()
    assert texts(proof.events, ServersIgnored) == [
        "zone example.org: not asked, as DNS_IGNORE says: ns2.test (192.0.2.2)"
    ]


def test_what_differs_is_told_per_server() -> None:
    notes = ("TCP does not work: connection refused",)
    proof = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(notes=notes)}).run()
    (proven,) = [event for event in proof.events if isinstance(event, ZoneProven)]
    assert proven.details == (
        "ns1.test (192.0.2.1): after 0.0 s, serial 2, udp and tcp",
        "ns2.test (192.0.2.2): after 0.0 s, serial 2, udp and tcp, TCP does not work: connection refused",
    )


def test_a_server_that_cannot_be_asked_from_here_is_no_silent_one() -> None:
    ended = Scene({PRIMARY: NameServer()}, unaskable={PRIMARY: 10_000}).run()
    assert ended.unproven.owners == {A, B}
    error = ended.unproven.error([A])
    assert isinstance(error, OutOfDescriptors)
    assert ended.unproven.error([B]) is error, "one reason, told once"


def test_it_is_asked_again() -> None:
    ended = Scene({PRIMARY: NameServer()}, unaskable={PRIMARY: 5}).run()
    assert ended.unproven.owners == frozenset()


def test_a_server_that_lacks_a_record_is_what_is_told_where_another_one_cannot_be_asked() -> None:
    ended = Scene({PRIMARY: NameServer(), SECONDARY: NameServer(lag=NEVER)}, unaskable={PRIMARY: 10_000}).run()
    error = ended.unproven.error([A])
    assert isinstance(error, ZoneError)
    assert not error.local


def test_and_one_that_turned_silent_since_is_a_silent_one() -> None:
    ended = Scene({PRIMARY: NameServer(silent=True)}, unaskable={PRIMARY: 2}).run()
    assert isinstance(ended.unproven.error([A]), ZoneError)
