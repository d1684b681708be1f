"""Whatever records strangers publish: an answer comes, and more CAs in a set never take one's right away."""

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.names import DnsName
from certkeeper.zone.caa import CaaAnswer, CaaOutcome, CaaRecord, Issuer, judge_caa, proposal, search

NAMES = [DnsName(text) for text in ("a.b.c.org", "b.c.org", "c.org", "org", "x.net", "net")]
OURS = Issuer(("ca.example",), "https://ca.example/1")

values = st.one_of(
    st.text("ab.;= \t-,%:\x7f\u00e9", max_size=20),
    st.sampled_from(["ca.example", "other.example", ";", "", "ca.example; validationmethods=dns-01"]),
    st.lists(
        st.sampled_from(["ca.example", ";", " ", "accounturi=", "https://ca.example/1", "validationmethods", "="])
    ).map("".join),
)
tags = st.one_of(st.sampled_from(["issue", "ISSUEWILD", "iodef", "tbs"]), st.text("aZ-\x00\u00e9", max_size=4))
records = st.builds(CaaRecord, st.integers(0, 255), tags, values)
answers = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(
        st.just(CaaAnswer()), st.just(CaaAnswer(trouble="SERVFAIL")), st.builds(CaaAnswer, st.lists(records).map(tuple))
    ),
)


@given(answers, st.sampled_from(NAMES), st.booleans())
def test_every_set_gives_a_verdict_and_only_a_record_forbids(
    world: dict[DnsName, CaaAnswer],
    name: DnsName,
    wildcard: bool,  # noqa: FBT001 - drawn
) -> None:
    verdict = judge_caa(name, OURS, world, wildcard=wildcard)
    assert (verdict.outcome is CaaOutcome.FORBIDDEN) == (verdict.record is not None and verdict.reason != "")
    assert verdict.at is None or name.is_within(verdict.at)


@given(answers, st.lists(st.sampled_from(NAMES)))
def test_the_search_finds_all_that_decides(world: dict[DnsName, CaaAnswer], names: list[DnsName]) -> None:
    climb = search(names)
    asked: list[DnsName] = []
    found: dict[DnsName, CaaAnswer] = {}
    try:
        level = next(climb)
        while True:
            asked += level
            level = climb.send({name: world[name] for name in level if name in world})
    except StopIteration as stop:
        found = stop.value
    assert len(asked) == len(set(asked))
    for name in names:
        for wildcard in (False, True):
            everything = judge_caa(name, OURS, world, wildcard=wildcard)
            assert judge_caa(name, OURS, found, wildcard=wildcard) == everything


@given(st.lists(records), st.booleans())
def test_our_own_records_beside_others_allow_us_unless_something_is_critical(
    others: list[CaaRecord],
    wildcard: bool,  # noqa: FBT001 - drawn
) -> None:
    known = [record for record in others if not record.critical]
    answer = CaaAnswer((*known, *proposal(OURS, wildcards=True)))
    verdict = judge_caa(NAMES[0], OURS, {NAMES[0]: answer}, wildcard=wildcard)
    assert verdict.outcome is CaaOutcome.ALLOWED


@given(st.lists(records, min_size=1), st.booleans())
def test_the_order_of_records_decides_nothing(others: list[CaaRecord], wildcard: bool) -> None:  # noqa: FBT001 - drawn
    there, back = (
        judge_caa(NAMES[0], OURS, {NAMES[0]: CaaAnswer(tuple(order))}, wildcard=wildcard).outcome
        for order in (others, others[::-1])
    )
    assert there is back
