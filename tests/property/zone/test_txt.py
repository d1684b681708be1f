"""TXT rdata: any text survives, and one text has one form however a server prints it. dnspython is the judge."""

import dns.rdata
from dns.rdtypes.txtbase import TXTBase
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.zone.rrset import canonical_txt, txt_rdata

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=600) | st.text('ab"\\\x00\x7f09;', max_size=600)


def octets(rdata: str) -> tuple[bytes, ...]:
    read = dns.rdata.from_text("IN", "TXT", rdata)
    assert isinstance(read, TXTBase)
    return read.strings


@given(texts)
def test_a_text_comes_back_from_its_rdata(text: str) -> None:
    pieces = octets(txt_rdata(text))
    assert b"".join(pieces) == text.encode()
    assert all(len(piece) == 255 for piece in pieces[:-1])
    assert len(pieces[-1]) <= 255


@given(texts)
def test_our_own_form_is_canonical(text: str) -> None:
    assert canonical_txt(txt_rdata(text)) == txt_rdata(text)


@given(st.lists(st.binary(max_size=255), min_size=1, max_size=4))
def test_the_division_and_the_escapes_do_not_count(pieces: list[bytes]) -> None:
    numbers = " ".join('"' + "".join(f"\\{octet:03d}" for octet in piece) + '"' for piece in pieces)
    joined = b"".join(pieces)
    assert b"".join(octets(canonical_txt(numbers))) == joined
    whole = [joined[at : at + 255] for at in range(0, len(joined), 255)] or [b""]
    printed = " ".join('"' + "".join(f"\\{octet:03d}" for octet in piece) + '"' for piece in whole)
    assert canonical_txt(numbers) == canonical_txt(printed)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50) | st.text('"\\ a1', max_size=50))
def test_canonical_once_is_canonical(rdata: str) -> None:
    once = canonical_txt(rdata)
    assert canonical_txt(once) == once


@given(texts, texts)
def test_two_texts_never_look_alike(one: str, two: str) -> None:
    assert (txt_rdata(one) == txt_rdata(two)) == (one == two)
