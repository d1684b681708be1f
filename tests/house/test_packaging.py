"""What is said in several places about the package is the same in each."""

import re
import tomllib
from pathlib import Path

import pytest

import certkeeper

ROOT = Path(__file__).parents[2]
CONTROL = (ROOT / "debian" / "control").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMES = {"pyopenssl": "openssl"}
"""PyPI's name to what Debian's package is called behind python3-."""


def required() -> set[str]:
    """The floors of pyproject.toml, in Debian's words."""
    found = set()
    for item in PROJECT["dependencies"]:
        name, _, floor = item.partition(">=")
        found.add(f"python3-{NAMES.get(name.lower(), name.lower())} (>= {floor})")
    return found


@pytest.mark.parametrize("field", ["Build-Depends", "Depends"])
def test_debians_package_depends_on_what_the_wheel_depends_on(field: str) -> None:
    (listed,) = re.findall(rf"^{field}:\n((?: .*\n)+)", CONTROL, re.MULTILINE)
    libraries = {item for line in listed.splitlines() if "(>=" in (item := line.strip(" ,"))}
    assert libraries == required()


def test_the_version_is_debians() -> None:
    first = (ROOT / "debian" / "changelog").read_text(encoding="utf-8").splitlines()[0]
    assert re.fullmatch(r"certkeeper \((.+)\) \S+; urgency=\w+", first)[1] == certkeeper.__version__  # type: ignore[index]
