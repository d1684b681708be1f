"""How many names a CA takes in one certificate, and whether addresses."""

from dataclasses import replace

import pytest

from builders.plans import CA, configuration, observed, spec, zone
from certkeeper.base.names import Identifier
from certkeeper.config.authority import LETSENCRYPT, LETSENCRYPT_TEST
from certkeeper.config.settings import CertSpec
from certkeeper.plan.actions import Plan
from certkeeper.plan.namecount import AddressRefused, TooManyNames
from certkeeper.plan.planner import plan


def planned(wanted: CertSpec, ca: str, offered: tuple[str, ...] | None = None) -> Plan:
    wanted = replace(wanted, ca=ca)
    world = observed(specs=[wanted], zones=[zone("example.org")])
    return plan(configuration(wanted), replace(world, profiles={ca: offered} if offered is not None else {}))


def line(number: int, *, profile: str = "", preferred: str = "") -> CertSpec:
    names = [f"n{at}.example.org" for at in range(number)]
    return spec(*names, profile=profile, preferred_profile=preferred, line=7)


@pytest.mark.parametrize("ca", [LETSENCRYPT, LETSENCRYPT_TEST])
@pytest.mark.parametrize(("profile", "most"), [("", 100), ("classic", 100), ("tlsserver", 25), ("shortlived", 25)])
def test_lets_encrypts_bounds(ca: str, profile: str, most: int) -> None:
    assert planned(line(most, profile=profile), ca).lineages[0].error is None
    error = planned(line(most + 1, profile=profile), ca).lineages[0].error
    assert isinstance(error, TooManyNames)
    assert str(error).startswith(f"n0.example.org: {most + 1} names, and {ca} takes {most} in one certificate")
    assert error.hint == "split the line at /etc/dehydrated/domains.txt:7 into several certificates"


def test_the_profile_that_counts_is_the_one_that_is_asked_for() -> None:
    wanted = line(30, preferred="shortlived")
    assert planned(wanted, LETSENCRYPT, ("classic", "shortlived")).due == ()
    assert len(planned(wanted, LETSENCRYPT, ("classic",)).due) == 1
    assert len(planned(line(300, profile="new"), LETSENCRYPT, ("new",)).due) == 1


def test_elsewhere_many_names_are_a_warning() -> None:
    assert planned(line(100), CA).findings == ()
    made = planned(line(101), CA)
    assert len(made.due) == 1
    assert [(item.code, item.message) for item in made.findings] == [
        ("many-names", "n0.example.org: 101 names in one certificate")
    ]


@pytest.mark.parametrize(("profile", "refused"), [("", True), ("tlsserver", True), ("shortlived", False)])
def test_lets_encrypt_certifies_addresses_for_six_days_only(profile: str, *, refused: bool) -> None:
    wanted = replace(spec("a.example.org", profile=profile), identifiers=(Identifier.parse("ip:192.0.2.1"),))
    error = planned(wanted, LETSENCRYPT).lineages[0].error
    assert isinstance(error, AddressRefused) is refused
    assert not isinstance(planned(wanted, CA).lineages[0].error, AddressRefused)
