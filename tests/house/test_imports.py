"""What a fresh interpreter loads: the program starts fast, and the plan needs no cryptography.

Each question is asked of a new process, since this one has loaded everything already.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import certkeeper

PACKAGE = Path(certkeeper.__file__).parent
HEAVY = frozenset({"OpenSSL", "cryptography", "dns", "urllib3", "asyncio", "idna", "rich"})
LIGHT_MODULES = [
    "certkeeper.cli.main",
    "certkeeper.cli.arguments",
    "certkeeper.config.load",
    "certkeeper.plan.planner",
    "certkeeper.lineage.model",
    *(f"certkeeper.base.{file.stem}" for file in sorted((PACKAGE / "base").glob("*.py")) if file.stem != "__init__"),
]


def fresh(program: str) -> str:
    """What a new interpreter prints, with the same package as this one."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout


def loaded_by(statement: str) -> set[str]:
    """The modules that a statement loads on top of what the interpreter starts with."""
    program = (
        "import sys, json\nbefore = set(sys.modules)\n"
        f"{statement}\nprint()\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    )
    return set(json.loads(fresh(program).splitlines()[-1]))


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_a_module_that_every_command_needs_loads_nothing_heavy(module: str) -> None:
    loaded = loaded_by(f"import {module}")
    assert module in loaded
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()


def test_what_every_command_needs_has_no_dataclasses_of_the_standard_librarys() -> None:
    # It compiles six functions for each class, and loads inspect, ast and dis. base/value.py has others.
    assert "dataclasses" not in loaded_by("import certkeeper.plan.planner, certkeeper.config.load")


def test_the_question_is_answered() -> None:
    assert {"cryptography", "certkeeper.acme.jws"} <= loaded_by("import certkeeper.acme.jws")


def test_a_page_of_dehydrated_s_needs_no_toml(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("CHALLENGETYPE=http-01\n")
    (tmp_path / "domains.txt").write_text("example.org\n")
    command = f"from certkeeper.cli.main import main\nmain(['status', '--json', '--config', '{tmp_path}/config'])"
    loaded = loaded_by(f"import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    exec({command!r})")
    assert "certkeeper.config.load" in loaded
    assert {
        "tomllib",
        "certkeeper.config.native",
        "certkeeper.config.check",
        "certkeeper.config.convert",
        "certkeeper.config.deployments",
        "certkeeper.service.target",
    } & loaded == set()


def test_an_ascii_name_and_a_retry_after_in_seconds_load_nothing_more() -> None:
    loaded = loaded_by(
        "from certkeeper.base.names import DnsName\nfrom certkeeper.base.times import from_epoch, parse_retry_after\n"
        "DnsName.parse('www.example.org')\nparse_retry_after('30', from_epoch(0))"
    )
    assert {"idna", "email"} & loaded == set()


def test_version_loads_neither_the_parser_nor_the_subjects() -> None:
    loaded = loaded_by("from certkeeper.cli.main import main\nassert main(['--version']) == 0")
    assert {"argparse", "dataclasses", "typing", "re"} & loaded == set()
    assert {name for name in loaded if name.startswith("certkeeper.")} == {"certkeeper.cli", "certkeeper.cli.main"}


def test_the_program_itself_says_its_version_and_loads_little() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "certkeeper", "--version"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )
    assert done.stdout == f"certkeeper {certkeeper.__version__}\n"
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "certkeeper.cli.main" in loaded
    assert {"argparse", "dataclasses"} & loaded == set()
