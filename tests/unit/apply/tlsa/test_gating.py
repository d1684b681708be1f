"""What a look at places lets live: keys that an order may use, and versions."""

from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.fakelooks import tlsa_look
from builders.plans import configuration
from builders.tlsascene import CHAINS, FOREIGN, KEYS, MAIL, OWNER, PLACE, SAFE, Scene, record, wanting
from certkeeper.apply.tlsa.gating import gates_of
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.dane.age import LIVES
from certkeeper.dane.facts import MARGIN, Trust
from certkeeper.dane.owner import TlsaOwner
from certkeeper.plan.gates import Allowed, WaitsForDns
from certkeeper.plan.records import OrderIntent


def test_the_gate_is_the_most_careful_one_of_all_places() -> None:
    other = TlsaOwner.parse("mail.example.org:465")
    scene = Scene(wanting("mail.example.org", owners=(OWNER, other)))
    both = (record(KEYS[0]), record(KEYS[1]))
    scene.publish(*both)
    scene.publish(*both, owner=other.name)
    page = configuration(*scene.specs)
    gate = gates_of(page, scene.look())[MAIL]
    assert (gate.allowed, gate.until) == (Allowed.CURRENT, NOW + SAFE)
    assert gates_of(page, scene.look(after=SAFE))[MAIL].allowed is Allowed.NEXT
    scene.publish(record(KEYS[0]), owner=other.name)
    behind = gates_of(page, scene.look(after=timedelta(hours=1)))[MAIL]
    assert behind.allowed is Allowed.CURRENT
    assert behind.reason.startswith("_465._tcp.mail.example.org")


def test_a_service_that_shows_somebody_else_s_key_and_has_no_records_binds_nobody() -> None:
    scene = Scene()
    scene.publish()
    page = configuration(*scene.specs)
    assert gates_of(page, scene.look())[MAIL].allowed is Allowed.CURRENT, "records are about to be published"
    for address in ("192.0.2.1", "2001:db8::1"):
        scene.hosts.serve(address, CHAINS[4])
    assert gates_of(page, scene.look())[MAIL].allowed is Allowed.ANY
    scene.publish(FOREIGN)
    assert gates_of(page, scene.look())[MAIL].allowed is Allowed.CURRENT


def test_a_hold_is_the_reason_of_the_gate_and_its_fix() -> None:
    scene = Scene()
    scene.tlsa.looks[PLACE] = tlsa_look(PLACE, [record(KEYS[0]), record(KEYS[1])], trust=Trust.UNPROVEN)
    gate = gates_of(configuration(*scene.specs), scene.look())[MAIL]
    assert (gate.allowed, gate.until) == (Allowed.CURRENT, None)
    assert "nobody who validates DNSSEC could be asked; run a validating resolver" in gate.reason


def test_a_version_with_a_key_that_no_record_is_of_does_not_go_live_and_one_with_the_same_key_does() -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.cabinet.versions = {5: 0, 6: 1, 7: 4}
    gate = scene.gate(scene.look())
    gate.check(MAIL, 5)
    gate.check(Alias("unknown.test"), 7)
    with pytest.raises(WaitsForDns, match="version 6 is there and does not go live yet") as early:
        gate.check(MAIL, 6)
    assert early.value.retry_at == NOW + SAFE
    with pytest.raises(WaitsForDns, match="version 7"):
        gate.check(MAIL, 7)
    scene.gate(scene.look(), MAIL).check(MAIL, 7)
    later = scene.gate(scene.look(after=SAFE))
    later.check(MAIL, 6)
    with pytest.raises(WaitsForDns):
        later.check(MAIL, 7)


