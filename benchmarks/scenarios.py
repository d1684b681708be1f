"""The scenarios, in the order in which they are run and told."""

from benchmarks.model import Scenario
from benchmarks.stapled import STAPLED
from benchmarks.unchanged import UNCHANGED

BOTH = ("example.org", "example.net")
MANY = tuple(f"zone{number}.example" for number in range(1, 101))
WATCHED = "two secondaries that NOTIFY reaches"
NOBODY = "http://127.0.0.1:9"
ALONE = "certkeeper alone, since peers that wait a fixed time for each certificate would take hours"

SCENARIOS = (
    Scenario("1x2", "1 certificate with 2 names", (2,), with_sleeps=True),
    Scenario("seed", "3 certificates with 12 names in 2 zones", (5, 4, 3), BOTH, with_sleeps=True),
    Scenario(
        "seed-lag",
        "the same, and the name server that the CA asks is 20 s behind",
        (5, 4, 3),
        BOTH,
        secondaries=1,
        lag=20.0,
        wait=150,
        traced=False,
        most_repeats=1,
        timeout=900,
    ),
    Scenario("1x50", "1 certificate with 50 names", (50,)),
    Scenario("50x2", "50 certificates with 2 names each", (2,) * 50, traced=False, timeout=1200),
    *(
        Scenario(
            f"{count}x2", f"{count:,} certificates with 2 names each; {ALONE}", (2,) * count, alone=True, timeout=1200
        )
        for count in (200, 1000)
    ),
    Scenario("5zones", "1 certificate with 10 names in 5 zones", (10,), MANY[:5]),
    *(
        Scenario(
            name,
            f"{count} certificates with 10 names, each in a zone of its own, with {WATCHED}; {ALONE}",
            (10,) * count,
            MANY[:count],
            apart=True,
            secondaries=2,
            alone=True,
            timeout=1200,
        )
        for name, count in (("zones-25", 25), ("zones", 100))
    ),
    Scenario(
        "1x1000",
        f"1,000 names in 1 zone: 10 certificates with 100 names, with {WATCHED}; {ALONE}",
        (100,) * 10,
        secondaries=2,
        alone=True,
        timeout=1200,
    ),
    Scenario("nothing-due", "1,000 certificates, nothing due", (2,) * 1000, due=False, traced=False, timeout=900),
    Scenario(
        "nothing-due-10000",
        "10,000 certificates, nothing due; certkeeper alone, since a shell script would take ten minutes for each run",
        (2,) * 10_000,
        alone=True,
        due=False,
        traced=False,
        timeout=900,
    ),
    Scenario(
        "unchanged",
        "60 certificates with 2 names each, nothing due: dehydrated and what stands in for it; hooks for themselves",
        (2,) * 60,
        only=tuple(each.name for each in UNCHANGED),
        due=False,
        traced=False,
    ),
    Scenario(
        "responses",
        "1,000 certificates with OCSP responses, nothing due: without OCSP_FETCH, and with it",
        (2,) * 1000,
        only=tuple(each.name for each in STAPLED),
        due=False,
        responder=NOBODY,
        traced=False,
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
