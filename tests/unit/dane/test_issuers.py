"""Records about CAs, and changes of type: what a staged chain has to wait for."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from builders.certificates import new_key, root
from certkeeper.base.keys import KeyPair
from certkeeper.base.names import DnsName
from certkeeper.dane.age import TlsaAge
from certkeeper.dane.face import Face, chain_face
from certkeeper.dane.facts import Answer, Bearer, Clocks, Place, Sight, Trust
from certkeeper.dane.rollover import Decision, State, decide
from certkeeper.dane.tlsa import Tlsa, TlsaType

START = datetime(2027, 1, 1, tzinfo=UTC)
OWNER = DnsName("_25._tcp.mail.example.org")
EE, TA, EE_CERT = (TlsaType.parse(word) for word in ("311", "211", "301"))
KEY, OTHER_KEY = new_key(), new_key()
ONE, TWO = root().sub("One"), root().sub("Two")


def ders(pem: bytes) -> list[bytes]:
    return [item.public_bytes(Encoding.DER) for item in x509.load_pem_x509_certificates(pem)]


def face(issuer: object, *types: TlsaType, key: KeyPair = KEY, siblings: tuple[bytes, ...] = ()) -> Face:
    authority = ONE if issuer is ONE else TWO
    return chain_face(ders(authority.leaf(key) + authority.pem), types, siblings)


def look(
    live: Face,
    served: frozenset[Tlsa],
    types: tuple[TlsaType, ...],
    hours: float,
    age: TlsaAge | None = None,
    staged: Face | None = None,
) -> Decision:
    bearer = Bearer("mail", live, START - timedelta(days=9), None, staged)
    sights = (Sight("192.0.2.1:25", live.matches),)
    answers = (Answer("ns1", served, 3600), Answer("ns2", served, 3600))
    place = Place(OWNER, frozenset({OWNER}), frozenset(types), (bearer,), answers, Trust.SECURE, sights)
    return decide(place, age, Clocks(START + timedelta(hours=hours)))


def may_go_live(decision: Decision) -> bool:
    fit = decision.stages[0].staged
    assert fit is not None
    return fit.open


@pytest.mark.parametrize("types", [(TA,), (TA, EE)])
def test_another_issuer_waits_for_its_record(types: tuple[TlsaType, ...]) -> None:
    live, staged = face(ONE, *types), face(TWO, *types)
    first = look(live, live.records, types, 0, staged=staged)
    assert first.add == staged.records - live.records
    assert not may_go_live(first)
    both = live.records | staged.records
    second = look(live, both, types, 1, first.age, staged)
    assert not may_go_live(second)
    assert not may_go_live(look(live, both, types, 3.9, second.age, staged))
    assert may_go_live(look(live, both, types, 4.1, second.age, staged))


def test_an_announced_sibling_waits_for_nothing() -> None:
    sibling = ders(TWO.pem)[0]
    live, staged = face(ONE, TA, siblings=(sibling,)), face(TWO, TA, siblings=(ders(ONE.pem)[0],))
    first = look(live, live.records, (TA,), 0)
    assert len(live.records) == 2
    later = look(live, live.records, (TA,), 9, first.age, staged)
    assert may_go_live(later)
    assert later.remove == frozenset()


def test_a_renewal_by_the_same_issuer_changes_nothing() -> None:
    live, staged = face(ONE, TA), face(ONE, TA, key=OTHER_KEY)
    assert live.records == staged.records
    decision = look(live, live.records, (TA,), 9, look(live, live.records, (TA,), 0).age, staged)
    assert may_go_live(decision)
    assert (decision.add, decision.remove) == (frozenset(), frozenset())


def test_with_both_types_another_key_waits_although_the_issuer_matches() -> None:
    types = (TA, EE)
    live, staged = face(ONE, *types), face(ONE, *types, key=OTHER_KEY)
    aged = look(live, live.records, types, 0).age
    assert not may_go_live(look(live, live.records, types, 9, aged, staged))


def test_from_the_certificate_s_digest_to_the_key_s() -> None:
    live = face(ONE, EE_CERT)
    before = look(live, live.records, (EE_CERT,), 0).age
    wanted = face(ONE, EE)
    # The same certificate, and another type is wanted: the old one goes when the new one is safe.
    same = Face(live.key_id, frozenset(r for r in live.matches if r.type == EE), live.matches, certified=True)
    assert wanted.records == same.records
    first = look(same, live.records, (EE,), 9, before)
    assert (first.add, first.remove) == (same.records, frozenset())
    both = live.records | same.records
    second = look(same, both, (EE,), 10, first.age)
    assert second.remove == frozenset()
    assert second.stages[0].state is State.REPLACING
    third = look(same, both, (EE,), 13.1, second.age)
    assert third.remove == live.records


def test_a_leaf_alone_has_no_record_about_its_issuer_published() -> None:
    live = chain_face(ders(ONE.leaf(KEY)), (EE, TA))
    decision = look(live, frozenset(), (EE, TA), 0)
    assert {record.type for record in decision.add} == {EE}
    assert any("2 1 1 is not published: nothing in the chain of mail matches it" in note for note in decision.notes)
