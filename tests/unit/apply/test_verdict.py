from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certkeeper.apply.verdict import Grade, Margins, Verdict, covers, judge, worst
from certkeeper.base.names import Identifier
from certkeeper.lineage.integrity import served
from certkeeper.lineage.model import Leaf
from certkeeper.service.endpoint import parse_endpoint
from certkeeper.service.handshake import Contact, Handshake, Staple, Trouble, Unseen

AUTHORITY = trustme.CA()


def handshake(name: str = "example.org", *, asked: str = "example.org", staple: Staple | None = None) -> Handshake:
    made = AUTHORITY.issue_cert(name)
    chain = [made.cert_chain_pems[0].bytes(), AUTHORITY.cert_pem.bytes()]
    der = tuple(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER) for pem in chain)
    return Handshake(Contact(parse_endpoint(asked)), "192.0.2.1", der, "TLSv1.3", staple=staple)


def leaf_of(seen: Handshake) -> Leaf:
    first = x509.load_der_x509_certificate(seen.chain[0])
    return served(seen.chain, first.not_valid_before_utc + timedelta(days=1))[0]


def now_of(seen: Handshake, *, left: timedelta = timedelta(days=40)) -> datetime:
    return leaf_of(seen).not_after - left


def verdict(
    seen: Handshake | Unseen,
    *,
    live: tuple[Leaf, ...] = (),
    left: timedelta = timedelta(days=40),
    now: datetime | None = None,
) -> Verdict:
    if now is None:
        now = now_of(seen, left=left) if isinstance(seen, Handshake) else datetime(2026, 1, 1, tzinfo=UTC)
    return judge(seen, live=live, margins=Margins(), now=now)


def said(found: Verdict) -> str:
    return "; ".join(remark.text for remark in found.remarks)


def test_a_certificate_in_order_has_no_remark() -> None:
    seen = handshake()
    found = verdict(seen, live=(leaf_of(seen),))
    assert (found.grade, found.remarks) == (Grade.OK, ())


@pytest.mark.parametrize(
    ("left", "grade", "word"),
    [
        (timedelta(days=15), Grade.OK, ""),
        (timedelta(days=14), Grade.WARNING, "ends in"),
        (timedelta(days=3), Grade.CRITICAL, "ends in"),
        (timedelta(0), Grade.CRITICAL, "expired at"),
        (timedelta(days=-1), Grade.CRITICAL, "expired at"),
        (timedelta(days=400_000), Grade.CRITICAL, "not valid before"),
    ],
)
def test_the_end_of_a_certificate_has_two_margins(left: timedelta, grade: Grade, word: str) -> None:
    found = verdict(handshake(), left=left)
    assert found.grade is grade
    assert word in said(found)


def test_an_older_certificate_than_the_live_one_is_critical_and_so_is_any_other() -> None:
    seen = handshake()
    leaf = leaf_of(seen)
    newer = replace(leaf, serial="1", not_after=leaf.not_after + timedelta(days=1))
    found = verdict(seen, live=(newer,))
    assert found.grade is Grade.CRITICAL
    assert "an older certificate is served" in said(found)
    other = replace(leaf, serial="1", not_after=leaf.not_after - timedelta(days=1))
    assert "another certificate is served" in said(verdict(seen, live=(other,)))
    assert verdict(seen, live=(other, leaf)).grade is Grade.OK


def test_another_host_s_certificate_is_no_older_one() -> None:
    seen = handshake("*.example.org", asked="www.example.org")
    leaf = leaf_of(seen)
    newer = replace(leaf, serial="1", not_after=leaf.not_after + timedelta(days=1))
    assert "an older certificate is served" in said(verdict(seen, live=(newer,)))
    ours = replace(newer, identifiers=frozenset({Identifier.parse("www.example.org")}))
    assert "another certificate is served" in said(verdict(seen, live=(ours,)))


