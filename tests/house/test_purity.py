"""Outside adapters/, daemon/ and cli/ nothing touches the machine, and no file outgrows its reader."""

from pathlib import Path

import pytest

import certkeeper
from house.purity import VALUES, Violation, adapters_named, impurities, too_long, troubles_of_a_test

PACKAGE = Path(certkeeper.__file__).parent
TESTS = Path(__file__).resolve().parents[1]
SOURCES = sorted(PACKAGE.rglob("*.py"))
# All but the one loop that waits for a condition with a deadline; every test waits through it.
TEST_FILES = sorted(set(TESTS.rglob("*.py")) - {TESTS / "bed" / "waiting.py"})


def shown(violations: list[Violation]) -> list[str]:
    return [str(violation) for violation in violations]


def relative(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def test_there_is_something_to_check() -> None:
    files = {relative(file) for file in SOURCES}
    assert {
        "base/names.py",
        "acme/session.py",
        "apply/scheduler.py",
        "adapters/http.py",
        "cli/compose/machine.py",
    } <= files
    assert Path(__file__).resolve() in TEST_FILES


@pytest.mark.parametrize("file", SOURCES, ids=relative)
def test_what_is_not_the_rim_is_pure(file: Path) -> None:
    assert shown(impurities(file.read_text(encoding="utf-8"), relative(file))) == []


@pytest.mark.parametrize("file", SOURCES, ids=relative)
def test_only_the_composer_names_adapters(file: Path) -> None:
    assert shown(adapters_named(file.read_text(encoding="utf-8"), relative(file))) == []


def test_the_composer_does_name_adapters() -> None:
    source = (PACKAGE / "cli" / "compose" / "machine.py").read_text(encoding="utf-8")
    assert adapters_named(source, "cli/other.py") != []


@pytest.mark.parametrize("file", SOURCES, ids=relative)
def test_files_and_functions_are_read_in_one_go(file: Path) -> None:
    assert shown(too_long(file.read_text(encoding="utf-8"), relative(file), lines=400, function_lines=50)) == []


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.relative_to(TESTS).as_posix())
def test_tests_neither_sleep_nor_mock(file: Path) -> None:
    assert shown(troubles_of_a_test(file.read_text(encoding="utf-8"), file.relative_to(TESTS).as_posix())) == []


@pytest.mark.parametrize(
    "source",
    [
        *(
            f"import {module}"
            for module in (
                "asyncio",
                "logging",
                "os",
                "os.path",
                "pathlib",
                "random",
                "secrets",
                "socket",
                "sqlite3",
                "ssl",
                "subprocess",
                "sys",
                "threading",
                "time",
                "importlib",
                "urllib",
                "urllib.request",
                "urllib3",
                "rich",
                "cryptography",
                "dns.name",
                "email.utils",
                "idna",
                "email",
            )
        ),
        "from os import path",
        "from pathlib import Path",
        "from urllib import request",
        "from urllib import parse, request",
        "from time import monotonic",
        "from email.message import Message",
        "from email import utils",
        "import json, os",
        "import os as json",
        "if True:\n    import os",
        "def f():\n    import os",
        "class C:\n    import os",
        "class C:\n    import email.utils",
        "def f():\n    import idna",
        "def f():\n    from cryptography import x509",
        "open('/etc/passwd')",
        "with open(x) as f: pass",
        "opener = open",
        "print('x')",
        "input()",
        "eval('1')",
        "exec('1')",
        "__import__('os')",
        "from datetime import datetime\nnow = datetime.now()",
        "from datetime import datetime\nclock = datetime.utcnow",
        "import datetime\ndatetime.datetime.now(tz=None)",
        "import datetime as dt\ndt.datetime.now()",
        "from datetime import date\ndate.today()",
        "from datetime import datetime as D\nD.now()",
        "from datetime import datetime\nnow = datetime.now",
        "ec.generate_private_key(ec.SECP256R1())",
        "x.environ['A']",
        "x.getenv('A')",
    ],
)
def test_a_module_that_touches_the_machine_is_caught(source: str) -> None:
    found = impurities("\n" + source, "plan/bad.py")
    assert found, source
    assert found[0].file == "plan/bad.py"
    assert 2 <= found[0].line <= 1 + len(source.splitlines())


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("import idna", "base/names.py"),
        ("from cryptography import x509", "lineage/model.py"),
        ("from cryptography import x509", "acme/session.py"),
        ("from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key", "acme/jws.py"),
        ("import dns.resolver", "zone/rrset.py"),
        ("import dns", "zone/rrset.py"),
        ("from dns import name, resolver", "zone/rrset.py"),
        ("from dns.query import udp", "dane/check.py"),
        ("import dns.name", "plan/planner.py"),
        ("import dns.name", "acme/order.py"),
    ],
)
def test_a_library_outside_its_place_is_caught(source: str, file: str) -> None:
    assert [violation.line for violation in impurities(source, file)][:1] == [1]


