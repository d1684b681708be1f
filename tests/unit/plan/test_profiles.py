from dataclasses import replace

import pytest

from builders.plans import CA, configuration, observed, spec, zone
from certkeeper.config.findings import Severity
from certkeeper.config.settings import CertSpec
from certkeeper.plan.actions import LineagePlan, Plan
from certkeeper.plan.planner import plan
from certkeeper.plan.profiles import ProfileNotOffered, acceptable

OFFERED = ("classic", "shortlived")
REQUIRED = spec("example.org", profile="shortlived")
PREFERRED = spec("example.org", preferred_profile="shortlived")


def planned(wanted: CertSpec, offered: tuple[str, ...] | None) -> tuple[LineagePlan, Plan]:
    page = configuration(wanted)
    profiles = {CA: offered} if offered is not None else {}
    world = replace(
        observed(specs=page.certificates, zones=[zone("example.org")]),
        profiles=profiles,
    )
    made = plan(page, world)
    return made.lineages[0], made


def asked(wanted: CertSpec, offered: tuple[str, ...] | None) -> str | None:
    item, _ = planned(wanted, offered)
    return item.order.profile if item.order is not None else None


@pytest.mark.parametrize(
    ("wanted", "offered", "expected"),
    [
        (spec("example.org"), OFFERED, ""),
        (spec("example.org"), (), ""),
        (REQUIRED, OFFERED, "shortlived"),
        (REQUIRED, None, "shortlived"),
        (REQUIRED, ("classic",), None),
        (REQUIRED, (), None),
        (PREFERRED, OFFERED, "shortlived"),
        (PREFERRED, None, "shortlived"),
        (PREFERRED, ("classic",), ""),
        (PREFERRED, (), ""),
        (spec("example.org", profile="classic", preferred_profile="shortlived"), OFFERED, "classic"),
        (spec("example.org", profile="other", preferred_profile="shortlived"), OFFERED, None),
    ],
)
def test_what_is_asked_for(wanted: CertSpec, offered: tuple[str, ...] | None, expected: str | None) -> None:
    assert asked(wanted, offered) == expected


def test_a_profile_that_is_not_offered_is_an_error_that_lists_what_is() -> None:
    item, _ = planned(spec("example.org", profile="shortlive"), OFFERED)
    assert isinstance(item.error, ProfileNotOffered)
    assert str(item.error) == f"{CA}: no profile shortlive for example.org; the CA offers classic, shortlived"
    assert item.error.hint.startswith("did you mean shortlived? correct ACME_PROFILE")
    item, _ = planned(REQUIRED, ())
    assert str(item.error).endswith("the CA offers none by name")


def test_a_preference_that_is_not_met_is_a_note() -> None:
    _, made = planned(PREFERRED, ("classic",))
    (finding,) = made.findings
    assert (finding.code, finding.severity) == ("profile", Severity.NOTE)
    assert finding.message == "no profile shortlived for example.org; the CA offers classic"
    assert planned(PREFERRED, OFFERED)[1].findings == ()
    assert planned(PREFERRED, None)[1].findings == ()
    assert planned(REQUIRED, OFFERED)[1].findings == ()


def test_a_cas_words_cannot_write_to_the_terminal() -> None:
    item, _ = planned(REQUIRED, ("a\x1b[2Jb",))
    assert "offers a [2Jb" in str(item.error)


def test_an_open_order_of_either_profile_fulfils_a_preference() -> None:
    assert acceptable(PREFERRED) == ("shortlived", "")
    assert acceptable(REQUIRED) == ("shortlived",)
    assert acceptable(spec("example.org")) == ("",)
    assert acceptable(replace(PREFERRED, profile="classic")) == ("classic",)
