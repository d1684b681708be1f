from base64 import encodebytes
from datetime import UTC

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from builders.certificates import NAMES, NOW, Wish, fullchain, new_key
from certkeeper.base.keys import KeyAlgorithm
from certkeeper.base.names import Identifier
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import BadChain
from certkeeper.lineage.pem import certificates


def test_a_leaf_says_what_is_in_it() -> None:
    key = new_key()
    leaf = parse_leaf(fullchain(key))
    assert leaf.key_id == key.key_id
    assert leaf.identifiers == frozenset(NAMES)
    assert leaf.not_before < NOW < leaf.not_after
    assert leaf.not_after.tzinfo is UTC
    assert leaf.issuer == "CN=Test Intermediate"
    assert int(leaf.serial, 16) > 0
    assert leaf.serial == leaf.serial.lower()
    assert (leaf.ocsp_url, leaf.must_staple) == (None, False)


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_the_key_id_is_the_keys_for_every_algorithm(algorithm: KeyAlgorithm) -> None:
    key = new_key(algorithm)
    found = parse_leaf(fullchain(key))
    assert (found.key_id, found.key_kind) == (key.key_id, key.description)


def test_ocsp_and_must_staple_are_seen() -> None:
    leaf = parse_leaf(fullchain(new_key(), Wish(ocsp_url="http://ocsp.example/", must_staple=True)))
    assert (leaf.ocsp_url, leaf.must_staple) == ("http://ocsp.example/", True)


def test_names_are_lower_case_and_addresses_are_identifiers() -> None:
    wish = Wish(
        identifiers=(Identifier.parse("ip:2001:DB8::1"), Identifier.parse("ip:192.0.2.1")),
        extra_names=(x509.DNSName("WWW.Example.ORG"), x509.RFC822Name("a@example.org")),
    )
    wanted = {Identifier.parse(text) for text in ("ip:2001:db8::1", "ip:192.0.2.1", "www.example.org")}
    assert parse_leaf(fullchain(new_key(), wish)).identifiers == wanted


def test_a_leaf_without_names_has_none() -> None:
    assert parse_leaf(fullchain(new_key(), Wish(identifiers=()))).identifiers == frozenset()


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"garbage",
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    ],
)
def test_what_is_no_certificate_is_a_bad_chain(pem: bytes) -> None:
    with pytest.raises(BadChain):
        parse_leaf(pem)


def test_a_tls_feature_that_nobody_knows_is_a_bad_chain_and_no_other_error() -> None:
    block = x509.load_pem_x509_certificate(certificates(fullchain(new_key(), Wish(must_staple=True)))[0])
    der = block.public_bytes(Encoding.DER).replace(bytes.fromhex("3003020105"), bytes.fromhex("3003020100"))
    odd = b"-----BEGIN CERTIFICATE-----\n" + encodebytes(der) + b"-----END CERTIFICATE-----\n"
    with pytest.raises(BadChain, match="cannot be read as a certificate"):
        parse_leaf(odd)
