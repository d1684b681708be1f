"""What operators do with accounts, at a CA in memory; and a rollover that is killed after each of its effects."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from builders.dnsworld import DnsWorld
from builders.fakeca import HOME, TERMS, FakeCa
from builders.fakeports import fake_ports
from builders.fakes import (
    FakeAccounts,
    FakeClaims,
    FakeClock,
    SeededExecutor,
    through,
)
from builders.plans import CA, settings
from certkeeper.acme.account import AccountStatus, TermsNotAccepted
from certkeeper.acme.jws import AccountKey
from certkeeper.acme.problem import Problem
from certkeeper.acme.session import Session
from certkeeper.adapters.keys import make
from certkeeper.apply import accountcare
from certkeeper.apply.account import open_session
from certkeeper.apply.accountcare import AccountThere, Care, NoAccount
from certkeeper.apply.conversation import Conversation
from certkeeper.apply.ports import Busy, Ports
from certkeeper.apply.rollover import KeyInUse, RolloverStuck
from certkeeper.base.errors import ExitCode, Interrupted
from certkeeper.base.events import Event, Noted
from certkeeper.base.keys import KeyAlgorithm, KeyPair, KeySpec
from certkeeper.base.wire import Exchange, TransportError
from world.kills import Killed, MortalExecutor, plainly

T = TypeVar("T")
Next = Callable[["Scene"], object]


def p256() -> KeyPair:
    return make(KeySpec(KeyAlgorithm.P256))


def knows(ca: FakeCa, url: str, key: KeyPair) -> None:
    """That account has that key at the CA."""
    private = key.private
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    ca.accounts[url], ca.thumbprints[url] = private.public_key(), AccountKey(private).thumbprint
    ca.documents.setdefault(url, {"status": "valid"})


@dataclass(slots=True)
class Scene:
    """One CA, one accounts folder, and one command after the other."""

    clock: FakeClock = field(default_factory=FakeClock)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    claims: FakeClaims = field(default_factory=FakeClaims)
    events: list[Event] = field(default_factory=list)
    ca: FakeCa = field(init=False)
    ports: Ports = field(init=False)

    def __post_init__(self) -> None:
        self.ca = FakeCa(self.clock, lambda _: [])
        world = DnsWorld(self.clock, (), {})
        self.ports = replace(fake_ports(self.clock, world, self.ca), accounts=self.accounts, claims=self.claims)

    @property
    def care(self) -> Care:
        return Care(settings(), "test", self.events.append)

    def run(self, exchange: Exchange[T]) -> T:
        try:
            return Conversation(
                exchange, executor=SeededExecutor(through(self.ports), self.clock), clock=self.clock
            ).run()
        finally:
            assert self.claims.held == set()

    def killed_at(self, exchange: Exchange[object], moment: int) -> bool:
        """Run until killed at that moment; False where it ended before. What was claimed is given back by the end."""
        executor = MortalExecutor(through(self.ports), self.clock, moment, moment, plainly())
        try:
            Conversation(exchange, executor=executor, clock=self.clock).run()
        except Killed:
            self.claims.held.clear()
            return True
        return False

    def open(self) -> Session:
        return self.run(open_session(settings(), user_agent="test", terms_accepted=False, tell=self.events.append))

    def registered(self) -> "Scene":
        self.run(accountcare.register(self.care, terms_accepted=True))
        return self

    @property
    def notes(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Noted)]

    def assert_whole(self, when: str, url: str | None) -> None:
        """An account that works, and exactly one key."""
        assert not self.accounts.pending, f"{when}: pending"
        assert self.accounts.kids[CA] == url, when
        assert self.run(accountcare.look(self.care)).account.status is AccountStatus.VALID, when


def test_what_the_ca_and_this_host_know_is_shown() -> None:
    scene = Scene().registered()
    seen = scene.run(accountcare.look(scene.care))
    key = scene.accounts.keys[CA]
    assert (seen.url, seen.terms) == (scene.accounts.kids[CA], TERMS)
    assert (seen.kind, seen.key_id) == ("prime256v1", key.key_id)
    assert seen.thumbprint == AccountKey(key.private).thumbprint == scene.ca.thumbprints[seen.url]
    assert seen.account.status is AccountStatus.VALID


@pytest.mark.parametrize("part", ["look", "roll_key", "deactivate", "recover"])
def test_without_an_account_none_is_made(part: str) -> None:
    scene = Scene()
    with pytest.raises(NoAccount) as caught:
        scene.run(getattr(accountcare, part)(scene.care))
    assert "register" in caught.value.hint
    assert not scene.ca.requests


def test_a_registration_is_made_once() -> None:
    scene = Scene()
    with pytest.raises(TermsNotAccepted):
        scene.run(accountcare.register(scene.care, terms_accepted=False))
    first = scene.run(accountcare.register(scene.care, terms_accepted=True))
    again = scene.run(accountcare.register(scene.care, terms_accepted=False))
    assert first.url == again.url
    assert len(scene.ca.accounts) == 1


def test_a_contact_is_changed_and_nothing_is_sent_where_it_is_the_same() -> None:
    scene = Scene().registered()
    before, after = scene.run(accountcare.set_contact(scene.care, ["mailto:a@example.org"]))
    assert (before.contact, after.contact) == ((), ("mailto:a@example.org",))
    assert scene.accounts.registrations == {CA: [after.body]}
    scene.ca.requests.clear()
    before, after = scene.run(accountcare.set_contact(scene.care, ["mailto:a@example.org"]))
    assert before is after
    assert scene.ca.requests["account"] == 1
    assert len(scene.accounts.registrations[CA]) == 1
    scene.run(accountcare.set_contact(scene.care, []))
    assert scene.ca.documents[scene.accounts.kids[CA]]["contact"] == []


def test_an_account_gets_another_key_and_keeps_everything_else() -> None:
    scene = Scene().registered()
    url, before = scene.accounts.kids[CA], scene.accounts.keys[CA]
    rolled = scene.run(accountcare.roll_key(scene.care))
    assert rolled.key.key_id == scene.accounts.keys[CA].key_id != before.key_id
    assert not rolled.unfinished
    scene.assert_whole("rolled", url)
    assert scene.ca.thumbprints[url] == AccountKey(rolled.key.private).thumbprint
    assert scene.run(accountcare.roll_key(scene.care)).key.key_id != rolled.key.key_id
    scene.assert_whole("rolled twice", url)


def test_an_account_whose_url_was_lost_gets_another_key_too() -> None:
    scene = Scene().registered()
    url = scene.accounts.kids.pop(CA)
    scene.run(accountcare.roll_key(scene.care))
    scene.assert_whole("rolled", url)


def test_a_refused_change_leaves_the_present_key() -> None:
    scene = Scene().registered()
    before = scene.accounts.keys[CA]
    scene.ca.manners.refuses_key_change = 400
    with pytest.raises(Problem, match="key change: malformed: the key is refused"):
        scene.run(accountcare.roll_key(scene.care))
    assert scene.accounts.keys[CA] is before
    scene.assert_whole("refused", scene.accounts.kids[CA])


@dataclass(slots=True)
class SameKey:
    """Makes one key only."""

    key: KeyPair

    def make(self, _spec: KeySpec) -> KeyPair:
        return self.key


def test_a_key_of_another_account_is_told_with_that_account() -> None:
    scene, key, other = Scene().registered(), p256(), f"{HOME}/account/99"
    knows(scene.ca, other, key)
    scene.ports = replace(scene.ports, keys=SameKey(key))
    with pytest.raises(KeyInUse, match=other):
        scene.run(accountcare.roll_key(scene.care))
    scene.assert_whole("in use", scene.accounts.kids[CA])


def test_a_lost_answer_is_no_loss() -> None:
    scene = Scene().registered()
    url, before = scene.accounts.kids[CA], scene.accounts.keys[CA]
    scene.ca.manners.loses_answers_to = "/key-change"
    # The CA takes the first try; its next answer, a refusal, is lost as well, and so is every other one.
    with pytest.raises(TransportError):
        scene.run(accountcare.roll_key(scene.care))
    assert scene.accounts.pending
    scene.ca.manners.loses_answers_to = ""
    rolled = scene.run(accountcare.roll_key(scene.care))
    assert rolled.unfinished
    assert scene.accounts.keys[CA].key_id != before.key_id
    scene.assert_whole("finished", url)
    assert any("finished" in note for note in scene.notes)


def test_a_refusal_after_a_lost_answer_is_none() -> None:
    scene = Scene().registered()
    url, before = scene.accounts.kids[CA], scene.accounts.keys[CA]
    scene.ca.manners.loses_answers_to, scene.ca.manners.most_lost = "/key-change", 1
    rolled = scene.run(accountcare.roll_key(scene.care))
    assert scene.accounts.keys[CA] is rolled.key is not before
    assert scene.ca.requests["key-change"] == 2
    scene.assert_whole("changed", url)


def test_an_interruption_leaves_it_to_the_next_command() -> None:
    scene = Scene().registered()
    url = scene.accounts.kids[CA]
    talk = Conversation(
        accountcare.roll_key(scene.care),
        executor=SeededExecutor(through(scene.ports), scene.clock),
        clock=scene.clock,
    )
    talk.interrupt(Interrupted(ExitCode.INTERRUPTED))
    with pytest.raises(Interrupted):
        talk.run()
    scene.assert_whole("interrupted", url)


NEXT: dict[str, Next] = {
    "a run": lambda scene: scene.open(),
    "show": lambda scene: scene.run(accountcare.look(scene.care)),
    "recover": lambda scene: scene.run(accountcare.recover(scene.care)),
    "roll-key": lambda scene: scene.run(accountcare.roll_key(scene.care)),
    "update": lambda scene: scene.run(accountcare.set_contact(scene.care, ["mailto:a@example.org"])),
}


@pytest.mark.parametrize("next_", NEXT)
@pytest.mark.parametrize("known_url", [True, False])
def test_a_rollover_that_is_killed_anywhere_ends_with_one_key_that_works(next_: str, known_url: bool) -> None:  # noqa: FBT001 - a table
    moment = 0
    while True:
        scene = Scene().registered()
        url = scene.accounts.kids[CA]
        if not known_url:
            del scene.accounts.kids[CA]
        if not scene.killed_at(accountcare.roll_key(scene.care), moment):
            break
        NEXT[next_](scene)
        scene.assert_whole(f"moment {moment}", url)
        moment += 1
    assert moment > 14


def test_and_what_finishes_it_may_be_killed_too() -> None:
    for first in range(8, 22):
        for second in range(14):
            scene = Scene().registered()
            url = scene.accounts.kids[CA]
            scene.killed_at(accountcare.roll_key(scene.care), first)
            scene.killed_at(open_session(settings(), user_agent="test", terms_accepted=False, tell=print), second)
            scene.open()
            scene.assert_whole(f"moments {first} and {second}", url)


def pending(scene: Scene) -> KeyPair:
    """A rollover that the CA has not heard of."""
    key = scene.accounts.pending[CA] = p256()
    return key


def test_while_the_ca_cannot_be_asked_both_keys_stay() -> None:
    scene = Scene().registered()
    key = pending(scene)
    scene.ca.manners.down = True
    with pytest.raises(TransportError):
        scene.open()
    assert scene.accounts.pending == {CA: key}


def test_two_keys_that_are_nobodys_are_left_alone() -> None:
    scene = Scene().registered()
    key = pending(scene)
    scene.ca.thumbprints.clear()
    with pytest.raises(RolloverStuck, match="neither"):
        scene.open()
    assert scene.accounts.pending == {CA: key}


def test_a_pending_key_of_another_account_is_left_alone() -> None:
    scene = Scene().registered()
    key = pending(scene)
    knows(scene.ca, f"{HOME}/account/99", key)
    with pytest.raises(RolloverStuck, match="account/99"):
        scene.open()
    assert scene.accounts.pending == {CA: key}


@pytest.mark.parametrize("heard", [True, False])
def test_a_ca_that_looks_for_a_binding_first_is_asked_with_the_accounts_url(heard: bool) -> None:  # noqa: FBT001 - a table
    scene = Scene().registered()
    url, key = scene.accounts.kids[CA], pending(scene)
    if heard:
        knows(scene.ca, url, key)
    scene.ca.manners.binds_first = True
    scene.open()
    assert (scene.accounts.keys[CA] is key) is heard
    scene.assert_whole("bound", url)


def test_one_command_at_a_time_changes_the_key() -> None:
    scene = Scene().registered()
    scene.claims.taken.add(CA)
    with pytest.raises(Busy):
        scene.run(accountcare.roll_key(scene.care))
    assert not scene.accounts.pending


def test_an_account_is_given_up_and_its_key_is_kept() -> None:
    scene = Scene().registered()
    url, key = scene.accounts.kids[CA], scene.accounts.keys[CA]
    assert scene.run(accountcare.deactivate(scene.care)) == url
    assert scene.ca.documents[url]["status"] == "deactivated"
    assert scene.accounts.retired == {CA: key}


def test_giving_up_is_finished_where_a_run_was_killed_after_the_ca() -> None:
    moment = 0
    while True:
        scene = Scene().registered()
        url = scene.accounts.kids[CA]
        if not scene.killed_at(accountcare.deactivate(scene.care), moment):
            break
        if CA in scene.accounts.keys:
            scene.run(accountcare.deactivate(scene.care))
        assert CA in scene.accounts.retired
        assert scene.ca.documents[url]["status"] == "deactivated"
        moment += 1
    assert moment > 6


def test_an_account_is_found_by_its_key() -> None:
    scene = Scene().registered()
    url = scene.accounts.kids.pop(CA)
    assert scene.run(accountcare.recover(scene.care)) == (None, url)
    assert scene.accounts.kids[CA] == url
    scene.accounts.kids[CA] = f"{HOME}/account/wrong"
    assert scene.run(accountcare.recover(scene.care)) == (f"{HOME}/account/wrong", url)
    assert scene.run(accountcare.recover(scene.care)) == (url, url)


def test_a_key_that_the_ca_does_not_know_is_not_recovered() -> None:
    scene = Scene()
    scene.accounts.keys[CA] = p256()
    with pytest.raises(Problem, match="accountDoesNotExist"):
        scene.run(accountcare.recover(scene.care))
    assert len(scene.ca.accounts) == 0


def test_a_key_of_another_program_is_taken_over_with_its_account() -> None:
    scene = Scene().registered()
    url, key = scene.accounts.kids[CA], scene.accounts.keys[CA]
    scene.accounts.keys.clear()
    scene.accounts.kids.clear()
    assert scene.run(accountcare.take_over(scene.care, key, terms_accepted=False)) == url
    assert (scene.accounts.keys, scene.accounts.kids) == ({CA: key}, {CA: url})
    assert scene.run(accountcare.take_over(scene.care, key, terms_accepted=False)) == url


def test_a_key_that_is_there_is_never_overwritten() -> None:
    scene = Scene().registered()
    key = scene.accounts.keys[CA]
    with pytest.raises(AccountThere):
        scene.run(accountcare.take_over(scene.care, p256(), terms_accepted=True))
    assert scene.accounts.keys == {CA: key}
    assert len(scene.ca.accounts) == 1


def test_an_unknown_key_is_registered_with_the_terms_and_written_nowhere_without() -> None:
    scene, key = Scene(), p256()
    with pytest.raises(TermsNotAccepted):
        scene.run(accountcare.take_over(scene.care, key, terms_accepted=False))
    assert scene.accounts.keys == {}
    assert scene.run(accountcare.take_over(scene.care, key, terms_accepted=True)) == scene.accounts.kids[CA]
    assert scene.accounts.keys == {CA: key}
