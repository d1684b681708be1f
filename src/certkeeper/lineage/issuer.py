"""What came from where a leaf says that its issuer's certificate is (RFC 5280 §4.2.2.1), in DER or in PEM."""

from datetime import datetime

from certkeeper.lineage.integrity import served
from certkeeper.lineage.leaf import to_der, to_pem
from certkeeper.lineage.model import BadChain
from certkeeper.lineage.pem import certificates

_NAME = "issuer's certificate"


def read_issuer(leaf: bytes, answer: bytes, now: datetime) -> bytes:
    """The one certificate in it, in PEM: it signed the leaf (PEM), and is a CA's that is valid now.

    Raises:
        BadChain: it is something else.
    """
    try:
        issuer = _one(answer)
        _, mismatches = served([to_der(leaf), to_der(issuer)], now)
    except BadChain as error:
        raise BadChain(error.mismatches, name=_NAME, answer=answer) from error
    if mismatches:
        raise BadChain(mismatches, name=_NAME, answer=answer)
    return issuer


def _one(answer: bytes) -> bytes:
    blocks = certificates(answer)
    if len(blocks) > 1:
        raise BadChain((f"there are {len(blocks)} certificates, and one is expected",))
    return to_pem(to_der(blocks[0]) if blocks else answer)
