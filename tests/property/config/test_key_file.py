"""TSIG key files: what tsig-keygen writes is understood, anything else is a BadKey that keeps the secret."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.config.keyfile import ALGORITHMS, BadKey, TsigKey, algorithm, parse_key_file, secret
from certkeeper.config.settings import Secret

LABEL = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,10}[a-z0-9_])?", fullmatch=True)
NAME = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
SECRET = st.binary(min_size=1, max_size=64).map(lambda octets: b64encode(octets).decode())
BLANK = st.lists(
    st.sampled_from([" ", "\t", "\n", "\r\n", "# a comment\n", '// "another}\n', "/* of\nseveral { lines */"]),
    max_size=3,
).map("".join)


@st.composite
def key_files(draw: st.DrawFn) -> tuple[str, TsigKey]:
    name, word, text = draw(NAME), draw(st.sampled_from(ALGORITHMS)), draw(SECRET)
    quote = draw(st.sampled_from(['"', ""]))
    # A word ends at a blank: what follows it without one, a comment too, belongs to it.
    clauses = [f"algorithm {word} {draw(BLANK)};", f'secret {draw(BLANK)}"{text}"{draw(BLANK)};']
    if draw(st.booleans()):
        clauses.reverse()
    body = "".join(draw(BLANK) + clause for clause in clauses)
    end = draw(st.sampled_from([";", " ;", ""]))
    file = f"{draw(BLANK)}key {quote}{name}{quote} {draw(BLANK)}{{{body}{draw(BLANK)}}}{end}{draw(BLANK)}"
    return file, TsigKey(name, word, Secret(text))


@given(key_files())
def test_a_key_is_read_whatever_stands_around_it(case: tuple[str, TsigKey]) -> None:
    text, key = case
    assert parse_key_file(text) == key


@given(key_files(), st.data())
def test_a_file_that_was_cut_or_hit_is_a_key_or_an_error_without_the_secret(
    case: tuple[str, TsigKey], data: st.DataObject
) -> None:
    text, key = case
    at = data.draw(st.integers(0, len(text)))
    hit = data.draw(st.sampled_from(["", "{", "}", ";", '"', "\0", "key", "/*", "é"]))
    damaged = text[:at] + hit + text[at + data.draw(st.integers(0, 5)) :]
    outcome = attempt(damaged)
    if isinstance(outcome, TsigKey):
        assert outcome.algorithm in ALGORITHMS
    elif len(key.secret.reveal()) > 12:
        assert key.secret.reveal() not in str(outcome)


def attempt(text: str) -> TsigKey | BadKey:
    try:
        return parse_key_file(text)
    except BadKey as error:
        return error


@given(st.text(max_size=200))
def test_garbage_is_an_error(text: str) -> None:
    with pytest.raises(BadKey):
        parse_key_file(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no key"),
        ("# only a comment", "holds no key"),
        ('options { directory "/"; };', "does not start with key"),
        ('key "a" { algorithm hmac-sha256; secret "YWJj"; ', "has no }"),
        ('key "a" { algorithm hmac-sha256; };', "has no secret"),
        ('key "a" { secret "YWJj"; };', "has no algorithm"),
        ('key "a" { algorithm hmac-sha256; secret "YWJj"; secret "YWJj"; };', "has two of secret"),
        ('key "a" { algorithm hmac-sha256; secret "no base64"; };', "the secret is not base64"),
        ('key "a" { algorithm hmac-sha256; secret ""; };', "the secret is empty"),
        ('key "a" { algorithm rot13; secret "YWJj"; };', "algorithm 'rot13' is not known"),
        ('key "a b" { algorithm hmac-sha256; secret "YWJj"; };', "names no key"),
        ('key "" { algorithm hmac-sha256; secret "YWJj"; };', "names no key"),
        ('key "a" { algorithm hmac-sha256; secret "YWJj"; };\nkey "b" { };', "holds several keys"),
        ('key "a" { algorithm hmac-sha256; secret "YWJj"; }; zone x;', "holds more than a key"),
        ('key "a" { algorithm "hmac-sha256;\n secret "YWJj"; };', 'line 1: a " or a comment is not closed'),
        ('\nkey "a" { /* algorithm', 'line 2: a " or a comment is not closed'),
        ('key "a" { port 53; };', "holds something else than"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, said: str) -> None:
    with pytest.raises(BadKey) as raised:
        parse_key_file(text)
    assert said in str(raised.value)


def test_short_names_of_algorithms() -> None:
    assert algorithm("HMAC-MD5") == "hmac-md5.sig-alg.reg.int"
    assert algorithm("HMAC-SHA512.") == "hmac-sha512"


@given(SECRET)
def test_a_secret_is_not_shown(text: str) -> None:
    assert text not in repr(TsigKey("name", ALGORITHMS[0], secret(text))) or len(text) < 12
