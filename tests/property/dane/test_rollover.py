"""Whatever is seen: a decision never takes away what is needed, and no gate opens over a set without its record."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.names import DnsName
from certkeeper.dane.face import key_face
from certkeeper.dane.facts import Answer, Bearer, Clocks, Place, Sight, Trust
from certkeeper.dane.rollover import Order, decide
from certkeeper.dane.tlsa import Tlsa, TlsaType

EE = TlsaType(3, 1, 1)
OWNER = DnsName("_25._tcp.mail.example.org")
START = datetime(2027, 1, 1, tzinfo=UTC)
FACES = [key_face(bytes([n]), [EE]) for n in range(4)]
RECORDS = [*(record for face in FACES for record in face.records), Tlsa(3, 1, 1, b"y" * 32), Tlsa(7, 1, 1, b"z")]

sets = st.frozensets(st.sampled_from(RECORDS), max_size=4)
answers = st.builds(Answer, st.just("ns"), st.none() | sets, st.sampled_from([0, 60, 3600, 86400]))
sights = st.builds(Sight, st.just("192.0.2.1:25"), st.none() | st.sampled_from([face.matches for face in FACES]))
bearers = st.builds(Bearer, st.just("mail"), st.sampled_from(FACES), st.just(START), st.none() | st.sampled_from(FACES))
places = st.builds(
    Place,
    st.just(OWNER),
    st.just(frozenset({OWNER})),
    st.sampled_from([frozenset(), frozenset({EE})]),
    st.lists(bearers, min_size=1, max_size=2).map(tuple),
    st.lists(answers, max_size=3).map(tuple),
    st.sampled_from(list(Trust)),
    st.lists(sights, max_size=2).map(tuple),
)


@given(st.lists(st.tuples(places, st.integers(-9, 99)), min_size=1, max_size=5))
def test_whatever_is_seen(looks: list[tuple[Place, int]]) -> None:
    age, now = None, START
    seen: list[tuple[datetime, Place]] = []
    for place, hours in looks:
        now += timedelta(hours=hours)
        decision = decide(place, age, Clocks(now))
        assert decision == decide(place, age, Clocks(now))
        seen.append((now, place))
        for bearer, stage in zip(place.bearers, decision.stages, strict=True):
            assert place.types == frozenset() or decision.remove.isdisjoint(bearer.live.records)
            if stage.order is Order.NEXT:
                assert bearer.next is not None
                recent = [item for when, item in seen if when > now - timedelta(hours=2)]
                for answer in (answer for item in recent for answer in item.answers):
                    assert answer.records is not None
                    assert answer.records & bearer.next.records
        assert not any(record.refusal for record in decision.add)
        # What a stranger put there stays.
        assert RECORDS[-1] not in decision.remove
        assert RECORDS[-2] not in decision.remove
        age = decision.age
