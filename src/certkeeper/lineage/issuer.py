"""The certificate of a leaf's issuer, from where the leaf says that it is (RFC 5280 §4.2.2.1): DER, or PEM."""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from certkeeper.lineage.integrity import served
from certkeeper.lineage.leaf import MALFORMED, load, to_der, unreadable
from certkeeper.lineage.model import BadChain
from certkeeper.lineage.pem import certificates

_NAME = "issuer's certificate"


def issuer_urls(leaf: bytes) -> tuple[str, ...]:
    """Where the leaf (PEM) says that its issuer's certificate is: the caIssuers URIs, in its order.

    Raises:
        BadChain: it cannot be read.
    """
    certificate = load(leaf)
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ()
    except MALFORMED as error:
        raise BadChain((unreadable(error),)) from error
    return tuple(
        item.access_location.value
        for item in access
        if item.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(item.access_location, x509.UniformResourceIdentifier)
    )


def read_issuer(leaf: bytes, answer: bytes, now: datetime) -> bytes:
    """The one certificate in what came from there, in PEM: it signed the leaf (PEM), and is a CA's that is valid now.

    Raises:
        BadChain: it is something else.
    """
    issuer = _one(answer)
    _, mismatches = served([to_der(leaf), issuer.public_bytes(Encoding.DER)], now)
    if mismatches:
        raise BadChain(mismatches, name=_NAME, answer=answer)
    return issuer.public_bytes(Encoding.PEM)


def _one(answer: bytes) -> x509.Certificate:
    blocks = certificates(answer)
    if len(blocks) > 1:
        raise BadChain((f"there are {len(blocks)} certificates, and one is expected",), name=_NAME, answer=answer)
    try:
        return load(blocks[0]) if blocks else x509.load_der_x509_certificate(answer)
    except BadChain as error:
        raise BadChain(error.mismatches, name=_NAME, answer=answer) from error
    except MALFORMED as error:
        raise BadChain((unreadable(error),), name=_NAME, answer=answer) from error
