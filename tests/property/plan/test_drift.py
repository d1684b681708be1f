"""What is not known is no difference, and what was just issued has none."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NOW
from builders.plans import configuration, leaf, lineage, observed, spec, zone
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.config.settings import CertSpec, Purpose
from certkeeper.lineage.model import KeyPlace, Origin
from certkeeper.plan.actions import KeySource, Reason
from certkeeper.plan.due import decide
from certkeeper.plan.planner import plan
from certkeeper.plan.profiles import acceptable

CAS = st.sampled_from(["https://a.example/directory", "https://b.example/directory", "https://localhost:1/dir"])
ZONE = zone("example.org")
PROFILES = st.sampled_from(["", "classic", "shortlived"])
KEYS = st.builds(KeySpec, st.sampled_from(KeyAlgorithm), st.sampled_from([2048, 4096]), st.sampled_from(KeyPolicy))


@st.composite
def specs(draw: st.DrawFn) -> CertSpec:
    key = draw(KEYS)
    return spec(
        "example.org",
        ca=draw(CAS),
        purpose=draw(st.sampled_from(Purpose)),
        profile=draw(PROFILES),
        preferred_profile=draw(PROFILES),
        must_staple=draw(st.booleans()),
        key=key,
        wished_key=draw(st.sampled_from(["", str(key), key.algorithm.value])),
    )


@given(specs(), st.booleans(), st.data())
def test_what_was_just_issued_is_not_due(wanted: CertSpec, able: bool, data: st.DataObject) -> None:  # noqa: FBT001 - hypothesis
    staple = wanted.must_staple and able
    origin = Origin(
        wanted.ca, data.draw(st.sampled_from(acceptable(wanted))), staple, test=wanted.purpose is not Purpose.SERVE
    )
    # What the CA makes of the extension, and how its issuers are called, is its own business.
    made = leaf(
        "example.org",
        key_kind=str(wanted.key),
        must_staple=data.draw(st.booleans()),
        issuer=data.draw(st.sampled_from(["CN=X", "CN=Pebble Intermediate CA 1", "CN=(STAGING) Y"])),
    )
    assert not decide(wanted, lineage("example.org", made, origin=origin), NOW, can_staple=able).due


@given(specs(), KEYS, st.booleans(), st.sampled_from(KeyPlace))
def test_what_is_taken_over_is_as_due_as_without_any_of_these_settings(
    wanted: CertSpec,
    present: KeySpec,
    able: bool,  # noqa: FBT001 - hypothesis
    place: KeyPlace,
) -> None:
    wanted = replace(wanted, wished_key="")
    made = leaf("example.org", key_kind=str(present), must_staple=wanted.must_staple and able)
    for left in (timedelta(days=60), timedelta(days=1)):
        there = lineage("example.org", replace(made, not_after=NOW + left), key_place=place)
        plain = spec("example.org")
        assert (
            decide(wanted, there, NOW, can_staple=able).due
            is decide(plain, replace(there, leaf=replace(there.leaf or made, must_staple=False)), NOW).due
        )


ORIGINS = st.none() | st.builds(Origin, CAS, PROFILES, st.booleans(), st.booleans())


@given(specs(), ORIGINS, ORIGINS, st.lists(st.booleans(), min_size=5, max_size=5))
def test_nothing_is_renewed_on_every_run(
    wanted: CertSpec, before: Origin | None, others: Origin | None, of_the_ca: list[bool]
) -> None:
    """Whatever the CA makes of what it was asked, and whatever else it issued."""
    page = configuration(wanted, spec("other.example.org", ca=wanted.ca))
    there = lineage("example.org", leaf("example.org", ocsp=of_the_ca[0], must_staple=of_the_ca[1]), origin=before)
    other = leaf("other.example.org", ocsp=of_the_ca[2], left=timedelta(days=70))
    beside = lineage("other.example.org", other, origin=others)
    for _ in range(3):
        world = observed(there, beside, specs=page.certificates, zones=[ZONE])
        item = plan(page, world).lineages[0]
        if item.reason is Reason.CURRENT or item.order is None:
            return
        made = leaf(
            "example.org",
            left=timedelta(days=89),
            ocsp=of_the_ca[3],
            must_staple=of_the_ca[4],
            key_kind=str(wanted.key) if item.key is not None and item.key.source is KeySource.NEW else "prime256v1",
        )
        asked = Origin(wanted.ca, item.order.profile, item.order.must_staple, test=wanted.purpose is not Purpose.SERVE)
        there = lineage("example.org", made, origin=asked)
    # The second time is for a CA whose first certificate showed that it can staple.
    raise AssertionError(f"renewed three times in a row: {item.reason}: {item.detail}")
