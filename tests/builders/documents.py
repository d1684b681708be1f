"""What commands print with --json, held against the schemas that are shipped."""

import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

from certkeeper.cli.documents import VERSIONS

SCHEMAS = files("certkeeper") / "schemas"


def schema(name: str) -> dict[str, Any]:
    """As it is shipped: members that it does not name are allowed, since later ones add some."""
    found = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@cache
def _strict(name: str) -> Draft202012Validator:
    closed = _closed(schema(name))
    assert isinstance(closed, dict)
    return Draft202012Validator(closed)


def _closed(part: object) -> object:
    """The same where nothing but what is named may be there: what is printed is described."""
    if isinstance(part, list):
        return [_closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    closed = {key: _closed(value) for key, value in part.items()}
    if "properties" in part:
        closed["additionalProperties"] = False
    return closed


def check_document(text: str) -> None:
    """It says which schema it follows, and does."""
    document = json.loads(text)
    name = document["schema"].removeprefix("certkeeper/")
    assert list(document)[:2] == ["schema", "version"]
    assert document["version"] == VERSIONS[name]
    errors = sorted(_strict(name).iter_errors(document), key=lambda error: list(map(str, error.path)))
    assert not errors, "\n".join(f"{name} at {error.json_path}: {error.message[:300]}" for error in errors)


def members(name: str) -> Iterator[str]:
    """Every member that a schema promises, as a line: where it is, what it may be, whether it is always there."""
    whole = schema(name)
    yield from sorted(f"{name} {whole['properties']['version']['const']} {line}" for line in _members(whole, whole, ""))


def _members(part: Mapping[str, Any], whole: Mapping[str, Any], at: str) -> Iterator[str]:
    if "$ref" in part:
        part = whole["$defs"][part["$ref"].rpartition("/")[2]]
    for some in part.get("anyOf", ()):
        yield from _members(some, whole, at)
    for key, value in part.get("properties", {}).items():
        always = "" if key in part["required"] else " maybe"
        yield f"{at}.{key} {_kind(value, whole)}{always}"
        yield from _members(value, whole, f"{at}.{key}")
    if isinstance(part.get("items"), dict):
        yield from _members(part["items"], whole, f"{at}[]")
    if isinstance(part.get("additionalProperties"), dict):
        yield from _members(part["additionalProperties"], whole, f"{at}{{}}")


def _kind(part: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    if "$ref" in part:
        return _kind(whole["$defs"][part["$ref"].rpartition("/")[2]], whole)
    if "anyOf" in part:
        return "|".join(_kind(some, whole) for some in part["anyOf"])
    if "const" in part or "enum" in part:
        return json.dumps(part.get("enum", part.get("const")), separators=(",", ":"))
    kind = part.get("type", "any")
    return kind if isinstance(kind, str) else "|".join(kind)


if __name__ == "__main__":
    for each in VERSIONS:
        sys.stdout.write("".join(f"{line}\n" for line in members(each)))
