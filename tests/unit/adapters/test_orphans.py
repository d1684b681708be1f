"""Lineages that are not listed, what names their folders, and their way into the archive."""

import os
from pathlib import Path

import pytest

from builders.effects import killed_before
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.orphans import archive, unlisted
from certkeeper.adapters.uses import find_uses
from certkeeper.base.errors import Location
from certkeeper.base.names import Alias

ALIAS = Alias("old.example.org")
PEM = b"pem"


def lineage(certs: Path, name: str) -> Path:
    """As dehydrated leaves it."""
    folder = certs / name
    folder.mkdir(parents=True)
    (folder / "privkey-1.pem").write_bytes(PEM)
    (folder / "privkey-1.pem").chmod(0o600)
    (folder / "cert-1.pem").write_bytes(PEM)
    (folder / "cert.pem").symlink_to("cert-1.pem")
    (folder / "privkey.pem").symlink_to("privkey-1.pem")
    return folder


def test_what_is_listed_or_no_lineage_is_no_orphan(tmp_path: Path) -> None:
    for name in ("old.example.org", "www.example.org", ".hidden", "with blank"):
        lineage(tmp_path, name)
    (tmp_path / "only-config").mkdir()
    (tmp_path / "only-config" / "config").write_text("KEY_ALGO=rsa\n")
    (tmp_path / "file.pem").write_bytes(PEM)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "old.example.org")
    assert unlisted(str(tmp_path), {"www.example.org"}) == (ALIAS,)


def test_a_lineage_of_ours_without_a_certificate_is_one(tmp_path: Path) -> None:
    (tmp_path / "old.example.org" / ".versions").mkdir(parents=True)
    assert unlisted(str(tmp_path), ()) == (ALIAS,)


def test_without_a_folder_there_is_none(tmp_path: Path) -> None:
    assert unlisted(str(tmp_path / "certs"), ()) == ()


def test_the_archive_gets_the_whole_folder(tmp_path: Path) -> None:
    lineage(tmp_path / "certs", "old.example.org")
    (tmp_path / "certs" / "old.example.org" / "notes.txt").write_text("mine")
    where = Path(archive(str(tmp_path / "certs"), str(tmp_path), ALIAS, 1_700_000_000))
    assert where == tmp_path / "archive" / "old.example.org-1700000000"
    assert not (tmp_path / "certs" / "old.example.org").exists()
    assert (where / "cert.pem").read_bytes() == PEM
    assert (where / "notes.txt").read_text() == "mine"
    assert (where / "privkey-1.pem").stat().st_mode & 0o777 == 0o600
    assert where.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_in_the_archive_is_overwritten(tmp_path: Path) -> None:
    first = archive(*retired(tmp_path), 5)
    second = archive(*retired(tmp_path), 5)
    assert (Path(first).name, Path(second).name) == ("old.example.org-5", "old.example.org-6")
    (tmp_path / "archive" / "old.example.org-7").mkdir()
    assert Path(archive(*retired(tmp_path), 7)).name == "old.example.org-8"


def retired(base: Path) -> tuple[str, str, Alias]:
    lineage(base / "certs", "old.example.org")
    return str(base / "certs"), str(base), ALIAS


def test_a_link_is_not_moved(tmp_path: Path) -> None:
    lineage(tmp_path, "real")
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "old.example.org").symlink_to(tmp_path / "real")
    with pytest.raises(FileTrouble, match="no folder of certkeeper's"):
        archive(str(tmp_path / "certs"), str(tmp_path), ALIAS, 5)


def test_a_kill_leaves_it_here_or_there(tmp_path: Path) -> None:
    number, kills = 0, 0
    while True:
        base = tmp_path / str(number)
        arguments = retired(base)

        def act(arguments: tuple[str, str, Alias] = arguments) -> None:
            archive(*arguments, 5)

        if not killed_before(number, act):
            break
        kills += 1
        here, there = base / "certs" / "old.example.org", base / "archive" / "old.example.org-5"
        assert here.exists() != there.exists()
        assert (here if here.exists() else there).joinpath("cert.pem").read_bytes() == PEM
        number += 1
    assert kills > 1


FOLDER = "/etc/dehydrated/certs/example.org"


def etc(tmp_path: Path, **files: str) -> str:
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(tmp_path)


def lines(root: str, *folders: str) -> list[str]:
    found = find_uses(folders or (FOLDER,), root).found
    return [str(place).removeprefix(f"{root}/") for places in found.values() for place in places]


def test_lines_that_name_the_folder_are_found(tmp_path: Path) -> None:
    root = etc(
        tmp_path,
        nginx__nginx="a\nssl_certificate /etc/dehydrated/certs/example.org/fullchain.pem;\n",
        postfix__main='smtpd_tls_chain_files = "/etc/dehydrated/certs/example.org/privkey.pem"\n',
        prosody__certs__list="dir = '/etc/dehydrated/certs/example.org'\n",
        elsewhere__x="/etc/dehydrated/certs/example.org/\n",
    )
    assert lines(root) == ["nginx/nginx:2", "postfix/main:1", "prosody/certs/list:1"]


def test_files_and_folders_that_are_named_are_looked_at_too(tmp_path: Path) -> None:
    root = etc(tmp_path, own__main="ssl_certificate /etc/dehydrated/certs/example.org/fullchain.pem;\n", own2="a\n")
    for more in (f"{root}/own", f"{root}/own/main"):
        (found,) = find_uses([FOLDER], f"{root}/etc", more=[more, f"{root}/own2", "/nowhere"]).found.values()
        assert [str(place) for place in found] == [f"{root}/own/main:1"]


@pytest.mark.parametrize(
    "text",
    [
        "/etc/dehydrated/certs/example.org.uk/cert.pem",
        "/etc/dehydrated/certs/example.org-old/cert.pem",
        "  # /etc/dehydrated/certs/example.org/cert.pem",
        "-- /etc/dehydrated/certs/example.org/cert.pem",
    ],
)
def test_other_folders_and_comments_do_not_count(tmp_path: Path, text: str) -> None:
    assert lines(etc(tmp_path, nginx__nginx=f"{text}\n")) == []


def test_a_site_counts_while_it_is_switched_on(tmp_path: Path) -> None:
    root = etc(tmp_path, **{"nginx__sites-available__site": f"{FOLDER}/cert.pem\n"})
    assert lines(root) == []
    (tmp_path / "nginx" / "sites-enabled").mkdir()
    (tmp_path / "nginx" / "sites-enabled" / "site").symlink_to("../sites-available/site")
    assert lines(root) == ["nginx/sites-enabled/site:1"]


def test_what_cannot_be_looked_at_is_told(tmp_path: Path) -> None:
    root = etc(tmp_path, nginx__big=f"{FOLDER}\n" + "x" * (2 << 20))
    (tmp_path / "nginx" / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "nginx" / "pipe")
    uses = find_uses([FOLDER], root)
    assert (uses.found, uses.unread) == ({}, (f"{root}/nginx/big",))


def test_each_folder_has_its_own(tmp_path: Path) -> None:
    root = etc(tmp_path, nginx__n="/c/a/x\n/c/b/x\n")
    uses = find_uses(["/c/a", "/c/b"], root)
    assert uses.of("/c/b") == (Location(f"{root}/nginx/n", 2),)
    assert find_uses([], root).found == {}
