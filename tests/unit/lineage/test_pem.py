import pytest

from builders.certificates import fullchain, intermediate, new_key, root
from certkeeper.lineage import pem
from certkeeper.lineage.model import BadChain

WHOLE = fullchain(new_key())
OTHER = fullchain(new_key())


def test_a_fullchain_is_leaf_and_rest() -> None:
    cert, chain = pem.split_fullchain(WHOLE)
    assert cert + chain == WHOLE
    assert chain == intermediate().pem + root().pem


@pytest.mark.parametrize(
    "dressed",
    [
        WHOLE.replace(b"\n", b"\r\n"),
        WHOLE.replace(b"-----END CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n\n\n"),
        b"\n\n" + WHOLE + b"\n",
        WHOLE.rstrip(b"\n"),
        b"subject=CN = x\n" + WHOLE.replace(b"-----BEGIN", b"issuer = y\n-----BEGIN"),
        b"\xef\xbb\xbf" + WHOLE,
    ],
    ids=["crlf", "blank lines", "blank ends", "no final newline", "openssl's remarks", "byte order mark"],
)
def test_dress_makes_no_difference(dressed: bytes) -> None:
    assert pem.split_fullchain(dressed) == pem.split_fullchain(WHOLE)


def test_a_leaf_alone_has_an_empty_chain() -> None:
    leaf = pem.certificates(WHOLE)[0]
    assert pem.split_fullchain(leaf) == (leaf, b"")


@pytest.mark.parametrize("text", [b"", b"\n", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n", new_key().pem])
def test_no_certificate_is_a_bad_chain(text: bytes) -> None:
    with pytest.raises(BadChain, match="holds no PEM certificate"):
        pem.split_fullchain(text)


def test_a_block_never_shows_its_text() -> None:
    key = new_key()
    (block,) = pem.blocks(key.pem)
    assert block.label == "EC PRIVATE KEY"
    assert key.pem.splitlines()[1].decode() not in repr(block)


def test_three_files_of_one_version_agree() -> None:
    cert, chain = pem.split_fullchain(WHOLE)
    assert pem.disagreement(cert, chain, WHOLE) == ""
    assert pem.disagreement(cert, chain, WHOLE.replace(b"\n", b"\r\n")) == ""
    assert pem.disagreement(cert, None, WHOLE) == ""
    assert pem.disagreement(cert, chain, None) == ""


def test_files_of_two_versions_disagree() -> None:
    cert, chain = pem.split_fullchain(WHOLE)
    assert pem.disagreement(cert, chain, OTHER).startswith("fullchain.pem does not start with")
    assert pem.disagreement(cert, intermediate().pem, WHOLE).startswith("chain.pem is not what follows")
