"""What is said of settings in dehydrated's form, in that of certkeeper.toml: all that the source can say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import certkeeper
from certkeeper.config.kinds import Kind, kind_of
from certkeeper.config.native import parse_native
from certkeeper.config.spelling import SHELLS_OWN, as_native
from certkeeper.config.variables import KNOWN, LEGACY_PDNS

_ASSIGNED = re.compile(r'(?<![\w/$.{-])([A-Z][A-Z0-9_]+)=(?:"[^"]*"|[a-z0-9])')
_OURS = KNOWN.difference(LEGACY_PDNS, SHELLS_OWN)


def _texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """String literals; of an f-string what it can be: a setting before `=`, else a mark."""
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(_parts(node))


def _parts(node: ast.JoinedStr) -> Iterator[str]:
    following = [part.value if isinstance(part, ast.Constant) else "" for part in node.values[1:]]
    for part, after in zip(node.values, [*following, ""], strict=True):
        if isinstance(part, ast.Constant):
            yield str(part.value)
        else:
            yield "KEY_MODE" if str(after).startswith('="') else "…"


def _hints() -> list[tuple[str, str]]:
    """Every text of the source that assigns a setting, with its place."""
    root = Path(certkeeper.__file__).parent
    found = []
    for file in sorted(root.rglob("*.py")):
        for line, text in _texts(ast.parse(file.read_text(encoding="utf-8"))):
            if {name for name in _ASSIGNED.findall(text) if name in _OURS}:
                found.append((f"{file.relative_to(root)}:{line}", text))
    return found


HINTS = _hints()


def test_the_source_has_hints() -> None:
    assert len(HINTS) > 50
    assert any("CERT_GROUP" in text for _, text in HINTS)


@pytest.mark.parametrize(("place", "text"), HINTS, ids=[place for place, _ in HINTS])
def test_every_hint_can_be_said_in_the_form_of_a_toml(place: str, text: str) -> None:
    said = as_native(text)
    left = {found[1] for found in _ASSIGNED.finditer(said)}
    assert not left & _OURS, place
    assert as_native(said) == said, place
    for found in _ASSIGNED.finditer(text):
        name = found[1]
        if name in _OURS:
            alone = as_native(found[0] if found[0].endswith('"') else _whole(text, found))
            assert alone in said, place
            native = parse_native("certkeeper.toml", alone)
            assert [item.name for item in native.page] == [name], place
            assert not [item for item in native.findings if item.code == "unknown-setting"], place


def _whole(text: str, found: re.Match[str]) -> str:
    """An assignment without quotes, to its last character."""
    return re.split(r'[\s",;:]', text[found.start() :], maxsplit=1)[0]


@pytest.mark.parametrize("name", sorted(_OURS))
def test_every_setting_is_written_in_its_own_type(name: str) -> None:
    value = {Kind.TRUTH: "yes", Kind.NUMBER: "30", Kind.WORDS: "a b", Kind.TEXT: "text"}[kind_of(name)]
    said = as_native(f'write {name}="{value}"').removeprefix("write ")
    written = {Kind.TRUTH: "true", Kind.NUMBER: "30", Kind.WORDS: '["a", "b"]', Kind.TEXT: '"text"'}[kind_of(name)]
    assert said == f"{name.lower()} = {written}"
    (assignment,) = parse_native("certkeeper.toml", said).page
    assert (assignment.name, assignment.value) == (name, value)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ('write CERT_GROUP="ssl-cert", or KEY_MODE="0600"', 'write cert_group = "ssl-cert", or key_mode = "0600"'),
        ("set OCSP_MUST_STAPLE=no", "set ocsp_must_staple = false"),
        ('write RENEW_DAYS="32"', "write renew_days = 32"),
        ('RENEW_DAYS="…"', 'renew_days = "…"'),
        ('ORDER_RATE="300/3h", or "no"', 'order_rate = "300/3h", or "no"'),
        ("PDNS_HOST and PDNS_KEY are not set", "pdns_host and pdns_key are not set"),
        ("x.toml:3: CA: 'x' is no URL", "x.toml:3: ca: 'x' is no URL"),
        ("the CA moved: set CA to x", "the CA moved: set ca to x"),
        ("LEXICON_PROVIDER and LEXICON_X_TOKEN=a", 'lexicon_provider and lexicon_x_token = "a"'),
        ("name its provider in a file of ZONES_D", 'name its provider in a table [zone."NAME"]'),
    ],
)
def test_what_is_said_of_a_page(theirs: str, ours: str) -> None:
    assert as_native(theirs) == ours


@pytest.mark.parametrize(
    "text",
    [
        "the CA finds no TLSA record; ARI is what the API says",
        "$PDNS_KEY of the environment, /etc/HOOK/x and --HOOK",
        "set API-RECTIFY to 1",
        "RENEW_DAYS: not a setting; did you mean renew_days?",
        "key_mode: 'KEY_MODE' is no mode",
        'write HOST="…"',
        "-----BEGIN PRIVATE KEY-----",
        "",
    ],
)
def test_what_is_no_setting_of_the_page_stays(text: str) -> None:
    assert as_native(text) == text