def test_the_first_certificate_waits_until_caches_know_it_where_records_are_there_already() -> None:
    scene = Scene()
    scene.cabinet.live, scene.cabinet.following, scene.cabinet.versions = {}, {}, {9: 3}
    scene.publish()
    scene.gate(scene.look()).check(MAIL, 9)
    scene.publish(FOREIGN)
    with pytest.raises(WaitsForDns, match="caches may hold a 3 1 1 record that it does not match"):
        scene.gate(scene.look()).check(MAIL, 9)
    order = OrderIntent(MAIL, "https://ca.test/1", "https://ca.test", (), "", must_staple=False, key="", stamp=9)
    scene.records = replace(scene.records, orders={MAIL: order})
    assert scene.seat().decision.add == {record(KEYS[3])}, "the version that waits is made known"
    scene.publish(FOREIGN, record(KEYS[3]))
    with pytest.raises(WaitsForDns):
        scene.gate(scene.look()).check(MAIL, 9)
    scene.gate(scene.look(after=SAFE)).check(MAIL, 9)


@pytest.mark.parametrize("apart", [timedelta(hours=-5), timedelta(hours=5)])
def test_a_clock_that_others_contradict_opens_no_gate_and_lets_no_other_key_live(apart: timedelta) -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.cabinet.versions = {5: 0, 6: 1}
    scene.look()
    view = scene.look(after=SAFE)
    scene.gate(view).check(MAIL, 6)
    scene.heard = (apart,)
    gate = scene.gate(view)
    gate.check(MAIL, 5)
    with pytest.raises(WaitsForDns, match=r"version 6 .* this machine's clock .* 5 h apart") as wrong:
        gate.check(MAIL, 6)
    assert wrong.value.hint == "set the clock: timedatectl"
    found = gates_of(configuration(*scene.specs), scene.look())[MAIL]
    assert found.allowed is Allowed.CURRENT
    assert "5 h apart; set the clock: timedatectl" in found.reason


@pytest.mark.parametrize("known_as", ["live", "next", "an earlier version"])
def test_a_memory_from_before_records_that_are_there_opens_no_gate(known_as: str) -> None:
    scene = Scene()
    scene.publish(record(KEYS[0]), record(KEYS[1]))
    scene.look()
    scene.look(after=SAFE)
    backup = scene.records
    if known_as == "live":
        scene.cabinet.live[MAIL], scene.cabinet.following[MAIL] = 2, 1
    elif known_as == "next":
        scene.cabinet.following[MAIL] = 2
    else:
        scene.cabinet.earlier[MAIL] = (0, 2)
    scene.publish(record(KEYS[0]), record(KEYS[1]), record(KEYS[2]))
    scene.records = backup
    page = configuration(*scene.specs)
    seat = scene.seat(after=timedelta(hours=1))
    (note,) = (note for note in seat.decision.notes if "an older state was restored" in note)
    assert note.endswith("waits begin anew")
    assert gates_of(page, scene.look())[MAIL].allowed is Allowed.CURRENT
    later = scene.look(after=SAFE)
    assert not any("restored" in note for note in later.seats[PLACE].decision.notes), "said once"


def test_the_ttl_of_records_of_ours_becomes_the_wanted_one_and_the_longer_one_counts() -> None:
    scene = Scene()
    scene.tlsa.looks[PLACE] = tlsa_look(PLACE, [record(KEYS[0]), record(KEYS[1])], ttl=7200)
    seat = scene.seat()
    assert (seat.decision.add, seat.new_ttl, seat.changes) == (frozenset(), 3600, True)
    assert gates_of(configuration(*scene.specs), scene.look())[MAIL].until == NOW + LIVES * timedelta(hours=2) + MARGIN
    looks = scene.tlsa.looks[PLACE]
    new, old = (replace(answer, ttl=ttl) for answer, ttl in zip(looks.answers, (3600, 7200), strict=True))
    scene.tlsa.looks[PLACE] = replace(looks, answers=(new, old))
    assert scene.seat().new_ttl is None, "it is on its way"


def test_what_cannot_be_read_lets_no_version_live() -> None:
    scene = Scene()
    scene.cabinet.torn = {MAIL}
    scene.cabinet.versions = {5: 0}
    view = scene.look()
    assert set(view.unread) == {MAIL}
    with pytest.raises(WaitsForDns):
        scene.gate(view).check(MAIL, 5)
