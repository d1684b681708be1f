"""When a certificate is due, whatever the CA suggests and whatever RENEW_DAYS says."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NOW
from builders.plans import leaf, lineage, spec
from certkeeper.acme.renewal_info import Window
from certkeeper.plan.actions import Reason
from certkeeper.plan.advice import Suggestion, last_chance
from certkeeper.plan.due import decide, renew_before

SPANS = st.timedeltas(timedelta(days=-400), timedelta(days=800))
LIVES = st.timedeltas(timedelta(hours=2), timedelta(days=400))


@st.composite
def suggestions(draw: st.DrawFn) -> Suggestion:
    start = NOW + timedelta(seconds=int(draw(SPANS).total_seconds()))
    window = Window(start, start + timedelta(seconds=draw(st.integers(1, 10**7))))
    return Suggestion(window, window.choose("a"))


@given(SPANS, LIVES, st.integers(0, 400), st.sampled_from(["default", "wished"]), suggestions())
def test_what_the_ca_suggests_counts_within_the_operators_bounds(
    left: timedelta, life: timedelta, days: int, policy: str, suggested: Suggestion
) -> None:
    wished = policy == "wished"
    present = leaf("example.org", left=left, life=life)
    wanted = spec("example.org", days=days, wished=wished)
    decision = decide(wanted, lineage("example.org", present), NOW, suggested)
    by_days = present.not_after - renew_before(present, wanted.renew)
    assert decision.due == (decision.renew_at is not None and decision.renew_at <= NOW)
    if decision.reason is Reason.EXPIRED:
        assert left <= timedelta(0)
        return
    assert decision.renew_at is not None
    # A time that the CA suggests is never missed, and its word never puts a renewal off for too long.
    if suggested.renew_at <= NOW:
        assert decision.reason is Reason.SUGGESTED
    elif not wished:
        # RENEW_DAYS itself may be later than the last twentieth.
        latest = max(present.not_after - last_chance(present), by_days)
        assert decision.renew_at <= min(suggested.renew_at, latest)
    else:
        assert decision.renew_at == min(suggested.renew_at, by_days)
