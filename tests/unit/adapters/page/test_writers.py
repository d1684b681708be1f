"""Who else can change a page's files, and what comes of that."""

import grp
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from builders.badinput import in_a_mount_namespace
from certkeeper.adapters.page import Files, read_page
from certkeeper.adapters.scripts import open_to_others
from certkeeper.base.errors import Location
from certkeeper.config.errors import ConfigError
from certkeeper.config.findings import Severity
from certkeeper.config.reading import Exposures, Read, ReadFailure, Settle
from unit.adapters.page.pages import NOBODY, PLAIN, as_root, reading
from unit.config.pages import codes


def test_nobody_but_the_owner_is_no_finding(page: Path) -> None:
    (page.parent / "certs/example.org/config").write_text("RENEW_DAYS=3\n")
    assert codes(reading(page).findings) == []


@pytest.mark.parametrize("way", ["file", "folder", "link", "target"])
def test_settings_that_everybody_can_change_are_not_read(page: Path, way: str) -> None:
    guilty = page
    if way == "folder":
        guilty = page.parent
    elif way == "link":
        guilty = page.parent / "links"
        guilty.mkdir()
        (guilty / "config").symlink_to("../config")
        page = guilty / "config"
    elif way == "target":
        guilty = page.parent / "target"
        guilty.mkdir()
        page.rename(guilty / "config")
        page.symlink_to("target/config")
    guilty.chmod(0o777)
    with pytest.raises(ConfigError, match=f"{page}: cannot be read: everybody on this machine can change it") as found:
        reading(page)
    assert found.value.hint == f"chmod o-w {guilty}"


def test_a_certificates_own_settings_that_everybody_can_change_reject_that_certificate_only(page: Path) -> None:
    own = page.parent / "certs/example.org/config"
    own.write_text("RENEW_DAYS=3\n")
    own.parent.chmod(0o777)
    found = reading(page)
    assert [item.label for item in found.rejected] == ["example.org"]
    assert f"through {own.parent}" in str(found.rejected[0].error)
    assert found.rejected[0].error.hint == f"chmod o-w {own.parent}"


def test_a_list_that_everybody_can_change_is_read_with_a_warning(page: Path) -> None:
    path = page.parent / "domains.txt"
    path.chmod(0o666)
    found = reading(page)
    assert len(found.certificates) == 2
    (finding,) = found.findings
    assert (finding.code, finding.severity, finding.where) == ("open-list", Severity.WARNING, Location(str(path)))
    assert finding.fix == f"chmod o-w {path}"


def test_a_sticky_folder_is_as_good_as_the_owner_of_what_is_in_it(page: Path) -> None:
    page.parent.chmod(0o1777)
    assert codes(reading(page).findings) == []


@as_root
def test_in_a_sticky_folder_the_owner_of_a_link_counts(page: Path) -> None:
    page.write_text(f"{PLAIN}BASEDIR={page.parent}\n")
    sticky = page.parent / "sticky"
    sticky.mkdir()
    link = sticky / "config"
    link.symlink_to("../config")
    os.chown(link, NOBODY, 0, follow_symlinks=False)
    assert codes(reading(link).findings) == []
    sticky.chmod(0o1777)
    with pytest.raises(ConfigError, match="user nobody can change it") as found:
        reading(link)
    assert found.value.hint == f"chown -h root {link}"


@as_root
@pytest.mark.parametrize("way", ["file", "folder"])
def test_settings_that_another_user_can_change_are_not_read_by_root(page: Path, way: str) -> None:
    own = page.parent / "certs/example.org/config"
    own.write_text("RENEW_DAYS=3\n")
    for path in [page.parent] if way == "folder" else [page, own]:
        os.chown(path, NOBODY, -1)
    through = f", through {page.parent}" if way == "folder" else ""
    says = f"user nobody can change it{through}, and so have programs run as root"
    with pytest.raises(ConfigError, match=f"{page}: cannot be read: {says}") as found:
        reading(page)
    assert found.value.hint == f"chown root {page if way == 'file' else page.parent}"
    os.chown(page, 0, -1)
    os.chown(page.parent, 0, -1)
    rejected = reading(page).rejected
    assert [item.error.hint for item in rejected] == ([f"chown root {own}"] if way == "file" else [])


@as_root
def test_a_page_that_another_user_can_change_is_not_run_by_root(page: Path) -> None:
    page.write_text(f"SOURCE_CONFIG=yes\nDEHYDRATED_USER=nobody\ntouch {page.parent}/ran\n{PLAIN}")
    os.chown(page, NOBODY, -1)
    with pytest.raises(ConfigError, match="user nobody can change it, and so would have bash run") as found:
        reading(page)
    assert found.value.hint == f"chown root {page}"
    assert not (page.parent / "ran").exists()


@as_root
@pytest.mark.parametrize(("user", "refused"), [("", True), ("nobody", False), ("daemon", True)])
def test_only_the_user_of_dehydrated_may_own_what_root_reads(page: Path, user: str, *, refused: bool) -> None:
    os.chown(page, NOBODY, -1)
    files = Files()
    files.perform(Read(str(page)))
    assert (files.perform(Settle(user, "")) is not None) is refused


@as_root
@pytest.mark.parametrize(
    ("group", "user", "trusted", "refused"),
    [
        ("daemon", "", "", True),
        ("daemon", "daemon", "daemon", False),
        ("staff", "", "", False),
        ("root", "", "", False),
        # Who may write these lines, too, would be whom he likes.
        ("daemon", "root", "daemon", True),
        ("daemon", "nobody", "daemon", True),
        ("daemon", "", "daemon", True),
    ],
)
def test_root_refuses_what_a_group_with_somebody_in_it_can_change(
    page: Path, group: str, user: str, trusted: str, *, refused: bool
) -> None:
    page.chmod(0o660)
    os.chown(page, -1, grp.getgrnam(group).gr_gid)
    files = Files()
    files.perform(Read(str(page)))
    assert (files.perform(Settle(user, trusted)) is not None) is refused


