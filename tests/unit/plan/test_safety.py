from dataclasses import replace

import pytest

from builders.plans import CA, configuration, leaf, lineage, observed, settings, spec, zone
from certkeeper.base.names import Alias
from certkeeper.config.findings import Finding, Severity
from certkeeper.config.settings import CertSpec, Configuration, Purpose
from certkeeper.lineage.model import Lineage, Origin
from certkeeper.plan.actions import Activate, Plan, Reason
from certkeeper.plan.planner import plan
from certkeeper.plan.records import Backoff, HookDebt, OrderIntent, Records
from certkeeper.plan.safety import UnsafePlan

NAME = "example.org"
TEST = "https://test.example/directory"
REHEARSAL = spec(NAME, ca=TEST, purpose=Purpose.REHEARSE, hook="/hook.sh")
TRUSTED = lineage(NAME, leaf(NAME))
MARKED = "CN=(STAGING) Riddling Rhubarb R12"


def planned(wanted: CertSpec, present: Lineage, *, forced: bool = True, records: Records | None = None) -> Plan:
    page = configuration(wanted)
    world = observed(present, specs=page.certificates, zones=[zone(NAME)])
    world = replace(world, records=records) if records is not None else world
    return plan(page, world, {wanted.alias} if forced else ())


def folder(made: Plan) -> str | None:
    return next((item.folder for item in made.lineages[0].actions if isinstance(item, Activate)), None)


def said(made: Plan) -> list[Finding]:
    return [finding for finding in made.findings if finding.code == "test-ca"]


def test_a_rehearsal_goes_to_its_own_folder_and_nobody_is_told() -> None:
    made = planned(REHEARSAL, Lineage(Alias(NAME)), forced=False)
    assert folder(made) == "/etc/dehydrated/certs-test/example.org"
    assert made.lineages[0].hook is None
    assert made.register_at == ()
    (finding,) = said(made)
    assert finding.severity is Severity.NOTE
    assert finding.message == f"{TEST} is a test CA: certificates go to /etc/dehydrated/certs-test: example.org"


def test_a_stand_in_goes_where_services_read_and_the_hook_is_called() -> None:
    (stand_in,) = configuration(REHEARSAL).with_stand_ins().certificates
    made = planned(stand_in, TRUSTED)
    assert folder(made) == "/etc/dehydrated/certs/example.org"
    assert made.lineages[0].hook is not None
    assert [finding.severity for finding in said(made)] == [Severity.WARNING]


def test_nothing_is_said_of_cas_that_clients_trust() -> None:
    serving = spec(NAME, hook="/hook.sh")
    assert said(planned(serving, TRUSTED)) == []
    assert configuration(serving).with_stand_ins().certificates == (serving,)


@pytest.mark.parametrize(
    ("present", "unsafe"),
    [
        (Lineage(Alias(NAME)), False),
        (TRUSTED, True),
        (lineage(NAME, leaf(NAME), origin=Origin(CA)), True),
        (lineage(NAME, leaf(NAME), origin=Origin(TEST, test=True)), False),
        (lineage(NAME, leaf(NAME, issuer=MARKED)), False),
        # It was no test CA when this was ordered.
        (lineage(NAME, leaf(NAME, issuer=MARKED), origin=Origin(CA)), True),
    ],
)
def test_a_certificate_that_clients_trust_is_never_replaced(present: Lineage, unsafe: bool) -> None:  # noqa: FBT001 - a table
    (item,) = planned(REHEARSAL, present).lineages
    assert isinstance(item.error, UnsafePlan) is unsafe
    assert (item.order is None) is unsafe
    if unsafe:
        assert str(item.error).startswith("/etc/dehydrated/certs-test/example.org: the certificate there is not a test")
        assert item.error is not None
        assert "--allow-test-ca-live" in item.error.hint
        assert "TEST_CERTDIR" in item.error.hint


def test_the_same_folder_for_both_is_never_written_to() -> None:
    page = Configuration(replace(settings(), test_certdir=settings().certdir), (REHEARSAL,))
    (item,) = plan(page, observed(specs=page.certificates, zones=[zone(NAME)])).lineages
    assert isinstance(item.error, UnsafePlan)


def test_a_test_settles_nothing_that_is_owed_for_what_services_read() -> None:
    alias = REHEARSAL.alias
    debt = HookDebt(alias, "deploy_cert", 1)
    there = lineage(NAME, leaf(NAME), origin=Origin(TEST, test=True))
    made = planned(REHEARSAL, there, forced=False, records=Records(debts={alias: debt}))
    assert made.lineages[0].reason is Reason.CURRENT
    assert made.stale == ()
    serving = replace(REHEARSAL, purpose=Purpose.SERVE, ca=CA)
    records = Records(debts={alias: debt})
    assert planned(serving, replace(TRUSTED, origin=Origin(CA)), forced=False, records=records).stale == (debt,)


def test_a_test_keeps_the_open_order_of_another_ca() -> None:
    alias = REHEARSAL.alias
    order = OrderIntent(alias, "https://ca.test/order/1", CA, REHEARSAL.identifiers, "", False, "prime256v1", 1)
    there = lineage(NAME, leaf(NAME), origin=Origin(TEST, test=True))
    made = planned(REHEARSAL, there, forced=False, records=Records(orders={alias: order}))
    assert made.stale == ()


def test_a_test_that_went_well_needs_no_backoff() -> None:
    there = lineage(NAME, leaf(NAME), origin=Origin(TEST, test=True))
    backoff, other = (Backoff(name, 1, observed().now, "x", "y") for name in (REHEARSAL.entry, REHEARSAL.alias))
    records = Records(backoffs={item.alias: item for item in (backoff, other)})
    assert planned(REHEARSAL, there, forced=False, records=records).stale == (backoff,)
