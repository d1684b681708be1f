"""What the port Dns promises (apply/ports.py), kept by every provider.

A provider under test is a Provider: the port, and a way to make zones and records behind its back.
"""

import pytest

from certkeeper.base.value import replace
from certkeeper.zone.changes import ChangeSet, RecordChange
from certkeeper.zone.rrset import ZoneKind
from contract.dns.offers import Offer
from contract.dns.providers import Provider, add, name, needs, zone_of

# --- zones ------------------------------------------------------------------------------------------------------------


def test_the_longest_zone_that_holds_a_name_is_its_zone(provider: Provider) -> None:
    zone = provider.make_zone()
    sub = provider.make_zone(f"sub.{zone}")
    owners = {
        f"_acme-challenge.{zone}": zone,
        f"_acme-challenge.deep.below.{zone}": zone,
        f"_acme-challenge.{sub}": sub,
        f"_acme-challenge.x.{sub}": sub,
        f"_acme-challenge.notsub.{zone}": zone,
    }
    found = provider.dns.zones([name(owner) for owner in owners])
    assert {owner.text: zone.name.text for owner, zone in found.items()} == owners


def test_a_challenge_name_may_be_a_zone_of_its_own(provider: Provider) -> None:
    needs(provider, Offer.CHALLENGE_ZONES)
    own = provider.make_zone(f"_acme-challenge.www.{provider.make_zone()}")
    assert zone_of(provider, own).name.text == own


def test_names_without_a_zone_are_left_out(provider: Provider) -> None:
    zone = provider.make_zone()
    known, unknown = name(f"a.{zone}"), name(f"a.not-{zone}")
    assert set(provider.dns.zones([known, unknown])) == {known}
    assert provider.dns.zones([]) == {}


def test_a_zone_tells_its_kind(provider: Provider) -> None:
    for kind in provider.kinds:
        zone = provider.make_zone(kind=kind)
        assert zone_of(provider, f"_acme-challenge.{zone}").kind is kind


def test_a_zones_name_with_a_slash_like_rfc_2317s_does_not_disturb(provider: Provider) -> None:
    zone = provider.make_zone()
    odd = provider.make_zone(f"under_score.{zone}")
    assert zone_of(provider, f"_acme-challenge.{odd}").name.text == odd


# --- changes ----------------------------------------------------------------------------------------------------------


