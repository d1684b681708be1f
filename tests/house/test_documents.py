"""The documents say what is there: settings, paths, modules, commands; and nothing about one machine or its people."""

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from certkeeper import __version__
from certkeeper.cli.arguments import build_parser
from certkeeper.config.kinds import NUMBERS, OUR_DEFAULTS, TRUTHS, WORDS
from certkeeper.config.targets import KEYS
from certkeeper.config.variables import DEFAULTS, KNOWN, LEGACY_PDNS, PER_CERTIFICATE
from certkeeper.service.kinds import BUILT_IN, built_in
from certkeeper.service.target import Target

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "certkeeper"
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
SETTINGS = ROOT / "docs" / "settings.md"
DEPLOY = ROOT / "docs" / "deploy.md"
MAN_PAGE = ROOT / "docs" / "certkeeper.1"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.*")])
MARKDOWN = [document for document in DOCUMENTS if document.suffix == ".md"]

# Names that are in the documents as examples of files on the operator's machine, not in the checkout.
ELSEWHERE = re.compile(
    r"^(certs|accounts|CERTDIR|ACCOUNTDIR|DOMAINS_D|CONFIG_D|domains\.txt\.d)/|^[~./$<]|^https?:|[*<>…]"
)
PATH = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+|[A-Za-z0-9_-]+\.(?:py|toml|sh)")
OTHERS_PATHS = frozenset({"pdns_api.sh", "certkeeper.toml"})
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:work|root|home)\b"),
    "a way of working that readers do not share": re.compile(
        r"\bsessions?\b(?!\.py)|\bissue #|\btracker\b", re.IGNORECASE
    ),
    "where packages come from": re.compile(r"\bpypi\b|\bdeb\.debian\b|://[^\s/]*mirror", re.IGNORECASE),
}


