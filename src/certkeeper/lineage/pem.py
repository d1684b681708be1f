"""PEM as text (RFC 7468): blocks, and a CA's chain taken apart. What is inside a block is somebody else's business."""

from certkeeper.base.patterns import pattern
from certkeeper.base.value import dataclass, field
from certkeeper.lineage.model import BadChain

CERTIFICATE = "CERTIFICATE"

_BLOCK = pattern(
    rb"-----BEGIN (?P<label>[A-Z0-9 ]{1,40})-----(?P<body>[^-]*(?:-(?!----)[^-]*)*)-----END (?P=label)-----"
)


@dataclass(frozen=True, slots=True)
class PemBlock:
    """`text` is the whole block with LF line ends and a final one. It may be a private key: never in a repr."""

    label: str
    text: bytes = field(repr=False)


def blocks(text: bytes) -> tuple[PemBlock, ...]:
    """The complete blocks, in order; anything between them is passed over, as RFC 7468 §2 has it."""
    return tuple(PemBlock(match["label"].decode("ascii"), _tidy(match[0])) for match in _BLOCK.finditer(text))


def certificates(text: bytes) -> tuple[bytes, ...]:
    """Each certificate's block, in order."""
    return tuple(block.text for block in blocks(text) if block.label == CERTIFICATE)


def split_fullchain(fullchain: bytes) -> tuple[bytes, bytes]:
    """What goes into cert.pem and chain.pem: the first certificate (RFC 8555 §9.1), and those after it.

    Raises:
        BadChain: there is no certificate in it.
    """
    leaf, *rest = certificates(fullchain) or (b"",)
    if not leaf:
        raise BadChain(("holds no PEM certificate",))
    return leaf, b"".join(rest)


def disagreement(cert: bytes | None, chain: bytes | None, fullchain: bytes | None) -> str:
    """How the three files of one version contradict each other; empty where they do not. None is a missing file."""
    if fullchain is None or (cert is not None and chain is not None and fullchain == cert + chain):
        return ""
    whole = certificates(fullchain)
    if cert is not None and certificates(cert)[:1] != whole[:1]:
        return "fullchain.pem does not start with the certificate in cert.pem"
    if chain is not None and certificates(chain) != whole[1:]:
        return "chain.pem is not what follows the leaf in fullchain.pem"
    return ""


def _tidy(block: bytes) -> bytes:
    return b"".join(line.strip() + b"\n" for line in block.splitlines() if line.strip())
