"""What code outside the rim may do: reads one module's syntax tree and names every line that breaks the house's rules.

The rules are an allow-list: what nobody thought of is refused until somebody writes down where it may be used.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

# Folders that may touch the machine. Everything else is values in, values out.
RIM = ("adapters/", "daemon/", "cli/")
COMPOSER = "cli/compose/"
BEFORE_ALL_ELSE = {
    "certkeeper.adapters.aftercalm",
    "certkeeper.adapters.aftercalm.tell",
    "certkeeper.adapters.calm",
    "certkeeper.adapters.calm.recall",
}
"""What cli/main.py asks before it imports anything else."""
ADAPTERS = "certkeeper.adapters"

# Standard modules that only make values of values.
VALUES = frozenset(
    {
        "__future__",
        "abc",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "contextlib",
        "dataclasses",
        "datetime",
        "enum",
        "functools",
        "hashlib",
        "hmac",
        "heapq",
        "ipaddress",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "textwrap",
        "reprlib",
        "string",
        "struct",
        "tomllib",
        "types",
        "typing",
        "urllib.parse",
    }
)
CRYPTOGRAPHY_IN = (
    "base/malformed.py",
    "acme/jws.py",
    "acme/alpn.py",
    "lineage/leaf.py",
    "lineage/csr.py",
    "lineage/integrity.py",
    "dane/chain.py",
    "ocsp/request.py",
    "ocsp/response.py",
)
DNS_IN = ("zone/", "dane/")
DNS_MODULES = ("dns.name", "dns.rdata", "dns.dnssec")
# Too slow to load for everybody: only inside functions, and only there.
INSIDE_FUNCTIONS = {"idna": ("base/names.py",), "email.utils": ("",)}

# Compiles what a class needs when it is first used; no text of anybody's comes into it.
MAKES_CODE = "base/value.py"
BUILT_INS = frozenset({"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint"})
ATTRIBUTES = {
    "now": "reads the clock",
    "utcnow": "reads the clock",
    "today": "reads the clock",
    "generate_private_key": "makes a key",
    "environ": "reads the environment",
    "getenv": "reads the environment",
}


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module; `names` are what is taken out of it, empty for a plain `import`."""

    module: str
    names: tuple[str, ...]
    line: int
    in_function: bool

    @property
    def modules(self) -> tuple[str, ...]:
        """What is loaded at most: `from a import b` may mean the module a.b."""
        return (self.module, *(f"{self.module}.{name}" for name in self.names))


def impurities(source: str, file: str) -> list[Violation]:
    """What a module outside the rim does that only the rim may do; `file` is relative to the package."""
    if file.startswith(RIM):
        return []
    tree = ast.parse(source, file)
    found = [
        Violation(file, item.line, text)
        for item in imports_of(tree, file)
        if (text := _import_trouble(item, file)) is not None
    ]
    found += [Violation(file, line, text) for line, text in _uses(tree, file)]
    return sorted(found)


def adapters_named(source: str, file: str) -> list[Violation]:
    """Imports of certkeeper.adapters outside adapters/ and the composer, inside functions too."""
    if file.startswith(("adapters/", COMPOSER)):
        return []
    return [
        Violation(file, item.line, f"names {ADAPTERS}, which only {COMPOSER} may")
        for item in imports_of(ast.parse(source, file), file)
        if any(_is_or_is_in(module, ADAPTERS) for module in item.modules)
        and not (file == "cli/main.py" and set(item.modules) <= BEFORE_ALL_ELSE)
    ]


