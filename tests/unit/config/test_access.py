"""CERT_OWNER, CERT_GROUP and KEY_MODE as the page writes them."""

import pytest

from certkeeper.base.access import Access
from certkeeper.base.errors import Location
from certkeeper.config.access import read_access
from certkeeper.config.errors import ConfigError
from certkeeper.config.shell import Assignment
from certkeeper.config.values import Values


def values(**assigned: str) -> Values:
    where = Location("config", 1)
    return Values({name: Assignment(name, value, where) for name, value in assigned.items()}, "config")


def test_a_page_that_says_nothing_asks_for_nothing() -> None:
    access = read_access(values())
    assert access == Access()
    assert not access.asked
    assert (access.key_mode, access.public_mode) == (0o600, None)


def test_a_group_that_is_named_may_read() -> None:
    access = read_access(values(CERT_GROUP="ssl-cert"))
    assert access.asked
    assert (access.group, access.key_mode, access.public_mode) == ("ssl-cert", 0o640, 0o644)


@pytest.mark.parametrize(("text", "mode"), [("0640", 0o640), ("640", 0o640), ("0600", 0o600), ("440", 0o440)])
def test_a_mode_is_written_in_octal_digits(text: str, mode: int) -> None:
    found = values(CERT_GROUP="ssl-cert", KEY_MODE=text)
    assert read_access(found).key_mode == mode
    assert not found.findings


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("KEY_MODE", "0644", "lets everybody at private keys"),
        ("KEY_MODE", "0641", "lets everybody at private keys"),
        ("KEY_MODE", "0660", "no mode for a private key"),
        ("KEY_MODE", "4640", "no mode for a private key"),
        ("KEY_MODE", "0040", "no mode for a private key"),
        ("KEY_MODE", "u=rw", "no mode in octal digits"),
        ("KEY_MODE", "0689", "no mode in octal digits"),
        ("KEY_MODE", "00640", "no mode in octal digits"),
        ("CERT_GROUP", "103", "no name of a group"),
        ("CERT_GROUP", "a b", "no name of a group"),
        ("CERT_OWNER", "root:ssl-cert", "no name of a user"),
        ("CERT_OWNER", "x" * 65, "no name of a user"),
    ],
)
def test_what_is_no_value_is_refused_where_it_stands(name: str, text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        read_access(values(**{name: text}))
    assert name in str(caught.value)
    assert caught.value.hint


def test_a_group_bit_without_a_group_is_a_warning() -> None:
    found = values(KEY_MODE="0640")
    assert read_access(found).key_mode == 0o640
    assert [finding.code for finding in found.findings] == ["key-mode-without-group"]
