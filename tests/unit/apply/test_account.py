from dataclasses import dataclass, field, replace

import pytest

from builders.dnsworld import DnsWorld
from builders.fakeca import TERMS, FakeCa
from builders.fakeports import fake_ports
from builders.fakes import (
    FakeAccounts,
    FakeClaims,
    FakeClock,
    FakeKeys,
    SeededExecutor,
    through,
)
from builders.plans import CA, settings
from certkeeper.acme.account import TermsNotAccepted
from certkeeper.acme.directory import Directory
from certkeeper.acme.jws import b64url
from certkeeper.acme.problem import Problem
from certkeeper.acme.session import Session
from certkeeper.apply.account import BindingRefused, BindingRequired, check_bound, open_session
from certkeeper.apply.ports import Busy
from certkeeper.apply.scheduler import Scheduler
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import AccountRegistered, Event, Noted
from certkeeper.base.traces import AccountRequested, AccountSought
from certkeeper.base.wire import TransportError
from certkeeper.config.authority import PRESETS
from certkeeper.config.settings import ExternalAccount, Secret, Settings


@dataclass(slots=True)
class Scene:
    """One CA and one accounts folder; `open` is the start of one run."""

    clock: FakeClock = field(default_factory=FakeClock)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    keys: FakeKeys = field(default_factory=FakeKeys)
    claims: FakeClaims = field(default_factory=FakeClaims)
    events: list[Event] = field(default_factory=list)
    settings: Settings = field(default_factory=settings)
    ca: FakeCa = field(init=False)

    def __post_init__(self) -> None:
        self.ca = FakeCa(self.clock, lambda _: [])

    def open(self, *, terms: bool = True) -> Session:
        """The session, or the error is raised. Either way nothing is left claimed."""
        ((session, error),) = self.open_at_once(1, terms=terms)
        assert self.claims.held == set()
        if error is not None:
            raise error
        assert isinstance(session, Session)
        return session

    def open_at_once(
        self, number: int, *, terms: bool = True, seed: int = 0
    ) -> list[tuple[object, CertkeeperError | None]]:
        """As many runs that begin together, each as if in a process of its own."""
        world = DnsWorld(self.clock, (), {})
        ports = replace(
            fake_ports(self.clock, world, self.ca), keys=self.keys, accounts=self.accounts, claims=self.claims
        )
        scheduler = Scheduler(SeededExecutor(through(ports), self.clock, seed), self.clock)
        ended: list[tuple[object, CertkeeperError | None]] = []

        def note(value: object, error: Exception | None) -> None:
            assert error is None or isinstance(error, CertkeeperError)
            ended.append((value, error))

        for _ in range(number):
            exchange = open_session(self.settings, user_agent="test", terms_accepted=terms, tell=self.events.append)
            scheduler.spawn(exchange, note)
        scheduler.run()
        return ended


def test_a_new_account_is_registered_and_kept() -> None:
    scene = Scene()
    session = scene.open()
    assert session.kid == scene.accounts.kids[CA]
    assert scene.events == [AccountRequested(CA), AccountRegistered(CA, scene.accounts.kids[CA])]


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
    assert [type(event) for event in scene.events] == [AccountRequested, AccountRegistered, AccountSought]


def test_terms_come_before_anything_is_kept() -> None:
    scene = Scene()
    with pytest.raises(TermsNotAccepted, match=TERMS):
        scene.open(terms=False)
    assert scene.accounts.keys == {}
    assert scene.ca.requests["account"] == 0


@pytest.mark.row("C04")
def test_a_refused_registration_leaves_no_key() -> None:
    scene = Scene()
    scene.ca.manners.busy_until = scene.clock.now()
    with pytest.raises(Problem, match="rateLimited"):
        scene.open()
    assert scene.accounts.keys == {}


def test_a_ca_that_binds_accounts_is_not_asked_for_one() -> None:
    scene = Scene()
    scene.ca.manners.binds = True
    with pytest.raises(BindingRequired) as caught:
        scene.open()
    assert caught.value.hint == "get a key id and an HMAC key from that CA, and set EAB_KID and EAB_HMAC_KEY"
    assert scene.ca.requests["account"] == 0
    assert scene.accounts.keys == {}


@pytest.mark.parametrize(("preset", "where"), [("zerossl", "app.zerossl.com"), ("google", "gcloud publicca")])
def test_the_hint_says_where_a_preset_gives_out_keys(preset: str, where: str) -> None:
    directory = Directory("", "", "", external_account_required=True)
    with pytest.raises(BindingRequired) as caught:
        check_bound(replace(settings(), ca=PRESETS[preset]), directory)
    assert where in caught.value.hint


