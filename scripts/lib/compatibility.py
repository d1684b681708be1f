"""docs/compatibility.md, from the rows in tests/compat/rows.toml and the tests that are marked with them.

Uses nothing but the standard library, so that it runs in a fresh checkout.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROWS = ROOT / "tests" / "compat" / "rows.toml"
DOCUMENT = ROOT / "docs" / "compatibility.md"

Rows = Mapping[str, Mapping[str, str]]
Shown = Mapping[str, Sequence[str]]

HEAD = """\
# Compatibility

What you can rely on when you come from dehydrated and pdns_api.sh, and which test shows it.
It is made by `scripts/compatibility` from `tests/compat/rows.toml` and the tests that are marked with its rows.

**Kept**: certkeeper does what dehydrated or pdns_api.sh does. **Fixed**: it does not, and "before" says what they do.
Most rows of a run are shown beside dehydrated 0.7.2 itself: the same scenario is played with both, on the same CA and \
with the same hook, and what is printed, the hook calls, the files and the exit codes are compared. That both can work \
on the same folders in turn is shown with 0.7.0 and 0.7.2.

"""


def read_rows() -> Rows:
    """By id, in the order of the file."""
    return tomllib.loads(ROWS.read_text(encoding="utf-8"))


def shown() -> Shown:
    """The tests that are marked with each row: their file below tests/, and their name."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.row(" not in text:
            continue
        where = path.relative_to(ROOT / "tests").as_posix()
        for name, row in _marks(ast.parse(text)):
            found.setdefault(row, []).append(f"{where} {name}".rstrip())
    return {row: tuple(dict.fromkeys(tests)) for row, tests in found.items()}


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The name of a test, a class or nothing (a whole file), and a row that it is marked with."""
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from ((node.name, row) for row in _rows_in(node.decorator_list))
            case ast.ClassDef():
                yield from ((node.name, row) for row in _rows_in(node.decorator_list))
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                        yield from ((f"{node.name}.{inner.name}", row) for row in _rows_in(inner.decorator_list))
            case _:
                yield from (("", row) for row in _rows_in([node]))


def _rows_in(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.row"):
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))


def document(rows: Rows, tests: Shown) -> str:
    """The whole text."""
    lines = [HEAD.rstrip("\n"), "", _sums(rows)]
    for area in dict.fromkeys(row["area"] for row in rows.values()):
        lines += ["", f"## {area}", "", "| row | case | what happens | | shown by |", "|---|---|---|---|---|"]
        lines += [_line(name, row, tests.get(name, ())) for name, row in rows.items() if row["area"] == area]
    return "\n".join(lines) + "\n"


def _sums(rows: Rows) -> str:
    kept = sum(1 for row in rows.values() if row["is"] == "kept")
    waiting = sum(1 for row in rows.values() if "waits" in row)
    later = f" {waiting} of them are not there yet." if waiting else ""
    return f"There are {len(rows)} rows: {kept} kept, {len(rows) - kept} fixed.{later}"


def _line(name: str, row: Mapping[str, str], tests: Sequence[str]) -> str:
    what = row["behaviour"] + (f" Before: {row['was']}." if "was" in row else "")
    by = f"not yet: it waits for {row['waits']}" if "waits" in row else "<br>".join(f"`{test}`" for test in tests)
    cells = (name, row["case"], what, row["is"], by)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def complaints(rows: Rows, tests: Shown) -> Iterator[str]:
    """What is wrong, one line each."""
    for name in sorted(set(tests) - set(rows)):
        yield f"{name}: no such row, and {tests[name][0]} is marked with it"
    for name, row in rows.items():
        if name not in tests and "waits" not in row:
            yield f"{name}: no test is marked with it, and it waits for nothing"
        if name in tests and "waits" in row:
            yield f"{name}: waits for {row['waits']}, and {tests[name][0]} is marked with it"
        yield from _shape(name, row)


def _shape(name: str, row: Mapping[str, Any]) -> Iterator[str]:
    if row.get("is") not in {"kept", "fixed"}:
        yield f"{name}: neither kept nor fixed"
    if (row.get("is") == "fixed") != ("was" in row):
        yield f"{name}: what was fixed says how it was, and nothing else does"


def main(words: Sequence[str]) -> int:
    """Write the document, or say what is wrong."""
    rows, tests = read_rows(), shown()
    text = document(rows, tests)
    if list(words) == ["--check"]:
        wrong = list(complaints(rows, tests))
        if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
            wrong.append("docs/compatibility.md is out of date: run scripts/compatibility")
        print("\n".join(wrong) or "docs/compatibility.md is up to date, and every row is shown or waits")
        return 1 if wrong else 0
    if words:
        print("usage: scripts/compatibility [--check]", file=sys.stderr)
        return 2
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
