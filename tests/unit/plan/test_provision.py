"""What is changed at an owner name for a standing record: ours, and nobody else's."""

from certkeeper.acme.persist import Standing
from certkeeper.base.names import DnsName
from certkeeper.plan.observed import StandingLook
from certkeeper.plan.provision import Party, Site, removing, whose, widened, writing
from certkeeper.zone.rrset import txt_rdata

PARTY = Party(("ca.test", "alias.test"), "https://ca.test/account/1")
OWNER = DnsName("_validation-persist.example.org")
NEEDED = Standing("ca.test", PARTY.account)
SHORT = Standing("ca.test", PARTY.account, until=5)
OTHERS = ["ca.test; accounturi=https://ca.test/account/2", "other.test; accounturi=https://ca.test/account/1", "x", ""]


def test_a_record_takes_the_place_of_ours_and_leaves_the_others() -> None:
    change = writing(OWNER, NEEDED, [*OTHERS, SHORT.value])
    assert change.add == {txt_rdata(NEEDED.value)}
    assert change.remove == {txt_rdata(SHORT.value)}


def test_what_is_there_already_is_not_taken_away() -> None:
    assert writing(OWNER, NEEDED, [NEEDED.value]).remove == frozenset()


def test_wildcards_stay_allowed() -> None:
    wide = Standing("ca.test", PARTY.account, wildcard=True, until=5)
    assert widened(NEEDED, [wide.value], PARTY).wildcard
    assert not widened(NEEDED, [SHORT.value, *OTHERS], PARTY).wildcard


def test_only_ours_is_removed_as_it_stands() -> None:
    oddly = f"alias.test ; ACCOUNTURI={PARTY.account}"
    change = removing(OWNER, [*OTHERS, NEEDED.value, oddly], PARTY)
    assert change.add == frozenset()
    assert change.remove == {txt_rdata(NEEDED.value), txt_rdata(oddly)}


def test_each_value_is_told_apart() -> None:
    assert whose(NEEDED.value, PARTY) == "ours"
    assert whose(OTHERS[0], PARTY) == "for another account"
    assert whose(OTHERS[1], PARTY) == "ours, for another CA"
    assert whose("v=spf1", PARTY).startswith("no record of this kind")


def test_the_server_that_shows_the_least_decides() -> None:
    looks = {"ns1": frozenset({NEEDED.value}), "ns2": frozenset({SHORT.value})}
    site = Site(DnsName("example.org"), NEEDED, StandingLook(looks))
    assert site.verdict(PARTY, 9).ability == "expired"
    assert site.verdict(PARTY, 1).standing == SHORT
