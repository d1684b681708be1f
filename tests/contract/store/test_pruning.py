"""Old versions are taken away, and nothing else, wherever the plug is pulled."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path

import pytest

from builders.certificates import Wish, new_key, version_files
from builders.effects import failing_at, killed_before
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.store import Store
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.times import from_epoch
from certkeeper.lineage import layout
from certkeeper.lineage.model import VersionFiles
from certkeeper.lineage.retention import Removal, Retention, StillTorn
from contract.store.folders import ALIAS, ORIGIN, dehydrated_folder, link, look, pair_of, plain_folder, private_file

DAY = 86400
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
STRICT = Retention(versions=1, days=30)
KEYS = [new_key() for _ in range(6)]


@pytest.fixture
def certs() -> Iterator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def store(certs: Path) -> Store:
    return Store(str(certs))


@pytest.fixture
def folder(certs: Path) -> Path:
    return certs / ALIAS.text


@cache
def files(number: int) -> VersionFiles:
    began = from_epoch(START + number * 60 * DAY)
    return version_files(KEYS[number], Wish(not_before=began, not_after=began + timedelta(days=90)))


def issued(store: Store, number: int) -> int:
    """The renewal of that number, 60 days after the one before."""
    draft = store.begin(ALIAS, START + number * 60 * DAY)
    store.save_key(draft, KEYS[number])
    store.stage(draft, replace(files(number), origin=ORIGIN))
    store.activate(ALIAS, draft.stamp)
    return draft.stamp


def at(days: float) -> datetime:
    return from_epoch(START + days * DAY)


def prune(store: Store, now: datetime, retention: Retention = STRICT) -> list[Removal]:
    found = store.removable(ALIAS, retention, now)
    for removal in found:
        store.remove(ALIAS, removal)
    return list(found)


def everything(folder: Path) -> dict[str, object]:
    """Every name below the folder with what is behind it, times apart."""
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
    }


def test_old_versions_go_with_their_stamped_names_and_the_live_one_stays(store: Store, folder: Path) -> None:
    stamps = [issued(store, number) for number in range(4)]
    assert [item.stamp for item in prune(store, at(181))] == stamps[:2]
    assert [version.stamp for version in store.versions(ALIAS)] == [stamps[3], stamps[2]]
    assert {layout.stamp_of(path.name) for path in folder.glob("*-*")} == set(stamps[2:])
    assert look(folder) == pair_of(files(3))
    assert prune(store, at(181)) == []


def test_a_version_stays_for_the_days_after_it_was_replaced(store: Store) -> None:
    stamps = [issued(store, number) for number in range(3)]
    assert store.removable(ALIAS, STRICT, at(89)) == ()
    assert [item.stamp for item in store.removable(ALIAS, STRICT, at(91))] == stamps[:1]
    assert store.removable(ALIAS, Retention(2, 30), at(1000)) == ()
    assert store.removable(ALIAS, STRICT, at(91), needed={stamps[0]}) == ()


def test_a_staged_version_stays_for_the_days(store: Store) -> None:
    issued(store, 0)
    draft = store.begin(ALIAS, START + 60 * DAY)
    store.stage(draft, files(1))
    assert store.removable(ALIAS, Retention(0, 30), at(89)) == ()
    found = store.removable(ALIAS, Retention(0, 30), at(91))
    assert [item.stamp for item in found] == [draft.stamp]


def test_a_draft_stays_until_nobody_takes_it_up(store: Store, folder: Path) -> None:
    issued(store, 0)
    draft = store.begin(ALIAS, START + 60 * DAY)
    store.save_key(draft, KEYS[1])
    partial_ = folder / ".versions" / layout.partial_name(draft.stamp)
    os.utime(partial_, (START + 65 * DAY, START + 65 * DAY))
    assert store.removable(ALIAS, Retention(0, 30), at(94)) == ()
    assert store.removable(ALIAS, Retention(0, 30), at(96), needed=[draft.stamp]) == ()
    assert [item.name for item in prune(store, at(96))] == [partial_.name]
    assert not partial_.exists()


def test_dehydrateds_own_files_stay_when_the_version_made_of_them_goes(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, files(0), START)
    before = {path.name: path.read_bytes() for path in folder.glob(f"*-{START}.*")}
    for number in (1, 2, 3):
        issued(store, number)
    assert [item.stamp for item in prune(store, at(181))] == [START, START + 60 * DAY]
    assert {path.name: path.read_bytes() for path in folder.glob(f"*-{START}.*")} == before
    assert len(before) == 5


def test_a_persons_key_stays_when_the_version_made_of_it_goes(store: Store, folder: Path) -> None:
    plain_folder(folder, files(0))
    private_file(folder / f"cert-{START + 60 * DAY}.pem", b"a person's")
    for number in (1, 2, 3):
        issued(store, number)
    prune(store, at(181))
    assert KEYS[0].pem in [path.read_bytes() for path in folder.glob("privkey-*.pem")]
    assert (folder / f"cert-{START + 60 * DAY}.pem").read_bytes() == b"a person's"


@pytest.mark.parametrize("content", ["the same", "another"])
def test_a_stamped_name_that_is_somebody_elses_file_stays(store: Store, folder: Path, content: str) -> None:
    stamps = [issued(store, number) for number in range(3)]
    path = folder / f"privkey-{stamps[0]}.pem"
    private_file(path, path.read_bytes() if content == "the same" else b"another\n")
    before = path.read_bytes()
    assert [item.stamp for item in prune(store, at(500))] == [stamps[0]]
    assert path.read_bytes() == before
    assert not (folder / f"cert-{stamps[0]}.pem").exists()


def test_a_version_with_other_files_in_it_is_left_altogether(store: Store, folder: Path) -> None:
    stamps = [issued(store, number) for number in range(3)]
    (folder / ".versions" / str(stamps[0]) / "note.txt").write_text("mine")
    before = everything(folder)
    with pytest.raises(FileTrouble, match=r"holds what certkeeper did not put there: note\.txt"):
        prune(store, at(500))
    assert everything(folder) == before


def test_a_certificate_that_dehydrated_revoked_goes_with_its_version(store: Store, folder: Path) -> None:
    stamps = [issued(store, number) for number in range(3)]
    cert = folder / ".versions" / str(stamps[0]) / "cert.pem"
    cert.rename(cert.with_name("cert.pem-revoked"))
    assert [item.stamp for item in prune(store, at(500), Retention(0, 1))] == stamps[:2]
    assert not [path for path in folder.rglob("*") if str(stamps[0]) in path.name]


@pytest.mark.parametrize("target", ["privkey-{}.pem", ".versions/{}/cert.pem"])
def test_a_version_that_a_link_leads_to_stays(store: Store, folder: Path, target: str) -> None:
    stamps = [issued(store, number) for number in range(3)]
    link(folder / "mail.pem", target.format(stamps[0]))
    assert prune(store, at(500)) == []
    (folder / "mail.pem").unlink()
    assert [item.stamp for item in prune(store, at(500))] == stamps[:1]


def test_nothing_goes_while_the_lineage_is_torn(store: Store, folder: Path) -> None:
    for number in range(3):
        issued(store, number)
    private_file(folder / "privkey.pem", KEYS[5].pem)
    with pytest.raises(StillTorn, match=r"nothing is removed while privkey\.pem does not belong") as caught:
        store.removable(ALIAS, STRICT, at(500))
    assert caught.value.hint == f"certkeeper heal {ALIAS}"


def test_nothing_goes_while_it_is_not_known_what_is_live(store: Store, folder: Path) -> None:
    for number in range(3):
        issued(store, number)
    (folder / ".live").unlink()
    assert store.removable(ALIAS, STRICT, at(500)) == ()


def test_no_folder_and_no_versions_are_nothing_to_remove(store: Store, folder: Path) -> None:
    assert prune(store, at(500)) == []
    dehydrated_folder(folder, files(0), START)
    assert prune(store, at(500)) == []


def test_foreign_files_and_folders_stay(store: Store, folder: Path) -> None:
    for number in range(3):
        issued(store, number)
    (folder / "sub").mkdir()
    (folder / "sub" / f"privkey-{START}.pem").write_bytes(KEYS[0].pem)
    (folder / "notes").write_text("mine")
    (folder / ".versions" / "README").write_text("mine")
    (folder / ".versions" / "old").mkdir()
    kept = [path for path in everything(folder) if "sub" in path or path in ("notes", ".versions/README")]
    before = {name: everything(folder)[name] for name in kept}
    assert len(prune(store, at(500))) == 1
    assert {name: everything(folder)[name] for name in kept} == before


@pytest.fixture
def no_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def link_(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link_)


@pytest.mark.usefixtures("no_hard_links")
def test_copies_go_where_there_are_no_hard_links_and_other_files_stay(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, files(0), START)
    stamps = [issued(store, number) for number in (1, 2, 3)]
    assert (folder / f"cert-{stamps[0]}.pem").stat().st_nlink == 1
    theirs = folder / f"chain-{stamps[0]}.pem"
    private_file(theirs, b"a person's\n")
    assert [item.stamp for item in prune(store, at(500))] == [START, stamps[0]]
    assert [path.name for path in folder.glob(f"*-{stamps[0]}.*")] == [theirs.name]
    assert len(list(folder.glob(f"*-{START}.*"))) == 5
    assert look(folder) == pair_of(files(3))


def arranged(certs: Path) -> tuple[Store, Path]:
    """A version of dehydrated's, three of ours, and a draft that nobody took up."""
    for left in certs.iterdir():
        shutil.rmtree(left)
    store, folder = Store(str(certs)), certs / ALIAS.text
    dehydrated_folder(folder, files(0), START)
    for number in (1, 2, 3):
        issued(store, number)
    store.save_key(store.begin(ALIAS, START + 60 * DAY), KEYS[4])
    os.utime(next(folder.glob(".versions/*.partial")), (START, START))
    return store, folder


