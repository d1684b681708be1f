"""What is said of a certificate by what services show before and after."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from builders.certificates import NOW, Wish, fullchain, new_key
from builders.plans import spec
from certkeeper.base.names import Identifier
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import Leaf
from certkeeper.plan.showing import Family, Looks, Sight, Watched, compare, live_leaves, wishes
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.handshake import Contact, Handshake, KeyFamily, Look, Staple, Trouble, Unseen
from certkeeper.service.kinds import built_in
from certkeeper.service.target import Kind, Target

NAME = (Identifier.parse("example.org"),)
PLACE = Contact(parse_endpoint("https://example.org@192.0.2.1"))
OTHER_PLACE = Contact(parse_endpoint("imaps://example.org@192.0.2.1"))


def certificate(days: int, name: str = "example.org") -> tuple[Leaf, bytes]:
    """A leaf, and what a server shows of it."""
    wish = Wish((Identifier.parse(name),), not_before=NOW - timedelta(days=1), not_after=NOW + timedelta(days=days))
    pem = fullchain(new_key(), wish)
    return parse_leaf(pem), load_pem_x509_certificates(pem)[0].public_bytes(Encoding.DER)


NEW, NEW_DER = certificate(89)
OLD, OLD_DER = certificate(20)
OTHER, OTHER_DER = certificate(50, "example.net")
FAMILY = Family(NEW, (OLD,))


def shown(der: bytes, place: Contact = PLACE) -> Look:
    return Handshake(place, place.endpoint.connect_to, (der,), "TLSv1.3")


def silent(place: Contact = PLACE) -> Look:
    return Unseen(place, place.endpoint.connect_to, Trouble.UNREACHABLE, "connection refused")


def looks(*found: Look) -> Looks:
    return {look.target: (look,) for look in found}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (shown(OLD_DER), shown(NEW_DER), "seen"),
        (silent(), shown(NEW_DER), "seen"),
        (shown(NEW_DER), shown(NEW_DER), "seen"),
        (shown(OLD_DER), shown(OLD_DER), "failed"),
        (silent(), shown(OLD_DER), "failed"),
        (shown(OLD_DER), silent(), "failed"),
        (shown(OTHER_DER), silent(), "failed"),
        (shown(OTHER_DER), shown(OTHER_DER), "unproven"),
        (shown(OLD_DER), shown(OTHER_DER), "failed"),
        (shown(NEW_DER), shown(OTHER_DER), "failed"),
        (silent(), shown(OTHER_DER), "unproven"),
        (silent(), silent(), ""),
    ],
)
def test_only_what_was_reachable_or_shows_an_older_one_is_a_failure(before: Look, after: Look, says: str) -> None:
    found = compare(Watched(FAMILY, (PLACE,)), looks(before), looks(after), NOW)
    told = {"seen": found.seen, "failed": found.failed, "unproven": found.unproven}
    assert [word for word, places in told.items() if places] == ([says] if says else [])
    assert found.proven == (says == "seen")


def test_a_place_that_the_operator_named_counts_where_nobody_is_there() -> None:
    watched = Watched(FAMILY, (PLACE, OTHER_PLACE), frozenset({OTHER_PLACE}))
    after = looks(shown(NEW_DER), silent(OTHER_PLACE))
    found = compare(watched, looks(silent(), silent(OTHER_PLACE)), after, NOW)
    assert (len(found.seen), len(found.unproven), found.proven) == (1, 1, False)
    assert compare(replace(watched, asked=frozenset()), after, after, NOW).proven


def test_what_cannot_be_read_is_somebody_elses() -> None:
    assert FAMILY.sight(Handshake(PLACE, "192.0.2.1", (b"no certificate",), "TLSv1.3"), NOW)[0] is Sight.OTHER


def test_an_unknown_one_with_the_same_names_that_ends_earlier_is_older() -> None:
    assert Family(NEW).sight(shown(OLD_DER), NOW)[0] is Sight.OLDER
    assert Family(OLD).sight(shown(NEW_DER), NOW)[0] is Sight.OTHER


def test_that_of_another_lineage_of_the_page_is_not() -> None:
    assert Family(NEW, page=live_leaves([NEW, OLD])).sight(shown(OLD_DER), NOW)[0] is Sight.OTHER


class TestKeys:
    RSA = replace(OLD, key_kind="rsa-2048")

    def test_servers_with_one_certificate_are_asked_for_any(self) -> None:
        assert FAMILY.keys is KeyFamily.ANY
        assert Family(NEW, page=live_leaves([NEW, OTHER])).keys is KeyFamily.ANY

    def test_of_two_with_the_same_names_each_is_asked_for(self) -> None:
        page = live_leaves([NEW, self.RSA])
        assert Family(NEW, page=page).keys is KeyFamily.ECDSA
        assert Family(self.RSA, page=page).keys is KeyFamily.RSA

    def test_after_a_change_of_keys_both_are_looked_for(self) -> None:
        assert Family(NEW, (self.RSA,), live_leaves([NEW, self.RSA])).keys is KeyFamily.ANY


class TestWishes:
    def test_every_name_that_a_host_can_have_is_looked_at_here(self) -> None:
        found = wishes(spec("example.org", "*.example.org", "ip:192.0.2.1"), built_in("nginx"))
        assert [(str(wish.endpoint), wish.here, wish.asked) for wish in found] == [
            ("https://example.org:443", True, False)
        ]

    def test_a_certificates_own_word_counts_alone(self) -> None:
        item = replace(spec("example.org"), probe=(PLACE.endpoint,))
        (wish,) = wishes(item, built_in("nginx"))
        assert (wish.endpoint, wish.here, wish.asked) == (PLACE.endpoint, False, True)
        assert wishes(replace(item, probe=()), built_in("nginx")) == ()

    def test_places_of_a_table_are_the_operators(self) -> None:
        target = Target("x", Kind.COMMAND, probe=("tls://{name}:1", "tls://fixed.example:2"))
        found = wishes(spec("a.example", "b.example"), target)
        assert [wish.endpoint.name for wish in found] == ["a.example", "b.example", "fixed.example"]
        assert all(wish.asked for wish in found)


@pytest.mark.parametrize(("status", "failed"), [("good", False), ("revoked", True), ("try_later", True), (None, True)])
def test_a_certificate_that_must_be_stapled_is_not_taken_without(status: str | None, *, failed: bool) -> None:
    staple = Staple(status) if status is not None else None
    after = looks(Handshake(PLACE, PLACE.endpoint.connect_to, (NEW_DER,), "TLSv1.3", staple=staple))
    strict = Watched(Family(replace(NEW, must_staple=True), (OLD,)), (PLACE,))
    assert bool(compare(strict, looks(shown(OLD_DER)), after, NOW).failed) is failed
    assert not compare(Watched(FAMILY, (PLACE,)), looks(shown(OLD_DER)), after, NOW).failed
