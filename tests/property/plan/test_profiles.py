"""Profiles: what is asked for is what the operator accepts, and an open order is gone on with only then."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NOW
from builders.plans import CA, lineage, spec
from certkeeper.config.settings import CertSpec
from certkeeper.plan.profiles import acceptable, profile_error, profile_of
from certkeeper.plan.records import OrderIntent, Records
from certkeeper.plan.recovery import resumable

NAMES = st.sampled_from(["", "classic", "tlsserver", "shortlived"])
SPECS = st.builds(lambda required, liked: spec("example.org", profile=required, preferred_profile=liked), NAMES, NAMES)
OFFERED = st.none() | st.lists(NAMES.filter(bool), unique=True).map(tuple)


@given(SPECS, OFFERED)
def test_what_is_asked_for_is_offered_or_an_error(wanted: CertSpec, offered: tuple[str, ...] | None) -> None:
    asked = profile_of(wanted, offered)
    assert asked in acceptable(wanted)
    refused = bool(asked) and offered is not None and asked not in offered
    assert refused is (profile_error(wanted, offered) is not None)
    if not wanted.profile:
        assert not refused


@given(SPECS, OFFERED, NAMES)
def test_an_open_order_is_gone_on_with_exactly_where_its_profile_is_accepted(
    wanted: CertSpec, offered: tuple[str, ...] | None, other: str
) -> None:
    intent = OrderIntent(
        wanted.alias,
        "https://ca.test/order/1",
        CA,
        wanted.identifiers,
        profile_of(wanted, offered),
        must_staple=False,
        key=str(wanted.key),
        stamp=int(NOW.timestamp()),
    )
    for profile in (intent.profile, other):
        held = replace(intent, profile=profile)
        found = resumable(wanted, lineage("example.org"), Records({wanted.alias: held}), must_staple=False)
        assert found == (held if profile in acceptable(wanted) else None)
