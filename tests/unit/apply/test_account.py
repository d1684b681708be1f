from dataclasses import dataclass, field

import pytest

from builders.dnsworld import DnsWorld
from builders.fakeca import TERMS, FakeCa
from builders.fakes import (
    FakeAccounts,
    FakeClaims,
    FakeClock,
    FakeHooks,
    FakeJournal,
    FakeKeys,
    FakeStore,
    SeededExecutor,
    through,
)
from builders.plans import CA, settings
from certkeeper.acme.account import TermsNotAccepted
from certkeeper.acme.problem import Problem
from certkeeper.acme.session import Session
from certkeeper.apply.account import BindingRequired, open_session
from certkeeper.apply.ports import Ports
from certkeeper.apply.scheduler import Scheduler
from certkeeper.base.events import AccountRegistered, Event
from certkeeper.base.wire import TransportError


@dataclass(slots=True)
class Scene:
    """One CA and one accounts folder; `open` is the start of one run."""

    clock: FakeClock = field(default_factory=FakeClock)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    keys: FakeKeys = field(default_factory=FakeKeys)
    events: list[Event] = field(default_factory=list)
    ca: FakeCa = field(init=False)

    def __post_init__(self) -> None:
        self.ca = FakeCa(self.clock, lambda _: [])

    def open(self, *, terms: bool = True) -> Session:
        """The session, or the error is raised."""
        world = DnsWorld(self.clock, (), {})
        ports = Ports(
            self.ca,
            {"": world},
            world,
            FakeStore(),
            self.keys,
            self.accounts,
            self.clock,
            FakeJournal(),
            FakeClaims(),
            FakeHooks(),
        )
        scheduler = Scheduler(SeededExecutor(through(ports), self.clock), self.clock)
        ended: list[tuple[object, Exception | None]] = []
        exchange = open_session(settings(), user_agent="test", terms_accepted=terms, tell=self.events.append)
        scheduler.spawn(exchange, lambda value, error: ended.append((value, error)))
        scheduler.run()
        ((session, error),) = ended
        if error is not None:
            raise error
        assert isinstance(session, Session)
        return session


def test_a_new_account_is_registered_and_kept() -> None:
    scene = Scene()
    session = scene.open()
    assert session.kid == scene.accounts.kids[CA]
    assert scene.events == [AccountRegistered(CA, scene.accounts.kids[CA])]


def test_a_kept_account_costs_no_request_but_the_directory() -> None:
    scene = Scene()
    scene.open()
    scene.ca.requests.clear()
    session = scene.open(terms=False)
    assert session.kid == scene.accounts.kids[CA]
    assert dict(scene.ca.requests) == {"directory": 1}
    assert len(scene.keys.made) == 1


def test_a_key_whose_account_url_was_lost_finds_its_account_without_the_terms() -> None:
    scene = Scene()
    url = scene.open().kid
    del scene.accounts.kids[CA]
    assert scene.open(terms=False).kid == url
    assert scene.accounts.kids[CA] == url
    assert len(scene.events) == 1


def test_terms_come_before_anything_is_kept() -> None:
    scene = Scene()
    with pytest.raises(TermsNotAccepted, match=TERMS):
        scene.open(terms=False)
    assert scene.accounts.keys == {}
    assert scene.ca.requests["account"] == 0


def test_a_refused_registration_leaves_no_key() -> None:
    scene = Scene()
    scene.ca.manners.busy_until = scene.clock.now()
    with pytest.raises(Problem, match="rateLimited"):
        scene.open()
    assert scene.accounts.keys == {}


def test_a_ca_that_binds_accounts_is_not_asked_for_one() -> None:
    scene = Scene()
    scene.ca.manners.binds = True
    with pytest.raises(BindingRequired):
        scene.open()
    assert scene.ca.requests["account"] == 0


def test_the_key_is_on_disk_before_the_ca_hears_of_it() -> None:
    scene = Scene()
    scene.ca.manners.drops_registration = True
    with pytest.raises(TransportError):
        scene.open()
    assert CA in scene.accounts.keys


def test_a_key_that_the_ca_never_heard_of_is_registered_by_the_next_run() -> None:
    scene = Scene()
    scene.ca.manners.drops_registration = True
    with pytest.raises(TransportError):
        scene.open()
    scene.ca.manners.drops_registration = False
    session = scene.open()
    assert session.kid == scene.accounts.kids[CA]
    assert len(scene.keys.made) == 1


def test_and_it_needs_the_terms_as_every_registration_does() -> None:
    scene = Scene()
    scene.ca.manners.drops_registration = True
    with pytest.raises(TransportError):
        scene.open()
    scene.ca.manners.drops_registration = False
    with pytest.raises(TermsNotAccepted):
        scene.open(terms=False)
