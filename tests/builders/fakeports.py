"""All ports of a simulated world: fakes, of which a test replaces those that it looks into."""

from builders.dnsworld import DnsWorld
from builders.fakejournal import FakeJournal
from builders.fakes import (
    FakeAccounts,
    FakeClaims,
    FakeClock,
    FakeFiles,
    FakeHooks,
    FakeKeys,
    FakeListeners,
    FakeRejected,
)
from builders.fakestaples import FakeStaples
from builders.fakestore import FakeStore
from certkeeper.apply.ports import Http, Ports
from certkeeper.base.wire import Request, Response


class NoCa:
    """Nothing here asks a CA."""

    def send(self, request: Request) -> Response:
        raise AssertionError(request)


def fake_ports(clock: FakeClock, world: DnsWorld, http: Http | None = None) -> Ports:
    """`world` is the one provider, whose id is empty, and the name servers."""
    store = FakeStore()
    return Ports(
        http=http or NoCa(),
        dns={"": world},
        nameservers=world,
        store=store,
        keys=FakeKeys(),
        accounts=FakeAccounts(),
        clock=clock,
        journal=FakeJournal(),
        rejected=FakeRejected(),
        claims=FakeClaims(),
        hooks=FakeHooks(),
        files=FakeFiles(),
        listeners=FakeListeners(),
        staples=FakeStaples(store),
    )
