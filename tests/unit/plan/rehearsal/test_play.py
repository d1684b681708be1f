"""Days that are played: when certificates are renewed, what CAs refuse, outages and revocations."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import configuration, leaf, lineage, observed, settings, spec
from certkeeper.config.authority import LETSENCRYPT
from certkeeper.config.rate import OrderRate
from certkeeper.config.settings import CertSpec, RenewPolicy, Spread
from certkeeper.lineage.model import Lineage, Origin
from certkeeper.plan.records import Held, Records
from certkeeper.plan.rehearsal.ca import Limited, registered_domain
from certkeeper.plan.rehearsal.play import rehearse
from certkeeper.plan.rehearsal.result import Outage, Question, Rehearsed

DAY = timedelta(days=1)
START = NOW + DAY / 2
"""Midnight."""
YEAR = Question(START, 365, DAY / 2)


def there(wanted: CertSpec, left: timedelta, life: timedelta = 90 * DAY) -> Lineage:
    names = [str(name) for name in wanted.identifiers]
    return lineage(str(wanted.alias), leaf(*names, left=left + DAY / 2, life=life, key_id=str(wanted.alias)))


def specs(number: int, *, ca: str = "", spread: int = 0, wished: bool = False) -> list[CertSpec]:
    policy = RenewPolicy(32, wished, Spread.over(spread))
    plain = [spec(f"n{at}.test", line=at) for at in range(number)]
    return [replace(item, renew=policy, ca=ca or item.ca) for item in plain]


def played(
    wanted: list[CertSpec],
    left: Mapping[str, timedelta] | timedelta | None,
    question: Question = YEAR,
    *,
    life: timedelta = 90 * DAY,
    limit: int = 0,
    rate: OrderRate | None = None,
    records: Records | None = None,
) -> Rehearsed:
    page = configuration(*wanted, settings_=replace(settings(), run_limit=limit, order_rate=rate))
    has = {} if left is None else {str(item.alias): left for item in wanted} if isinstance(left, timedelta) else left
    lineages = [there(item, has[str(item.alias)], life) for item in wanted if str(item.alias) in has]
    world = observed(*lineages, specs=wanted)
    return rehearse(page, replace(world, records=records or Records()), question)


def test_a_certificate_is_renewed_once_in_each_of_its_lives() -> None:
    done = played(specs(1), 60 * DAY)
    days = [(load.day - START.date()).days for load in done.loads if load.issued]
    # 28 days to RENEW_DAYS, then every 58.
    assert days == [28, 86, 144, 202, 260, 318]
    assert len(done.loads) == 365
    assert (done.issued, done.lapses, dict(done.stuck)) == (6, (), {})
    assert done.nearest[0].left == 32 * DAY


def test_what_is_not_there_is_issued_by_the_first_run() -> None:
    done = played(specs(3), None, replace(YEAR, days=10))
    assert done.loads[0].issued == done.issued == 3


def test_lives_are_those_of_the_certificates_that_are_there_and_what_lets_encrypt_announced() -> None:
    assert set(played(specs(1), 30 * DAY, life=40 * DAY).lives.values()) == {40 * DAY}
    # The default profile's change in February 2027.
    done = played(specs(1, ca=LETSENCRYPT), 40 * DAY, replace(YEAR, days=60))
    assert set(done.lives.values()) == {90 * DAY}
    assert set(played(specs(1, ca=LETSENCRYPT), 40 * DAY).lives.values()) == {64 * DAY}
    short = [replace(item, profile="shortlived") for item in specs(1, ca=LETSENCRYPT)]
    assert set(played(short, None).lives.values()) == {timedelta(hours=160)}


def test_what_a_cap_holds_up_comes_in_the_runs_after_it() -> None:
    done = played(specs(10), 20 * DAY, replace(YEAR, days=10), limit=3)
    assert [load.issued for load in done.loads[:4]] == [6, 4, 0, 0]
    assert [load.waiting for load in done.loads[:4]] == [7, 1, 0, 0]
    assert max(load.run for load in done.loads) == 3


def test_a_rate_of_the_operators_counts() -> None:
    done = played(specs(10), 20 * DAY, replace(YEAR, days=10), rate=OrderRate(2, DAY))
    assert [load.issued for load in done.loads[:6]] == [3, 2, 2, 2, 1, 0]


def test_a_ca_that_refuses_is_asked_again_when_there_is_room() -> None:
    plain = specs(60, ca=LETSENCRYPT)
    names = [spec(f"n{at}.example.org").identifiers for at in range(60)]
    many = [replace(item, identifiers=name) for item, name in zip(plain, names, strict=True)]
    done = played(many, None, replace(YEAR, days=30))
    # One more in 202 minutes, and twelve hours to the next run.
    assert done.loads[0].issued == 50 + 3
    assert done.issued == 60
    touched = {item.limit: item for item in done.limits}
    assert touched[Limited.DOMAIN].key == "example.org"
    assert touched[Limited.DOMAIN].least == 0
    assert touched[Limited.DOMAIN].refused > 0
    assert touched[Limited.ORDERS].refused == 0


def test_renewals_at_lets_encrypts_time_and_for_the_same_names_count_for_less() -> None:
    done = played(specs(1, ca=LETSENCRYPT), 40 * DAY, replace(YEAR, days=60))
    assert done.exempt == {LETSENCRYPT: 1}
    assert done.limits == ()
    late = played(specs(1, ca=LETSENCRYPT), 20 * DAY, replace(YEAR, days=1))
    assert [item.limit for item in late.limits] == [Limited.NAMES]


def test_the_window_of_the_ca_is_hit_by_runs_that_are_often_enough() -> None:
    short = [replace(item, profile="shortlived") for item in specs(20, ca=LETSENCRYPT)]
    hourly = played(short, None, Question(START, 30, timedelta(hours=1)))
    assert hourly.exempt[LETSENCRYPT] == hourly.issued - 20
    daily = played(short, None, Question(START, 30, DAY))
    assert daily.exempt[LETSENCRYPT] < daily.issued / 2
    assert not hourly.lapses + daily.lapses


def test_an_outage_is_made_up_for_after_it() -> None:
    done = played(specs(5), 60 * DAY, replace(YEAR, outage=Outage(START + 20 * DAY, START + 40 * DAY)))
    days = [(load.day - START.date()).days for load in done.loads if load.issued]
    assert days[0] == 40
    assert done.loads[30].waiting == 5
    assert done.loads[20].waiting == 0
    assert done.nearest[0].left == 20 * DAY
    assert done.lapses == ()


def test_an_outage_that_is_too_long_says_which_certificates_expire() -> None:
    left = {"n0.test": 33 * DAY, "n1.test": 80 * DAY}
    done = played(specs(2), left, replace(YEAR, outage=Outage(START, START + 40 * DAY)))
    (lapse,) = done.lapses
    assert (str(lapse.alias), lapse.at, lapse.until) == ("n0.test", START + 33 * DAY, START + 40 * DAY)
    forever = played(specs(2), left, Question(START, 40, DAY, Outage(START, START + 400 * DAY)))
    assert [item.until for item in forever.lapses] == [None]


def test_a_mass_revocation_takes_as_long_as_limits_let_it() -> None:
    question = replace(YEAR, days=90, revoked_at=START + 10 * DAY)
    done = played(specs(1000, ca=LETSENCRYPT), 80 * DAY, question)
    found = done.replacement
    assert found is not None
    # 300 in three hours, and twelve hours between two runs.
    assert (found.certificates, found.replaced, found.last) == (1000, 1000, START + 11.5 * DAY)
    assert [load.issued for load in done.loads[10:13]] == [600, 400, 0]
    capped = played(specs(1000, ca=LETSENCRYPT), 80 * DAY, question, limit=50).replacement
    assert capped is not None
    assert capped.last == START + 19.5 * DAY


def test_nobody_learns_of_a_revocation_without_ari() -> None:
    found = played(specs(3), 80 * DAY, replace(YEAR, days=20, revoked_at=START + DAY)).replacement
    assert found is not None
    assert (found.certificates, found.unaware, found.last) == (0, 3, None)


def test_what_cannot_be_issued_is_told_and_what_is_held_is_left_out() -> None:
    wanted = specs(3)
    held = Held(wanted[1].alias, 0, None, "by hand")
    wanted[0] = replace(wanted[0], provider="nobody")
    world = Records(held={wanted[1].alias: held})
    done = played(wanted, 60 * DAY, replace(YEAR, days=100), records=world)
    assert done.held == (wanted[1].alias,)
    assert done.certificates == 2
    test_ca = replace(wanted[2], ca=LETSENCRYPT)
    page = configuration(test_ca)
    unsafe = lineage("n2.test", leaf("n2.test", left=10 * DAY), origin=Origin(LETSENCRYPT, "other"))
    again = rehearse(page, observed(unsafe, specs=[test_ca]), replace(YEAR, days=5))
    assert again.issued == 1


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("www.example.org", "example.org"),
        ("*.example.org", "example.org"),
        ("example.org", "example.org"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("www.me.de", "me.de"),
        ("a.www.example.de", "example.de"),
    ],
)
def test_domains_that_somebody_registered(name: str, domain: str) -> None:
    assert registered_domain(name) == domain


def test_a_list_of_one_day_does_not_stay_together() -> None:
    wanted = specs(1000, spread=1000)
    done = played(wanted, 80 * DAY, life=90 * DAY)
    plain = played(specs(1000), 80 * DAY, life=90 * DAY)
    assert plain.busiest.issued == 1000
    after_two = [load.issued for load in done.loads[150:]]
    mean = sum(after_two) / len(after_two)
    assert max(after_two) < 4 * mean
    assert Counter(load.issued > 0 for load in plain.loads)[True] == 6
