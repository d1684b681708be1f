"""What TLSA records let the key of a certificate do."""

from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import leaf, lineage, spec
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.base.names import Alias
from certkeeper.base.value import replace
from certkeeper.config.tlsa import TlsaWish
from certkeeper.plan.actions import KeySource
from certkeeper.plan.gates import FREE, UNSEEN, Allowed, Gate, gate_error, gate_findings, gate_of, rolls
from certkeeper.plan.nextkey import key_source
from certkeeper.plan.records import TlsaTurn, TurnKind
from certkeeper.plan.recovery import key_of

A = Alias("a.test")
THERE = replace(lineage("a.test", leaf("a.test")), next_key_id="bb")


def page(policy: KeyPolicy = KeyPolicy.ROLLOVER, *, tlsa: bool = True) -> object:
    item = spec("a.test", key=KeySpec(KeyAlgorithm.P256, policy=policy))
    return replace(item, tlsa=TlsaWish(derived=True) if tlsa else None)


@pytest.mark.parametrize(
    ("policy", "allowed", "source", "key"),
    [
        (KeyPolicy.ROLLOVER, Allowed.ANY, KeySource.NEXT, "bb"),
        (KeyPolicy.ROLLOVER, Allowed.NEXT, KeySource.NEXT, "bb"),
        (KeyPolicy.ROLLOVER, Allowed.CURRENT, KeySource.REUSE, "aa"),
        (KeyPolicy.NEW, Allowed.CURRENT, KeySource.REUSE, "aa"),
        (KeyPolicy.NEW, Allowed.NEXT, KeySource.NEXT, "bb"),
        (KeyPolicy.REUSE, Allowed.NEXT, KeySource.NEXT, "bb"),
        (KeyPolicy.REUSE, Allowed.ANY, KeySource.REUSE, "aa"),
    ],
)
def test_the_gate_says_which_key_is_ordered(policy: KeyPolicy, allowed: Allowed, source: KeySource, key: str) -> None:
    item = page(policy)
    assert key_source(item, THERE, Gate(allowed)) is source  # type: ignore[arg-type]
    assert key_of(item, THERE, Gate(allowed)) == key  # type: ignore[arg-type]


def test_where_nobody_looked_the_key_stays_if_records_are_wanted() -> None:
    assert gate_of(page(), None) is UNSEEN  # type: ignore[arg-type]
    assert gate_of(page(tlsa=False), None) is FREE  # type: ignore[arg-type]
    assert gate_of(page(tlsa=False), UNSEEN) is UNSEEN  # type: ignore[arg-type]


def test_without_any_key_a_new_one_is_made_whatever_the_gate_says() -> None:
    assert key_source(page(), lineage("a.test"), UNSEEN) is KeySource.NEW  # type: ignore[arg-type]


def test_no_key_at_all_is_an_error_that_knows_when_it_ends() -> None:
    until = NOW + timedelta(hours=3)
    error = gate_error(Gate(Allowed.NONE, "the next one waits", until))
    assert error is not None
    assert (error.retry_at, error.local) == (until, True)
    assert gate_error(UNSEEN) is None


@pytest.mark.parametrize(
    ("kind", "key", "allowed", "does"),
    [
        (TurnKind.ROLL, "aa", Allowed.NEXT, True),
        (TurnKind.ROLL, "aa", Allowed.ANY, True),
        (TurnKind.COMPROMISE, "aa", Allowed.NEXT, True),
        (TurnKind.ROLL, "aa", Allowed.CURRENT, False),
        (TurnKind.COMPROMISE, "aa", Allowed.NONE, False),
        (TurnKind.RETIRE, "aa", Allowed.NEXT, False),
        (TurnKind.ROLL, "before", Allowed.NEXT, False),
    ],
)
def test_a_roll_is_ordered_while_the_key_that_was_meant_is_live(
    kind: TurnKind, key: str, allowed: Allowed, *, does: bool
) -> None:
    assert rolls(TlsaTurn(A, kind, key, NOW), THERE, Gate(allowed)) is does


def test_the_plan_says_why_the_key_stays() -> None:
    item, gate = page(), Gate(Allowed.CURRENT, "caches may hold the set without it")
    (finding,) = gate_findings([item], {A: gate}, {A: THERE})  # type: ignore[list-item]
    assert (finding.code, finding.message) == ("key-waits", "a.test: caches may hold the set without it")
    assert not list(gate_findings([item], {A: gate}, {A: replace(THERE, next_key_id=None)}))  # type: ignore[list-item]
    assert not list(gate_findings([item], {A: Gate(Allowed.NEXT)}, {A: THERE}))  # type: ignore[list-item]
