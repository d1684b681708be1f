from builders.fakes import FakeAccounts, FakeClock, FakeStore
from builders.plans import CA, P256, configuration, spec
from certkeeper.adapters.keys import make
from certkeeper.apply.observe import observe
from certkeeper.base.names import Alias, DnsName
from certkeeper.lineage.model import Lineage
from certkeeper.plan.observed import Observed
from certkeeper.plan.records import Records

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
