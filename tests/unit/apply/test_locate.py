from collections.abc import Collection, Mapping
from itertools import pairwise

import pytest

from builders.dnsworld import DnsWorld
from builders.fakes import FakeClock
from builders.plans import settings, zone
from certkeeper.apply.locate import LONGEST_CHAIN, locate
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.config.settings import ManualSettings, Provider, Settings, ZoneRule
from certkeeper.plan.observed import Wanted, Zones
from certkeeper.zone.apex import Cut, ZonesUnknown
from certkeeper.zone.rrset import Zone

OWNER = DnsName("_acme-challenge.www.example.org")


class Asked(DnsWorld):
    """Remembers what it was asked."""

    def __init__(self, *held: str, down: bool = False) -> None:
        super().__init__(FakeClock(), [zone(name) for name in held], {})
        self.down = down
        self.looked_up: list[tuple[str, ...]] = []

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        self.looked_up.append(tuple(owner.text for owner in owners))
        if self.down:
            raise CertkeeperError("connection refused")
        return super().zones(owners)


def look(
    providers: Mapping[str, Asked],
    *owners: DnsName,
    outside: Asked | None = None,
    page: Settings | None = None,
    zones: tuple[DnsName, ...] = (),
) -> Zones:
    found = locate({"": Wanted(owners or (OWNER,), zones)}, page or settings(), providers, outside or Asked())
    return found[""]


def alias(world: Asked, *names: str) -> Asked:
    """A chain of CNAMEs."""
    world.aliased |= {DnsName(name): DnsName(target) for name, target in pairwise(names)}
    return world


def places(found: Zones) -> dict[str, tuple[str, str, str]]:
    return {
        owner.text: (place.zone.provider, place.zone.name.text, place.owner.text)
        for owner, place in found.places.items()
    }


def test_a_name_without_cname_is_written_where_it_is() -> None:
    world = Asked("example.org")
    assert places(look({"": world})) == {OWNER.text: ("", "example.org", OWNER.text)}
    assert world.looked_up == [(OWNER.text,)]


def test_a_cname_is_followed_to_another_zone() -> None:
    world = alias(Asked("example.org", "acme.example.net"), OWNER.text, "x.acme.example.net")
    assert places(look({"": world})) == {OWNER.text: ("", "acme.example.net", "x.acme.example.net")}


def test_several_in_a_row_are_followed() -> None:
    world = alias(Asked("example.org"), OWNER.text, "a.example.org", "b.example.org", "c.example.org")
    assert places(look({"": world}))[OWNER.text] == ("", "example.org", "c.example.org")


def test_a_name_of_a_zone_that_nobody_of_ours_holds_is_looked_for_outside() -> None:
    outside = alias(Asked(), OWNER.text, "x.acme.example.net")
    found = look({"": Asked("acme.example.net")}, outside=outside)
    assert places(found)[OWNER.text] == ("", "acme.example.net", "x.acme.example.net")


def test_a_name_that_has_no_zone_anywhere_is_in_neither() -> None:
    found = look({"": Asked("example.net")})
    assert found.places == {}
    assert found.errors == {}
    assert found.trouble is None


def test_a_target_goes_to_the_provider_of_its_zone() -> None:
    page = settings(zone_rules=(ZoneRule(DnsName("example.net"), "other"),))
    world = alias(Asked("example.org"), OWNER.text, "x.example.net")
    found = look({"": world, "other": Asked("example.net")}, page=page)
    assert places(found)[OWNER.text] == ("other", "example.net", "x.example.net")


def test_a_target_that_is_misspelled_gets_the_zone_that_may_be_meant() -> None:
    found = look({"": alias(Asked("example.org"), OWNER.text, "x.exmaple.org")})
    error = found.errors[OWNER]
    assert isinstance(error, CertkeeperError)
    assert error.hint.startswith(f"did you mean x.example.org? correct the CNAME at {OWNER}")


def test_a_target_that_no_provider_holds_is_an_error() -> None:
    found = look({"": alias(Asked("example.org"), OWNER.text, "x.example.net")})
    assert str(found.errors[OWNER]) == (
        f"{OWNER} is delegated by CNAME to x.example.net, which no zone at {Asked().describe()} holds"
    )
    assert found.errors[OWNER].hint


def test_a_circle_is_an_error_that_shows_it() -> None:
    world = alias(Asked("example.org"), OWNER.text, "a.example.org", OWNER.text)
    found = look({"": world})
    assert f"{OWNER} -> a.example.org -> {OWNER}" in str(found.errors[OWNER])
    assert found.places == {}


@pytest.mark.parametrize(("length", "fine"), [(LONGEST_CHAIN, True), (LONGEST_CHAIN + 1, False)])
def test_a_chain_has_an_end(length: int, fine: bool) -> None:  # noqa: FBT001 - a case
    names = [OWNER.text, *(f"n{number}.example.org" for number in range(length))]
    found = look({"": alias(Asked("example.org"), *names)})
    assert (OWNER in found.places) is fine
    assert (OWNER in found.errors) is not fine


