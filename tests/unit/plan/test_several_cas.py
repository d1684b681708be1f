"""What is about one CA does not count for another one's certificates."""

from dataclasses import replace

from builders.plans import CA, configuration, observed, spec, zone
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import DnsName
from certkeeper.plan.actions import Plan
from certkeeper.plan.caa import CaaForbids
from certkeeper.plan.observed import Caa, Observed
from certkeeper.plan.planner import plan
from certkeeper.plan.profiles import ProfileNotOffered
from certkeeper.zone.caa import CaaAnswer, CaaRecord, Issuer

OTHER = "https://other.test/directory"
PAGE = configuration(
    spec("a.org", preferred_profile="short"),
    spec("b.org", preferred_profile="short", ca=OTHER),
    spec("c.org", profile="long", ca=OTHER, alias="c"),
)
WORLD = observed(specs=PAGE.certificates, zones=[zone("a.org"), zone("b.org"), zone("c.org")])


def errors(made: Plan) -> list[CertkeeperError | None]:
    return [item.error for item in made.lineages]


def planned(**seen: object) -> Plan:
    world: Observed = replace(WORLD, **seen)  # type: ignore[arg-type]  # names of fields
    return plan(PAGE, world)


def test_profiles() -> None:
    made = planned(profiles={CA: ("short",), OTHER: ("classic",)})
    first, second, third = made.lineages
    assert first.order is not None
    assert second.order is not None
    assert (first.order.profile, second.order.profile) == ("short", "")
    assert isinstance(third.error, ProfileNotOffered)
    assert str(third.error).startswith(f"{OTHER}: no profile long")
    (finding,) = [item for item in made.findings if item.code == "profile"]
    assert finding.message == "no profile short for b.org; the CA offers classic"
    # A CA that could not be asked may offer everything.
    assert errors(planned(profiles={CA: ()})) == [None] * 3


def test_caa() -> None:
    answers = {DnsName(name): CaaAnswer() for name in ("b.org", "c.org", "org")}
    answers[DnsName("a.org")] = answers[DnsName("b.org")] = CaaAnswer((CaaRecord(0, "issue", "ca.test"),))
    caa = {CA: Caa(Issuer(("ca.test",)), answers), OTHER: Caa(Issuer(("other.test",)), answers)}
    found = errors(planned(caa=caa))
    assert [isinstance(error, CaaForbids) for error in found] == [False, True, False]
    assert errors(planned(caa={CA: caa[CA]})) == [None] * 3


def test_an_account_that_cannot_be_used() -> None:
    trouble = CertkeeperError("it was deactivated")
    assert errors(planned(unusable={OTHER: trouble})) == [None, trouble, trouble]


def test_registrations() -> None:
    assert planned(registered=frozenset({CA})).register_at == (OTHER,)
    assert planned(registered=frozenset()).register_at == (CA, OTHER)
