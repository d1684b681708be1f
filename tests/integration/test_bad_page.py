"""What a new user gets wrong in the configuration file and in domains.txt.

Each time: one error that names its object, a hint what to do, the other certificates issued, the exit code, and no
challenge record left behind.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.pebble import Options
from bed.world import World
from builders.badinput import in_a_mount_namespace, the_others_are_issued, without_overriding_permissions
from builders.page import Done, Page, assert_clean_dns, certkeeper

pytestmark = pytest.mark.real

MakePage = Callable[..., Page]
MakeWorld = Callable[..., World]


def usage_error(done: Done, *words: str) -> None:
    assert done.code == 2, done.text
    error = done.only_error()
    for word in words:
        assert word in error
    assert done.out == ""


def test_a_missing_config(tmp_path: Path) -> None:
    path = tmp_path / "config"
    usage_error(certkeeper("run", "--config", path, cwd=tmp_path), str(path), "no such file")


def test_no_config_anywhere(tmp_path: Path) -> None:
    prefix: list[str] = []
    if Path("/etc/dehydrated").exists():  # a page, or the package's example of one
        prefix = [*in_a_mount_namespace(), 'mount -t tmpfs none /etc/dehydrated && exec "$@"', "sh"]
    usage_error(certkeeper("run", cwd=tmp_path, prefix=prefix), "/etc/dehydrated/config", f"{tmp_path}/config")


def test_an_unreadable_config(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.config.chmod(0)
    usage_error(page.run(prefix=without_overriding_permissions()), str(page.config), "permission denied")


def test_a_config_that_is_a_folder(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    usage_error(certkeeper("run", "--config", page.folder, cwd=page.folder), str(page.folder), "is a directory")


def test_an_empty_config(make_page: MakePage, zone: str) -> None:
    # A wildcard: with the defaults any other name would be ordered from a CA of the real world.
    page = make_page(f"*.{zone} > wild")
    page.config.write_text("")
    done = page.run()
    assert done.code in {1, 2}
    assert "CHALLENGETYPE" in done.only_error() + done.out
    assert "dns-01" in "".join(done.hints)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('HOOK="/usr/bin/x', ["a double quote is opened here and never closed"]),
        ("CA = x", ["CA", "blanks around ="]),
        ('CA="nowhere"', ["CA", "nowhere", "neither a preset nor a URL"]),
        ("if true; then", ["if", "conditions"]),
        ('RENEW_DAYS="soon"', ["RENEW_DAYS", "soon"]),
        ('KEY_ALGO="rot13"', ["KEY_ALGO", "rot13"]),
        ('NAMESERVERS="[::1"', ["NAMESERVERS", "[::1"]),
        ('CA_BUNDLE="/nowhere.pem"', ["/nowhere.pem", "CA_BUNDLE"]),
    ],
)
def test_a_line_of_the_config_that_cannot_be_read_is_named(
    make_page: MakePage, zone: str, line: str, words: list[str]
) -> None:
    page = make_page(zone)
    page.config.write_text(page.config.read_text() + line + "\n")
    done = page.run()
    assert done.code == 2, done.text
    error = done.only_error()
    for word in words:
        assert word in error
    assert page.live() == set()
    if "nowhere.pem" not in line:
        assert re.search(rf"{page.config}:\d+", error)


def test_a_missing_list(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.domains.unlink()
    usage_error(page.run(), str(page.domains), "no such file")


def test_an_empty_list_is_nothing_to_do(make_page: MakePage) -> None:
    done = make_page().run()
    assert (done.code, done.err) == (0, "")
    assert "nothing to do" in done.out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("www..{zone}", ["www..{zone}", "empty label"]),
        ("bad!name.{zone}", ["bad!name.{zone}", "character"]),
        ("{zone} foo/bar.{zone}", ["foo/bar.{zone}"]),
        ("*.{zone}", ["*.{zone}", "wildcard cannot name a folder"]),
        ("a.*.{zone}", ["a.*.{zone}", "character"]),
        ("localhost", ["localhost", "two labels"]),
        ("{long}.{zone}", ["longer than 63"]),
        ("x.{zone} > ../../etc", ["../../etc"]),
    ],
)
def test_a_bad_line_of_the_list_is_named_and_the_others_go_on(
    make_page: MakePage, zone: str, line: str, words: list[str]
) -> None:
    texts = {"zone": zone, "long": "l" * 64}
    page = make_page(f"good.{zone}", line.format(**texts))
    done = page.run()
    assert done.code == 1, done.text
    error = done.only_error()
    assert f"{page.domains}:2" in error
    for word in words:
        assert word.format(**texts) in error
    the_others_are_issued(page, f"good.{zone}")
    assert_clean_dns(page.world, zone)


def test_carriage_returns_and_comments_behind_names_do_no_harm(make_page: MakePage, zone: str) -> None:
    page = make_page()
    page.domains.write_bytes(f"{zone} www.{zone}\r\nmail.{zone} # the mail server\r\n\r\n# the end\r\n".encode())
    done = page.run()
    assert (done.code, done.err) == (0, ""), done.text
    assert page.verified_names(zone) == {zone, f"www.{zone}"}
    assert page.verified_names(f"mail.{zone}") == {f"mail.{zone}"}
    assert f"{page.domains}:2: a comment after the names" in done.out


def test_a_config_with_carriage_returns(make_page: MakePage, zone: str) -> None:
    page = make_page(zone)
    page.config.write_bytes(page.config.read_bytes().replace(b"\n", b"\r\n"))
    done = page.run()
    assert "Traceback" not in done.text
    if done.code == 0:
        the_others_are_issued(page, zone)
    else:
        assert f"{page.config}:1" in done.only_error()


@pytest.mark.long
def test_two_thousand_names(make_page: MakePage, make_world: MakeWorld) -> None:
    # Without questions to DNS of its own: Pebble asks 6,000 at once, and no server here takes that many.
    world, zone = make_world(pebble=Options(always_valid=True)), "example.org"
    names = [f"n{number}.{zone}" for number in range(2000)]
    page = make_page(" ".join([*names, "> many"]), f"other.{zone}", world=world, PDNS_WAIT="60")
    done = page.run(deadline=180)
    assert "Traceback" not in done.text
    assert done.code == 0, done.text
    assert "2000 names on the line" in done.out
    assert max(map(len, done.out.splitlines())) < 500
    assert len(page.verified_names("many")) == 2000
    the_others_are_issued(page, "many", f"other.{zone}")
    assert_clean_dns(page.world, zone)
