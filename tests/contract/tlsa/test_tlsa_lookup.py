"""What the port TlsaLookup promises (apply/daneports.py), kept by the real adapter before PowerDNS with a secondary
and a validating unbound. The fake keeps what it can.
"""

from datetime import UTC, datetime, timedelta

import pytest

from bed.powerdns import rrset
from builders.fakelooks import FakeTlsaLookup, tlsa_look
from certkeeper.adapters.tlsatrust import Validation
from certkeeper.apply.daneports import TlsaLook, TlsaLookup
from certkeeper.base.names import DnsName
from certkeeper.dane.facts import Trust
from certkeeper.dane.tlsa import Tlsa
from certkeeper.zone.behind import behind, frozen
from contract.tlsa.signedtree import MANY, NEW, OLD, TOP, Tree, name

HOUR = timedelta(hours=1)


def records(*texts: str) -> frozenset[Tlsa]:
    return frozenset(map(Tlsa.parse, texts))


@pytest.fixture(params=["resolver", "proof", "proof_by_resolver"])
def validation(request: pytest.FixtureRequest, tree: Tree) -> Validation:
    """Each way to know what is secure has to say the same."""
    found: Validation = getattr(tree, request.param)
    return found


def look(lookup: TlsaLookup, owner: DnsName) -> TlsaLook:
    return lookup.look([owner], datetime.now(UTC))[owner]


class TestEverythingInOrder:
    def test_every_address_shows_the_records_their_ttl_and_when_their_signature_ends(
        self, tree: Tree, validation: Validation
    ) -> None:
        owner = name("_25._tcp.mail.complete")
        seen = look(tree.looks(validation), owner)

        assert (seen.trust, seen.flaw, seen.trouble) == (Trust.SECURE, "", "")
        assert seen.place == owner
        assert seen.zone == name("complete")
        assert [answer.server for answer in seen.answers] == [tree.primary.server, tree.secondary.server]
        assert all(answer.records == records(OLD) and answer.ttl == 77 for answer in seen.answers)
        now = datetime.now(UTC)
        assert all(answer.signed_until is not None and answer.signed_until > now for answer in seen.answers)
        assert seen.ttls == (3600,)
        assert [soa.serial for soa in seen.soas] == [tree.primary.serial(f"complete.{TOP}")] * 2
        assert {(soa.refresh, soa.retry) for soa in seen.soas} == {(10800, 3600)}

    def test_an_owner_without_records_in_a_secure_zone_is_secure(self, tree: Tree, validation: Validation) -> None:
        seen = look(tree.looks(validation), name("_587._tcp.mail.complete"))

        assert seen.trust is Trust.SECURE
        assert [(answer.records, answer.ttl) for answer in seen.answers] == [(frozenset(), 0)] * 2

    def test_no_resolver_learns_that_an_owner_is_not_there(self, tree: Tree) -> None:
        owner = name("_465._tcp.mail.complete")
        lookup = tree.looks(tree.resolver)
        look(lookup, owner)

        tree.put("complete", rrset(owner.text, "TLSA", [OLD]))
        assert tree.unbound.secure(owner.text, "TLSA")
        assert look(lookup, owner).trust is Trust.SECURE

    def test_a_cname_is_followed_into_another_zone(self, tree: Tree, validation: Validation) -> None:
        seen = look(tree.looks(validation), name("_443._tcp.mail.complete"))

        assert (seen.trust, seen.flaw) == (Trust.SECURE, "")
        assert seen.place == name("tlsa._dane.elsewhere")
        assert [(answer.records, answer.ttl) for answer in seen.answers] == [(records(OLD), 88)] * 2
        assert 99 in seen.ttls

    def test_a_dname_is_followed_as_the_cname_that_is_made_of_it(self, tree: Tree, validation: Validation) -> None:
        tree.know_dname()
        seen = look(tree.looks(validation), name("_25._tcp.mail.old.complete"))

        assert (seen.trust, seen.flaw, dict(seen.troubles)) == (Trust.SECURE, "", {})
        assert seen.place == name("_25._tcp.mail.complete")
        assert [answer.records for answer in seen.answers] == [records(OLD)] * 2
        assert 66 in seen.ttls

    def test_the_records_of_a_wildcard_are_told_as_that(self, tree: Tree, validation: Validation) -> None:
        seen = look(tree.looks(validation), name("_25._tcp.any.complete"))

        assert (seen.trust, seen.flaw, dict(seen.troubles)) == (Trust.SECURE, "", {})
        assert [(answer.records, answer.expanded) for answer in seen.answers] == [(records(OLD), True)] * 2
        itself = look(tree.looks(validation), name("_25._tcp.mail.complete"))
        assert not any(answer.expanded for answer in itself.answers)

    def test_two_hundred_records_are_read(self, tree: Tree, validation: Validation) -> None:
        seen = look(tree.looks(validation), name("_25._tcp.mail.many"))

        assert seen.trust is Trust.SECURE
        assert [answer.records for answer in seen.answers] == [records(*MANY)] * 2

    def test_records_that_nobody_can_use_are_told_as_they_are(self, tree: Tree, validation: Validation) -> None:
        seen = look(tree.looks(validation), name("_26._tcp.mail.many"))

        assert (seen.flaw, dict(seen.troubles)) == ("", {})
        assert [answer.records for answer in seen.answers] == [records("9 7 8 abcd", "3 1 1 ab", OLD)] * 2


