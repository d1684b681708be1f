from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import (
    CA,
    P256,
    PROVIDER,
    REUSE,
    configuration,
    leaf,
    lineage,
    observed,
    spec,
    zone,
)
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.base.names import Alias
from certkeeper.lineage.model import KeyPlace, Lineage
from certkeeper.plan.actions import Activate, KeySource, Order, Prove, Reason, UseKey
from certkeeper.plan.planner import plan, wanted_zones
from certkeeper.plan.proving import owners_of
from certkeeper.plan.recovery import key_of
from certkeeper.zone.rrset import ZoneKind

ORG, NET = zone("example.org"), zone("example.net")
NEW = spec("example.org", "*.example.org")
KEPT = spec("mail.example.net", line=2)
CURRENT = lineage("mail.example.net", leaf("mail.example.net"))


def owner_texts(*owners: object) -> list[str]:
    return [str(owner) for owner in owners]


def test_a_name_and_its_wildcard_share_an_owner() -> None:
    assert owner_texts(*owners_of(NEW)) == ["_acme-challenge.example.org"]


def test_only_due_lineages_ask_for_zones() -> None:
    page = configuration(NEW, KEPT)
    world = observed(CURRENT, specs=page.certificates)
    assert owner_texts(*wanted_zones(page, world)[""].owners) == ["_acme-challenge.example.org"]
    forced = wanted_zones(page, world, {KEPT.alias})
    assert owner_texts(*forced[""].owners) == ["_acme-challenge.example.org", "_acme-challenge.mail.example.net"]


def test_a_due_lineage_gets_its_actions_in_order() -> None:
    page = configuration(NEW)
    (item,) = plan(page, observed(specs=page.certificates, zones=[ORG])).lineages
    assert item.reason is Reason.MISSING
    assert item.actions == (
        UseKey(KeySource.NEW, P256),
        Order(NEW.identifiers, must_staple=False, profile=""),
        Prove(ORG, owners_of(NEW)),
        Activate("/etc/dehydrated/certs/example.org"),
    )
    assert item.wake_at is None


def test_a_current_lineage_gets_none_and_says_when_to_look_again() -> None:
    page = configuration(KEPT)
    (item,) = plan(page, observed(CURRENT, specs=page.certificates)).lineages
    assert (item.reason, item.actions, item.error) == (Reason.CURRENT, (), None)
    assert item.wake_at == NOW + timedelta(days=28)


def test_a_forced_lineage_is_issued_and_says_that_nothing_was_due() -> None:
    page = configuration(KEPT)
    world = observed(CURRENT, specs=page.certificates, zones=[NET])
    (item,) = plan(page, world, {KEPT.alias}).due
    assert item.reason is Reason.FORCED
    assert "valid until " in item.detail


def test_what_is_due_anyway_is_not_called_forced() -> None:
    page = configuration(NEW)
    (item,) = plan(page, observed(specs=page.certificates, zones=[ORG]), {NEW.alias}).due
    assert item.reason is Reason.MISSING


def test_zones_are_merged_over_all_due_lineages() -> None:
    one = spec("example.org", "www.example.org")
    two = spec("www.example.org", "mail.example.org", "example.net", alias="two")
    page = configuration(one, two, KEPT)
    made = plan(page, observed(CURRENT, specs=page.certificates, zones=[ORG, NET]))
    assert {held.name.text: owner_texts(*owners) for held, owners in made.zones.items()} == {
        "example.org": [
            "_acme-challenge.example.org",
            "_acme-challenge.www.example.org",
            "_acme-challenge.mail.example.org",
        ],
        "example.net": ["_acme-challenge.example.net"],
    }


def test_a_blocked_lineage_changes_no_zone() -> None:
    page = configuration(spec("example.org", "example.com"))
    made = plan(page, observed(specs=page.certificates, zones=[ORG]))
    assert made.zones == {}
    assert made.register_at == ()
    assert [item.alias.text for item in made.blocked] == ["example.org"]


def test_wake_at_is_the_earliest_of_all() -> None:
    later = spec("later.example.net")
    page = configuration(KEPT, later)
    world = observed(
        CURRENT,
        lineage("later.example.net", leaf("later.example.net", left=timedelta(days=80))),
        specs=page.certificates,
    )
    assert plan(page, world).wake_at == NOW + timedelta(days=28)
    assert plan(configuration(later), world).wake_at == NOW + timedelta(days=48)


def test_an_account_is_registered_only_where_something_is_due() -> None:
    page = configuration(KEPT)
    assert plan(page, observed(CURRENT, specs=page.certificates, registered=False)).register_at == ()
    due = configuration(NEW)
    assert plan(due, observed(specs=due.certificates, zones=[ORG], registered=False)).register_at == (CA,)
    assert plan(due, observed(specs=due.certificates, zones=[ORG])).register_at == ()


