"""The versions of a lineage, whoever made them and whatever became of them."""

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from builders.certificates import new_key, version_files
from builders.effects import failing_at
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.store import Store
from certkeeper.lineage import layout
from certkeeper.lineage.model import Origin, VersionFiles
from contract.store.folders import (
    ALIAS,
    NOW_STAMP,
    OLD_STAMP,
    dehydrated_folder,
    issue,
    link,
    plain_folder,
    private_file,
)


def staged(store: Store, stamp: int) -> VersionFiles:
    files = version_files(new_key())
    store.stage(store.begin(ALIAS, stamp), files)
    return files


def test_a_version_is_read_live_or_not(store: Store) -> None:
    key = new_key()
    first = issue(store, key)
    files = staged(store, NOW_STAMP + 5)
    assert store.version(ALIAS, NOW_STAMP + 5) == files
    found = store.version(ALIAS, first)
    assert found is not None
    assert found.privkey == key.pem


def test_no_version_is_none(store: Store, folder: Path) -> None:
    assert store.version(ALIAS, NOW_STAMP) is None
    draft = store.begin(ALIAS, NOW_STAMP)
    store.save_key(draft, new_key())
    assert store.version(ALIAS, NOW_STAMP) is None
    (folder / ".versions" / "7").write_text("no folder")
    with pytest.raises(FileTrouble):
        store.version(ALIAS, 7)


@pytest.mark.parametrize("name", ["privkey.pem", "cert.pem", "chain.pem", "fullchain.pem"])
def test_a_version_that_lacks_a_file_is_none(store: Store, folder: Path, name: str) -> None:
    staged(store, NOW_STAMP)
    (folder / ".versions" / str(NOW_STAMP) / name).unlink()
    assert store.version(ALIAS, NOW_STAMP) is None
    assert store.versions(ALIAS)[0].trouble == f"lacks {name}"


@pytest.mark.parametrize("name", ["privkey.pem", "cert.pem", "chain.pem", "fullchain.pem"])
def test_a_version_whose_files_do_not_belong_together_is_none(store: Store, folder: Path, name: str) -> None:
    staged(store, NOW_STAMP)
    path = folder / ".versions" / str(NOW_STAMP) / name
    other = layout.by_name(version_files(new_key()))[name]
    private_file(path, b"" if name == "chain.pem" else other)
    assert store.version(ALIAS, NOW_STAMP) is None
    assert store.versions(ALIAS)[0].trouble != ""
    private_file(path, b"\0 rubbish")
    assert store.version(ALIAS, NOW_STAMP) is None


def test_an_adopted_version_may_lack_its_request(store: Store, folder: Path) -> None:
    files = version_files(new_key())
    plain_folder(folder, files)
    issue(store, new_key())
    found = store.version(ALIAS, OLD_STAMP)
    assert found == VersionFiles(files.privkey, b"", files.cert, files.chain, files.fullchain)


def test_a_version_that_cannot_be_read_just_now_is_no_missing_one(store: Store) -> None:
    files = staged(store, NOW_STAMP)
    for number in range(50):
        found: list[VersionFiles | None] = []

        def read(found: list[VersionFiles | None] = found) -> None:
            found.append(store.version(ALIAS, NOW_STAMP))

        try:
            if not failing_at(number, errno.EIO, read):
                return
        except FileTrouble:
            continue
        assert found == [files]
    pytest.fail("reading a version has more than 50 effects")


def test_versions_are_listed_newest_first(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, version_files(old := new_key()))
    issue(store, key := new_key())
    staged(store, NOW_STAMP + 5)
    draft = store.begin(ALIAS, NOW_STAMP + 9)
    store.save_key(draft, new_key())
    found = store.versions(ALIAS)
    assert [version.stamp for version in found] == [NOW_STAMP + 5, NOW_STAMP, OLD_STAMP]
    assert [version.live for version in found] == [False, True, False]
    assert [version.shown for version in found] == [False, True, False]
    assert [version.adopted for version in found] == [False, False, True]
    assert [version.trouble for version in found] == ["", "", ""]
    assert [found[1].key_id, found[2].key_id] == [key.key_id, old.key_id]
    assert found[2].leaf is not None
    assert found[2].leaf.key_id == old.key_id


def test_no_versions_are_none(store: Store, folder: Path) -> None:
    assert store.versions(ALIAS) == ()
    dehydrated_folder(folder, version_files(new_key()))
    assert store.versions(ALIAS) == ()


@pytest.mark.parametrize("target", [f"privkey-{NOW_STAMP}.pem", f".versions/{NOW_STAMP}/privkey.pem"])
def test_a_version_that_somebodys_link_leads_to_is_shown(store: Store, folder: Path, target: str) -> None:
    issue(store, new_key())
    issue(store, new_key(), NOW_STAMP + 5)
    assert [version.shown for version in store.versions(ALIAS)] == [True, False]
    link(folder / "mail.key", target)
    assert [version.shown for version in store.versions(ALIAS)] == [True, True]


ORIGIN = Origin("https://ca.test/directory", "shortlived", must_staple=True, test=True)


def test_the_origin_of_a_version_is_known_while_it_is_live(store: Store, folder: Path) -> None:
    for number, origin in enumerate((ORIGIN, None, replace(ORIGIN, ca="https://other.test/directory"))):
        draft = store.begin(ALIAS, NOW_STAMP + number)
        key = new_key()
        store.save_key(draft, key)
        store.stage(draft, replace(version_files(key), origin=origin))
        store.activate(ALIAS, draft.stamp)
        assert store.lineage(ALIAS).origin == origin
    store.activate(ALIAS, NOW_STAMP)
    assert store.lineage(ALIAS).origin == ORIGIN
    (folder / ".live" / "origin.json").write_bytes(b"{")
    found = store.lineage(ALIAS)
    assert (found.origin, found.trouble, found.disagreement) == (None, "", "")
    # Where dehydrated wrote last, what was written down is about another certificate.
    store.activate(ALIAS, NOW_STAMP + 2)
    (folder / "cert.pem").unlink()
    (folder / "cert.pem").symlink_to(f".versions/{NOW_STAMP}/cert.pem")
    assert store.lineage(ALIAS).origin is None


def test_a_draft_with_an_origin_can_be_discarded(store: Store, folder: Path) -> None:
    draft = store.begin(ALIAS, NOW_STAMP)
    (folder / ".versions" / layout.partial_name(draft.stamp) / layout.ORIGIN).write_bytes(b"{}")
    store.discard(draft)
    assert not (folder / ".versions" / layout.partial_name(draft.stamp)).exists()


def test_a_lineage_that_is_kept_elsewhere_leaves_certdir_alone(store: Store, tmp_path: Path) -> None:
    issue(store, new_key())
    elsewhere = Store(str(tmp_path / "certs"), {ALIAS: str(tmp_path / "tests")})
    before = (tmp_path / "certs" / ALIAS.text / "cert.pem").read_bytes()
    assert elsewhere.lineage(ALIAS).leaf is None
    issue(elsewhere, new_key())
    assert (tmp_path / "tests" / ALIAS.text / "cert.pem").exists()
    assert (tmp_path / "certs" / ALIAS.text / "cert.pem").read_bytes() == before
