"""What a fresh interpreter loads: the program starts fast, and the plan needs no cryptography.

Each question is asked of a new process, since this one has loaded everything already.
"""

import json
import os
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import certkeeper
from builders.certificates import Wish, new_key, version_files
from builders.responder import Says, answer
from certkeeper.adapters.accounts import Accounts
from certkeeper.adapters.folders import Folders
from certkeeper.adapters.staples import Staples
from certkeeper.adapters.store import Store
from certkeeper.base.names import Alias, Identifier
from certkeeper.base.value import replace
from certkeeper.lineage.model import Origin
from certkeeper.ocsp.request import issued

PACKAGE = Path(certkeeper.__file__).parent
HEAVY = frozenset({"OpenSSL", "cryptography", "dns", "urllib3", "asyncio", "idna", "rich"})
LIGHT_MODULES = [
    "certkeeper.cli.main",
    "certkeeper.cli.arguments",
    "certkeeper.config.load",
    "certkeeper.plan.planner",
    "certkeeper.lineage.model",
    *(
        f"certkeeper.base.{file.stem}"
        for file in sorted((PACKAGE / "base").glob("*.py"))
        # Only those import the last one that take certificates apart, and are themselves loaded when one has to be.
        if file.stem not in {"__init__", "malformed"}
    ),
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
        "certkeeper.config.tlsa",
        "certkeeper.dane.owner",
    } & loaded == set()


@pytest.mark.parametrize(
    ("command", "stapled"),
    [("run", False), ("dehydrated -c", False), ("status", False), ("run", True), ("status", True)],
)
def test_a_run_with_nothing_due_opens_no_certificate_and_loads_nothing_heavy(
    tmp_path: Path, command: str, *, stapled: bool
) -> None:
    page_with_a_certificate(tmp_path, stapled=stapled)
    # Files that changed in the last two seconds are looked at again.
    program = f"""
        import contextlib, io, json, sys, time
        real = time.time_ns
        time.time_ns = lambda: real() + 10**10
        opened = []
        sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))
        from certkeeper.cli.main import main
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = main([*{command.split()!r}, "--config", "{tmp_path}/config"])
        opened = [path for path in opened if path.endswith((".pem", ".der", "origin.json"))]
        print(json.dumps([code, opened, sorted({{name.partition(".")[0] for name in sys.modules}}), out.getvalue()]))
    """
    first = json.loads(fresh(textwrap.dedent(program.replace(repr(command.split()), "['run']"))))
    assert first[0] == 0
    assert "privkey.pem" in first[1], "a look without the index opens them"
    code, opened, modules, said = json.loads(fresh(textwrap.dedent(program)))
    assert code == 0
    assert opened == []
    assert set(modules) & (HEAVY | {"subprocess", "secrets", "shutil"} if command != "status" else HEAVY) == set()
    assert "a.example.org" in said or "1 certificate, nothing due" in said


def page_with_a_certificate(folder: Path, *, stapled: bool = False) -> None:
    """A page of dehydrated's with an account and one certificate, which may have an OCSP response that is kept."""
    (folder / "www").mkdir()
    (folder / "config").write_text(f"CHALLENGETYPE=http-01\nWELLKNOWN={folder}/www\nARI=no\n")
    (folder / "domains.txt").write_text("a.example.org\n")
    ca = "https://acme-v02.api.letsencrypt.org/directory"
    accounts = Accounts(str(folder / "accounts"))
    accounts.save_key(ca, new_key())
    accounts.save(ca, "https://acme.example/account/1", b"{}")
    now = datetime.now(UTC)
    wish = Wish(
        (Identifier.parse("a.example.org"),),
        not_before=now,
        not_after=now + timedelta(days=80),
        ocsp_url="http://ocsp.example" if stapled else None,
    )
    store, alias = Store(str(folder / "certs")), Alias("a.example.org")
    draft, key = store.begin(alias, int(now.timestamp())), new_key()
    store.save_key(draft, key)
    files = version_files(key, wish)
    store.stage(draft, replace(files, origin=Origin(ca)))
    store.activate(alias, draft.stamp)
    if stapled:
        with (folder / "config").open("a") as page:
            page.write("OCSP_FETCH=yes\n")
        says = Says(this_update=now - timedelta(hours=1), next_update=now + timedelta(days=7))
        staples = Staples(Folders(str(folder / "certs")))
        staples.save(alias, files.cert, answer(issued(files.cert, files.chain), says), int(now.timestamp()))


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
