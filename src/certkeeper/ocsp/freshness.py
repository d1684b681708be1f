"""Which response is kept, and when the responder is asked again.

A response is asked for anew at half of its life, so that there is as much time again for a responder that is down. The
moment is a little earlier for each certificate, by a share that its name decides: a thousand certificates of one day
do not ask in one minute.
"""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import count
from certkeeper.base.times import iso
from certkeeper.base.value import dataclass, replace
from certkeeper.ocsp.model import TOLERANCE, CertStatus, Flaw, NoStaple, Staple, Subject

STEPS = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=4))
"""After the first failure, the second one, the third one, and every one after that."""
AGAIN = timedelta(hours=1)
"""When a responder that has nothing newer yet is asked again."""
SPREAD = 0.25
"""Which part of a wait is given to chance, as far as the certificate's name is chance."""
LONGEST_WAIT = timedelta(days=1)
LATE = 0.75
"""The part of its life after which a response that could not be replaced is a trouble that people should hear of."""


class Due(StrEnum):
    """What is to be done for a certificate now."""

    NOTHING = "nothing"
    FETCH = "fetch"
    WAIT = "wait"
    """A response is needed, and the responder is left alone for a while."""
    RENEW = "renew"
    """The certificate is revoked: order another one at once, with a new key."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How the last try to get a response for that certificate went; `flaw` is empty where one came.

    Before `retry_at` the responder is not asked again. `owes`: what came has yet to be put beside the certificate, or a
    script to be told of it.
    """

    subject: str
    at: datetime
    retry_at: datetime
    failures: int = 0
    flaw: str = ""
    message: str = ""
    owes: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What is due, why, and when there is something to do next; `at` is None where nothing will ever be."""

    due: Due
    why: str
    at: datetime | None = None


def decide(
    subject: Subject, held: Staple | None, asked: Asked | None, longest_age: timedelta, now: datetime
) -> Decision:
    """What is due for a certificate. `held` is the response in hand, which was proven when it was read.

    `longest_age` is OCSP_DAYS. What was noted of another certificate does not count.
    """
    last = asked if asked is not None and asked.subject == subject.name else None
    if last is not None and last.flaw == Flaw.REVOKED:
        if last.failures > 1 and now < last.retry_at <= now + LONGEST_WAIT:
            why = "the certificate is revoked, and so was the one before; another one is ordered then"
            return Decision(Due.WAIT, why, last.retry_at)
        return Decision(Due.RENEW, "the certificate is revoked", now)
    if subject.url is None:
        return Decision(Due.NOTHING, "the certificate names no OCSP responder")
    if subject.not_after <= now:
        return Decision(Due.NOTHING, f"the certificate ended at {iso(subject.not_after)}")
    why = "there is no response"
    if held is not None:
        refresh_at = refreshed_at(subject, held, longest_age)
        if not held.this_update <= now + TOLERANCE:
            why = "the response is of a time that is yet to come"
        elif now < refresh_at:
            return Decision(Due.NOTHING, f"the response is good until {iso(held.until)}", refresh_at)
        else:
            why = "the response has ended" if held.until <= now else "the response is to be refreshed"
    # A time further off is a clock's that was stepped back since. What came and is not here was lost on the way.
    if (
        last is not None
        and now < last.retry_at <= now + LONGEST_WAIT
        and (last.failures or (held is not None and not last.owes))
    ):
        return Decision(Due.WAIT, f"{why}; {_after(last)}", last.retry_at)
    return Decision(Due.FETCH, why, now)


def refreshed_at(subject: Subject, held: Staple, longest_age: timedelta) -> datetime:
    """When the response is asked for anew: never later than half of its life, or that age."""
    span = min(held.life / 2, longest_age)
    return held.this_update + span * (1 - SPREAD * _share(subject.name, iso(held.this_update)))


def late(held: Staple | None, now: datetime) -> bool:
    """Whether so much of its life is over that people should look why it was not replaced."""
    return held is None or now >= held.this_update + held.life * LATE


def missed(held: Staple | None, last: Asked | None, now: datetime) -> bool:
    """Whether a response that did not come is a failure by now.

    CAs sign the first response some time after the certificate.
    """
    new = last is not None and last.flaw == Flaw.UNKNOWN and last.failures < len(STEPS)
    return late(held, now) and not (held is None and new)


def kept(held: Staple | None, found: Staple) -> Staple:
    """The response to have from now on, of the one in hand and one that was proven just now.

    Raises:
        NoStaple: what was found is not to be served: it is older, or the certificate is not good.
    """
    if found.status is CertStatus.REVOKED:
        when = f" at {iso(found.revoked_at)}" if found.revoked_at is not None else ""
        why = f", because of {found.revocation_reason}" if found.revocation_reason else ""
        raise NoStaple(
            Flaw.REVOKED,
            f"the CA says that the certificate was revoked{when}{why}",
            hint="order another one with a new key",
            revoked_at=found.revoked_at,
        )
    if found.status is CertStatus.UNKNOWN:
        raise NoStaple(Flaw.UNKNOWN, "the responder does not know the certificate, or not yet")
    if held is None:
        return found
    if found.this_update < held.this_update:
        raise NoStaple(Flaw.OLDER, f"is of {iso(found.this_update)}, and there is one of {iso(held.this_update)}")
    return found if (found.this_update, found.until) > (held.this_update, held.until) else held


def noted_success(subject: Subject, now: datetime) -> Asked:
    """A response came, the one in hand or a newer one."""
    return Asked(subject.name, now, now + _spread(AGAIN, subject, now))


def noted_failure(subject: Subject, before: Asked | None, error: CertkeeperError, now: datetime) -> Asked:
    """No response came that could be kept. What the responder asked for (Retry-After) wins."""
    revoked = isinstance(error, NoStaple) and error.flaw is Flaw.REVOKED
    if revoked and before is not None and (before.subject, before.flaw) == (subject.name, Flaw.REVOKED):
        return replace(before, at=now)
    failures = before.failures + 1 if before is not None and before.subject == subject.name else 1
    wait = _spread(STEPS[min(failures, len(STEPS)) - 1], subject, now)
    if error.retry_at is not None and error.retry_at > now:
        wait = min(error.retry_at - now, LONGEST_WAIT)
    flaw = error.flaw.value if isinstance(error, NoStaple) else Flaw.HTTP.value
    return Asked(subject.name, now, now + wait, failures, flaw, str(error))


def noted_after(before: Asked | None, after: Asked) -> Asked:
    """What is remembered of a certificate that took the place of another.

    Where a CA revoked both, something is wrong that no run can mend: another one is ordered a day later, not at once.
    """
    if before is None or not before.flaw == after.flaw == Flaw.REVOKED:
        return after
    return replace(after, failures=before.failures + 1, retry_at=after.at + LONGEST_WAIT)


def _after(last: Asked) -> str:
    if not last.failures:
        return "the responder had nothing newer"
    return f"failed {count(last.failures, 'time')}, the last time: {last.message}"


def _spread(wait: timedelta, subject: Subject, now: datetime) -> timedelta:
    return wait * (1 - SPREAD * _share(subject.name, iso(now)))


def _share(*words: str) -> float:
    """From 0 up to 1, the same for the same words."""
    return int.from_bytes(hashlib.sha256(" ".join(words).encode()).digest()[:6]) / (1 << 48)
