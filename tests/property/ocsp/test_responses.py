"""Whatever comes, and whenever: a value or NoStaple, and what is kept is proven or absent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import pytest
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.certificates import NOW
from builders.responder import Says, Signer, answer, certificate, declined, delegate, ours
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.wire import TransportError
from certkeeper.ocsp.freshness import LONGEST_WAIT, Asked, Due, decide, kept, late, noted_failure, noted_success
from certkeeper.ocsp.model import CertStatus, Flaw, NoStaple, Staple
from certkeeper.ocsp.request import Issued
from certkeeper.ocsp.response import verified

HOUR = timedelta(hours=1)
LONGEST_AGE = timedelta(days=5)
Status = ocsp.OCSPCertStatus


@cache
def samples() -> tuple[bytes, ...]:
    return (answer(ours()), answer(ours(), Says(Status.REVOKED), delegate()), answer(ours(), Says(nonce=b"n" * 16)))


def judged(der: bytes) -> Staple | None:
    try:
        return verified(der, ours(), NOW)
    except NoStaple:
        # Any other exception is what these tests are after.
        return None


@given(st.binary(max_size=600))
def test_any_octets_are_no_response(der: bytes) -> None:
    assert judged(der) is None


@given(st.data())
@settings(max_examples=300)
def test_any_change_of_a_response_is_refused_or_changes_nothing(data: st.DataObject) -> None:
    good = data.draw(st.sampled_from(samples()))
    changed = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        match data.draw(st.integers(0, 2)):
            case 0:
                changed[place] = data.draw(st.integers(0, 255))
            case 1:
                del changed[place]
            case _:
                changed.insert(place, data.draw(st.integers(0, 255)))
    before, after = judged(good), judged(bytes(changed))
    assert before is not None
    if after is not None:
        # Only what is not signed can have changed: which other certificates came along.
        assert (after.status, after.this_update, after.next_update) == (
            before.status,
            before.this_update,
            before.next_update,
        )


@cache
def other() -> Issued:
    return certificate()


@cache
def entrusted() -> Signer:
    return delegate(not_before=NOW - timedelta(days=90), not_after=NOW + timedelta(days=20))


@dataclass
class World:
    """A file, a note beside it, and the certificate that is live, as a run would leave them."""

    live: Issued
    file: bytes | None = None
    asked: Asked | None = None

    def read(self, now: datetime) -> Staple | None:
        try:
            return verified(self.file, self.live, now) if self.file is not None else None
        except NoStaple:
            return None

    def run(self, now: datetime, comes: bytes | CertkeeperError) -> Due:
        held = self.read(now)
        due = decide(self.live.subject, held, self.asked, LONGEST_AGE, now).due
        if due is not Due.FETCH:
            return due
        try:
            if isinstance(comes, CertkeeperError):
                raise comes
            self.file = kept(held, verified(comes, self.live, now)).der
            self.asked = noted_success(self.live.subject, now)
        except CertkeeperError as error:
            self.asked = noted_failure(self.live.subject, self.asked, error, now)
        return due


hours = st.integers(-24 * 10, 24 * 30).map(lambda number: NOW + number * HOUR)
answers = st.builds(
    lambda asked, status, this, life, signer: answer(asked(), Says(status, this, this + life), signer()),
    st.sampled_from((ours, ours, ours, other)),
    st.sampled_from((Status.GOOD, Status.GOOD, Status.GOOD, Status.UNKNOWN, Status.REVOKED)),
    hours,
    st.sampled_from((HOUR, 24 * HOUR, 24 * 7 * HOUR)),
    st.sampled_from((lambda: None, entrusted, lambda: delegate(usage=None))),
)
later = declined(ocsp.OCSPResponseStatus.TRY_LATER)
busy = NoStaple(Flaw.HTTP, "busy", retry_at=NOW + 100 * HOUR)
failures = st.sampled_from((TransportError("gone"), busy, later, b"", b"<html>"))
steps = st.lists(st.tuples(hours, st.one_of(answers, failures), st.booleans()), max_size=12)


@given(steps)
@settings(max_examples=150, deadline=None)
def test_what_is_kept_is_a_proven_response_of_the_live_certificate(
    happened: list[tuple[datetime, bytes | CertkeeperError, bool]],
) -> None:
    world = World(ours())
    best: datetime | None = None
    for now, comes, replaced in happened:
        if replaced:
            # The file is the version's own: with another version it is another one, or none.
            world.live, world.file, best = (other() if world.live is ours() else ours()), None, None
        before = world.file
        due = world.run(now, comes)
        if world.file != before:
            assert due is Due.FETCH
            assert world.file is not None
            staple = verified(world.file, world.live, now)
            assert staple.status is CertStatus.GOOD
            if before is not None and best is not None and world.read(now) is not None:
                held = _held(before, world.live, now)
                assert held is None or staple.this_update >= held.this_update
            best = staple.this_update
        assert world.asked is None or now < world.asked.retry_at <= now + LONGEST_WAIT or due is not Due.FETCH
        if world.asked is not None and world.asked.flaw == Flaw.REVOKED and due is Due.FETCH:
            assert decide(world.live.subject, world.read(now), world.asked, LONGEST_AGE, now).due is (
                Due.RENEW if world.asked.failures == 1 else Due.WAIT
            )


def _held(der: bytes, live: Issued, now: datetime) -> Staple | None:
    try:
        return verified(der, live, now)
    except NoStaple:
        return None


@given(st.integers(0, 24 * 12), st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_responder_that_is_there_keeps_it_fresh(offset: int, entrusts: bool) -> None:  # noqa: FBT001
    """With runs every six hours, and an answer of seven days each time, nobody ever hears that it is late."""
    world = World(ours())
    for turn in range(20):
        now = NOW + (offset + 6 * turn) * HOUR
        says = Says(this_update=now - HOUR, next_update=now + timedelta(days=7))
        world.run(now, answer(ours(), says, entrusted() if entrusts and turn < 10 else None))
        assert not late(world.read(now), now)


def test_the_checks_can_fail() -> None:
    assert judged(samples()[0]) is not None
    with pytest.raises(NoStaple):
        verified(samples()[0], other(), NOW)
