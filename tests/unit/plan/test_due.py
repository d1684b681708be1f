from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import leaf, lineage, spec
from certkeeper.acme.renewal_info import Window
from certkeeper.config.domains import parse_domains
from certkeeper.config.settings import CertSpec, RenewPolicy
from certkeeper.lineage.model import KeyPlace, Lineage
from certkeeper.plan.actions import Reason
from certkeeper.plan.advice import Suggestion
from certkeeper.plan.due import Decision, decide, renew_before, renew_findings

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
SPEC = spec("example.org", "www.example.org")


def decided(present: Lineage, wanted: CertSpec = SPEC) -> Decision:
    return decide(wanted, present, NOW)


def with_left(left: timedelta, life: timedelta = 90 * DAY) -> Lineage:
    return lineage("example.org", leaf("example.org", "www.example.org", left=left, life=life))


def test_a_certificate_is_due_exactly_at_renew_days() -> None:
    assert decided(with_left(32 * DAY + SECOND)).reason is Reason.CURRENT
    assert decided(with_left(32 * DAY)).reason is Reason.EXPIRING
    assert decided(with_left(SECOND)).reason is Reason.EXPIRING


def test_a_current_certificate_says_when_it_becomes_due() -> None:
    decision = decided(with_left(60 * DAY))
    assert not decision.due
    assert decision.renew_at == NOW + 28 * DAY
    assert decision.detail == "valid until 2027-01-22T12:00:00Z, renewed from 2026-12-21T12:00:00Z"


def test_renew_days_may_be_half_of_the_life_and_no_more() -> None:
    assert renew_before(leaf("example.org", life=90 * DAY), RenewPolicy(45)) == 45 * DAY
    assert renew_before(leaf("example.org", life=90 * DAY), RenewPolicy(46)) == 30 * DAY


@pytest.mark.parametrize(
    ("life", "before"),
    [(90, 32), (64, 32), (63, 21), (45, 15), (12, 4), (10, timedelta(days=10) / 3), (6, 3), (1, timedelta(hours=12))],
)
def test_short_certificates_are_renewed_after_two_thirds_or_half_of_their_life(
    life: int, before: int | timedelta
) -> None:
    expected = before if isinstance(before, timedelta) else before * DAY
    assert renew_before(leaf("example.org", life=life * DAY), RenewPolicy(32)) == expected


@pytest.mark.parametrize(("life", "limit"), [(45, 15), (6, 3)])
def test_a_fresh_short_certificate_is_not_due_and_then_it_is(life: int, limit: int) -> None:
    assert not decided(with_left(life * DAY, life * DAY)).due
    assert not decided(with_left(limit * DAY + SECOND, life * DAY)).due
    assert decided(with_left(limit * DAY, life * DAY)).reason is Reason.EXPIRING


@pytest.mark.row("D13", "D19")
@pytest.mark.parametrize(
    "line",
    [
        "www.example.org example.org ip:2001:db8::1 ip:192.0.2.7 > example.org",
        "EXAMPLE.org. ip:192.0.2.7 www.example.org ip:2001:0DB8:0:0:0:0:0:1 > example.org",
        "example.org www.example.org example.org ip:192.0.2.7 ip:2001:db8:0::1",
    ],
)
def test_names_in_another_order_or_written_in_another_way_are_no_change(line: str) -> None:
    present = lineage("example.org", leaf("example.org", "www.example.org", "ip:192.0.2.7", "ip:2001:db8::1"))
    (found,) = parse_domains([("domains.txt", line)]).lines
    wanted = replace(SPEC, alias=found.alias, identifiers=found.identifiers)
    assert decided(present, wanted).reason is Reason.CURRENT
    assert decided(present, replace(wanted, identifiers=found.identifiers[1:])).reason is Reason.NAMES_CHANGED


def test_a_folder_without_certificate_is_missing() -> None:
    decision = decided(lineage("example.org"))
    assert decision == Decision(Reason.MISSING, "no certificate yet")


def test_a_certificate_that_cannot_be_read_is_replaced() -> None:
    decision = decided(lineage("example.org", trouble="cert.pem: holds no PEM certificate"))
    assert decision == Decision(Reason.UNREADABLE, "cert.pem: holds no PEM certificate")


def test_a_key_of_another_certificate_makes_a_torn_set() -> None:
    torn = lineage("example.org", leaf("example.org", "www.example.org"), key_id="bb")
    assert decided(torn) == Decision(Reason.TORN, "privkey.pem does not belong to cert.pem")


def test_a_torn_set_is_described_by_what_is_torn() -> None:
    said = "chain.pem is not what follows the leaf in fullchain.pem"
    torn = lineage("example.org", leaf("example.org", "www.example.org"), disagreement=said)
    decision = decided(torn)
    assert decision.reason is Reason.TORN
    assert said in decision.detail


def test_a_certificate_whose_key_is_gone_is_due() -> None:
    present = leaf("example.org", "www.example.org")
    keyless = Lineage(SPEC.alias, leaf=present, key_place=KeyPlace.ABSENT, key_id=None)
    assert decided(keyless).due


def test_added_and_removed_names_are_told() -> None:
    present = lineage("example.org", leaf("example.org", "old.example.org"))
    decision = decided(present)
    assert decision.reason is Reason.NAMES_CHANGED
    assert decision.detail == "to add: www.example.org; no longer listed: old.example.org"
    assert decided(present, spec("example.org")).detail == "no longer listed: old.example.org"
    assert decided(present, spec("example.org", "old.example.org", "x.example.org")).detail == "to add: x.example.org"


def test_the_order_of_names_is_no_change() -> None:
    present = with_left(60 * DAY)
    assert not decided(present, spec("www.example.org", "example.org", alias="example.org")).due