CUSTOMER = ExternalAccount("kid-1", Secret(b64url(b"k" * 32)))


def bound_scene(*, kid: str = "kid-1", key: bytes = b"k" * 32, binds: bool = True) -> Scene:
    scene = Scene(settings=settings(external_account=CUSTOMER))
    scene.ca.manners.binds = binds
    scene.ca.manners.customers[kid] = key
    return scene


@pytest.mark.parametrize("binds", [True, False])
def test_an_account_is_bound_where_the_page_says_to_whom(binds: bool) -> None:  # noqa: FBT001 - a table
    scene = bound_scene(binds=binds)
    assert scene.open().kid == scene.accounts.kids[CA]


@pytest.mark.parametrize(("kid", "key", "said"), [("other", b"k" * 32, "unknown"), ("kid-1", b"x", "signature")])
def test_a_binding_that_the_ca_refuses_is_said_without_its_key(kid: str, key: bytes, said: str) -> None:
    scene = bound_scene(kid=kid, key=key)
    with pytest.raises(BindingRefused, match=said) as caught:
        scene.open()
    assert "EAB_KID kid-1" in str(caught.value)
    assert "EAB_HMAC_KEY" in caught.value.hint
    assert "a2tr" not in f"{caught.value!r} {caught.value.hint} {scene.settings!r}"
    assert scene.accounts.keys == {}


def test_a_binding_that_nobody_asked_for_and_that_is_refused_is_to_be_removed() -> None:
    with pytest.raises(BindingRefused) as caught:
        bound_scene(kid="other", binds=False).open()
    assert "remove them" in caught.value.hint


def test_another_refusal_keeps_its_own_words() -> None:
    scene = bound_scene()
    scene.ca.manners.busy_until = scene.clock.now()
    with pytest.raises(Problem, match="rateLimited"):
        scene.open()
    assert scene.accounts.keys == {}


@pytest.mark.parametrize("binds_first", [True, False])
def test_a_registration_that_was_cut_off_is_bound_by_the_next_run(binds_first: bool) -> None:  # noqa: FBT001 - a table
    scene = bound_scene()
    scene.ca.manners.binds_first = binds_first
    scene.ca.manners.drops_registration = True
    with pytest.raises(TransportError):
        scene.open()
    scene.ca.manners.drops_registration = False
    assert scene.open().kid == scene.accounts.kids[CA]
    assert len(scene.keys.made) == 1


def test_and_without_the_settings_it_says_that_they_are_missing() -> None:
    scene = bound_scene()
    scene.ca.manners.drops_registration = True
    with pytest.raises(TransportError):
        scene.open()
    scene.ca.manners.drops_registration = False
    scene.settings = settings()
    with pytest.raises(BindingRequired):
        scene.open()


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


@pytest.mark.parametrize("seed", range(40))
def test_runs_that_begin_together_register_one_account(seed: int) -> None:
    scene = Scene()
    ended = scene.open_at_once(3, seed=seed)
    assert [error for _, error in ended] == [None] * 3
    assert {session.kid for session, _ in ended if isinstance(session, Session)} == {scene.accounts.kids[CA]}
    assert scene.ca.requests["account"] == 1
    assert len(scene.keys.made) == 1
    assert [event for event in scene.events if isinstance(event, AccountRegistered)] == [
        AccountRegistered(CA, scene.accounts.kids[CA])
    ]
    assert scene.claims.held == set()


@pytest.mark.parametrize("seed", range(20))
def test_where_the_first_of_two_registrations_is_lost_the_second_one_goes_on_with_its_key(seed: int) -> None:
    scene = Scene()
    scene.ca.manners.drops_registration = True
    ended = scene.open_at_once(2, seed=seed)
    assert [type(error) for _, error in ended] == [TransportError] * 2
    assert len(scene.keys.made) == 1
    assert scene.claims.held == set()


def test_a_run_that_never_ends_its_registration_is_not_waited_for_for_ever() -> None:
    scene = Scene()
    scene.claims.taken.add(CA)
    with pytest.raises(Busy, match="another certkeeper"):
        scene.open()
    assert 60 <= scene.clock.seconds < 120
    assert [event.subject for event in scene.events if isinstance(event, Noted)] == ["account"]
    assert scene.ca.requests["account"] == 0
    assert scene.accounts.keys == {}


def test_a_kept_account_is_nobodys_to_wait_for() -> None:
    scene = Scene()
    scene.open()
    scene.claims.taken.add(CA)
    assert scene.open().kid == scene.accounts.kids[CA]