def ids(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_a_document_is_for_every_reader(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    found = {reason: pattern.findall(text) for reason, pattern in FORBIDDEN.items() if pattern.search(text)}
    assert not found


@pytest.mark.parametrize("document", MARKDOWN, ids=ids)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        leads_to = document.parent / path if path else document
        assert leads_to.exists(), target
        if anchor:
            assert anchor in anchors(leads_to.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    """What a heading is linked to by, as Git forges make it."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


class TestSettings:
    def test_every_variable_is_described_once(self) -> None:
        names = [name for name, _ in settings_rows()]
        assert sorted(names) == sorted(KNOWN | PER_CERTIFICATE)

    def test_it_says_what_a_certificate_may_set(self) -> None:
        allowed = {name for name, cells in settings_rows() if cells["per certificate"] == "yes"}
        assert allowed == PER_CERTIFICATE

    def test_plain_defaults_are_the_code_s(self) -> None:
        described = {name: cells["default"] for name, cells in settings_rows() if "default" in cells}
        for name, default in described.items():
            if re.fullmatch(r"`[\w-]+`", default) and name in DEFAULTS:
                assert default == f"`{DEFAULTS[name]}`", name

    def test_it_says_which_type_certkeeper_toml_has_for_it(self) -> None:
        rows = re.findall(r"^\| (.+) \| (`.+`) \|$", section(SETTINGS, "## In certkeeper.toml"), re.MULTILINE)
        described = {kind: set(re.findall(r"`(\w+)`", names)) for kind, names in rows}
        elsewhere = {"source_config"}
        assert described == {
            "`true` or `false`": {name.lower() for name in TRUTHS} - elsewhere,
            "a whole number": {name.lower() for name in NUMBERS},
            "a list of strings": {name.lower() for name in WORDS},
        }
        assert TRUTHS | NUMBERS | WORDS <= KNOWN

    def test_what_is_read_as_a_yes_or_no_or_a_number_is_written_so(self) -> None:
        assert variables_read({"truth"}) <= TRUTHS
        assert variables_read({"number", "seconds"}) <= NUMBERS | {"WAIT", "PORT"}
        assert {"ARI", "HOOK_CHAIN"} <= variables_read({"truth"})

    def test_the_defaults_that_are_shown_are_the_described_ones(self) -> None:
        described = {name: cells["default"] for name, cells in settings_rows() if "default" in cells}
        assert {name: described[name].strip("`") for name in OUR_DEFAULTS} == OUR_DEFAULTS

    def test_no_variable_is_read_that_nobody_knows(self) -> None:
        assert variables_read() <= KNOWN
        # If this finds nothing, it does not look in the right place.
        assert {"RENEW_DAYS", "NAMESERVERS", "PDNS_NO_NOTIFY"} <= variables_read()


def settings_rows() -> Iterator[tuple[str, dict[str, str]]]:
    """Each variable with the cells of its row, by column."""
    columns: list[str] = []
    for line in SETTINGS.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            columns = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not columns:
            columns = cells
        elif not cells[0].startswith("---") and columns[0] == "variable":
            yield cells[0].strip("`"), dict(zip(columns, cells, strict=True))


def section(document: Path, heading: str) -> str:
    return document.read_text(encoding="utf-8").partition(f"{heading}\n")[2].partition("\n## ")[0]


def variables_read(
    methods: Collection[str] = ("has", "text", "path", "number", "seconds", "truth", "word"),
) -> set[str]:
    """Names that the configuration's code asks Values for, with literal text."""
    found = set()
    for module in (PACKAGE / "config").glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            name = node.args[0].value
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if called in methods and isinstance(name, str) and re.fullmatch(r"[A-Z][A-Z0-9_]+", name):
                found.add(name)
    return found | ({f"PDNS_{name}" for name in LEGACY_PDNS} if "has" in methods else set())


class TestDeploy:
    def test_the_table_says_what_is_built_in(self) -> None:
        rows = re.findall(
            r"^\| `(\w+)` \| (.+?) \| (.+?) \| `(.+?)` \| `(.+?)` \| yes", DEPLOY.read_text("utf-8"), re.MULTILINE
        )
        shown = {name: tuple(cells) for name, *cells in rows}
        assert shown == {name: row_of(built_in(name)) for name in BUILT_IN}

    def test_every_key_of_a_table_is_described(self) -> None:
        rows = re.findall(r"^\| ((?:`[a-z_]+` ?)+)\| ", section(DEPLOY, "## Describing a service"), re.MULTILINE)
        assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(KEYS)


def row_of(target: Target) -> tuple[str, ...]:
    """Files, form, test and reload, as the table has them."""
    paths = " ".join(f"`{file.path}`" for file in target.files) or "in place"
    forms = ", ".join(file.form for file in target.files) or "privkey, fullchain"
    test = "` `".join(" ".join(command.words) for command in target.test)
    return paths, forms, test, " ".join(target.apply[0].words)


class TestArchitecture:
    def test_the_map_is_the_territory(self) -> None:
        named = set(map_of_the_house())
        missing = {path for path in named if not (ROOT / path).exists()}
        assert not missing
        modules = {str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*") if path.suffix in {".py", ".typed"}}
        assert modules <= named
        scripts = {str(path.relative_to(ROOT)) for path in (ROOT / "scripts").rglob("*") if path.suffix != ".pyc"}
        assert {path for path in scripts if "__pycache__" not in path} <= named

    def test_every_path_in_the_text_exists(self) -> None:
        text = re.sub(r"^```.*?^```", "", ARCHITECTURE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for path in paths_in(text):
            assert (ROOT / path).exists() or (PACKAGE / path).exists(), path

    def test_every_function_in_the_steps_exists(self) -> None:
        code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
        text = ARCHITECTURE.read_text(encoding="utf-8")
        steps = text[text.index("## One run, step by step") : text.index("## The scheduler")]
        names = [name for name in re.findall(r"`([A-Za-z_.]+)`", steps) if "/" not in name and not name.startswith(".")]
        for name in names:
            last = name.rpartition(".")[2]
            if last not in {"replaces", "txt"}:
                assert re.search(rf"^\s*(?:def|class) {last}\b", code, re.MULTILINE), name


@pytest.mark.parametrize("document", [ROOT / "CONTRIBUTING.md", *(ROOT / "docs" / "adr").glob("*.md")], ids=ids)
def test_other_documents_name_what_exists(document: Path) -> None:
    for path in paths_in(document.read_text(encoding="utf-8")):
        assert (ROOT / path).exists() or (PACKAGE / path).exists(), path


def paths_in(text: str) -> Iterator[str]:
    """What stands between backticks and looks like a path of the checkout."""
    for quoted in re.findall(r"`([^`\n]+)`", text):
        for word in quoted.split():
            if PATH.fullmatch(word.rstrip("/")) and not ELSEWHERE.search(word) and word not in OTHERS_PATHS:
                yield word.rstrip("/")


def map_of_the_house() -> Iterator[str]:
    """The paths in the first tree of ARCHITECTURE.md, which is drawn by indentation."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    tree = text.split("## The map", 1)[1].split("```", 2)[1]
    folders: list[str] = []
    for line in tree.strip("\n").splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        folders = folders[:depth]
        yield "".join(folders) + name.rstrip("/")
        if name.endswith("/"):
            folders.append(name)


class TestCommands:
    def test_the_readme_names_commands_that_help_lists(self) -> None:
        ran = subprocess.run(
            [sys.executable, "-m", "certkeeper", "--help"], capture_output=True, text=True, check=True, timeout=60
        )
        listed = set(re.findall(r"^    ([\w-]+)(?: {2,}|$)", ran.stdout, re.MULTILINE))
        named = set(re.findall(r"\bcertkeeper ([a-z][a-z-]*)\b", calls_in(ROOT / "README.md")))
        assert named == listed

    def test_the_readme_uses_options_that_exist(self) -> None:
        known = {option for parser in parsers() for option in parser._option_string_actions}
        used = set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", calls_in(ROOT / "README.md")))
        assert used
        assert used <= known

    def test_the_man_page_has_every_command_and_option(self) -> None:
        text = MAN_PAGE.read_text(encoding="utf-8").replace("\\-", "-")
        for parser in parsers():
            for option in parser._option_string_actions:
                assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), option
        parts = {part for name in NESTED for part in parts_of(commands()[name])}
        assert set(re.findall(r"^\.B ([\w-]+)$", text, re.MULTILINE)) >= {*commands(), *parts}
        assert f'"certkeeper {__version__}"' in text

    def test_the_scripts_of_the_readme_exist(self) -> None:
        for script in set(re.findall(r"\bscripts/[\w-]+", (ROOT / "README.md").read_text(encoding="utf-8"))):
            assert (ROOT / script).is_file(), script


def calls_in(document: Path) -> str:
    """Calls of certkeeper: in indented lines where a command stands, and between backticks."""
    text = document.read_text(encoding="utf-8")
    lines = re.findall(r"^ {4}(?:\$ |[\d* ]+root +\S*/)?(certkeeper .*)$", text, re.MULTILINE)
    return "\n".join([*lines, *re.findall(r"`(certkeeper [^`\n]+)`", text)])


NESTED = ("dns", "account", "config", "ocsp", "tlsa")


def commands() -> dict[str, argparse.ArgumentParser]:
    return parts_of(build_parser())


def parts_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands that a parser knows."""
    return next(
        {str(name): command for name, command in action.choices.items()}
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
    )


def parsers() -> list[argparse.ArgumentParser]:
    parts = [part for name in NESTED for part in parts_of(commands()[name]).values()]
    return [build_parser(), *commands().values(), *parts]
