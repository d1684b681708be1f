from dataclasses import replace
from datetime import timedelta

import pytest

from builders.certificates import NOW
from builders.plans import CA, P256, REUSE, configuration, leaf, lineage, observed, spec, zone
from certkeeper.base.keys import KeyAlgorithm, KeyPolicy, KeySpec
from certkeeper.config.settings import CertSpec, Purpose
from certkeeper.lineage.model import KeyPlace, Leaf, Lineage, Origin, is_test_issuer
from certkeeper.plan.actions import LineagePlan, Reason
from certkeeper.plan.due import Decision, decide
from certkeeper.plan.planner import plan

PUBLIC = "https://acme.example/directory"
OTHER = "https://other.example/directory"
NAME = "example.org"
HERE = Origin(PUBLIC)
STAGING = "CN=(STAGING) Riddling Rhubarb R12,O=(STAGING) Let's Encrypt,C=US"
PEBBLE = "CN=Pebble Intermediate CA 5a1b2c"


def decided(wanted: CertSpec, present: Lineage, *, can_staple: bool = False) -> Decision:
    return decide(wanted, present, NOW, can_staple=can_staple)


def live(origin: Origin | None = HERE, leaf_: Leaf | None = None, **more: KeyPlace) -> Lineage:
    return lineage(NAME, leaf_ or leaf(NAME), origin=origin, **more)


