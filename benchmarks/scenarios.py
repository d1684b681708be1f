"""The scenarios, in the order in which they are run and told."""

from benchmarks.model import Scenario

BOTH = ("example.org", "example.net")

SCENARIOS = (
    Scenario("1x2", "1 certificate with 2 names", (2,), with_sleeps=True),
    Scenario("seed", "3 certificates with 12 names in 2 zones", (5, 4, 3), BOTH, with_sleeps=True),
    Scenario(
        "seed-lag",
        "the same, and the name server that the CA asks is 20 s behind",
        (5, 4, 3),
        BOTH,
        lag=20.0,
        wait=150,
        traced=False,
        most_repeats=1,
        timeout=900,
    ),
    Scenario("1x50", "1 certificate with 50 names", (50,)),
    Scenario("50x2", "50 certificates with 2 names each", (2,) * 50, traced=False, timeout=1200),
    Scenario("nothing-due", "1,000 certificates, nothing due", (2,) * 1000, due=False, traced=False, timeout=900),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
