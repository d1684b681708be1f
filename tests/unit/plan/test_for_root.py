"""What DEHYDRATED_USER's run leaves to root: services of root's own file that were not given what is live."""

from builders.certificates import NOW, new_key, version_files
from builders.plans import settings, spec
from certkeeper.base.errors import Location
from certkeeper.base.value import replace
from certkeeper.config.settings import CertSpec, Configuration, Purpose
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import Lineage
from certkeeper.plan.deploy import for_root
from certkeeper.plan.records import Deployment, Records, Shown
from certkeeper.service.target import Kind, Target

ROOTS = "/etc/certkeeper/deploy.toml"
STAMP = int(NOW.timestamp()) - 3600
ONE = replace(spec("a.org"), targets=("nginx", "dovecot"))
LIVE = Lineage(ONE.alias, leaf=parse_leaf(version_files(new_key()).cert), stamp=STAMP)


def left(*entries: Deployment, one: CertSpec = ONE, live: Lineage = LIVE) -> tuple[str, ...]:
    targets = {
        "nginx": Target("nginx", Kind.NGINX, where=Location(ROOTS, 1)),
        "dovecot": Target("dovecot", Kind.DOVECOT),
    }
    page = Configuration(replace(settings(), targets=targets, deploy_config=ROOTS, user="keeper"), (one,))
    records = Records(deployments={(entry.target, entry.alias): entry for entry in entries})
    return tuple(name for name, _ in for_root(page, {ONE.alias: live}, records, NOW))


def test_what_root_s_file_does_not_describe_is_left_to_nobody() -> None:
    assert left() == ("nginx",)


def test_what_was_given_is_not_owed_until_another_version_is_live() -> None:
    assert left(Deployment("nginx", ONE.alias, STAMP, Shown.SEEN)) == ()
    assert left(Deployment("nginx", ONE.alias, STAMP, Shown.UNPROVEN)) == ()
    assert left(Deployment("nginx", ONE.alias, STAMP, Shown.OWED)) == ("nginx",)
    assert left(Deployment("nginx", ONE.alias, STAMP - 1, Shown.SEEN)) == ("nginx",)


def test_neither_a_rehearsal_nor_what_no_service_is_given() -> None:
    assert left(one=replace(ONE, purpose=Purpose.REHEARSE)) == ()
    assert left(live=replace(LIVE, stamp=None)) == ()
    assert left(live=replace(LIVE, leaf=None)) == ()