def wanted(**more: object) -> CertSpec:
    return replace(spec(NAME, ca=PUBLIC), **more)  # type: ignore[arg-type]  # names of fields


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        (STAGING, True),
        ("CN=Fake LE Intermediate X1", True),
        (PEBBLE, True),
        ("CN=Pebble Root CA 0aa1b2", True),
        ("CN=R12,O=Let's Encrypt,C=US", False),
        ("CN=Test Intermediate", False),
        ("CN=Pebbles Ltd", False),
    ],
)
def test_test_cas_are_known_by_their_names(issuer: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert is_test_issuer(leaf(NAME, issuer=issuer)) is expected


class TestCa:
    def test_another_ca_is_due_at_once(self) -> None:
        found = decided(wanted(), live(Origin(OTHER)))
        assert (found.reason, found.detail) == (Reason.CA_CHANGED, f"from {OTHER}, to be from {PUBLIC}")

    def test_the_same_ca_and_an_unknown_one_are_not(self) -> None:
        assert decided(wanted(), live()).reason is Reason.CURRENT
        assert decided(wanted(), live(None)).reason is Reason.CURRENT

    @pytest.mark.parametrize("origin", [Origin(OTHER, test=True), Origin(PUBLIC, test=True)])
    def test_a_test_cas_is_due_at_once_where_services_read(self, origin: Origin) -> None:
        found = decided(wanted(), live(origin))
        assert found.reason is Reason.TEST_ISSUED
        assert found.detail == "issued by a test CA, CN=Test Intermediate, which no client trusts"
        assert decided(wanted(purpose=Purpose.REHEARSE, ca=origin.ca), live(origin)).reason is Reason.CURRENT
        assert decided(wanted(purpose=Purpose.STAND_IN, ca=origin.ca), live(origin)).reason is Reason.CURRENT

    @pytest.mark.parametrize("issuer", [STAGING, PEBBLE])
    def test_so_is_one_that_dehydrated_got_from_a_known_test_ca(self, issuer: str) -> None:
        assert decided(wanted(), live(None, leaf(NAME, issuer=issuer))).reason is Reason.TEST_ISSUED

    def test_what_was_written_down_counts_and_not_the_issuers_name(self) -> None:
        assert decided(wanted(), live(HERE, leaf(NAME, issuer=PEBBLE))).reason is Reason.CURRENT

    def test_a_ca_on_this_host_may_be_the_one_with_that_name(self) -> None:
        local = "https://localhost:14000/dir"
        assert decided(wanted(ca=local), live(None, leaf(NAME, issuer=PEBBLE))).reason is Reason.CURRENT
        assert decided(wanted(ca=local), live(Origin(local, test=True))).reason is Reason.TEST_ISSUED


class TestProfile:
    @pytest.mark.parametrize(
        ("required", "preferred", "present", "due"),
        [
            ("", "", "", False),
            ("", "", "shortlived", True),
            ("shortlived", "", "", True),
            ("shortlived", "", "shortlived", False),
            ("classic", "", "shortlived", True),
            # Where the CA did not offer the preferred one, asking again would not change it.
            ("", "shortlived", "", False),
            ("", "shortlived", "classic", True),
        ],
    )
    def test_a_known_one_counts(self, required: str, preferred: str, present: str, due: bool) -> None:  # noqa: FBT001 - a table
        asked = wanted(profile=required, preferred_profile=preferred)
        found = decided(asked, live(Origin(PUBLIC, present)))
        assert found.reason is (Reason.PROFILE_CHANGED if due else Reason.CURRENT)

    def test_both_are_told(self) -> None:
        found = decided(wanted(profile="classic"), live())
        assert found.detail == "issued under the CA's default, to be under classic"

    def test_an_unknown_one_does_not(self) -> None:
        assert decided(wanted(profile="classic"), live(None)).reason is Reason.CURRENT


class TestKey:
    @pytest.mark.parametrize(
        ("wish", "present", "due"),
        [
            ("", "rsa-2048", False),
            ("prime256v1", "prime256v1", False),
            ("prime256v1", "rsa-4096", True),
            ("rsa", "rsa-2048", False),
            ("rsa-4096", "rsa-2048", True),
            ("rsa-4096", "rsa-4096", False),
            ("rsa", "secp384r1", True),
            ("prime256v1", "", False),
        ],
    )
    def test_a_kind_that_the_page_names_counts(self, wish: str, present: str, due: bool) -> None:  # noqa: FBT001 - a table
        found = decided(wanted(wished_key=wish), live(None, leaf(NAME, key_kind=present)))
        assert found.reason is (Reason.KEY_CHANGED if due else Reason.CURRENT)
        if due:
            assert found.detail == f"its key is {present}, to be prime256v1"

    @pytest.mark.parametrize("key", [REUSE, KeySpec(KeyAlgorithm.P256, policy=KeyPolicy.ROLLOVER)])
    def test_not_where_the_present_or_an_announced_key_is_used(self, key: KeySpec) -> None:
        asked = wanted(wished_key="prime256v1", key=key)
        assert decided(asked, live(leaf_=leaf(NAME, key_kind="rsa-2048"))).reason is Reason.CURRENT

    def test_not_where_an_admin_put_the_key_there(self) -> None:
        present = live(leaf_=leaf(NAME, key_kind="rsa-2048"), key_place=KeyPlace.PLAIN)
        assert decided(wanted(wished_key="prime256v1", key=P256), present).reason is Reason.CURRENT


class TestStaple:
    @pytest.mark.parametrize(
        ("wish", "able", "present", "due"),
        [
            (False, True, False, False),
            (True, True, True, False),
            (True, True, False, True),
            (True, False, False, False),
            (False, True, True, True),
            # Whether some other certificate names a responder must not make this one come and go.
            (True, False, True, False),
        ],
    )
    def test_what_the_ca_can_do_counts(self, wish: bool, able: bool, present: bool, due: bool) -> None:  # noqa: FBT001 - a table
        asked = wanted(must_staple=wish)
        made = leaf(NAME, must_staple=present, ocsp=True)
        for there in (live(Origin(PUBLIC, must_staple=present), made), live(None, made)):
            found = decided(asked, there, can_staple=able)
            assert found.reason is (Reason.STAPLE_CHANGED if due else Reason.CURRENT)

    def test_a_certificate_without_a_responder_does_not_get_it(self) -> None:
        assert decided(wanted(must_staple=True), live(), can_staple=True).reason is Reason.CURRENT

    def test_a_ca_that_leaves_it_out_is_not_asked_again(self) -> None:
        there = live(Origin(PUBLIC, must_staple=True), leaf(NAME, ocsp=True))
        assert decided(wanted(must_staple=True), there, can_staple=True).reason is Reason.CURRENT

    def test_what_another_cas_certificate_says_does_not_count(self) -> None:
        silent = lineage("b.org", leaf("b.org", left=timedelta(days=89)), origin=Origin(OTHER))
        mine = lineage(NAME, leaf(NAME, ocsp=True), origin=HERE)
        page = configuration(wanted(must_staple=True), spec("b.org", ca=OTHER))
        assert plan(page, observed(mine, silent, specs=page.certificates)).lineages[0].reason is Reason.STAPLE_CHANGED
        unknown = replace(silent, origin=None)
        assert plan(page, observed(mine, unknown, specs=page.certificates)).lineages[0].reason is Reason.CURRENT


def test_names_come_first_and_drift_before_the_end() -> None:
    ending = leaf(NAME, left=timedelta(days=3))
    assert decided(wanted(), live(Origin(OTHER), ending)).reason is Reason.CA_CHANGED
    assert decided(replace(wanted(), identifiers=()), live(Origin(OTHER))).reason is Reason.NAMES_CHANGED


def test_a_plan_orders_it() -> None:
    page = configuration(wanted())
    item: LineagePlan = plan(page, observed(live(Origin(CA)), specs=page.certificates, zones=[zone(NAME)])).lineages[0]
    assert (item.reason, item.order is not None) == (Reason.CA_CHANGED, True)
