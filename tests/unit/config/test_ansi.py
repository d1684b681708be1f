import pytest

from certkeeper.config.ansi import BadEscape, decode


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", ""),
        ("plain ä", "plain ä"),
        (r"\a\b\e\E\f\n\r\t\v\\\'\"\?", "\a\b\x1b\x1b\f\n\r\t\v\\'\"?"),
        (r"\x41\x7", "A\x07"),
        (r"\101\60", "A0"),
        (r"\u20ac\U1F600", "€\U0001f600"),
        (r"\xc3\xa4", "ä"),
    ],
)
def test_decodes(body: str, text: str) -> None:
    assert decode(body) == text


@pytest.mark.parametrize(
    "body", [r"\0", r"a\x00b", r"\q", r"\ca", r"\x", r"\400", r"\xc3", r"\ud800", r"\U110000", "\\"]
)
def test_refuses(body: str) -> None:
    with pytest.raises(BadEscape):
        decode(body)
