import pytest
from hypothesis import given
from hypothesis import strategies as st

from certkeeper.adapters.dns.lexicon_records import canonical_content, standing_at

OWNER = "_acme-challenge.www.example.org"


def record(name: str, content: str = "value", kind: str = "TXT") -> dict[str, object]:
    return {"type": kind, "name": name, "content": content, "id": 1}


@pytest.mark.parametrize("name", [OWNER, f"{OWNER}.", OWNER.upper(), "_acme-challenge.www"])
def test_the_owner_whatever_way_it_is_listed(name: str) -> None:
    assert standing_at(OWNER, "example.org", [record(name, "v")]) == {'"v"': "v"}


@pytest.mark.parametrize(
    "listed",
    [
        record("_acme-challenge.example.org"),
        record("www.example.org"),
        record("@"),
        record("example.org"),
        record("_acme-challenge"),
        record(OWNER, kind="CNAME"),
        {},
    ],
)
def test_what_stands_elsewhere_is_not_taken_for_it(listed: dict[str, object]) -> None:
    assert standing_at(OWNER, "example.org", [listed]) == {}


def test_the_domain_itself() -> None:
    assert standing_at("example.org", "example.org", [record("@", "a"), record("example.org.", "b")]) == {
        '"a"': "a",
        '"b"': "b",
    }


@pytest.mark.parametrize(
    ("content", "canonical"),
    [
        ("plain", '"plain"'),
        ('"quoted"', '"quoted"'),
        ('"two" "strings"', '"twostrings"'),
        ('two" "strings', '"twostrings"'),
        ("", '""'),
        ('half "quoted', r'"half \"quoted"'),
    ],
)
def test_contents(content: str, canonical: str) -> None:
    assert canonical_content(content) == canonical


@given(st.from_regex(r"[A-Za-z0-9_-]{1,100}", fullmatch=True))
def test_a_challenge_s_value_is_the_same_with_and_without_quotes(value: str) -> None:
    assert canonical_content(value) == canonical_content(f'"{value}"') == f'"{value}"'
