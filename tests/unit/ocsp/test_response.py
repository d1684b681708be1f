from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.ocsp import OCSPCertStatus, OCSPResponderEncoding, OCSPResponseStatus
from cryptography.x509.oid import ExtendedKeyUsageOID

from builders.certificates import NOW, intermediate, root
from builders.responder import LIFE, Says, Signer, answer, by_issuer, certificate, declined, delegate, ours
from certkeeper.ocsp.model import LARGEST, CertStatus, Flaw, NoStaple
from certkeeper.ocsp.response import verified

HOUR = timedelta(hours=1)


def refusal(der: bytes, nonce: bytes = b"") -> NoStaple:
    with pytest.raises(NoStaple) as caught:
        verified(der, ours(), NOW, nonce)
    return caught.value


def flaw(der: bytes, nonce: bytes = b"") -> Flaw:
    return refusal(der, nonce).flaw


def refused(der: bytes, expected: Flaw) -> NoStaple:
    """The refusal, which has to be for that reason."""
    found = refusal(der)
    assert found.flaw is expected, found
    return found


@pytest.mark.parametrize("by", OCSPResponderEncoding)
@pytest.mark.parametrize("signer", [by_issuer(), delegate()], ids=["issuer", "delegate"])
def test_a_good_response_by_the_issuer_or_its_delegate(signer: Signer, by: OCSPResponderEncoding) -> None:
    der = answer(ours(), Says(by=by), signer)
    staple = verified(der, ours(), NOW)
    assert staple.der == der
    assert staple.status is CertStatus.GOOD
    assert staple.this_update == NOW - HOUR
    assert staple.next_update == staple.until == NOW - HOUR + LIFE
    assert staple.life == LIFE
    assert staple.signer == signer.certificate.subject.rfc4514_string()


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()])
def test_delegates_with_other_kinds_of_keys(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> None:
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA512()
    assert verified(answer(ours(), Says(digest=digest), delegate(key=key)), ours(), NOW).status is CertStatus.GOOD


def test_revoked_and_unknown_are_told_as_they_are() -> None:
    says = Says(OCSPCertStatus.REVOKED, revoked_at=NOW - timedelta(days=2), reason=x509.ReasonFlags.key_compromise)
    staple = verified(answer(ours(), says), ours(), NOW)
    assert (staple.status, staple.revoked_at) == (CertStatus.REVOKED, NOW - timedelta(days=2))
    assert staple.revocation_reason == "keyCompromise"
    assert verified(answer(ours(), Says(OCSPCertStatus.UNKNOWN)), ours(), NOW).status is CertStatus.UNKNOWN


def test_a_response_ends_with_the_certificate_of_its_signer() -> None:
    staple = verified(answer(ours(), signer=delegate(not_after=NOW + HOUR)), ours(), NOW)
    assert (staple.until, staple.next_update) == (NOW + HOUR, NOW - HOUR + LIFE)


def test_somebody_who_may_not_speak_for_the_issuer() -> None:
    strangers = root().sub("Test Intermediate")
    assert "not for signing" in str(refused(answer(ours(), signer=delegate(usage=None)), Flaw.SIGNER))
    server = delegate(usage=ExtendedKeyUsageOID.SERVER_AUTH)
    assert "not for signing" in str(refused(answer(ours(), signer=server), Flaw.SIGNER))
    everything = delegate(usage=ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    assert "not for signing" in str(refused(answer(ours(), signer=everything), Flaw.SIGNER))
    # of the issuer's name, by the key of another one
    assert "not from" in str(refused(answer(ours(), signer=delegate(strangers)), Flaw.SIGNER))
    # of the issuer's issuer: it may have given the task for itself alone
    assert "not from" in str(refused(answer(ours(), signer=delegate(root())), Flaw.SIGNER))
    assert "good until" in str(refused(answer(ours(), signer=delegate(not_after=NOW - HOUR)), Flaw.SIGNER))
    assert "not yet" in str(refused(answer(ours(), signer=delegate(not_before=NOW + HOUR)), Flaw.SIGNER))
    unseen = delegate()
    assert flaw(answer(ours(), signer=Signer(unseen.certificate, unseen.key))) is Flaw.SIGNER
    assert flaw(answer(ours(), signer=by_issuer(root()))) is Flaw.SIGNER


def test_a_signature_by_another_key_than_it_says() -> None:
    by_name = Says(by=OCSPResponderEncoding.NAME)
    namesake = root().sub("Test Intermediate")
    assert flaw(answer(ours(), by_name, by_issuer(namesake))) is Flaw.SIGNATURE
    good = bytearray(answer(ours()))
    good[-1] ^= 1
    assert flaw(bytes(good)) is Flaw.SIGNATURE
    # a delegate's certificate that is good, and somebody else's key
    other = delegate()
    assert flaw(answer(ours(), by_name, Signer(other.certificate, other.key, delegate().along))) is Flaw.SIGNATURE


def test_the_one_that_really_signed_counts_of_two_with_one_name() -> None:
    first, second = delegate(), delegate()
    both = Signer(second.certificate, second.key, (first.certificate, second.certificate))
    assert verified(answer(ours(), Says(by=OCSPResponderEncoding.NAME), both), ours(), NOW).status is CertStatus.GOOD


def test_a_digest_that_proves_nothing() -> None:
    der = answer(ours())
    sha256, sha1 = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06072a8648ce3d0401")
    assert sha256 in der
    # of the same length, since what is outside the signed part counts octets
    md5like = sha256[:-1] + b"\x01"
    assert len(md5like) == len(sha256) != len(sha1)
    loaded = ocsp.load_der_ocsp_response(der.replace(sha256, md5like))
    assert isinstance(loaded.signature_hash_algorithm, hashes.SHA224)
    assert flaw(der.replace(sha256, md5like)) is Flaw.SIGNATURE


def test_another_certificate() -> None:
    assert flaw(answer(certificate())) is Flaw.OTHER_CERTIFICATE
    # RFC 5019 has SHA-1, and clients look for what they asked about
    assert flaw(answer(ours(), Says(id_digest=hashes.SHA256()))) is Flaw.OTHER_CERTIFICATE


def test_times() -> None:
    ahead = Says(this_update=NOW + timedelta(minutes=4), next_update=NOW + LIFE)
    assert verified(answer(ours(), ahead), ours(), NOW).this_update == NOW + timedelta(minutes=4)
    assert flaw(answer(ours(), Says(this_update=NOW + timedelta(minutes=6), next_update=NOW + LIFE))) is Flaw.NOT_YET
    assert flaw(answer(ours(), Says(next_update=NOW))) is Flaw.EXPIRED
    assert "timedatectl" in refused(answer(ours(), Says(next_update=NOW - timedelta(seconds=1))), Flaw.EXPIRED).hint
    assert flaw(answer(ours(), Says(next_update=None))) is Flaw.NO_END


@pytest.mark.parametrize("status", [item for item in OCSPResponseStatus if item is not OCSPResponseStatus.SUCCESSFUL])
def test_a_responder_that_declines(status: OCSPResponseStatus) -> None:
    assert status.name.lower() in str(refused(declined(status), Flaw.DECLINED))


def test_nonces() -> None:
    der = answer(ours(), Says(nonce=b"0123456789abcdef"))
    assert verified(der, ours(), NOW, b"0123456789abcdef").der == der
    # Responders that answer from a cache leave it out.
    assert verified(answer(ours()), ours(), NOW, b"0123456789abcdef").status is CertStatus.GOOD
    assert verified(der, ours(), NOW).status is CertStatus.GOOD
    assert flaw(der, b"another nonce of ours") is Flaw.NONCE


def test_what_is_no_response() -> None:
    for junk in (b"", b"<html>", b"\x30\x03\x0a\x01\x00", answer(ours())[:-20], answer(ours()) + b"\x00"):
        assert flaw(junk) is Flaw.MALFORMED
    assert flaw(b"\x30" * (LARGEST + 1)) is Flaw.TOO_LARGE
    assert flaw(answer(ours(), Says(critical=True))) is Flaw.MALFORMED


def test_one_that_ends_when_it_begins() -> None:
    ahead = NOW + timedelta(minutes=4)
    found = refused(answer(ours(), Says(this_update=ahead, next_update=ahead)), Flaw.MALFORMED)
    assert "before it begins" in str(found)


def by_hash(name_hash: bytes, key_hash: bytes, serial: int) -> bytes:
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        name_hash, key_hash, serial, Says().id_digest, OCSPCertStatus.GOOD, NOW, NOW + LIFE, None, None
    )
    builder = builder.responder_id(OCSPResponderEncoding.HASH, intermediate().certificate)
    return builder.sign(intermediate().key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_each_part_of_the_name_counts() -> None:
    wanted = ours().cert_id
    whole = (wanted.issuer_name_hash, wanted.issuer_key_hash, wanted.serial)
    assert verified(by_hash(*whole), ours(), NOW).status is CertStatus.GOOD
    assert flaw(by_hash(b"n" * 20, *whole[1:])) is Flaw.OTHER_CERTIFICATE
    assert flaw(by_hash(whole[0], b"k" * 20, whole[2])) is Flaw.OTHER_CERTIFICATE
    assert flaw(by_hash(*whole[:2], whole[2] + 1)) is Flaw.OTHER_CERTIFICATE


def element(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content).to_bytes(2).lstrip(b"\0")
    return bytes([tag, *([0x80 | len(size)] if len(content) > 0x7F else []), *size]) + content


def elements(content: bytes) -> list[bytes]:
    """The elements of a DER sequence's content, each as it stands there."""
    found = []
    while content:
        size, head = content[1], 2
        if size & 0x80:
            head += size & 0x7F
            size = int.from_bytes(content[2:head])
        found.append(content[: head + size])
        content = content[head + size :]
    return found


def inside(whole: bytes) -> bytes:
    return whole[2 + (whole[1] & 0x7F if whole[1] & 0x80 else 0) :]


def signed(singles: list[bytes]) -> bytes:
    """A response about more than one certificate, which cryptography makes none of."""
    model = ocsp.load_der_ocsp_response(answer(ours()))
    responder, produced, *_ = elements(inside(model.tbs_response_bytes))
    content = element(0x30, responder, produced, element(0x30, *singles))
    signature = intermediate().key.sign(content, ec.ECDSA(hashes.SHA256()))  # type: ignore[call-arg, arg-type]
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    basic = element(0x30, content, algorithm, element(0x03, b"\0", signature))
    kind = bytes.fromhex("06092b0601050507300101")
    return element(0x30, b"\x0a\x01\x00", element(0xA0, element(0x30, kind, element(0x04, basic))))


def single_of(der: bytes) -> bytes:
    whole = ocsp.load_der_ocsp_response(der).tbs_response_bytes
    return inside(elements(inside(whole))[2])


def test_ours_is_found_among_others_and_has_to_be_said_once() -> None:
    mine, others = single_of(answer(ours())), single_of(answer(certificate()))
    revoked = single_of(answer(ours(), Says(OCSPCertStatus.REVOKED)))
    assert verified(signed([others, mine]), ours(), NOW).status is CertStatus.GOOD
    assert flaw(signed([others])) is Flaw.OTHER_CERTIFICATE
    assert flaw(signed([mine, revoked])) is Flaw.MALFORMED
