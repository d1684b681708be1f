"""The zones of names by a resolver: a real unbound before a real PowerDNS."""

import dns.resolver
import pytest

from bed.powerdns import rrset
from certkeeper.adapters.dns.apexes import Apexes
from certkeeper.base.names import DnsName
from certkeeper.zone.apex import ZoneError
from certkeeper.zone.rrset import ZoneKind
from contract.dns.others import ManualProvider, Served


@pytest.mark.real
def test_a_cname_to_a_zone_is_no_zone(served: Served) -> None:
    provider = ManualProvider(served)
    zone, target = provider.make_zone(), provider.make_zone()
    served.server.patch(zone, rrset(f"www.{zone}", "CNAME", [f"{target}."]))
    owner = DnsName(f"_acme-challenge.www.{zone}")
    assert served.apexes.zones([owner])[owner].name.text == zone


@pytest.mark.real
def test_challenge_names_are_never_asked_for(served: Served) -> None:
    """A resolver that remembers that the name is not there would hide the record from a CA that asks it."""
    provider = ManualProvider(served)
    zone = provider.make_zone()
    asked: list[str] = []

    class Watched(dns.resolver.Resolver):
        def resolve(self, qname: object, *arguments: object, **options: object) -> dns.resolver.Answer:
            asked.append(str(qname))
            return super().resolve(qname, *arguments, **options)  # type: ignore[arg-type]

    resolver = Watched(configure=False)
    resolver.nameservers = [served.unbound.dns[0]]
    resolver.port = served.unbound.dns[1]
    owners = [DnsName(f"_acme-challenge.{zone}"), DnsName(f"_validation-contactemail._x.www.{zone}")]
    found = Apexes(resolver).zones(owners)
    assert {owner.text: found[owner].name.text for owner in owners} == {owner.text: zone for owner in owners}
    assert sorted(asked) == [f"www.{zone}.", f"{zone}."]


@pytest.mark.real
def test_a_zone_tells_its_serial_and_needs_no_notify(served: Served) -> None:
    zone = DnsName(ManualProvider(served).make_zone())
    found = served.apexes.zones([zone])[zone]
    assert found.kind is ZoneKind.NATIVE
    assert found.serial == served.server.serial(zone.text)


@pytest.mark.real
@pytest.mark.long
def test_below_a_name_that_cannot_be_resolved_nobody_guesses(served: Served) -> None:
    """Its parent may be the wrong zone to write to; names beside it are found all the same."""
    zone = ManualProvider(served).make_zone()
    # Delegated to a server that does not have it.
    served.server.patch(
        zone,
        rrset(f"lame.{zone}", "NS", [f"ns.lame.{zone}."]),
        rrset(f"ns.lame.{zone}", "A", ["127.0.0.1"]),
    )
    lame, sound = DnsName(f"_acme-challenge.www.lame.{zone}"), DnsName(f"_acme-challenge.www.{zone}")
    assert set(served.apexes.zones([lame, sound])) == {sound}
    with pytest.raises(ZoneError, match=rf"lame\.{zone}: its zone cannot be found"):
        served.apexes.zones([lame])


def test_a_resolver_that_does_not_answer() -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = 9
    resolver.lifetime = 0.5
    with pytest.raises(ZoneError, match=r"example\.org: .*resolver gets no answer"):
        Apexes(resolver).zones([DnsName("example.org")])


def test_nothing_is_asked_for_nobody() -> None:
    assert Apexes().zones([]) == {}