def test_a_kill_before_any_change_leaves_whole_versions_and_the_next_prune_finishes(certs: Path) -> None:
    sweep_of_kills(certs)


@pytest.mark.usefixtures("no_hard_links")
def test_a_kill_before_any_change_does_no_harm_without_hard_links_either(certs: Path) -> None:
    sweep_of_kills(certs)


def sweep_of_kills(certs: Path) -> None:
    store, folder = arranged(certs)
    assert len(prune(store, at(500))) == 3
    wanted = everything(folder)
    for number in range(1000):
        store, folder = arranged(certs)
        alive = not killed_before(number, partial(prune, store, at(500)))
        assert look(folder) == pair_of(files(3)), f"after a kill before change {number}"
        for version in store.versions(ALIAS):
            assert version.trouble == "", f"after a kill before change {number}"
        prune(store, at(500))
        assert everything(folder) == wanted, f"after a kill before change {number}"
        if alive:
            assert number > 20, "the sweep saw next to nothing"
            return
    pytest.fail("pruning has more than 1000 effects")


def test_a_failure_of_any_effect_leaves_the_live_set_and_the_next_prune_finishes(certs: Path) -> None:
    store, folder = arranged(certs)
    assert prune(store, at(500)) != []
    wanted = everything(folder)
    for number in range(1000):
        store, folder = arranged(certs)
        failed = True
        with suppress(CertkeeperError):
            failed = failing_at(number, errno.EIO, partial(prune, store, at(500)))
        assert look(folder) == pair_of(files(3))
        prune(store, at(500))
        assert everything(folder) == wanted, f"after a failure of effect {number}"
        if not failed:
            return
    pytest.fail("pruning has more than 1000 effects")