@pytest.mark.parametrize(
    ("key", "place", "source"),
    [
        (P256, KeyPlace.LINK, KeySource.NEW),
        (P256, KeyPlace.PLAIN, KeySource.NEW),
        (REUSE, KeyPlace.LINK, KeySource.REUSE),
        (REUSE, KeyPlace.PLAIN, KeySource.PLAIN),
    ],
)
def test_where_the_key_comes_from(key: KeySpec, place: KeyPlace, source: KeySource) -> None:
    wanted = spec("example.org", key=key)
    present = lineage("example.org", leaf("example.org", left=timedelta(days=1)), key_place=place)
    (item,) = plan(configuration(wanted), observed(present, specs=[wanted], zones=[ORG])).due
    assert item.key == UseKey(source, key)


def test_a_key_that_is_to_be_reused_but_is_not_there_is_made() -> None:
    wanted = spec("example.org", key=REUSE)
    (item,) = plan(configuration(wanted), observed(specs=[wanted], zones=[ORG])).due
    assert item.key == UseKey(KeySource.NEW, REUSE)


ROLLOVER = KeySpec(KeyAlgorithm.P256, policy=KeyPolicy.ROLLOVER)


def compromised(place: KeyPlace) -> Lineage:
    present = lineage("one.example.org", leaf("one.example.org"), key_place=place)
    return replace(present, revoked=1, compromised=True)


@pytest.mark.parametrize("key", [P256, REUSE, ROLLOVER])
def test_a_compromised_key_is_never_used_again(key: KeySpec) -> None:
    wanted = spec("one.example.org", key=key)
    world = observed(compromised(KeyPlace.LINK), specs=[wanted], zones=[ORG])
    (item,) = plan(configuration(wanted), world).due
    assert (item.reason, item.key) == (Reason.REVOKED, UseKey(KeySource.NEW, key))
    assert key_of(wanted, world.lineages[wanted.alias]) == str(key)


def test_the_key_that_was_made_ahead_takes_its_place() -> None:
    wanted = spec("one.example.org", key=ROLLOVER)
    present = replace(compromised(KeyPlace.LINK), next_key_id="bb")
    (item,) = plan(configuration(wanted), observed(present, specs=[wanted], zones=[ORG])).due
    assert item.key == UseKey(KeySource.NEXT, ROLLOVER)


@pytest.mark.parametrize(("key", "dropped"), [(P256, True), (REUSE, False), (ROLLOVER, False)])
def test_the_key_that_was_made_ahead_goes_where_none_is_to_be(key: KeySpec, *, dropped: bool) -> None:
    wanted = spec("one.example.org", key=key)
    present = replace(compromised(KeyPlace.LINK), next_key_id="bb")
    (item,) = plan(configuration(wanted), observed(present, specs=[wanted], zones=[ORG])).due
    assert (item.drop_key is not None) == dropped
    (item,) = plan(configuration(wanted), observed(compromised(KeyPlace.LINK), specs=[wanted], zones=[ORG])).due
    assert item.drop_key is None


def test_a_certificate_revoked_for_another_reason_may_keep_its_key() -> None:
    wanted = spec("one.example.org", key=REUSE)
    present = replace(compromised(KeyPlace.LINK), revoked=4, compromised=False)
    (item,) = plan(configuration(wanted), observed(present, specs=[wanted], zones=[ORG])).due
    assert (item.reason, item.key) == (Reason.REVOKED, UseKey(KeySource.REUSE, REUSE))


def test_a_compromised_key_of_the_operators_is_theirs_to_replace() -> None:
    error = blocked(compromised(KeyPlace.PLAIN))["one.example.org"]
    assert "one.example.org/privkey.pem" in str(error)
    assert "compromised" in str(error)
    assert "put another key there" in error.hint


def blocked(*lineages: Lineage, key: KeySpec = REUSE) -> dict[str, CertkeeperError]:
    """The errors of two certificates of example.org, by alias."""
    specs = [spec("one.example.org", key=key), spec("two.example.org", key=key)]
    made = plan(configuration(*specs), observed(*lineages, specs=specs, zones=[ORG]))
    return {item.alias.text: item.error for item in made.blocked if item.error is not None}


def plain(alias: str, key_id: str) -> Lineage:
    return lineage(alias, key_place=KeyPlace.PLAIN, key_id=key_id)


def test_a_plain_key_that_two_certificates_share_is_refused_for_both() -> None:
    errors = blocked(plain("one.example.org", "aa"), plain("two.example.org", "aa"))
    assert set(errors) == {"one.example.org", "two.example.org"}
    error = errors["one.example.org"]
    assert str(error) == "one.example.org/privkey.pem: the same private key as two.example.org/privkey.pem"
    assert "a key of its own" in error.hint