def test_values_are_added_and_taken_away_by_value(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    handle = zone_of(provider, owner)
    provider.dns.change(handle, add(owner, "one", "two"))
    assert provider.get(zone, owner) == {'"one"', '"two"'}
    provider.dns.change(handle, add(owner, "three"))
    provider.dns.change(handle, add(owner, "one", "two").invert())
    assert provider.get(zone, owner) == {'"three"'}
    provider.dns.change(handle, add(owner, "three").invert())
    assert provider.get(zone, owner) == frozenset()


@pytest.mark.parametrize("kind", [ZoneKind.PRIMARY, ZoneKind.NATIVE, ZoneKind.BY_HAND])
def test_many_owners_go_out_in_one_change(provider: Provider, kind: ZoneKind) -> None:
    if kind not in provider.kinds:
        pytest.skip(f"{type(provider).__name__} knows no zones of the kind {kind}")
    zone = provider.make_zone(kind=kind)
    owners = [f"_acme-challenge.n{number}.{zone}" for number in range(50)]
    changes = ChangeSet.of(change for owner in owners for change in add(owner, f"v {owner}").changes)
    before = provider.writes()
    provider.dns.change(zone_of(provider, owners[0]), changes)
    if Offer.ONE_WRITE in provider.offers:
        assert provider.writes() - before == 1
    assert all(provider.get(zone, owner) == {f'"v {owner}"'} for owner in owners[::7])
    provider.dns.change(zone_of(provider, owners[0]), changes.invert())
    assert not any(provider.get(zone, owner) for owner in owners[::7])


def test_what_is_done_already_is_not_done_again(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    handle = zone_of(provider, owner)
    provider.dns.change(handle, add(owner, "value"))
    before = provider.writes()
    provider.dns.change(handle, add(owner, "value"))
    provider.dns.change(handle, add(owner, "never there").invert())
    assert provider.writes() == before
    assert provider.get(zone, owner) == {'"value"'}


def test_other_peoples_records_and_their_ttl_survive(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    provider.put(zone, owner, '"theirs"', ttl=777)
    handle = zone_of(provider, owner)
    provider.dns.change(handle, add(owner, "ours"))
    assert provider.get(zone, owner) == {'"theirs"', '"ours"'}
    assert provider.ttl(zone, owner) == 777
    provider.dns.change(handle, add(owner, "ours").invert())
    assert provider.get(zone, owner) == {'"theirs"'}
    assert provider.ttl(zone, owner) == 777


def test_a_new_record_gets_the_ttl_asked_for(provider: Provider) -> None:
    needs(provider, Offer.TTL)
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    provider.dns.change(zone_of(provider, owner), add(owner, "value", ttl=42))
    assert provider.ttl(zone, owner) == 42


def test_the_ttl_of_what_is_there_becomes_another_one_where_a_change_says_so(provider: Provider) -> None:
    needs(provider, Offer.NEW_TTL)
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    provider.put(zone, owner, '"theirs"', ttl=777)
    handle = zone_of(provider, owner)
    change = RecordChange(name(owner), "TXT", new_ttl=42)
    provider.dns.change(handle, ChangeSet.of([change]))
    assert (provider.get(zone, owner), provider.ttl(zone, owner)) == (frozenset({'"theirs"'}), 42)
    before = provider.writes()
    provider.dns.change(handle, ChangeSet.of([change]))
    assert provider.writes() == before
    both = replace(change, add=frozenset({'"ours"'}), new_ttl=43)
    provider.dns.change(handle, ChangeSet.of([both]))
    assert (provider.get(zone, owner), provider.ttl(zone, owner)) == (frozenset({'"theirs"', '"ours"'}), 43)


def test_long_and_odd_texts_come_back_as_the_same_value(provider: Provider) -> None:
    needs(provider, Offer.ANY_TEXT)
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    handle = zone_of(provider, owner)
    texts = ("x" * 255, "y" * 256, "z" * 700, 'quo"te', "back\\slash", "semi;colon", "blank blank", "-_aZ09")
    provider.dns.change(handle, add(owner, *texts))
    assert len(provider.get(zone, owner)) == len(texts)
    before = provider.writes()
    provider.dns.change(handle, add(owner, *texts))
    assert provider.writes() == before
    provider.dns.change(handle, add(owner, *texts).invert())
    assert provider.get(zone, owner) == frozenset()


def test_a_value_that_somebody_split_otherwise_is_the_same_value(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    provider.put(zone, owner, '"ab" "cd"', '"other"')
    handle = zone_of(provider, owner)
    before = provider.writes()
    provider.dns.change(handle, add(owner, "abcd"))
    assert provider.writes() == before
    provider.dns.change(handle, add(owner, "abcd").invert())
    assert provider.get(zone, owner) == {'"other"'}


def test_what_was_published_before_this_process_is_taken_away(provider: Provider) -> None:
    zone = provider.make_zone()
    owner = f"_acme-challenge.{zone}"
    provider.put(zone, owner, '"left by a killed run"', '"theirs"')
    provider.dns.change(zone_of(provider, owner), add(owner, "left by a killed run").invert())
    assert provider.get(zone, owner) == {'"theirs"'}


def test_an_owner_that_somebody_wrote_in_capitals_is_the_same_owner(provider: Provider) -> None:
    zone = provider.make_zone()
    provider.put(zone, f"_ACME-Challenge.WWW.{zone}", '"theirs"')
    owner = f"_acme-challenge.www.{zone}"
    handle = zone_of(provider, owner.upper())
    provider.dns.change(handle, add(owner, "ours"))
    assert provider.get(zone, owner) == {'"theirs"', '"ours"'}


def test_a_cname_is_told_and_other_names_are_left_out(provider: Provider) -> None:
    needs(provider, Offer.ALIASES)
    zone = provider.make_zone()
    provider.put_alias(zone, f"_acme-challenge.{zone}", f"target.{zone}")
    provider.put(zone, f"_acme-challenge.txt.{zone}", '"value"')
    names = [name(f"_acme-challenge.{each}{zone}") for each in ("", "txt.", "nothing.")]
    assert provider.dns.aliases({zone_of(provider, zone): names}) == {names[0]: name(f"target.{zone}")}


def test_notify_may_be_asked_for_at_any_time(provider: Provider) -> None:
    zone = provider.make_zone()
    handle = zone_of(provider, zone)
    provider.dns.notify(handle)
    # Whatever the kind of zone, it is there as before.
    assert zone_of(provider, zone) == handle
