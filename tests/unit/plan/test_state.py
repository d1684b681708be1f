"""One word for each certificate: the one that needs attention most."""

from datetime import timedelta

import pytest

from builders.certificates import NOW
from certkeeper.base.errors import CertkeeperError
from certkeeper.plan.actions import Postponed, Reason
from certkeeper.plan.backoff import BackedOff, CaLimited
from certkeeper.plan.due import Decision
from certkeeper.plan.instaples import InStaple, Response
from certkeeper.plan.namefailure import kept
from certkeeper.plan.state import PROBLEMS, State, state_of

LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("reason", "wait", "expected"),
    [
        (Reason.CURRENT, None, State.OK),
        (Reason.EXPIRING, None, State.DUE),
        (Reason.MISSING, None, State.MISSING),
        (Reason.MISSING, BackedOff("failed", retry_at=LATER), State.FAILED),
        (Reason.EXPIRING, BackedOff("failed", retry_at=LATER), State.FAILED),
        (Reason.EXPIRING, CaLimited("enough", retry_at=LATER), State.WAITING),
        (Reason.MISSING, Postponed("later", retry_at=LATER), State.WAITING),
        (Reason.EXPIRED, BackedOff("failed", retry_at=LATER), State.EXPIRED),
        (Reason.TORN, None, State.TORN),
        (Reason.UNREADABLE, None, State.UNREADABLE),
        (Reason.REVOKED, None, State.REVOKED),
    ],
)
def test_the_first_that_applies_counts(reason: Reason, wait: CertkeeperError | None, expected: State) -> None:
    assert state_of(Decision(reason, ""), wait, incomplete=False, failed=False) is expected


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        (None, State.FAILED),
        (CaLimited("enough", retry_at=LATER), State.WAITING),
        (kept(LATER, CertkeeperError("no zone")), State.OK),
    ],
)
def test_what_the_last_run_could_not_issue_has_failed(wait: CertkeeperError | None, expected: State) -> None:
    assert state_of(Decision(Reason.EXPIRING, ""), wait, incomplete=False, failed=True) is expected
    assert state_of(Decision(Reason.CURRENT, ""), None, incomplete=False, failed=True) is State.OK


def test_a_certificate_without_all_of_its_names_is_a_problem() -> None:
    found = state_of(Decision(Reason.CURRENT, ""), None, incomplete=True, failed=False)
    assert found is State.INCOMPLETE
    assert found in PROBLEMS
    assert not {State.OK, State.DUE, State.WAITING, State.ORPHANED} & PROBLEMS


GOOD, MISSING, ENDED, USELESS = Response


@pytest.mark.parametrize(
    ("staple", "expected"),
    [
        (InStaple(GOOD, needed=True), State.OK),
        (InStaple(MISSING), State.OK),
        (InStaple(MISSING, needed=True), State.UNSTAPLED),
        (InStaple(ENDED), State.UNSTAPLED),
        (InStaple(USELESS), State.UNSTAPLED),
    ],
)
def test_a_response_that_clients_miss_is_a_problem(staple: InStaple, expected: State) -> None:
    found = state_of(Decision(Reason.CURRENT, ""), None, incomplete=False, failed=False, staple=staple)
    assert found is expected
    assert State.UNSTAPLED in PROBLEMS


def test_what_is_worse_wins() -> None:
    staple = InStaple(MISSING, needed=True)
    assert state_of(Decision(Reason.TORN, ""), None, incomplete=False, failed=False, staple=staple) is State.TORN
    assert state_of(Decision(Reason.EXPIRING, ""), None, incomplete=False, failed=True, staple=staple) is (
        State.UNSTAPLED
    )
