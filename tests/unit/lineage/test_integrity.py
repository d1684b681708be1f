from datetime import timedelta

import pytest
from cryptography import x509

from builders.certificates import NAMES, NOW, Wish, fullchain, intermediate, new_key, new_root, root
from certkeeper.base.names import Identifier
from certkeeper.lineage.integrity import CLOCK_SKEW, check
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import BadChain, Leaf

KEY = new_key()
HOUR = timedelta(hours=1)


def ask(chain: bytes, names: tuple[Identifier, ...] = NAMES) -> Leaf:
    return check(chain, key_id=KEY.key_id, identifiers=names, now=NOW)


def mismatches(chain: bytes, names: tuple[Identifier, ...] = NAMES) -> tuple[str, ...]:
    with pytest.raises(BadChain) as caught:
        ask(chain, names)
    return caught.value.mismatches


def test_a_chain_in_order_gives_its_leaf() -> None:
    chain = fullchain(KEY)
    assert ask(chain) == parse_leaf(chain)
    assert ask(chain.replace(b"\n", b"\r\n")) == parse_leaf(chain)
    assert ask(chain, (*NAMES[::-1], NAMES[0])) == parse_leaf(chain)


def test_a_leaf_without_chain_is_in_order() -> None:
    assert ask(intermediate().leaf(KEY)).key_id == KEY.key_id


def test_another_key_is_a_mismatch() -> None:
    (said,) = mismatches(fullchain(new_key()))
    assert said.startswith("the leaf's key is ")
    assert said.endswith(f"ours is {KEY.key_id[:16]}…")


def test_missing_and_extra_names_are_listed() -> None:
    other, more = Identifier.parse("other.example"), Identifier.parse("ip:192.0.2.1")
    said = mismatches(fullchain(KEY, Wish(identifiers=(NAMES[0], other))), (*NAMES, more))
    assert said == (
        "the leaf lacks *.example.org, ip:192.0.2.1",
        "the leaf also names other.example, which was not ordered",
    )


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish(not_after=NOW), "the leaf expired at 2026-11-23T12:00:00Z"),
        (
            Wish(not_before=NOW + CLOCK_SKEW + timedelta(seconds=1)),
            "the leaf is not valid before 2026-11-23T13:00:01Z, and here it is 2026-11-23T12:00:00Z",
        ),
    ],
)
def test_validity_is_looked_at(wish: Wish, said: str) -> None:
    assert mismatches(fullchain(KEY, wish)) == (said,)


@pytest.mark.parametrize("wish", [Wish(not_after=NOW + timedelta(seconds=1)), Wish(not_before=NOW + CLOCK_SKEW)])
def test_an_hour_of_skew_is_forgiven(wish: Wish) -> None:
    assert ask(fullchain(KEY, wish)).key_id == KEY.key_id


def test_a_wrong_clock_is_hinted_at() -> None:
    with pytest.raises(BadChain) as caught:
        ask(fullchain(KEY, Wish(not_after=NOW - HOUR)))
    assert "timedatectl" in caught.value.hint


def test_must_staple_needs_a_responder() -> None:
    (said,) = mismatches(fullchain(KEY, Wish(must_staple=True)))
    assert "no responder" in said
    assert ask(fullchain(KEY, Wish(must_staple=True, ocsp_url="http://ocsp.example/"))).must_staple


def test_each_certificate_is_signed_by_the_next() -> None:
    leaf = intermediate().leaf(KEY)
    stranger = new_root("Stranger")
    impostor = new_root("Test Intermediate")
    assert mismatches(leaf + stranger.pem)[0].startswith("the leaf is not signed by certificate 2 (")
    assert mismatches(leaf + impostor.pem) == ("the leaf is not signed by certificate 2 (the signature does not fit)",)
    assert mismatches(leaf + root().pem + intermediate().pem)[0].startswith("the leaf is not signed by certificate 2 (")


def test_a_leaf_that_does_not_come_first_is_a_bad_chain() -> None:
    said = mismatches(intermediate().pem + intermediate().leaf(KEY))
    assert any(line.startswith("the leaf's key is") for line in said)


