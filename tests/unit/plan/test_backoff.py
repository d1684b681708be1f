"""How long a lineage that failed is left alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import settings, spec
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.plan.backoff import backoff_inputs, next_backoff, waiting
from certkeeper.plan.records import Backoff

ALIAS = Alias("example.org")
SPEC = spec("example.org")
MINUTE = timedelta(minutes=1)


def after(failures: int, error: CertkeeperError | None = None) -> Backoff:
    return next_backoff(ALIAS, failures, error or CertkeeperError("it failed"), "inputs", NOW)


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 10), (3, 100), (4, 1440), (5, 1440), (1000, 1440)])
def test_the_steps(failures: int, minutes: int) -> None:
    assert after(failures).retry_at == NOW + minutes * MINUTE


@pytest.mark.parametrize("wait", [timedelta(seconds=5), timedelta(hours=5)])
def test_what_the_ca_asked_for_wins(wait: timedelta) -> None:
    assert after(2, CertkeeperError("busy", retry_at=NOW + wait)).retry_at == NOW + wait


def test_what_the_ca_asked_for_is_bounded_and_never_in_the_past() -> None:
    assert after(1, CertkeeperError("busy", retry_at=NOW + timedelta(days=400))).retry_at == NOW + timedelta(days=1)
    assert after(1, CertkeeperError("busy", retry_at=NOW - MINUTE)).retry_at == NOW + MINUTE


def test_waiting_says_how_often_it_failed_and_how_to_try_now() -> None:
    error = waiting(SPEC, after(2), "inputs", NOW)
    assert error is not None
    assert str(error) == "failed 2 times, next try from 2026-11-23T12:10:00Z; the last failure: it failed"
    assert error.hint == "to try now: certkeeper run --force example.org"
    assert error.retry_at == NOW + 10 * MINUTE


def test_there_is_nothing_to_wait_for() -> None:
    assert waiting(SPEC, None, "inputs", NOW) is None
    assert waiting(SPEC, after(1), "other inputs", NOW) is None
    assert waiting(SPEC, after(1), "inputs", NOW + MINUTE) is None
    # A clock that was stepped back by years must not hold anything up for years.
    assert waiting(SPEC, after(4), "inputs", NOW - timedelta(days=700)) is None


def test_mending_the_page_ends_the_wait() -> None:
    page = settings()
    before = backoff_inputs("fingerprint", page)
    assert backoff_inputs("fingerprint", page) == before
    assert backoff_inputs("another fingerprint", page) != before
    assert backoff_inputs("fingerprint", replace(page, propagation=timedelta(seconds=1))) != before
    assert backoff_inputs("fingerprint", replace(page, ca_bundle="/root.pem")) != before