def test_a_wildcard_is_another_name_than_its_domain() -> None:
    present = lineage("example.org", leaf("example.org"))
    assert decided(present, spec("*.example.org", alias="example.org")).reason is Reason.NAMES_CHANGED


def test_an_expired_certificate_says_since_when() -> None:
    assert decided(with_left(timedelta(0))).reason is Reason.EXPIRED
    assert decided(with_left(-3 * DAY)).detail == "expired 3 days ago"


def test_a_torn_set_counts_before_changed_names_and_these_before_the_end() -> None:
    old = leaf("old.example.org", left=-DAY)
    assert decided(lineage("example.org", old, key_id="bb")).reason is Reason.TORN
    assert decided(lineage("example.org", old)).reason is Reason.NAMES_CHANGED


def suggested(start: timedelta, end: timedelta) -> Suggestion:
    window = Window(NOW + start, NOW + end)
    return Suggestion(window, window.start)


WISHED = spec("example.org", "www.example.org", days=30, wished=True)


@pytest.mark.parametrize(
    ("left", "start", "wanted", "reason", "renew"),
    [
        # Later than the default of RENEW_DAYS: the CA's time counts.
        (31 * DAY, 3 * DAY, SPEC, Reason.CURRENT, 3 * DAY),
        # Earlier than RENEW_DAYS, whoever set it.
        (40 * DAY, 3 * DAY, SPEC, Reason.CURRENT, 3 * DAY),
        (40 * DAY, 3 * DAY, WISHED, Reason.CURRENT, 3 * DAY),
        (40 * DAY, timedelta(0), WISHED, Reason.SUGGESTED, timedelta(0)),
        # Later than a RENEW_DAYS that an operator set.
        (31 * DAY, 3 * DAY, WISHED, Reason.CURRENT, DAY),
        (30 * DAY, 3 * DAY, WISHED, Reason.EXPIRING, timedelta(0)),
        # The last twentieth of ninety days.
        (5 * DAY, 3 * DAY, SPEC, Reason.CURRENT, DAY / 2),
        (4.5 * DAY, 3 * DAY, SPEC, Reason.EXPIRING, timedelta(0)),
        # Both have come: the CA's words are the better explanation.
        (20 * DAY, -DAY, WISHED, Reason.SUGGESTED, -DAY),
        (-DAY, -5 * DAY, SPEC, Reason.EXPIRED, None),
    ],
)
def test_the_cas_time_counts_within_bounds(
    left: timedelta, start: timedelta, wanted: CertSpec, reason: Reason, renew: timedelta | None
) -> None:
    decision = decide(wanted, with_left(left), NOW, suggested(start, start + DAY))
    assert decision.reason is reason
    if renew is not None:
        assert decision.renew_at == NOW + renew


def test_what_is_current_by_the_cas_word_says_so() -> None:
    decision = decide(SPEC, with_left(31 * DAY), NOW, suggested(3 * DAY, 4 * DAY))
    assert decision.detail == (
        "valid until 2026-12-24T12:00:00Z, renewed from 2026-11-26T12:00:00Z "
        "(the CA suggests 2026-11-26T12:00:00Z to 2026-11-27T12:00:00Z)"
    )


@pytest.mark.parametrize(
    ("start", "chosen", "reason"),
    [
        (-10, 60, Reason.SUGGESTED),
        (-10, 61, Reason.CURRENT),
        # Before it opens nothing is lifted yet.
        (1, 30, Reason.CURRENT),
        (0, 30, Reason.SUGGESTED),
    ],
)
def test_inside_the_window_the_last_hourly_run_before_the_chosen_time_renews(
    start: int, chosen: int, reason: Reason
) -> None:
    window = Window(NOW + timedelta(minutes=start), NOW + timedelta(minutes=190))
    suggestion = Suggestion(window, NOW + timedelta(minutes=chosen))
    assert decide(SPEC, with_left(31 * DAY), NOW, suggestion).reason is reason


def test_a_suggestion_mends_nothing_that_is_broken() -> None:
    torn = lineage("example.org", leaf("example.org", "www.example.org"), key_id="bb")
    assert decide(SPEC, torn, NOW, suggested(3 * DAY, 4 * DAY)).reason is Reason.TORN


def test_a_revoked_certificate_is_due_at_once() -> None:
    present = with_left(60 * DAY)
    assert decided(replace(present, revoked=4)) == Decision(Reason.REVOKED, "it was revoked")
    assert (
        decided(replace(present, revoked=1, compromised=True)).detail
        == "it was revoked, and its key counts as compromised"
    )
    assert decided(replace(present, revoked=0)).reason is Reason.REVOKED


def test_a_key_that_others_have_is_replaced_although_another_certificate_was_revoked() -> None:
    assert decided(replace(with_left(60 * DAY), compromised=True)).reason is Reason.REVOKED


def test_a_torn_lineage_is_torn_first() -> None:
    present = replace(with_left(60 * DAY), key_id="other", revoked=1, compromised=True)
    assert decided(present).reason is Reason.TORN


@pytest.mark.parametrize(
    ("life", "days", "wished", "said"),
    [
        (90, 45, True, None),
        (45, 30, True, "it is renewed 15 days before its end, or it would be on every other run"),
        (6, 30, True, "it is renewed 3 days before its end, or it would be on every other run"),
        # Nobody asked for the default.
        (45, 32, False, None),
    ],
)
def test_a_renew_days_that_is_too_long_for_the_certificate_is_told(
    life: int, days: int, *, wished: bool, said: str | None
) -> None:
    wanted = spec("example.org", "www.example.org", days=days, wished=wished)
    found = list(renew_findings([wanted], {wanted.alias: with_left(5 * DAY, life * DAY)}))
    assert [item.consequence for item in found] == ([said] if said else [])
