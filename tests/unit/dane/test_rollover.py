"""One place, one thing that is wrong at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from certkeeper.base.names import DnsName
from certkeeper.base.value import replace
from certkeeper.dane.age import TlsaAge
from certkeeper.dane.face import Face, key_face
from certkeeper.dane.facts import MARGIN, Answer, Bearer, Clocks, Place, Sight, Trust
from certkeeper.dane.gate import fit
from certkeeper.dane.rollover import Decision, Order, State, decide, key_to_order
from certkeeper.dane.tlsa import Tlsa, TlsaType
from certkeeper.dane.wording import sentence
from certkeeper.dane.wording import waiting as waiting_text

START = datetime(2027, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAFE = 2 * HOUR + MARGIN
EE = TlsaType(3, 1, 1)
OWNER = DnsName("_25._tcp.mail.example.org")
CURRENT, NEXT, OTHER = (key_face(name, [EE]) for name in (b"current", b"next", b"other"))
(CUR,), (NXT,), (OTH,) = CURRENT.records, NEXT.records, OTHER.records
BOTH = frozenset({CUR, NXT})
MISSING_KEY = Tlsa(3, 1, 1, b"s" * 32)


def answers(*sets: frozenset[Tlsa] | None, ttl: int = 3600) -> tuple[Answer, ...]:
    return tuple(Answer(f"ns{n}", records, ttl) for n, records in enumerate(sets, 1))


def place(*sets: frozenset[Tlsa] | None, live: Face = CURRENT, next_: Face | None = NEXT, ttl: int = 3600) -> Place:
    bearer = Bearer("mail", live, START - timedelta(days=9), next_)
    sights = (Sight("192.0.2.1:25", live.matches),)
    return Place(OWNER, frozenset({OWNER}), frozenset({EE}), (bearer,), answers(*sets, ttl=ttl), Trust.SECURE, sights)


def at(hours: float, *others: float) -> Clocks:
    return Clocks(START + hours * HOUR, tuple(START + other * HOUR for other in others))


def aged(at_: float = 0) -> TlsaAge:
    """Both records were everywhere since then."""
    return decide(place(BOTH, BOTH), None, at(at_)).age


def only(decision: Decision) -> tuple[State, Order]:
    (stage,) = decision.stages
    return stage.state, stage.order


def test_at_first_both_records_are_published_and_the_current_key_stays() -> None:
    decision = decide(place(frozenset(), frozenset()), None, at(0))
    assert (decision.add, decision.remove) == (BOTH, frozenset())
    assert only(decision) == (State.UNPUBLISHED, Order.CURRENT)


def test_a_secondary_that_lags_keeps_t_pub_from_beginning() -> None:
    decision = decide(place(BOTH, frozenset({CUR})), None, at(0))
    assert only(decision) == (State.ANNOUNCING, Order.CURRENT)
    later = decide(place(BOTH, BOTH), decision.age, at(5))
    assert only(later) == (State.AGEING, Order.CURRENT)
    assert later.stages[0].until == START + 5 * HOUR + SAFE


def test_the_gate_opens_at_t_safe_and_not_a_second_before() -> None:
    age = aged()
    late = Clocks(START + SAFE)
    assert only(decide(place(BOTH, BOTH), age, late)) == (State.READY, Order.NEXT)
    early = Clocks(START + SAFE - timedelta(seconds=1))
    assert only(decide(place(BOTH, BOTH), age, early)) == (State.AGEING, Order.CURRENT)


@pytest.mark.parametrize("ttls", [(86400,), (60, 86400)])
def test_other_times_that_caches_go_by_count(ttls: tuple[int, ...]) -> None:
    decision = decide(replace(place(BOTH, BOTH), ttls=ttls), None, at(0))
    assert decision.stages[0].until == START + timedelta(days=2) + MARGIN


def test_a_ttl_that_was_lowered_a_moment_ago_counts_until_it_has_run_out() -> None:
    before = decide(place(frozenset({CUR}), ttl=86400), None, at(0)).age
    decision = decide(replace(place(BOTH, ttl=60), ttls=(60,)), before, at(1))
    assert decision.stages[0].until == START + HOUR + timedelta(days=2) + MARGIN
    assert any("TTL was lowered" in note for note in decision.notes)


@pytest.mark.parametrize(
    ("trust", "publishes"),
    [
        (Trust.UNSIGNED, False),
        (Trust.NO_DS, False),
        (Trust.BOGUS, False),
        (Trust.HIDDEN, True),
        (Trust.UNPROVEN, True),
    ],
)
def test_without_proof_the_current_key_stays(trust: Trust, publishes: bool) -> None:  # noqa: FBT001 - a column
    decision = decide(replace(place(frozenset({CUR}), frozenset({CUR})), trust=trust), aged(), at(9))
    assert only(decision)[1] is Order.CURRENT
    assert bool(decision.add) is publishes
    assert decision.holds[0].hint
    assert decision.holds[0].reason in sentence(decision)


def test_a_silent_server_holds_and_the_wait_begins_anew() -> None:
    decision = decide(place(BOTH, None), aged(), at(9))
    assert only(decision)[1] is Order.CURRENT
    assert "ns2 gives no answer" in sentence(decision)
    back = decide(place(BOTH, BOTH), decision.age, at(10))
    assert back.stages[0].until == START + 10 * HOUR + SAFE


def test_a_server_that_is_behind_for_long_counts_as_none() -> None:
    behind = Answer("ns2", BOTH, 3600, frozen=True)
    decision = decide(replace(place(BOTH), answers=(*answers(BOTH), behind)), aged(), at(9))
    assert only(decision)[1] is Order.CURRENT
    assert "ns2 does not get the zone" in sentence(decision)
    assert only(decide(place(BOTH, BOTH), decision.age, at(9)))[0] is State.AGEING


def test_a_signature_that_ends_soon_holds() -> None:
    soon = Answer("ns2", BOTH, 3600, START + 10 * HOUR)
    decision = decide(replace(place(BOTH), answers=(*answers(BOTH), soon)), aged(), at(9))
    assert only(decision) == (State.READY, Order.CURRENT)
    assert "ns2 ends too soon" in sentence(decision)


def test_a_record_that_was_removed_by_hand_is_published_again_and_waits() -> None:
    age = aged()
    age = replace(age, ours=BOTH)
    decision = decide(place(frozenset({CUR}), frozenset({CUR})), age, at(9))
    assert decision.add == {NXT}
    assert only(decision) == (State.ANNOUNCING, Order.CURRENT)
    assert any("published again" in note for note in decision.notes)


def test_a_clock_that_is_ahead_opens_no_gate() -> None:
    decision = decide(place(BOTH, BOTH), aged(), at(48, 1))
    assert only(decision) == (State.AGEING, Order.CURRENT)
    assert any("clock" in hold.reason for hold in decision.holds)


def test_a_clock_that_went_back_begins_anew() -> None:
    decision = decide(place(BOTH, BOTH), aged(48), at(1))
    assert decision.stages[0].until == START + HOUR + SAFE
    assert any("clock went back" in note for note in decision.notes)


def test_a_state_that_is_older_than_the_records_begins_anew() -> None:
    restored = replace(place(BOTH, BOTH), unremembered=frozenset({NXT}))
    decision = decide(restored, aged(), at(9))
    assert only(decision) == (State.AGEING, Order.CURRENT)
    assert any("older state was restored" in note for note in decision.notes)


def test_another_owner_that_leads_here_begins_anew() -> None:
    more = replace(place(BOTH, BOTH), owners=frozenset({OWNER, DnsName("_25._tcp.mx2.example.org")}))
    assert only(decide(more, aged(), at(9)))[0] is State.AGEING


def test_the_same_key_changes_nothing_and_is_always_allowed() -> None:
    staged = replace(place(BOTH, BOTH).bearers[0], staged=CURRENT)
    decision = decide(replace(place(BOTH, BOTH), bearers=(staged,)), aged(), at(0.1))
    assert (decision.add, decision.remove) == (frozenset(), frozenset())
    assert decision.stages[0].staged is not None
    assert decision.stages[0].staged.open


def test_without_a_next_key_the_live_one_stays() -> None:
    decision = decide(place(frozenset({CUR}), next_=None), None, at(0))
    assert only(decision) == (State.STEADY, Order.CURRENT)
    assert "a next key, and there is none" in waiting_text(decision.stages[0])


def rolled(shown: Face, hours: float = 9, former: frozenset[Tlsa] = frozenset({CUR})) -> Decision:
    bearer = Bearer("mail", NEXT, START + 5 * HOUR, None, former=former)
    sights = (Sight("192.0.2.1:25", NEXT.matches), Sight("[2001:db8::1]:25", shown.matches))
    return decide(replace(place(BOTH, BOTH), bearers=(bearer,), sights=sights), aged(), at(hours))


def test_the_old_record_goes_when_all_show_the_new_key() -> None:
    assert rolled(NEXT).remove == {CUR}
    kept = rolled(CURRENT)
    assert (kept.remove, only(kept)) == (frozenset(), (State.REPLACING, Order.CURRENT))
    assert "[2001:db8::1]:25 shows another key" in sentence(kept)


def test_the_key_before_may_be_gone_back_to_for_a_ttl() -> None:
    assert rolled(NEXT, 5.9).remove == frozenset()
    assert rolled(NEXT, 6.1).remove == {CUR}


def test_an_address_that_was_not_seen_keeps_the_old_record() -> None:
    bearer = Bearer("mail", NEXT, START, None, former=frozenset({CUR}))
    for sights in ((), (Sight("192.0.2.1:25", None),)):
        unseen = replace(place(BOTH, BOTH), bearers=(bearer,), sights=sights)
        decision = decide(unseen, aged(), at(9))
        assert decision.remove == frozenset()
        assert decision.kept


def test_a_live_key_that_was_changed_by_hand_is_published() -> None:
    decision = decide(place(BOTH, BOTH, live=OTHER), aged(), at(9))
    assert decision.add == {OTH}
    assert decision.remove == frozenset()
    assert only(decision)[0] is State.REPAIRING


def test_a_next_key_that_was_lost_goes_from_dns_and_another_one_waits() -> None:
    age = replace(aged(), ours=BOTH)
    decision = decide(place(BOTH, BOTH, next_=OTHER), age, at(9))
    assert decision.add == {OTH}
    assert decision.remove == {NXT}
    assert only(decision)[1] is Order.CURRENT


def test_going_back_to_a_key_that_is_not_published_is_refused() -> None:
    decision = decide(place(BOTH, BOTH), aged(), at(9))
    assert not fit(OTHER, CURRENT, decision.place, decision.age, START + 9 * HOUR).open
    assert fit(NEXT, CURRENT, decision.place, decision.age, START + 9 * HOUR).open


def test_records_of_others_stay_and_hold_where_the_next_key_does_not_match_them() -> None:
    stranger = Tlsa(9, 9, 9, b"x")
    theirs = next(record for record in CURRENT.matches if record.type == TlsaType(3, 1, 2))
    both = BOTH | {stranger, theirs}
    decision = decide(place(both, both), None, at(0))
    later = decide(place(both, both), decision.age, at(9))
    assert later.remove == frozenset()
    assert only(later)[1] is Order.CURRENT
    assert later.stages[0].fit is not None
    assert "3 1 2 record" in later.stages[0].fit.reason


def test_the_first_publication_waits_for_a_service_that_shows_another_key() -> None:
    strange = replace(place(frozenset()), sights=(Sight("192.0.2.1:25", OTHER.matches),))
    decision = decide(strange, None, at(0))
    assert decision.add == frozenset()
    assert any("shows another key" in note for note in decision.notes)


def test_a_compromised_key_is_ordered_no_more() -> None:
    bearer = replace(place(BOTH).bearers[0], compromised=frozenset({CURRENT.key_id}))
    waiting = decide(replace(place(BOTH), bearers=(bearer,)), None, at(0))
    assert only(waiting) == (State.AGEING, Order.NONE)
    assert waiting_text(waiting.stages[0]).startswith("waits for ")
    assert only(decide(replace(place(BOTH), bearers=(bearer,)), waiting.age, at(9)))[1] is Order.NEXT


def test_retiring_takes_all_of_ours_and_frees_the_key_when_caches_have_forgotten() -> None:
    age = replace(aged(), ours=BOTH)
    leaving = decide(replace(place(BOTH, BOTH), types=frozenset()), age, at(9))
    assert leaving.remove == BOTH
    assert only(leaving) == (State.LEAVING, Order.CURRENT)
    gone = replace(place(frozenset(), frozenset()), types=frozenset())
    assert only(decide(gone, leaving.age, at(10))) == (State.LEAVING, Order.CURRENT)
    assert only(decide(gone, leaving.age, at(12.1))) == (State.OFF, Order.ANY)


def test_several_certificates_behind_one_place_are_one_set() -> None:
    other = Bearer("ecdsa", OTHER, START, None)
    shared = place(frozenset({CUR}))
    decision = decide(replace(shared, bearers=(*shared.bearers, other)), None, at(0))
    assert decision.add == {NXT, OTH}
    assert key_to_order(decision.stages) is Order.CURRENT


def test_two_hundred_records_do_no_harm() -> None:
    many = BOTH | {Tlsa(3, 1, 1, bytes([n]) * 32) for n in range(200)}
    decision = decide(place(many, many), aged(), at(9))
    assert only(decision) == (State.READY, Order.NEXT)
    assert decision.remove == frozenset()


def test_a_second_digest_is_published_for_both_keys_and_the_roll_waits_for_it() -> None:
    types = frozenset({EE, TlsaType(3, 1, 2)})
    current, following = (key_face(name, types) for name in (b"current", b"next"))
    bearer = Bearer("mail", current, START, following)
    more = replace(place(BOTH, BOTH), types=types, bearers=(bearer,))
    decision = decide(more, aged(), at(9))
    assert {record.matching_type for record in decision.add} == {2}
    assert len(decision.add) == 2
    assert only(decision)[1] is Order.CURRENT


def wild(*sets: frozenset[Tlsa]) -> tuple[Answer, ...]:
    return tuple(replace(answer, expanded=True) for answer in answers(*sets))


def test_where_a_wildcard_answers_all_that_it_says_is_published_beside_what_is_missing() -> None:
    """A set at the owner hides the wildcard's: the next key's record alone would leave the live one without any."""
    there = frozenset({CUR, OTH})
    decision = decide(replace(place(), answers=wild(there, there)), None, at(0))
    assert (decision.add, decision.remove) == (there | {NXT}, frozenset())
    assert "a wildcard answers here" in decision.notes[0]
    # Records of others are not ours for that.
    assert decision.age.ours == BOTH
    after = decide(place(there | {NXT}, there | {NXT}), decision.age, at(1))
    assert (after.add, after.remove) == (frozenset(), frozenset())


def test_a_wildcard_with_all_that_is_wanted_is_enough() -> None:
    decision = decide(replace(place(), answers=wild(BOTH, BOTH)), None, at(0))
    assert (decision.add, decision.notes) == (frozenset(), ())
    assert only(decide(replace(place(), answers=wild(BOTH, BOTH)), decision.age, at(9))) == (State.READY, Order.NEXT)


def test_a_wildcard_s_old_record_goes_from_the_owner() -> None:
    there = frozenset({CUR, NXT})
    bearer = Bearer("mail", NEXT, START - timedelta(days=9), OTHER, former=frozenset({CUR}))
    before = decide(place(there, there), None, at(0)).age
    seen = replace(place(), bearers=(bearer,), answers=wild(there, there), sights=(Sight("a", NEXT.matches),))
    assert decide(seen, before, at(9)).add == frozenset({NXT, OTH})


def test_a_wildcard_is_for_a_person_to_take_away() -> None:
    before = decide(place(BOTH, BOTH), None, at(0)).age
    leaving = replace(place(), types=frozenset(), answers=wild(BOTH, BOTH))
    decision = decide(leaving, before, at(1))
    assert (decision.add, decision.remove) == (frozenset(), frozenset())
    assert decision.kept == "the records are a wildcard's: take them away there"
    assert decision.kept in sentence(decision)


def test_an_old_record_that_may_go_is_said_to_go() -> None:
    decision = rolled(NEXT)
    assert decision.remove == {CUR}
    assert sentence(decision).endswith("replacing, the old record goes with the next run")
