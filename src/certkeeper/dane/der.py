"""The parts of a certificate that TLSA records are made of, cut out of its DER octet for octet.

A library that reads a key and writes it again may write it in another way than the CA did, and then the digest is
another one. So the octets are found by the lengths around them; a key of any algorithm will do.
"""

from certkeeper.base.errors import CertkeeperError, Fault

_SEQUENCE = 0x30
_VERSION = 0xA0
_BEFORE_THE_KEY = 5
"""Serial number, signature, issuer, validity, subject (RFC 5280 §4.1)."""


class NotDer(CertkeeperError):
    """Octets that are no certificate and no public key."""

    label = "key-or-chain"
    fault = Fault.OPERATOR


def spki_of(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate in DER.

    Raises:
        NotDer: it is no certificate.
    """
    at, end = _inside(certificate, 0)
    if end != len(certificate):
        raise NotDer("certificate: octets after its end")
    at, _ = _inside(certificate, at)
    if at < len(certificate) and certificate[at] == _VERSION:
        at = _element(certificate, at)[1]
    for _ in range(_BEFORE_THE_KEY):
        at = _element(certificate, at)[1]
    _inside(certificate, at)
    return certificate[at : _element(certificate, at)[1]]


def checked_spki(octets: bytes) -> bytes:
    """A SubjectPublicKeyInfo in DER, unchanged: a sequence of an algorithm and a bit string.

    Raises:
        NotDer: it is none.
    """
    at, end = _inside(octets, 0)
    after = _element(octets, at)[1]
    if end != len(octets) or octets[at] != _SEQUENCE or octets[after : after + 1] != b"\x03":
        raise NotDer("public key: no SubjectPublicKeyInfo")
    if _element(octets, after)[1] != end:
        raise NotDer("public key: octets after its end")
    return octets


def _inside(octets: bytes, at: int) -> tuple[int, int]:
    """Where the content of the sequence there begins and ends."""
    if at >= len(octets) or octets[at] != _SEQUENCE:
        raise NotDer("certificate: not DER where a sequence should begin")
    return _element(octets, at)


def _element(octets: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element there begins and ends (X.690 §8.1, definite lengths only)."""
    if at + 2 > len(octets):
        raise NotDer("certificate: DER that breaks off")
    length, start = octets[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise NotDer("certificate: a length that DER does not have")
        length = int.from_bytes(octets[start : start + count], "big")
        start += count
    if start + length > len(octets):
        raise NotDer("certificate: DER that breaks off")
    return start, start + length