class TestServersThatDiffer:
    def test_a_secondary_without_the_new_record(self, tree: Tree, validation: Validation) -> None:
        seen = look(tree.looks(validation), name("_25._tcp.mail.lacking"))

        assert seen.trust is Trust.SECURE
        assert [answer.records for answer in seen.answers] == [records(OLD, NEW), records(OLD)]

    def test_it_is_frozen_when_it_stays_behind(self, tree: Tree) -> None:
        seen = look(tree.looks(tree.proof), name("_25._tcp.mail.lacking"))
        now = datetime.now(UTC)

        later = now + 4 * HOUR + timedelta(seconds=1)
        late = frozen(behind(behind({}, seen.soas, now), seen.soas, later), seen.soas, later)
        assert late == {tree.secondary.server}
        assert [answer.frozen for answer in seen.with_frozen(late).answers] == [False, True]

    def test_a_server_that_is_down_says_nothing(self, tree: Tree, validation: Validation) -> None:
        seen = look(tree.looks(validation, dead=True), name("_25._tcp.mail.complete"))

        assert seen.trust is Trust.SECURE
        assert [answer.records for answer in seen.answers] == [records(OLD), None]
        assert [*seen.troubles.values()] == ["connection refused"]


class TestWhatIsNotSecure:
    def test_a_zone_without_signatures(self, tree: Tree, validation: Validation) -> None:
        seen = look(tree.looks(validation), name("_25._tcp.mail.unsigned"))

        assert (seen.trust, seen.flaw) == (Trust.UNSIGNED, f"zone unsigned.{TOP} is not signed")
        assert [answer.records for answer in seen.answers] == [records(OLD)] * 2

    def test_a_signed_zone_that_no_ds_leads_to(self, tree: Tree, validation: Validation) -> None:
        seen = look(tree.looks(validation), name("_25._tcp.mail.lone"))

        assert seen.trust is Trust.NO_DS
        assert seen.flaw.startswith(f"zone lone.{TOP} is signed, and no DS leads to it")

    def test_a_ds_that_no_key_has(self, tree: Tree, validation: Validation) -> None:
        assert look(tree.looks(validation), name("_25._tcp.mail.wrong")).trust is Trust.BOGUS

    def test_a_missing_empty_non_terminal_hides_records(self, tree: Tree, validation: Validation) -> None:
        owner = name("_25._tcp.mail.hidden")
        seen = look(tree.looks(validation), owner)

        assert seen.trust is Trust.HIDDEN
        assert seen.flaw.startswith("_tcp.mail.hidden.dane.test does not exist")
        assert [answer.records for answer in seen.answers] == [records(OLD)] * 2

    def test_nothing_is_proven_without_anybody_who_validates(self, tree: Tree) -> None:
        seen = look(tree.looks(Validation()), name("_25._tcp.mail.complete"))

        assert seen.trust is Trust.UNPROVEN
        assert [answer.records for answer in seen.answers] == [records(OLD)] * 2

    def test_a_signature_that_will_have_ended(self, tree: Tree) -> None:
        owner = name("_25._tcp.mail.complete")
        later = datetime.now(UTC) + timedelta(days=365)
        seen = tree.looks(tree.proof).look([owner], later)[owner]

        assert seen.trust is Trust.BOGUS


def test_the_fake_says_what_it_was_told() -> None:
    owner, other = name("_25._tcp.mail"), name("_26._tcp.mail")
    fake = FakeTlsaLookup({owner: tlsa_look(owner, records(OLD), trust=Trust.BOGUS)})

    seen = fake.look([owner, other], datetime.now(UTC))
    assert seen[owner].trust is Trust.BOGUS
    assert {answer.records for answer in seen[owner].answers} == {records(OLD)}
    assert {answer.records for answer in seen[other].answers} == {frozenset()}
