"""What this program is made of, and whether it is new enough."""

import pytest

from certkeeper.adapters.dependencies import Dependency, dependencies


def test_ours_are_there_and_new_enough() -> None:
    found = {item.name.lower(): item for item in dependencies()}
    assert {"cryptography", "dnspython", "urllib3", "idna", "rich", "pyopenssl"} <= set(found)
    assert all(item.enough for item in found.values())
    assert "dns-lexicon" not in found


def test_a_program_that_is_no_package_has_none() -> None:
    assert list(dependencies("no-such-package-of-ours")) == []


@pytest.mark.parametrize(
    ("found", "floor", "enough"),
    [
        ("43.0.0", "43", True),
        ("42.0.8", "43", False),
        ("43", "43.0.1", False),
        ("", "1", False),
        ("2.6rc1", "2.6", True),
    ],
)
def test_versions_are_numbers(found: str, floor: str, enough: bool) -> None:  # noqa: FBT001 - a column of the table
    assert Dependency("x", found, floor).enough is enough
