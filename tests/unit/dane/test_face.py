"""Digests, compared with openssl's and cryptography's own."""

import base64
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from builders.certificates import fullchain, intermediate, new_key, root
from certkeeper.base.keys import KeyAlgorithm, KeyPair
from certkeeper.dane.der import NotDer, checked_spki, spki_of
from certkeeper.dane.face import chain_face, key_face
from certkeeper.dane.policy import ALL_TYPES
from certkeeper.dane.tlsa import Tlsa, TlsaType

EE = TlsaType(3, 1, 1)
TA = TlsaType(2, 1, 1)


def ders(pem: bytes) -> list[bytes]:
    return [item.public_bytes(Encoding.DER) for item in x509.load_pem_x509_certificates(pem)]


def spki(key: KeyPair) -> bytes:
    octets = key.private.public_key().public_bytes(  # type: ignore[attr-defined]
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert isinstance(octets, bytes)
    return octets


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_the_key_is_cut_out_of_the_certificate(algorithm: KeyAlgorithm) -> None:
    key = new_key(algorithm)
    (leaf, *_) = ders(fullchain(key))
    assert spki_of(leaf) == spki(key) == checked_spki(spki(key))


def test_openssl_says_the_same() -> None:
    (leaf, *_) = ders(fullchain(new_key()))
    text = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", "-pubkey"], input=leaf, capture_output=True, check=True
    )
    assert base64.b64decode(b"".join(text.stdout.splitlines()[1:-1])) == spki_of(leaf)


@pytest.mark.parametrize("at", range(0, 300, 7))
def test_what_breaks_off_is_no_certificate(at: int) -> None:
    (leaf, *_) = ders(fullchain(new_key()))
    with pytest.raises(NotDer):
        spki_of(leaf[:at])
    with pytest.raises(NotDer):
        spki_of(leaf + b"\x00")


@pytest.mark.parametrize("octets", [b"", b"\x30", b"\x30\x80\x00\x00", b"\x30\x02\x05\x00", b"text", b"\x30\x00"])
def test_what_is_no_public_key(octets: bytes) -> None:
    with pytest.raises(NotDer):
        checked_spki(octets)


def test_a_key_without_a_certificate_is_matched_by_what_is_about_keys() -> None:
    key = new_key()
    face = key_face(spki(key), [EE, TA, TlsaType(3, 0, 1)])
    assert face.key_id == key.key_id
    assert face.records == {Tlsa.of(EE, spki(key))}
    assert {record.type.word for record in face.matches} == {"110", "111", "112", "310", "311", "312"}
    assert face.knows(EE)
    assert not face.knows(TA)
    assert face.lacking([EE, TA]) == ()


def test_a_chain_is_matched_by_records_about_all_that_is_in_it() -> None:
    key = new_key()
    face = chain_face(ders(fullchain(key)), [EE, TA])
    assert {record.type for record in face.matches} == set(ALL_TYPES)
    about_cas = {Tlsa.of(TA, spki_of(ders(authority.pem)[0])) for authority in (intermediate(), root())}
    assert {record for record in face.matches if record.type == TA} == about_cas


def test_published_are_the_issuer_and_its_siblings_and_only_the_issuer_matches() -> None:
    sibling = ders(root().sub("Sibling").pem)[0]
    face = chain_face(ders(fullchain(new_key())), [TA], [sibling])
    issuer = Tlsa.of(TA, spki_of(ders(intermediate().pem)[0]))
    assert face.records == {issuer, Tlsa.of(TA, spki_of(sibling))}
    assert face.records & face.matches == {issuer}


def test_a_leaf_alone_has_no_record_about_a_ca() -> None:
    face = chain_face(ders(fullchain(new_key()))[:1], [EE, TA])
    assert {record.type for record in face.records} == {EE}
    assert face.lacking([EE, TA]) == (TA,)