@as_root
@pytest.mark.parametrize(("group", "refused"), [("nogroup", False), ("disk", True), ("root", True), ("no such", False)])
def test_who_owns_the_page_gives_himself_no_group_that_he_is_not_in(page: Path, group: str, *, refused: bool) -> None:
    os.chown(page, NOBODY, -1)
    files = Files()
    files.perform(Read(str(page)))
    found = files.perform(Settle("nobody", group))
    assert (found is not None) is refused
    if isinstance(found, ReadFailure):
        assert found.hint == f"chown root {page}; or take DEHYDRATED_GROUP out: nobody is not in {group}"


@as_root
@pytest.mark.parametrize(("user", "told"), [("", 1), ("nobody", 0), (str(NOBODY), 0), ("daemon", 1), ("no such", 1)])
def test_the_user_of_dehydrated_may_own_the_page(page: Path, user: str, told: int) -> None:
    os.chown(page, NOBODY, -1)
    files = Files()
    assert files.perform(Read(str(page))) == PLAIN
    found = files.perform(Exposures(user))
    assert isinstance(found, tuple)
    assert len(found) == told


@as_root
@pytest.mark.parametrize("setting", ["HOOK", "ALERT_COMMAND"])
@pytest.mark.parametrize(("user", "told"), [(NOBODY, True), (0, False)])
def test_programs_that_another_user_can_change_are_told_and_not_run(
    page: Path, setting: str, user: int, *, told: bool
) -> None:
    program = page.parent / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    os.chown(program, user, -1)
    page.write_text(f"{PLAIN}{setting}={program}\n")
    found = [item for item in reading(page).findings if item.code == "open-to-others"]
    assert (open_to_others(str(program)) is not None) is told
    assert [(item.message, item.consequence, str(item.where)) for item in found] == (
        [("user nobody can change it", "whoever does can have programs run as root", str(program))] if told else []
    )


@as_root
def test_a_key_that_others_can_change_is_refused(config: Path) -> None:
    key = config.parent / "key"
    key.write_text("the key\n")
    key.chmod(0o600)
    os.chown(key, NOBODY, -1)
    with pytest.raises(ConfigError, match=r"config:3: PDNS_KEY_FILE: .* user nobody can change it") as no:
        read_page(str(config), "/", {})
    assert no.value.hint == f"chown root {key}"
    os.chown(key, 0, -1)
    key.chmod(0o622)
    with pytest.raises(ConfigError, match=r"config:3: PDNS_KEY_FILE: .* everybody on this machine can change it") as no:
        read_page(str(config), "/", {})
    assert no.value.hint == f"chmod o-w {key}"


@as_root
def test_a_group_that_may_write_is_found_and_roots_own_is_not(page: Path) -> None:
    page.chmod(0o660)
    assert codes(reading(page).findings) == []
    os.chown(page, -1, grp.getgrnam("staff").gr_gid)
    (finding,) = reading(page).findings
    assert finding.message == "group staff can change it"
    assert finding.fix == f"chmod g-w {page}"


def give_list(path: Path, *entries: tuple[int, int, int]) -> None:
    """Tag, permissions and id of each, as acl(5) has them, beside those that every list has."""
    listed = sorted([(1, 6, ~0), (4, 0, ~0), (32, 0, ~0), *entries])
    packed = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, may, who & 0xFFFFFFFF) for tag, may, who in listed
    )
    try:
        os.setxattr(path, "system.posix_acl_access", packed)
    except OSError:
        pytest.skip("no access lists here")


@as_root
@pytest.mark.parametrize(("tag", "who"), [(2, NOBODY), (8, 1)])
def test_root_refuses_what_an_access_list_lets_others_change(page: Path, tag: int, who: int) -> None:
    give_list(page, (tag, 6, who), (16, 6, ~0))
    with pytest.raises(ConfigError, match="whom its access list names can change it") as found:
        reading(page)
    assert found.value.hint == f"getfacl {page}; setfacl -b {page}"


@as_root
@pytest.mark.parametrize(
    "entries",
    [
        [(2, 4, NOBODY), (2, 6, 0), (16, 6, ~0)],
        [(2, 6, NOBODY), (16, 4, ~0)],
        [(8, 6, 0), (16, 6, ~0)],
    ],
    ids=["reads", "masked", "root"],
)
def test_an_access_list_that_lets_nobody_else_write_is_none(page: Path, entries: list[tuple[int, int, int]]) -> None:
    give_list(page, *entries)
    assert codes(reading(page).findings) == []


@as_root
def test_a_group_without_members_in_an_access_list_is_a_warning(page: Path) -> None:
    give_list(page, (8, 6, grp.getgrnam("staff").gr_gid), (16, 6, ~0))
    (finding,) = reading(page).findings
    assert finding.message == "whom its access list names can change it"


@as_root
def test_what_is_mounted_read_only_is_read_with_a_warning(page: Path) -> None:
    page.parent.chmod(0o777)
    script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" -c "$3" "$1"'
    ask = (
        "import sys; from certkeeper.adapters.page import Files, read_page; "
        "print([item.code for item in read_page(sys.argv[1] + '/config', '/', {}).findings])"
    )
    command = [*in_a_mount_namespace(), script, "sh", str(page.parent), sys.executable, ask]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "['open-to-others', 'open-list']\n", done.stderr
