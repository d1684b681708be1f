"""What stands in the place of a page's files, and how each is read or refused."""

import os
import socket
from pathlib import Path

import pytest

from certkeeper.adapters.page import read_page
from certkeeper.config.errors import ConfigError
from unit.adapters.page.pages import PLAIN, reading
from unit.config.pages import codes, only


@pytest.mark.parametrize(("mode", "codes"), [(0o600, []), (0o640, []), (0o644, ["open-key-file"])])
def test_a_key_file_is_read_and_its_mode_looked_at(config: Path, mode: int, codes: list[str]) -> None:
    key = config.parent / "key"
    key.write_text("the key\n")
    key.chmod(mode)
    configuration = read_page(str(config), "/", {})
    found = only(configuration)
    assert found is not None
    assert found.api_key.reveal() == "the key"
    assert [finding.code for finding in configuration.findings] == codes


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "no such file"), (b"\xff", "line 1 is not UTF-8"), (b"", "no key")]
)
def test_a_key_file_that_is_of_no_use_is_an_error_at_its_line(config: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (config.parent / "key").write_bytes(content)
    with pytest.raises(ConfigError, match=f"config:3: PDNS_KEY_FILE: .*{reason}"):
        read_page(str(config), "/", {})


def odd(path: Path, kind: str) -> None:
    """Something else in the place of a file."""
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
        case "device":
            path.symlink_to("/dev/zero")
        case "circle":
            path.symlink_to(path.name)
        case "folder":
            path.mkdir()
        case _:
            path.write_bytes(b"A=1\n\xff")


KINDS = {
    "pipe": "a named pipe, and not a file",
    "socket": "a socket, and not a file",
    "device": "a device, and not a file",
    "circle": "too many levels of symbolic links",
    "latin1": "line 2 is not UTF-8",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["config", "domains.txt", "domains.txt.d/a.txt", "more/a.sh", "key"])
def test_what_is_no_file_of_text_is_refused_by_name_and_not_waited_for(page: Path, name: str, kind: str) -> None:
    path = page.parent / name
    path.parent.mkdir(exist_ok=True)
    page.write_text(PLAIN + (f"CONFIG_D={path.parent}\n" if name.endswith(".sh") else ""))
    if name == "key":
        page.write_text(f"CHALLENGETYPE=dns-01\nPDNS_HOST=localhost\nPDNS_KEY_FILE={path}\n")
    path.unlink(missing_ok=True)
    odd(path, kind)
    with pytest.raises(ConfigError) as found:
        reading(page)
    assert str(path) in str(found.value)
    assert KINDS[kind] in str(found.value)
    assert found.value.hint


@pytest.mark.parametrize("name", ["config", "domains.txt", "certs/example.org/config"])
def test_a_comment_may_be_in_any_encoding(page: Path, name: str) -> None:
    path = page.parent / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes() if path.exists() else b""
    path.write_bytes(before + b"\n  # f\xfcr M\xfcller\n")
    assert {spec.alias.text for spec in reading(page).certificates} == {"example.org", "other.org"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificates_own_file_that_is_none_rejects_that_certificate_only(page: Path, kind: str) -> None:
    path = page.parent / "certs/example.org/config"
    odd(path, kind)
    found = reading(page)
    assert [spec.alias.text for spec in found.certificates] == ["other.org"]
    (rejected,) = found.rejected
    assert rejected.label == "example.org"
    assert f"{path}: cannot be read: {KINDS[kind]}" in str(rejected.error)


def test_a_certificates_folder_in_a_circle_rejects_that_certificate_only(page: Path) -> None:
    folder = page.parent / "certs/other.org"
    folder.symlink_to("other.org")
    found = reading(page)
    assert [item.label for item in found.rejected] == ["other.org"]
    assert "symbolic links" in str(found.rejected[0].error)


@pytest.mark.parametrize("name", ["more", "zones"])
def test_a_folder_of_the_page_in_a_circle_is_named(page: Path, name: str) -> None:
    path = page.parent / name
    path.symlink_to(name)
    variable = {"more": "CONFIG_D", "zones": "ZONES_D"}[name]
    page.write_text(f"{PLAIN}{variable}={path}\n")
    with pytest.raises(ConfigError, match=f"config:4: {variable}: {path}: too many levels"):
        reading(page)


def test_a_zones_file_that_is_none_stands_in_the_way_of_its_zone_only(page: Path) -> None:
    zones = page.parent / "zones"
    zones.mkdir()
    os.mkfifo(zones / "example.org")
    page.write_text(f"{PLAIN}ZONES_D={zones}\n")
    (rule,) = reading(page).settings.zone_rules
    assert "a named pipe" in str(rule.error)


def test_the_null_device_is_an_empty_list(page: Path) -> None:
    page.write_text(f"{PLAIN}DOMAINS_TXT=/dev/null\n")
    found = reading(page)
    assert (found.certificates, codes(found.findings)) == ((), [])


def test_a_file_without_an_end_is_not_read_to_it(page: Path) -> None:
    with (page.parent / "domains.txt").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ConfigError, match="larger than"):
        reading(page)


def test_nul_in_a_path_is_no_path(page: Path) -> None:
    with pytest.raises(ConfigError, match="not a path"):
        read_page(f"{page}\0", "/", {})
