from collections.abc import Collection, Mapping

from builders.dnsworld import DnsWorld
from builders.fakes import FakeAccounts, FakeClock, FakeStore
from builders.plans import CA, P256, PROVIDER, configuration, spec, zone
from certkeeper.adapters.keys import make
from certkeeper.apply.observe import observe, with_zones
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias, DnsName
from certkeeper.lineage.model import Lineage
from certkeeper.plan.observed import Observed
from certkeeper.plan.records import Records
from certkeeper.zone.rrset import Zone

PAGE = configuration(spec("example.org"), spec("example.net"))
OWNER = DnsName("_acme-challenge.example.org")


def world(accounts: FakeAccounts | None = None) -> Observed:
    return observe(
        PAGE,
        store=FakeStore(),
        accounts=accounts or FakeAccounts(),
        clock=FakeClock(),
        config_folders=("example.com",),
        records=Records(),
    )


def test_every_lineage_of_the_page_is_looked_at_and_no_zone() -> None:
    seen = world()
    assert seen.lineages == {Alias(text): Lineage(Alias(text)) for text in ("example.org", "example.net")}
    assert seen.zones is None
    assert seen.now == FakeClock().now()
    assert seen.config_folders == ("example.com",)


def test_an_account_is_registered_when_it_is_on_disk() -> None:
    assert not world().registered
    accounts = FakeAccounts()
    accounts.save_key(CA, make(P256))
    accounts.save(CA, f"{CA}/1", b"{}")
    assert world(accounts).registered


def test_zones_are_added_with_the_providers_name() -> None:
    seen = with_zones(world(), [OWNER], DnsWorld(FakeClock(), [zone("example.org")], {}))
    assert seen.zones is not None
    assert seen.zones.provider == PROVIDER
    assert dict(seen.zones.by_owner) == {OWNER: zone("example.org")}
    assert seen.zones.trouble is None


class Down(DnsWorld):
    """A provider that cannot be asked."""

    def zones(self, owners: Collection[DnsName]) -> Mapping[DnsName, Zone]:
        raise CertkeeperError(f"{PROVIDER}: connection refused for {owners}")


def test_a_provider_that_cannot_be_asked_is_part_of_the_answer() -> None:
    seen = with_zones(world(), [OWNER], Down(FakeClock(), (), {}))
    assert seen.zones is not None
    assert "connection refused" in str(seen.zones.trouble)
    assert seen.zones.by_owner == {}