def test_plain_keys_of_their_own_are_reused() -> None:
    assert blocked(plain("one.example.org", "aa"), plain("two.example.org", "bb")) == {}


def test_a_shared_key_that_is_replaced_anyway_is_no_trouble() -> None:
    assert blocked(plain("one.example.org", "aa"), plain("two.example.org", "aa"), key=P256) == {}


def test_a_key_that_cannot_be_used_is_named() -> None:
    said = "/etc/dehydrated/certs/one.example.org/privkey.pem: RSA with 1024 bits, which no CA takes"
    errors = blocked(lineage("one.example.org", key_place=KeyPlace.PLAIN, key_trouble=said))
    assert {alias: str(error) for alias, error in errors.items()} == {"one.example.org": said}
    assert "new key is made" in errors["one.example.org"].hint


def test_a_key_that_cannot_be_used_is_no_trouble_where_a_new_one_is_made() -> None:
    bad = lineage("one.example.org", key_place=KeyPlace.PLAIN, key_trouble="privkey.pem: not a key")
    assert blocked(bad, key=P256) == {}


def test_a_provider_that_cannot_be_asked_blocks_due_lineages_only() -> None:
    page = configuration(NEW, KEPT)
    trouble = CertkeeperError("PowerDNS: connection refused")
    made = plan(page, observed(CURRENT, specs=page.certificates, trouble=trouble))
    assert [(item.alias, item.error) for item in made.blocked] == [(NEW.alias, trouble)]
    assert made.due == ()
    assert made.wake_at == NOW + timedelta(days=28)


def test_a_blocked_lineage_wakes_when_its_error_says() -> None:
    page = configuration(NEW)
    trouble = CertkeeperError("PowerDNS: busy", retry_at=NOW + timedelta(hours=1))
    assert plan(page, observed(specs=page.certificates, trouble=trouble)).wake_at == NOW + timedelta(hours=1)


def test_a_name_without_zone_blocks_its_lineage_only() -> None:
    lost = spec("example.org", "www.example.com")
    page = configuration(lost, spec("good.example.org"))
    made = plan(page, observed(specs=page.certificates, zones=[ORG]))
    (item,) = made.blocked
    assert str(item.error) == f"no zone at {PROVIDER} holds www.example.com"
    assert item.error is not None
    assert item.error.hint == "correct the name in domains.txt, or create its zone on that server"
    assert [due.alias.text for due in made.due] == ["good.example.org"]


def test_many_names_without_zone_are_counted() -> None:
    wanted = spec(*(f"n{number}.example.com" for number in range(12)))
    (item,) = plan(configuration(wanted), observed(specs=[wanted], zones=[])).blocked
    assert str(item.error).endswith("n9.example.com and 2 more")


def test_a_folder_with_a_config_is_the_first_suggestion() -> None:
    wrong = spec("mail.exmaple.org", line=7)
    page = configuration(wrong, spec("mail.example.org", line=8))
    world = observed(specs=page.certificates, zones=[ORG], folders=("mail.exampel.org", "mail.exmaple.org"))
    (item,) = plan(page, world).blocked
    assert item.error is not None
    assert item.error.hint == (
        "did you mean mail.exampel.org, which has a config folder? correct /etc/dehydrated/domains.txt:7"
    )


def test_another_name_of_the_page_is_the_second_suggestion() -> None:
    page = configuration(spec("mail.exmaple.org", line=7), spec("mail.example.org", line=8))
    (item,) = plan(page, observed(specs=page.certificates, zones=[ORG])).blocked
    assert item.error is not None
    assert item.error.hint == "did you mean mail.example.org? correct /etc/dehydrated/domains.txt:7"


def test_a_zone_that_is_there_is_the_third_suggestion() -> None:
    page = configuration(spec("www.exmaple.org", line=7), spec("example.org", line=8))
    (item,) = plan(page, observed(specs=page.certificates, zones=[ORG])).blocked
    assert item.error is not None
    assert item.error.hint.startswith("did you mean www.example.org? correct /etc/dehydrated/domains.txt:7")


def test_a_secondary_zone_is_refused() -> None:
    page = configuration(NEW)
    (item,) = plan(page, observed(specs=page.certificates, zones=[zone("example.org", ZoneKind.SECONDARY)])).blocked
    assert str(item.error) == (
        f"zone example.org, which holds _acme-challenge.example.org, is a secondary at {PROVIDER}: "
        "changes there would be lost"
    )


def test_the_plan_keeps_the_pages_order() -> None:
    page = configuration(KEPT, NEW)
    made = plan(page, observed(CURRENT, specs=page.certificates, zones=[ORG]))
    assert [item.alias for item in made.lineages] == [Alias("mail.example.net"), Alias("example.org")]
