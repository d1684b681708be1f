"""Ids: each kind of event and failure has one, none is ever used again for something else, the runbook has them all."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import certkeeper
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.events import Event
from certkeeper.base.traces import Traced
from certkeeper.cli.explain import paragraphs
from certkeeper.plan.alerts import Kind, Trouble

ROOT = Path(__file__).resolve().parents[2]
FROZEN = ROOT / "tests" / "data" / "ids.txt"
OUR_OWN_PROCESSES = {
    "certkeeper.__main__",
    "certkeeper.adapters.apprise_child",
    "certkeeper.adapters.dns.lexicon_child",
}


def below(kind: type) -> set[type]:
    found: set[type] = set(kind.__subclasses__())
    return found | {deeper for each in found for deeper in below(each)}


def product(kind: type) -> dict[str, str]:
    """The label of every class of the product's of that kind, by the class's name."""
    for module in pkgutil.walk_packages(certkeeper.__path__, "certkeeper."):
        if module.name not in OUR_OWN_PROCESSES:
            importlib.import_module(module.name)
    own = [each for each in below(kind) if each.__module__.startswith("certkeeper.")]
    return {f"{each.__module__}.{each.__qualname__}": each.label for each in own}  # type: ignore[attr-defined]


def failures() -> dict[str, str]:
    return product(CertkeeperError)


def events() -> dict[str, str]:
    traces = product(Traced)
    return {
        name: label for name, label in product(Event).items() if name not in traces and not name.endswith(".Traced")
    }


def living() -> set[str]:
    """All ids that something is told by."""
    alerts = {Trouble("", "", kind=kind).label for kind in Kind}
    return {*failures().values(), *events().values(), *alerts, CertkeeperError.label}


def test_every_kind_of_failure_has_an_id() -> None:
    without = [name for name, label in failures().items() if label == CertkeeperError.label]
    assert without == [], "give it a label of docs/runbook.md, or a new one with a paragraph there"


def test_ids_are_frozen() -> None:
    """One that goes stays in the file, marked `gone`, so that nobody takes it for something else later."""
    lines = FROZEN.read_text(encoding="utf-8").splitlines()
    words = [line.partition(" ")[0] for line in lines]
    assert words == sorted(set(words)), "sorted, each once"
    gone = {line.removesuffix(" gone") for line in lines if line.endswith(" gone")}
    assert living() == set(words) - gone, "add new ids to tests/data/ids.txt; mark those that go"


def test_no_event_shares_the_id_of_a_failure_or_of_another_event() -> None:
    told = list(events().values())
    assert sorted(told) == sorted(set(told))
    assert set(told) & set(failures().values()) == set()


def test_the_runbook_says_of_each_what_it_means_and_what_to_do() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    headed = re.findall(r"^### `(.+)`$", text, re.MULTILINE)
    assert len(headed) == len(set(headed))
    assert set(headed) == living()
    found = paragraphs()
    assert list(found) == headed
    for label, paragraph in found.items():
        meaning, to_do = paragraph.splitlines()
        assert meaning.endswith("."), label
        assert re.fullmatch(r"To do: .+[.?]", to_do), label


def test_commands_that_the_runbook_names_exist() -> None:
    from certkeeper.cli.commands import COMMANDS  # noqa: PLC0415 - only here

    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    heads = {" ".join(words.split()[:2]) for words in re.findall(r"`certkeeper ([a-z-]+(?: [a-z]+)?)", text)}
    known = {*COMMANDS, *(command.split()[0] for command in COMMANDS if " " not in command)}
    unknown = {head for head in heads if head not in known and head.split()[0] not in known}
    assert unknown == set()


def test_no_label_is_made_up_at_run_time() -> None:
    """They are words in the source, so that they can be looked for."""
    for path in (ROOT / "src" / "certkeeper").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                for item in node.body:
                    if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == "label":
                        assert isinstance(item.value, ast.Constant), f"{path}: {node.name}"