def test_a_leaf_without_its_intermediate_is_told_as_that() -> None:
    seen = handshake()
    bare = replace(seen, chain=seen.chain[:1], untrusted="its issuer is not known", unknown_issuer=True)
    assert said(verdict(bare, live=(leaf_of(seen),))) == (
        "the intermediate is missing: the server sends the leaf only; have it serve fullchain.pem"
    )
    assert said(verdict(bare)).startswith("the server sent no intermediate certificate, and ")
    by_itself = replace(bare, untrusted="signed by itself", unknown_issuer=False)
    assert said(verdict(by_itself)) == "not trusted: signed by itself"


def test_the_wrong_name_is_critical() -> None:
    found = verdict(handshake("www.example.org"))
    assert found.grade is Grade.CRITICAL
    assert "not valid for example.org, but for www.example.org" in said(found)


def test_what_openssl_says_is_told_where_nothing_better_is_known() -> None:
    seen = replace(handshake(), untrusted="its issuer is not known (certificate 0 of the chain)")
    assert said(verdict(seen)) == "not trusted: its issuer is not known (certificate 0 of the chain)"
    assert "not trusted" not in said(verdict(seen, left=timedelta(days=-1)))


def test_a_chain_in_the_wrong_order_is_told() -> None:
    seen = handshake()
    stranger = trustme.CA()
    der = x509.load_pem_x509_certificate(stranger.cert_pem.bytes()).public_bytes(Encoding.DER)
    found = verdict(replace(seen, chain=(seen.chain[0], der)))
    assert found.grade is Grade.CRITICAL
    assert "is not signed by" in said(found)


def test_no_certificate_and_one_that_cannot_be_read_are_critical() -> None:
    seen = handshake()
    now = now_of(seen)
    for chain in ((), (b"no certificate",)):
        found = verdict(replace(seen, chain=chain), now=now)
        assert (found.grade, found.leaf) == (Grade.CRITICAL, None)


@pytest.mark.parametrize(
    ("staple", "grade"),
    [
        (None, Grade.OK),
        (Staple("good"), Grade.OK),
        (Staple("unknown"), Grade.WARNING),
        (Staple("revoked"), Grade.CRITICAL),
    ],
)
def test_a_staple_is_judged_by_what_it_says(staple: Staple | None, grade: Grade) -> None:
    assert verdict(handshake(staple=staple)).grade is grade


def test_a_staple_that_is_too_old_is_a_warning() -> None:
    seen = handshake()
    now = now_of(seen)
    assert verdict(replace(seen, staple=Staple("good", now, now)), now=now).grade is Grade.WARNING
    fresh = Staple("good", now, now + timedelta(seconds=1))
    assert verdict(replace(seen, staple=fresh), now=now).grade is Grade.OK


@pytest.mark.parametrize("trouble", list(Trouble))
def test_what_was_not_seen_is_critical_or_not_known(trouble: Trouble) -> None:
    found = verdict(Unseen(Contact(parse_endpoint("example.org")), "", trouble, "why"))
    unknown = trouble in {Trouble.UNRESOLVED, Trouble.NO_SUCH_KEY}
    assert found.grade is (Grade.UNKNOWN if unknown else Grade.CRITICAL)
    assert said(found) == "why"


def test_a_certain_failure_is_worse_than_one_that_is_not_known() -> None:
    assert worst([Grade.UNKNOWN, Grade.CRITICAL, Grade.WARNING]) is Grade.CRITICAL
    assert worst([Grade.UNKNOWN, Grade.WARNING]) is Grade.UNKNOWN
    assert worst([]) is Grade.OK


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.org", True),
        ("www.example.net", True),
        ("a.www.example.net", False),
        ("example.net", False),
        ("192.0.2.1", True),
        ("2001:db8::1", False),
    ],
)
def test_names_are_covered_as_clients_see_it(name: str, expected: bool) -> None:  # noqa: FBT001 (a column)
    names = [Identifier.parse(text) for text in ("example.org", "*.example.net", "ip:192.0.2.1")]
    assert covers(names, name) is expected
