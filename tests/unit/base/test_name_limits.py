"""Names at their limits: IDNA, lengths, and what must not pass as a name, an address or a folder."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.base.names import Alias, DnsName, Identifier, InvalidName

T = TypeVar("T")
LABEL_63 = "a" * 63
NAME_253 = ".".join([LABEL_63, LABEL_63, LABEL_63, "a" * 61])
WRITTEN = st.text("aAzZ09-_.*üß例。\u0308\u200d\ud800☃ \t\n\0/\\:%ip", max_size=40) | st.text(max_size=20)


def outcome(parse: Callable[[str], T], text: str) -> T | InvalidName:
    try:
        return parse(text)
    except InvalidName as error:
        return error


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("faß.example", "xn--fa-hia.example", id="IDNA 2008 keeps the sharp s"),
        pytest.param("bu\u0308cher.example", "xn--bcher-kva.example", id="decomposed"),
        pytest.param("例え。テスト", "xn--r8jz45g.xn--zckzah", id="an ideographic full stop"),
        pytest.param("XN--BCHER-KVA.example.", "xn--bcher-kva.example", id="already encoded"),
        pytest.param("bücher.example.", "xn--bcher-kva.example", id="a final dot"),
        pytest.param(NAME_253, NAME_253, id="253 characters"),
        pytest.param(NAME_253 + ".", NAME_253, id="253 characters and a final dot"),
        pytest.param(LABEL_63 + ".org", LABEL_63 + ".org", id="a label of 63"),
        pytest.param("a--b.example.org", "a--b.example.org", id="two hyphens"),
    ],
)
def test_a_name_is_read_as_people_write_it(text: str, name: str) -> None:
    assert DnsName.parse(text).text == name
    assert DnsName.parse(name).text == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a..b", "empty label"),
        (".a.b", "empty label"),
        ("-a.org", "holds a character"),
        ("a" * 64 + ".org", "longer than 63"),
        ("b" + NAME_253, "longer than 253"),
        ("a" * 100_000, "longer than 253"),
        ("☃.example", "not allowed"),
        ("\ud800.example", ""),
        ("\u200d.example", ""),
        ("ü" * 64 + ".example", ""),
        ("ü..example", ""),
    ],
)
def test_text_that_is_no_name_is_refused_with_a_short_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidName) as caught:
        DnsName.parse(text)
    assert reason in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@given(WRITTEN)
def test_any_text_is_a_name_or_invalid_and_a_name_reads_back_as_itself(text: str) -> None:
    name = outcome(DnsName.parse, text)
    if isinstance(name, InvalidName):
        assert str(name).isprintable()
        return
    assert name.text.isascii()
    assert name.text == name.text.lower()
    assert DnsName.parse(name.text) == name
    assert DnsName.parse(name.absolute) == name


@given(WRITTEN | WRITTEN.map("*.{}.org".format) | WRITTEN.map("{}.example.org".format))
def test_any_text_is_an_identifier_or_invalid_and_an_identifier_reads_back_as_itself(text: str) -> None:
    identifier = outcome(Identifier.parse, text)
    if isinstance(identifier, InvalidName):
        assert str(identifier).isprintable()
        return
    assert Identifier.parse(str(identifier)) == identifier


@given(WRITTEN)
def test_any_text_is_one_path_component_or_no_alias(text: str) -> None:
    alias = outcome(Alias.parse, text)
    if isinstance(alias, InvalidName):
        assert str(alias).isprintable()
        return
    assert alias.text == text
    assert text.isprintable()
    assert not set(text) & {"/", "\0", " "}
    assert text[0] not in ".-"


@pytest.mark.parametrize("text", ["a" * 256, "ü" * 128])
def test_an_alias_too_long_for_a_folder_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        Alias.parse(text)


def test_an_alias_may_be_as_long_as_a_name() -> None:
    assert Alias.parse(NAME_253).text == NAME_253


def test_a_wildcard_without_an_alias_gets_told_what_to_type() -> None:
    with pytest.raises(InvalidName) as caught:
        Alias.parse("*.example.org")
    assert caught.value.hint == "add an alias at the end of the line: *.example.org > NAME"
