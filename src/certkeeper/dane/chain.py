"""What is in a chain: who signed whom, for which names, until when. Certificates in DER in, plain values out."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from certkeeper.base.errors import CertkeeperError, Fault, printable
from certkeeper.base.malformed import MALFORMED
from certkeeper.base.names import DnsName
from certkeeper.base.times import iso

_MOST_PATHS = 200
"""A hostile server could send certificates that all signed each other."""
_MOST_DEPTH = 10


class UnreadableChain(CertkeeperError):
    """A server sent what is no certificate."""

    label = "handshake"
    fault = Fault.REMOTE


class Chain:
    """The certificates that a server sent, the leaf first; the others in any order."""

    def __init__(self, ders: Sequence[bytes]) -> None:
        """Read them.

        Raises:
            UnreadableChain: there is none, or one cannot be read.
        """
        if not ders:
            raise UnreadableChain("chain: the server sent no certificate")
        self._certificates = [_loaded(der, position) for position, der in enumerate(ders)]
        self._signed: dict[tuple[int, int], bool] = {}

    def __len__(self) -> int:
        return len(self._certificates)

    def path_to(self, position: int, now: datetime) -> str:
        """Why the leaf does not lead to the certificate at that position, by signatures and dates; empty if it does."""
        trouble = "the leaf does not lead there"
        for path in islice(self._paths((0,)), _MOST_PATHS):
            if path[-1] == position:
                trouble = next(self._troubles(path, now), "")
                if not trouble:
                    return ""
        return trouble

    def is_for(self, names: Sequence[DnsName]) -> bool:
        """The leaf is valid for one of these names (RFC 6125 §6.4, no wildcard but the whole first label)."""
        try:
            found = self._certificates[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
            said = {text.lower().removesuffix(".") for text in found.value.get_values_for_type(x509.DNSName)}
        except (x509.ExtensionNotFound, *MALFORMED):
            return False
        return any(name.text in said or f"*.{name.parent.text}" in said for name in names)

    def _paths(self, path: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """All ways up from the leaf by names and signatures, none through a certificate twice."""
        if len(path) > 1:
            yield path
        if len(path) > _MOST_DEPTH:
            return
        for position in range(len(self._certificates)):
            if position not in path and self._is_signed(path[-1], position):
                yield from self._paths((*path, position))

    def _is_signed(self, position: int, issuer: int) -> bool:
        pair = (position, issuer)
        if pair not in self._signed:
            self._signed[pair] = _signed(self._certificates[position], self._certificates[issuer])
        return self._signed[pair]

    def _troubles(self, path: tuple[int, ...], now: datetime) -> Iterator[str]:
        for depth, position in enumerate(path):
            certificate = self._certificates[position]
            shown = "the leaf" if not position else f"certificate {position + 1}"
            try:
                if certificate.not_valid_after_utc < now:
                    yield f"{shown} expired at {iso(certificate.not_valid_after_utc)}"
                if certificate.not_valid_before_utc > now:
                    yield f"{shown} is not valid before {iso(certificate.not_valid_before_utc)}"
                if depth and (trouble := _no_authority(certificate, depth - 1)):
                    yield f"{shown} {trouble}"
            except MALFORMED as error:
                yield f"{shown} cannot be read ({printable(str(error), 80)})"


def no_authority(der: bytes) -> str:
    """Why a certificate cannot have signed a server's; empty where it can."""
    try:
        return _no_authority(x509.load_der_x509_certificate(der), 0)
    except MALFORMED:
        return "cannot be read"


def _loaded(der: bytes, position: int) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except MALFORMED as error:
        raise UnreadableChain(f"chain: certificate {position + 1} cannot be read") from error


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *MALFORMED):
        return False
    return True


def _no_authority(certificate: x509.Certificate, below: int) -> str:
    """Why it may not have signed what is below it (RFC 5280 §4.2.1.9); `below` are the CAs between it and the leaf."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return "" if certificate.version is x509.Version.v1 else "is no CA's"
    if not found.ca:
        return "is no CA's"
    if found.path_length is not None and found.path_length < below:
        return f"allows {found.path_length} CAs below it, and there are {below}"
    return ""
