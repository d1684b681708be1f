import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import P256, REUSE, configuration, leaf, lineage, observed, settings, spec
from certkeeper.base.errors import Location
from certkeeper.config.settings import CertSpec, Configuration, RenewPolicy
from certkeeper.lineage.model import Lineage
from certkeeper.plan.fingerprint import fingerprint
from certkeeper.plan.planner import plan

NAMES = ("example.org", "*.example.org", "www.example.org", "ip:192.0.2.1", "ip:2001:db8::1")
SPEC = spec(*NAMES)
PRESENT = lineage("example.org", leaf(*NAMES, ocsp=True))


def of(
    wanted: CertSpec = SPEC,
    present: Lineage = PRESENT,
    now: timedelta = timedelta(0),
    page: Configuration | None = None,
) -> str:
    page = page or configuration(wanted)
    (item,) = plan(page, observed(present, specs=[wanted], now=NOW + now)).lineages
    return item.fingerprint


def test_it_is_the_same_in_every_process() -> None:
    program = "from unit.plan.test_fingerprint import of; print(of())"
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=60,
        ).stdout.strip()
        for seed in range(1, 5)
    }
    assert said == {of()}


def test_the_time_does_not_count() -> None:
    assert of(now=timedelta(days=1)) == of()


def test_the_place_in_the_file_does_not_count() -> None:
    assert of(replace(SPEC, where=Location("/elsewhere/domains.txt", 99))) == of()


def test_settings_that_decide_nothing_do_not_count() -> None:
    other = replace(settings(), contact_email="me@example.org", propagation=timedelta(seconds=5))
    assert of(page=Configuration(other, (SPEC,))) == of()


@pytest.mark.parametrize(
    "wanted",
    [
        spec(*NAMES[:2]),
        spec(*NAMES, key=REUSE),
        replace(SPEC, renew=RenewPolicy(20)),
        replace(SPEC, profile="classic"),
        replace(SPEC, must_staple=True),
        replace(SPEC, order_timeout=timedelta(seconds=9)),
    ],
)
def test_what_is_wanted_counts(wanted: CertSpec) -> None:
    assert of(wanted) != of()


@pytest.mark.parametrize(
    "present",
    [
        lineage("example.org"),
        lineage("example.org", leaf(*NAMES, left=timedelta(days=61))),
        lineage("example.org", leaf(*NAMES, ocsp=True), key_id="bb"),
        replace(PRESENT, stamp=7),
        replace(PRESENT, disagreement="chain.pem"),
    ],
)
def test_what_is_there_counts(present: Lineage) -> None:
    assert of(present=present) != of()


def test_the_ca_counts() -> None:
    assert of(replace(SPEC, ca="https://other.test/directory")) != of()


def test_sets_are_compared_as_sets_and_lists_as_lists() -> None:
    assert fingerprint(frozenset("abc")) == fingerprint(frozenset("cba"))
    assert fingerprint(("a", "b")) != fingerprint(("b", "a"))
    assert fingerprint("a", "b") != fingerprint("ab")
    assert fingerprint(P256) != fingerprint(REUSE)
    assert fingerprint(None) != fingerprint("None")


def test_it_is_sha256_in_hex() -> None:
    assert len(of()) == 64
    assert set(of()) <= set("0123456789abcdef")
