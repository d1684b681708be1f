"""The schemas of what commands print with --json."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from builders.documents import SCHEMAS, check_document, members, schema
from certkeeper.cli.arguments import build_parser
from certkeeper.cli.documents import VERSIONS, write_document
from certkeeper.config.findings import Severity

PROMISED = Path(__file__).resolve().parents[2] / "data" / "schemas.txt"
REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "json.md"
# The document of a command that is not called as its schema is.
OTHERS = {"account show": "account", "ocsp show": "ocsp", "ocsp fetch": "ocsp", "ocsp check": "ocsp"}


def test_there_is_one_for_each_document() -> None:
    assert {path.name for path in SCHEMAS.iterdir()} == {f"{name}.json" for name in VERSIONS}


@pytest.mark.parametrize("name", VERSIONS)
def test_it_is_a_schema_of_that_name_and_version(name: str) -> None:
    found = schema(name)
    Draft202012Validator.check_schema(found)
    assert found["title"] == f"certkeeper/{name}"
    assert found["properties"]["schema"] == {"const": f"certkeeper/{name}"}
    assert found["properties"]["version"] == {"const": VERSIONS[name]}


@pytest.mark.parametrize("name", VERSIONS)
def test_what_was_promised_is_kept(name: str) -> None:
    """Within a version members are only added. One that goes or changes makes the next version; what is new is promised
    by writing `members` of every schema into the file.
    """
    promised = [line for line in PROMISED.read_text().splitlines() if line.startswith(f"{name} {VERSIONS[name]} ")]
    assert promised, f"tests/data/schemas.txt has nothing of {name} {VERSIONS[name]}: python -m builders.documents"
    assert sorted(set(promised) - set(members(name))) == []


def test_whatever_prints_json_has_a_schema_and_is_in_the_reference() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    commands = set(with_json(build_parser()))
    assert len(commands) >= len(VERSIONS)
    for command in commands:
        name = OTHERS.get(command, command.replace(" ", "-"))
        assert name in VERSIONS, command
        assert f"| `{command}` | `certkeeper/{name}` | {VERSIONS[name]} |" in text


def with_json(parser: argparse.ArgumentParser, before: str = "") -> Iterator[str]:
    for action in parser._actions:
        if "--json" in action.option_strings:
            yield before
        if isinstance(action, argparse._SubParsersAction):
            for word, part in action.choices.items():
                yield from with_json(part, f"{before} {word}".strip())


def test_a_document_says_first_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    write_document("config-check", {"findings": []})
    said = capsys.readouterr().out
    assert json.loads(said) == {"schema": "certkeeper/config-check", "version": 1, "findings": []}
    check_document(said)


@pytest.mark.parametrize("more", [{}, {"findings": [], "other": 1}, {"findings": [{"severity": Severity.ERROR}]}])
def test_the_tests_see_what_is_missing_and_what_is_not_described(
    more: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    write_document("config-check", more)
    with pytest.raises(AssertionError, match="config-check at"):
        check_document(capsys.readouterr().out)
