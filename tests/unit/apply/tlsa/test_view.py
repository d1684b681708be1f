"""A look at places: who is behind each, what is to be done there, and what is remembered of it."""

from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.fakelooks import tlsa_look
from builders.tlsascene import CHAINS, FOREIGN, KEYS, MAIL, MX, PLACE, Scene, record, wanting
from certkeeper.base.names import DnsName
from certkeeper.base.value import replace
from certkeeper.config.tlsa import Publish
from certkeeper.dane.facts import Trust
from certkeeper.plan.records import OrderIntent, Records, TlsaTurn, TurnKind
from certkeeper.zone.behind import ServedSoa


def test_at_first_the_current_and_the_next_key_are_to_be_published_beside_strangers_records() -> None:
    scene = Scene()
    scene.publish(FOREIGN)
    seat = scene.seat()
    assert (seat.decision.add, seat.decision.remove) == (frozenset({record(KEYS[0]), record(KEYS[1])}), frozenset())
    assert FOREIGN not in seat.memory.age.ours
    assert (seat.ttl, seat.manual, seat.memory.zone) == (3600, False, PLACE.parent)


def test_two_certificates_behind_one_owner_are_one_wanted_set() -> None:
    scene = Scene(wanting("mail.example.org"), wanting("mx.example.org", publish=Publish.MANUAL))
    scene.cabinet.live[MX] = 2
    seat = scene.seat()
    assert seat.decision.add == {record(KEYS[number]) for number in (0, 1, 2)}
    assert seat.manual, "one that a person publishes is not written half"
    assert [item.alias for item in seat.memory.known] == [MAIL, MX]


def test_an_owner_that_is_a_cname_has_its_records_where_that_leads() -> None:
    scene = Scene()
    target = DnsName("_dane.example.org")
    scene.publish(place=target)
    (name,) = scene.look().seats
    assert name == target
    assert scene.records.tlsa[target].age.owners == {PLACE}


def test_records_of_the_key_before_are_known_as_such_once_another_one_is_live() -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.seat()
    scene.cabinet.live[MAIL], scene.cabinet.following[MAIL] = 1, 2
    began = scene.clock.now() + timedelta(hours=4)
    seat = scene.seat(after=timedelta(hours=4))
    (bearer,) = seat.decision.place.bearers
    assert (bearer.former, bearer.live_since) == (frozenset({record(KEYS[0])}), began)
    assert seat.decision.kept.endswith("shows another key")
    again = scene.seat(after=timedelta(hours=1))
    assert again.decision.place.bearers[0].live_since == began
    (known,) = again.memory.known
    assert (known.since, known.former) == (began, frozenset({record(KEYS[0])}))


def test_nobody_shakes_hands_where_nothing_changes() -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.seat()
    assert scene.hosts.probed == 0
    scene.cabinet.following[MAIL] = 2
    scene.seat(after=timedelta(hours=1))
    assert scene.hosts.probed == 1


def test_a_host_without_an_address_is_not_seen() -> None:
    scene = Scene()
    scene.hosts.addresses = {}
    seat = scene.seat()
    assert [sight.endpoint for sight in seat.decision.place.sights] == ["mail.example.org, which has no address,"]
    assert seat.decision.add == frozenset()


def test_a_server_that_stays_behind_is_remembered_and_is_frozen_in_the_end() -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    look = scene.tlsa.looks[PLACE]
    first, second = (answer.server for answer in look.answers)
    scene.tlsa.looks[PLACE] = replace(look, soas=(ServedSoa(first, 9, 600, 60), ServedSoa(second, 8, 600, 60)))
    assert scene.seat().decision.holds == ()
    assert set(scene.memory.behind) == {second}
    (hold,) = scene.seat(after=timedelta(hours=1)).decision.holds
    assert hold.reason == f"{second} does not get the zone any more"


def test_a_ttl_that_is_not_ours_to_change_stays() -> None:
    foreign = Scene()
    foreign.tlsa.looks[PLACE] = tlsa_look(PLACE, [FOREIGN], ttl=7200)
    foreign.hosts.serve("192.0.2.1", CHAINS[4])
    assert foreign.seat().new_ttl is None
    both = [record(KEYS[0]), record(KEYS[1])]
    manual = Scene(wanting("mail.example.org", publish=Publish.MANUAL))
    manual.tlsa.looks[PLACE] = tlsa_look(PLACE, both, ttl=7200)
    assert manual.seat().new_ttl is None
    unsigned = Scene()
    unsigned.tlsa.looks[PLACE] = tlsa_look(PLACE, both, ttl=7200, trust=Trust.UNSIGNED)
    assert unsigned.seat().new_ttl is None


def test_records_that_a_person_published_as_they_were_printed_are_known() -> None:
    scene = Scene(wanting("mail.example.org", publish=Publish.MANUAL))
    scene.publish()
    scene.look()
    scene.publish(record(KEYS[0]), record(KEYS[1]), FOREIGN)
    assert scene.seat(after=timedelta(hours=1)).decision.notes == ()


def test_a_version_that_waits_is_among_what_is_wanted() -> None:
    scene = Scene()
    scene.cabinet.versions = {9: 3}
    order = OrderIntent(MAIL, "https://ca.test/1", "https://ca.test", (), "", must_staple=False, key="", stamp=9)
    scene.records = Records(orders={MAIL: order})
    assert record(KEYS[3]) in scene.seat().decision.add


def test_a_retired_certificate_wants_nothing() -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.seat()
    scene.records = replace(scene.records, turns={MAIL: TlsaTurn(MAIL, TurnKind.RETIRE, "", NOW)})
    seat = scene.seat(after=timedelta(hours=1))
    assert seat.decision.remove == {record(KEYS[0]), record(KEYS[1])}
    assert not seat.over


@pytest.mark.parametrize("how", ["not on the page", "torn", "no certificate"])
def test_records_of_a_certificate_that_nothing_is_known_of_stay(how: str) -> None:
    both = wanting("mail.example.org"), wanting("mx.example.org")
    scene = Scene(*both)
    scene.cabinet.live[MX] = 2
    ours = {record(KEYS[number]) for number in (0, 1, 2)}
    scene.publish(*ours)
    scene.seat()
    if how == "not on the page":
        scene.specs = both[:1]
    elif how == "torn":
        scene.cabinet.torn = {MX}
    else:
        del scene.cabinet.live[MX]
    scene.cabinet.live[MAIL], scene.cabinet.following[MAIL] = 1, 3
    for address in scene.hosts.shown:
        scene.hosts.serve(address, CHAINS[1])
    for _ in range(3):
        seat = scene.seat(after=timedelta(days=1))
        assert seat.decision.remove == frozenset()
        assert seat.memory.age.ours >= ours
        assert {item.alias for item in seat.memory.known} == {MAIL, MX}
        assert all(bearer.former == frozenset() for bearer in seat.decision.place.bearers)
        assert "certkeeper tlsa retire mx.example.org" in seat.decision.notes[-1]
    scene.specs, scene.cabinet.torn, scene.cabinet.live[MX] = both, set(), 2
    assert scene.seat(after=timedelta(hours=1)).decision.remove == {record(KEYS[0])}


def test_one_whose_records_are_all_gone_is_forgotten() -> None:
    both = wanting("mail.example.org"), wanting("mx.example.org")
    scene = Scene(*both)
    scene.cabinet.live[MX] = 2
    scene.publish(record(KEYS[0]), record(KEYS[1]), record(KEYS[2]))
    scene.seat()
    scene.specs = both[:1]
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.seat(after=timedelta(days=1))
    assert [item.alias for item in scene.memory.known] == [MAIL]