def test_another_names_error_stops_nobody() -> None:
    other = DnsName("_acme-challenge.example.org")
    found = look({"": alias(Asked("example.org"), OWNER.text, OWNER.text)}, OWNER, other)
    assert set(found.places) == {other}
    assert set(found.errors) == {OWNER}


def test_a_provider_that_cannot_be_asked_is_told() -> None:
    found = look({"": Asked(down=True)})
    assert str(found.trouble) == "connection refused"
    assert found.places == {}


def test_a_provider_of_a_target_that_cannot_be_asked_is_that_names_error() -> None:
    page = settings(zone_rules=(ZoneRule(DnsName("example.net"), "other"),))
    world = alias(Asked("example.org"), OWNER.text, "x.example.net")
    found = look({"": world, "other": Asked(down=True)}, page=page)
    assert found.trouble is None
    assert str(found.errors[OWNER]) == "connection refused"


def test_a_suffix_that_makes_a_name_too_long_is_that_names_error() -> None:
    provider = Provider("", ManualSettings(), DnsName(".".join(["a" * 60] * 4)))
    found = look({"": Asked("example.net")}, page=settings(providers=(provider,)))
    assert "PDNS_SUFFIX" in str(found.errors[OWNER])


def test_zones_are_found_by_their_names() -> None:
    found = look({"": Asked("example.org")}, zones=(DnsName("example.org"), DnsName("example.net")))
    assert {name.text: item.name.text for name, item in found.by_name.items()} == {"example.org": "example.org"}


def test_many_names_of_a_zone_are_one_question() -> None:
    world = Asked("example.org")
    look({"": world}, *(DnsName(f"_acme-challenge.n{number}.example.org") for number in range(50)))
    assert len(world.looked_up) == 1


class Partly(Asked):
    """A server that cannot tell about one of its zones."""

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        found = super().zones(owners)
        broken = {
            owner: CertkeeperError("zone example.net: HTTP 500") for owner in owners if "example.net" in owner.text
        }
        if broken:
            raise ZonesUnknown({owner: zone for owner, zone in found.items() if owner not in broken}, broken)
        return found


def test_a_zone_that_cannot_be_told_of_is_the_error_of_its_own_names() -> None:
    other = DnsName("_acme-challenge.example.net")
    found = look({"": Partly("example.org", "example.net")}, OWNER, other)
    assert found.trouble is None
    assert set(found.places) == {OWNER}
    assert str(found.errors[other]) == "zone example.net: HTTP 500"


class TestSuffix:
    WRITTEN = f"{OWNER}.acme.example.net"
    PAGE = settings(providers=(Provider("", ManualSettings(), DnsName("acme.example.net")),))

    def look(self, outside: Asked) -> Zones:
        return look({"": Asked("acme.example.net")}, outside=outside, page=self.PAGE)

    def test_a_cname_that_leads_there_is_all_that_is_needed(self) -> None:
        assert places(self.look(alias(Asked(), OWNER.text, self.WRITTEN)))[OWNER.text][2] == self.WRITTEN
        assert not self.look(alias(Asked(), OWNER.text, "x.example.com", self.WRITTEN)).errors

    def test_without_it_the_record_to_create_is_named(self) -> None:
        error = self.look(Asked()).errors[OWNER]
        assert str(error) == (
            f"{OWNER}: there is no CNAME there, and PDNS_SUFFIX has its records written at {self.WRITTEN}"
        )
        assert error.hint == f"create the record: {OWNER}. 3600 IN CNAME {self.WRITTEN}."

    def test_one_that_leads_elsewhere_is_told(self) -> None:
        found = self.look(alias(Asked(), OWNER.text, "x.example.com"))
        assert f"{OWNER}: its CNAME leads to x.example.com" in str(found.errors[OWNER])
        assert found.places == {}

    def test_where_nobody_can_be_asked_it_goes_on(self) -> None:
        outside = Asked()
        outside.unheard.add(OWNER)
        assert places(self.look(outside))[OWNER.text][2] == self.WRITTEN

    def test_a_circle_ends(self) -> None:
        found = self.look(alias(Asked(), OWNER.text, "x.example.com", OWNER.text))
        assert f"{OWNER}: its CNAME leads to " in str(found.errors[OWNER])
        assert found.places == {}


def test_a_name_that_is_delegated_to_strangers_is_an_error() -> None:
    world = Asked("example.org")
    world.cut[OWNER] = Cut(OWNER, ("ns1.stranger.test.", "ns2.stranger.test."))
    found = look({"": world})
    error = found.errors[OWNER]
    assert str(error) == (
        f"zone example.org delegates {OWNER} to ns1.stranger.test, ns2.stranger.test, "
        "so what is written there is not served"
    )
    assert "ZONES_D" in error.hint
    assert found.places == {}
