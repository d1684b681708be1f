"""Whatever bytes a CA, a disk or a person hands us: an answer or a BadChain, never another exception."""

import contextlib
from base64 import encodebytes

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from builders.certificates import NAMES, NOW, Wish, fullchain, new_key
from certkeeper.lineage import layout, pem
from certkeeper.lineage.integrity import check
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.model import BadChain

# cryptography warns of what it will refuse one day; here it is fed with exactly that.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")

KEY = new_key()
WHOLE = fullchain(KEY, Wish(ocsp_url="http://ocsp.example/", must_staple=True))
DERS = [x509.load_pem_x509_certificate(block).public_bytes(Encoding.DER) for block in pem.certificates(WHOLE)]


def as_pem(der: bytes) -> bytes:

    return b"-----BEGIN CERTIFICATE-----\n" + encodebytes(der) + b"-----END CERTIFICATE-----\n"


def tried(chain: bytes) -> None:
    with contextlib.suppress(BadChain):
        check(chain, key_id=KEY.key_id, identifiers=NAMES, now=NOW)
    with contextlib.suppress(BadChain):
        parse_leaf(chain)
    with contextlib.suppress(BadChain):
        pem.split_fullchain(chain)


@given(st.binary(max_size=300))
def test_any_bytes(text: bytes) -> None:
    tried(text)
    tried(as_pem(text))


@given(st.integers(0, 2), st.data())
def test_any_byte_of_a_certificate_changed(which: int, data: st.DataObject) -> None:
    der = bytearray(DERS[which])
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    tried(b"".join(as_pem(bytes(der) if place == which else good) for place, good in enumerate(DERS)))


@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE)))
def test_any_piece_of_a_chain(start: int, end: int) -> None:
    tried(WHOLE[min(start, end) : max(start, end)])


@given(st.lists(st.sampled_from([b"\n", b"\r\n", b" \n", b"# a remark\n", b"\t"]), max_size=5))
def test_what_stands_between_blocks_makes_no_difference(between: list[bytes]) -> None:
    dressed = b"".join(b"".join(between) + block for block in pem.certificates(WHOLE))
    assert pem.split_fullchain(dressed) == pem.split_fullchain(WHOLE)


@given(st.sampled_from(layout.NAMES), st.integers(0, 10**18))
def test_a_stamp_comes_back_from_its_name(name: str, stamp: int) -> None:
    assert layout.stamp_of(layout.stamped_name(name, stamp)) == stamp
    assert layout.live_stamp(layout.version_target(stamp)) == stamp
    assert layout.partial_stamps([layout.partial_name(stamp)]) == (stamp,)


@given(st.integers(0, 50), st.sets(st.integers(0, 50)))
def test_a_free_stamp_is_the_next_free_one(wanted: int, taken: set[int]) -> None:
    free = layout.free_stamp(wanted, taken)
    assert free not in taken
    assert set(range(wanted, free)) <= taken
