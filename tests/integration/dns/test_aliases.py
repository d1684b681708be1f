"""CNAMEs are looked for at the servers of NAMESERVERS, also where this host's resolver knows nothing of the zone."""

import pytest

from bed.powerdns import rrset
from bed.world import World
from certkeeper.adapters.resolver import Named, SystemNameservers
from certkeeper.base.names import DnsName
from certkeeper.config.settings import NameserverOverride, ServerAddress


@pytest.mark.parametrize("general", [False, True])
def test_the_named_servers_are_asked_for_cnames(shared_world: World, *, general: bool) -> None:
    zone = shared_world.new_zone()
    name, none = DnsName.parse(f"_acme-challenge.a.{zone}"), DnsName.parse(f"_acme-challenge.b.{zone}")
    shared_world.primary.patch(zone, rrset(name.absolute, "CNAME", ["x.elsewhere.example."]))
    host, port = shared_world.primary.dns
    override = NameserverOverride(None if general else DnsName.parse(zone), (ServerAddress(host, port),))
    found = SystemNameservers(Named(instead=(override,))).alias_or_none([name, none])
    assert found == {name: DnsName.parse("x.elsewhere.example"), none: None}