@pytest.mark.parametrize(
    ("source", "file"),
    [
        *((f"import {module}", "plan/good.py") for module in sorted(VALUES - {"__future__"})),
        ("from collections.abc import Mapping", "plan/good.py"),
        ("from urllib import parse", "config/authority.py"),
        ("from certkeeper.base.errors import Fault", "plan/good.py"),
        ("from . import errors", "base/names.py"),
        ("def f():\n    import idna", "base/names.py"),
        ("def f():\n    from email.utils import parsedate_to_datetime", "base/times.py"),
        ("from cryptography import x509", "lineage/leaf.py"),
        ("from cryptography.hazmat.primitives.asymmetric import ec", "acme/jws.py"),
        ("import dns.name, dns.dnssec", "zone/rrset.py"),
        ("from dns import name, rdata", "dane/tlsa.py"),
        ("from dns.rdata import from_text", "zone/rrset.py"),
        ("import os, socket\nopen('x')", "adapters/files.py"),
        ("import os", "cli/compose/machine.py"),
        ("import time", "daemon/loop.py"),
        ("def due(observed): return observed.now", "plan/due.py"),
        ("def act(ports): return ports.clock.now()", "apply/effects.py"),
    ],
)
def test_what_is_allowed_passes(source: str, file: str) -> None:
    assert impurities(source, file) == []


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("import certkeeper.adapters", "cli/run.py"),
        ("import certkeeper.adapters.store", "apply/issue.py"),
        ("from certkeeper import adapters", "cli/run.py"),
        ("from certkeeper.adapters.http import Http", "cli/run.py"),
        ("def f():\n    from certkeeper.adapters import clock", "cli/run.py"),
        ("from ..adapters import clock", "cli/run.py"),
        ("from .adapters import clock", "__main__.py"),
    ],
)
def test_naming_adapters_is_caught(source: str, file: str) -> None:
    assert len(adapters_named(source, file)) == 1
    assert adapters_named(source, "cli/compose/machine.py") == []
    assert adapters_named(source, "adapters/store.py") == []


def test_a_name_that_only_looks_like_adapters_is_not_caught() -> None:
    assert adapters_named("import certkeeper.adapters_list\nfrom certkeeper.base import names", "cli/run.py") == []


def test_a_long_file_and_a_long_function_are_caught() -> None:
    assert too_long("a = 1\n" * 401, "plan/bad.py", lines=400, function_lines=50)
    assert not too_long("a = 1\n" * 400, "plan/good.py", lines=400, function_lines=50)
    for head in ("def f():\n", "async def f():\n", "class C:\n def f(self):\n"):
        assert not too_long(head + "  a = 1\n" * 49, "plan/good.py", lines=400, function_lines=50)
        assert too_long(head + "  a = 1\n" * 50, "plan/bad.py", lines=400, function_lines=50)


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(1)",
        "from time import sleep",
        "import unittest.mock",
        "from unittest import mock",
        "from unittest.mock import patch",
        "import mock",
        "mock.patch('a.b')",
        "def test(mocker): mocker.patch('a.b')",
    ],
)
def test_a_test_that_sleeps_or_mocks_is_caught(source: str) -> None:
    assert troubles_of_a_test(source, "unit/bad.py")


def test_a_test_may_measure_time() -> None:
    assert troubles_of_a_test("import time\ntime.monotonic()\n'time.sleep'", "unit/good.py") == []


def test_a_violation_names_file_and_line() -> None:
    assert shown(impurities("import re\n\nimport os\n", "plan/bad.py")) == [
        "plan/bad.py:3: imports os, which is not on the list"
    ]
