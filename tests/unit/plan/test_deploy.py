"""Which services are due for which certificates."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import configuration, leaf, lineage, settings, spec
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.names import Alias
from certkeeper.base.times import RETRY_AFTER_MAX
from certkeeper.config.settings import CertSpec, Configuration, Purpose
from certkeeper.lineage.model import Lineage
from certkeeper.plan.deploy import Cause, Copies, Deployable, DeployPlan, owed, plan_deployments
from certkeeper.plan.inservices import Progress, in_each_service
from certkeeper.plan.records import Deployment, Held, Records, Shown
from certkeeper.service.target import Form, Kind, Target, TargetFile

ALIAS = Alias("example.org")
NGINX = Target("nginx", Kind.NGINX)
POSTFIX = Target("postfix", Kind.POSTFIX, files=(TargetFile(Form.KEY_FULLCHAIN, "/etc/postfix/certs/{alias}.pem"),))
STAMP = 1000
SEEN = Deployment("nginx", ALIAS, STAMP, Shown.SEEN)


def page(item: CertSpec | None = None, *targets: Target) -> Configuration:
    found = targets or (NGINX,)
    item = replace(item or spec("example.org"), targets=tuple(target.name for target in found))
    return configuration(item, settings_=replace(settings(), targets={target.name: target for target in found}))


def present(**changes: object) -> Lineage:
    return replace(lineage("example.org", leaf("example.org")), **{"stamp": STAMP, **changes})  # type: ignore[arg-type]


def planned(
    *entries: Deployment,
    on: Configuration | None = None,
    there: Lineage | None = None,
    held: Held | None = None,
    copies: Mapping[tuple[str, Alias], Copies] | None = None,
    asked: bool = False,
) -> DeployPlan:
    records = Records(
        deployments={(entry.target, entry.alias): entry for entry in entries},
        held={ALIAS: held} if held is not None else {},
    )
    world = Deployable(NOW, {ALIAS: there or present()}, records, copies or {})
    return plan_deployments(on or page(), world, [ALIAS] if asked else ())


def causes(plan: DeployPlan) -> dict[str, Cause]:
    return {part.target.name: due.cause for part in plan.targets for due in part.due}


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        (None, Cause.UNKNOWN),
        (SEEN, None),
        (replace(SEEN, shown=Shown.UNPROVEN), None),
        (replace(SEEN, stamp=999), Cause.NEW_VERSION),
        (replace(SEEN, shown=Shown.OWED), Cause.OWED),
        (replace(SEEN, shown=Shown.OWED, failures=2), Cause.RETRY),
        (replace(SEEN, shown=Shown.OWED, failures=2, retry_at=NOW), Cause.RETRY),
        (replace(SEEN, shown=Shown.OWED, failures=2, retry_at=NOW + RETRY_AFTER_MAX * 2), Cause.RETRY),
    ],
)
def test_what_the_journal_says_decides(entry: Deployment | None, cause: Cause | None) -> None:
    assert causes(planned(*([entry] if entry else []))) == ({"nginx": cause} if cause else {})


def test_a_failure_waits_for_its_time_unless_a_person_asks() -> None:
    entry = replace(SEEN, shown=Shown.OWED, failures=1, retry_at=NOW + timedelta(minutes=1), message="no")
    plan = planned(entry)
    assert (plan.idle, [(wait.until, wait.message) for wait in plan.waiting]) == (True, [(entry.retry_at, "no")])
    assert causes(planned(entry, asked=True)) == {"nginx": Cause.RETRY}


def test_what_went_back_waits_with_the_version_that_is_held() -> None:
    later = NOW + timedelta(minutes=1)
    entry = replace(SEEN, stamp=2000, shown=Shown.OWED, failures=1, retry_at=later)
    assert planned(entry, held=Held(ALIAS, 2000, later, "")).idle
    assert causes(planned(entry)) == {"nginx": Cause.NEW_VERSION}


def test_a_person_can_have_it_looked_at_again() -> None:
    assert causes(planned(replace(SEEN, shown=Shown.UNPROVEN), asked=True)) == {"nginx": Cause.UNKNOWN}
    assert planned(SEEN, asked=True).idle


@pytest.mark.parametrize(
    ("copies", "cause"),
    [
        (Copies(STAMP), None),
        (Copies(999), Cause.DRIFTED),
        (Copies(), Cause.DRIFTED),
        (Copies(trouble=CertkeeperError("gone")), Cause.DRIFTED),
    ],
)
def test_copies_that_are_not_there_come_back(copies: Copies, cause: Cause | None) -> None:
    entry = replace(SEEN, target="postfix")
    found = planned(entry, on=page(None, POSTFIX), copies={("postfix", ALIAS): copies})
    assert causes(found) == ({"postfix": cause} if cause else {})


@pytest.mark.parametrize(
    "there",
    [
        present(stamp=None),
        present(leaf=leaf("example.org", left=timedelta(seconds=-1))),
        present(revoked=1),
        present(compromised=True),
        present(disagreement="cert.pem is not in fullchain.pem"),
        present(key_id="another"),
    ],
)
def test_nobody_is_given_what_is_of_no_use(there: Lineage) -> None:
    plan = planned(there=there)
    assert (plan.idle, len(plan.waiting)) == (True, 1)


def test_nothing_is_said_of_what_was_never_issued() -> None:
    plan = planned(there=lineage("example.org"))
    assert (plan.idle, plan.waiting) == (True, ())


def test_services_that_read_in_place_come_first() -> None:
    plan = planned(on=page(None, replace(POSTFIX, name="a"), replace(NGINX, name="b"), replace(NGINX, name="c")))
    assert [part.target.name for part in plan.targets] == ["b", "c", "a"]


def test_nobody_is_given_a_rehearsal() -> None:
    item = spec("example.org", purpose=Purpose.REHEARSE)
    assert planned(on=page(item)).idle
    assert owed(replace(item, targets=("nginx",)), 1) == ()
    assert list(in_each_service(replace(item, targets=("nginx",)), present(), Records())) == []


def test_a_service_that_takes_no_such_certificate_is_an_error() -> None:
    plan = planned(on=page(None, replace(NGINX, certificates=("*.net",))))
    assert [(name, alias) for name, alias, _ in plan.errors] == [("nginx", ALIAS)]


def test_entries_of_services_that_it_is_not_given_to_any_more_are_dropped() -> None:
    gone = replace(SEEN, target="apache2")
    assert planned(SEEN, gone).stale == (gone,)
    elsewhere = replace(SEEN, alias=Alias("example.net"))
    assert planned(SEEN, elsewhere).stale == (), "another run may be about that one"


def test_how_often_a_version_failed_is_not_forgotten_when_it_goes_live_again() -> None:
    item = replace(spec("example.org"), targets=("nginx",))
    failed = replace(SEEN, shown=Shown.OWED, failures=2, retry_at=NOW, message="no")
    assert owed(item, STAMP, [failed]) == (replace(failed, retry_at=None),)
    assert owed(item, 2000, [failed]) == (Deployment("nginx", ALIAS, 2000, Shown.OWED),)


@pytest.mark.parametrize(
    ("entry", "progress"),
    [
        (None, Progress.UNKNOWN),
        (SEEN, Progress.SEEN),
        (replace(SEEN, shown=Shown.UNPROVEN), Progress.UNPROVEN),
        (replace(SEEN, stamp=999), Progress.OWED),
        (replace(SEEN, shown=Shown.OWED), Progress.OWED),
        (replace(SEEN, shown=Shown.OWED, failures=1), Progress.FAILED),
        (replace(SEEN, stamp=2000, shown=Shown.OWED, failures=1), Progress.FAILED),
    ],
)
def test_how_far_a_service_is(entry: Deployment | None, progress: Progress) -> None:
    records = Records(deployments={("nginx", ALIAS): entry} if entry else {})
    item = replace(spec("example.org"), targets=("nginx",))
    assert [found.progress for found in in_each_service(item, present(), records)] == [progress]