def test_an_expired_intermediate_is_a_mismatch() -> None:
    old = root().sub("Old Intermediate", not_after=NOW)
    (said,) = mismatches(old.leaf(KEY) + old.pem + root().pem)
    assert said == "certificate 2 (CN=Old Intermediate) expired at 2026-11-23T12:00:00Z"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wish = Wish(identifiers=NAMES[:1], not_after=NOW - HOUR, must_staple=True)
    said = mismatches(intermediate().leaf(new_key(), wish) + new_root().pem)
    assert len(said) == 5
    with pytest.raises(BadChain, match=r"^certificate chain: .*; .*; .*; .*; ") as caught:
        ask(intermediate().leaf(new_key(), wish) + new_root().pem)
    assert not str(caught.value).endswith(".")


BROKEN = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_an_unreadable_certificate_is_named_by_its_place() -> None:
    assert mismatches(BROKEN + intermediate().pem)[0].startswith("the leaf cannot be read as a certificate")
    assert mismatches(intermediate().leaf(KEY) + BROKEN)[0].startswith("certificate 2 cannot be read as a certificate")


@pytest.mark.parametrize("text", [b"", b"no PEM", b"{}", b"\0" * 100])
def test_no_certificate_at_all_is_a_bad_chain(text: bytes) -> None:
    assert mismatches(text) == ("holds no PEM certificate",)


def test_a_download_that_broke_off_is_a_bad_chain() -> None:
    assert mismatches(fullchain(KEY)[:-40]) == ("holds an incomplete PEM block",)


def test_a_private_key_in_a_chain_is_a_bad_chain() -> None:
    assert mismatches(fullchain(KEY) + KEY.pem) == ("holds what is no certificate: EC PRIVATE KEY",)


def test_a_leaf_that_is_valid_for_no_time_is_a_mismatch() -> None:
    moment = NOW + timedelta(minutes=1)
    (said,) = mismatches(fullchain(KEY, Wish(not_before=moment, not_after=moment)))
    assert said == "the leaf is valid for no time at all: from 2026-11-23T12:01:00Z to 2026-11-23T12:01:00Z"


def test_a_certificate_that_comes_twice_is_a_mismatch() -> None:
    chain = intermediate().leaf(KEY) + root().pem + root().pem
    assert "certificate 3 (CN=Test Root) is in the chain twice" in mismatches(chain)
    whole = fullchain(KEY)
    assert any("is in the chain twice" in said for said in mismatches(whole + whole))


def test_who_signs_is_a_ca() -> None:
    other = root().sub("Server", constraints=x509.BasicConstraints(ca=False, path_length=None))
    assert mismatches(other.leaf(KEY) + other.pem) == ("certificate 2 (CN=Server) is no CA's certificate",)
    silent = root().sub("Server", constraints=None)
    assert mismatches(silent.leaf(KEY) + silent.pem) == ("certificate 2 (CN=Server) is no CA's certificate",)


def test_a_ca_has_as_many_cas_below_it_as_it_may() -> None:
    top = new_root(constraints=x509.BasicConstraints(ca=True, path_length=0))
    below = top.sub("Below")
    assert ask(top.leaf(KEY) + top.pem).key_id == KEY.key_id
    assert mismatches(below.leaf(KEY) + below.pem + top.pem) == (
        "certificate 3 (CN=Test Root) allows 0 CAs below it, and there are 1",
    )


def test_the_leaf_is_no_ca() -> None:
    said = mismatches(fullchain(KEY, Wish(constraints=x509.BasicConstraints(ca=True, path_length=None))))
    assert said == ("the leaf is a CA's certificate",)
    plain = x509.BasicConstraints(ca=False, path_length=None)
    assert ask(fullchain(KEY, Wish(constraints=plain))).key_id == KEY.key_id


def test_an_intermediate_of_tomorrow_is_a_mismatch() -> None:
    young = root().sub("Young", not_before=NOW + timedelta(days=1))
    assert mismatches(young.leaf(KEY) + young.pem) == (
        "certificate 2 (CN=Young) is not valid before 2026-11-24T12:00:00Z",
    )


def test_the_error_keeps_what_it_was_read_from() -> None:
    with pytest.raises(BadChain) as caught:
        ask(b"garbage")
    assert caught.value.answer == b"garbage"