def too_long(source: str, file: str, *, lines: int, function_lines: int) -> list[Violation]:
    """A file or a function that nobody reads in one go."""
    count = len(source.splitlines())
    found = [Violation(file, count, f"{count} lines, more than {lines}")] if count > lines else []
    for node in ast.walk(ast.parse(source, file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > function_lines:
                found.append(Violation(file, node.lineno, f"{node.name}: {length} lines, more than {function_lines}"))
    return found


def troubles_of_a_test(source: str, file: str) -> list[Violation]:
    """Fixed sleeps and mocks in a test file, however they were imported."""
    tree = ast.parse(source, file)
    found = []
    for item in imports_of(tree, file):
        if item.module == "time" and "sleep" in item.names:
            found.append(Violation(file, item.line, "imports time.sleep: wait for a condition"))
        if any(_is_or_is_in(module, "unittest.mock") or _is_or_is_in(module, "mock") for module in item.modules):
            found.append(Violation(file, item.line, "imports mock: use the real thing or a value"))
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="time"), attr="sleep"):
                found.append(Violation(file, node.lineno, "calls time.sleep: wait for a condition"))
            case ast.Attribute(value=ast.Name(id="mock" | "mocker"), attr=_):
                found.append(Violation(file, node.lineno, "uses mock: use the real thing or a value"))
            case _:
                pass
    return sorted(found)


def imports_of(tree: ast.Module, file: str) -> Iterator[Import]:
    """Every import of a module, with relative ones written out."""
    for node, in_function in _walk(tree, in_function=False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, (), node.lineno, in_function)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield Import(_absolute(node, file), names, node.lineno, in_function)


def _walk(node: ast.AST, *, in_function: bool) -> Iterator[tuple[ast.AST, bool]]:
    inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield child, inside
        yield from _walk(child, in_function=inside)


def _absolute(node: ast.ImportFrom, file: str) -> str:
    if not node.level:
        return node.module or ""
    package = ["certkeeper", *file.split("/")[:-1]]
    base = package[: len(package) - (node.level - 1)]
    return ".".join([*base, *([node.module] if node.module else [])])


def _import_trouble(item: Import, file: str) -> str | None:
    module = item.module
    if _is_or_is_in(module, "certkeeper"):
        return None
    for slow, files in INSIDE_FUNCTIONS.items():
        if slow in item.modules:
            if not file.startswith(files):
                return f"imports {slow}, which only {', '.join(files)} may"
            return None if item.in_function else f"imports {slow} outside a function"
    if _is_or_is_in(module, "cryptography"):
        return None if file in CRYPTOGRAPHY_IN else f"imports {module}, which only {', '.join(CRYPTOGRAPHY_IN)} may"
    if _is_or_is_in(module, "dns"):
        return _dns_trouble(item, file)
    # A part of an allowed package is allowed, but urllib.parse does not allow urllib.
    if any(_is_or_is_in(module, allowed) for allowed in VALUES):
        return None
    if item.names and all(f"{module}.{name}" in VALUES for name in item.names):
        return None
    return f"imports {module}, which is not on the list"


def _dns_trouble(item: Import, file: str) -> str | None:
    if not file.startswith(DNS_IN):
        return f"imports {item.module}, which only {', '.join(DNS_IN)} may"
    taken = item.modules[1:] if item.module == "dns" else item.modules[:1]
    if taken and all(any(_is_or_is_in(module, allowed) for allowed in DNS_MODULES) for module in taken):
        return None
    return f"imports {', '.join(taken or item.modules)}: of dnspython only {', '.join(DNS_MODULES)}"


def _uses(tree: ast.Module, file: str) -> Iterator[tuple[int, str]]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id="exec") if file == MAKES_CODE:
                continue
            case ast.Name(id=name) if name in BUILT_INS:
                yield node.lineno, f"uses {name}"
            case ast.Attribute(attr=name) if name in ATTRIBUTES and not _is_a_value(node, called=id(node) in called):
                yield node.lineno, f"uses .{name}, which {ATTRIBUTES[name]}"
            case ast.ImportFrom(names=names):
                for alias in names:
                    if alias.name in {"generate_private_key", "environ", "getenv"}:
                        yield node.lineno, f"imports {alias.name}, which {ATTRIBUTES[alias.name]}"
            case _:
                pass


def _is_a_value(node: ast.Attribute, *, called: bool) -> bool:
    """What is only called like a clock: `observed.now` is a value, and `ports.clock.now()` asks the port."""
    if node.attr not in {"now", "today"}:
        return False
    match node.value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in {"clock", "_clock"} if called else name.lower() not in {"datetime", "date"}
        case _:
            return not called


def _is_or_is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")
