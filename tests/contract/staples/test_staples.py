"""What every port Staples promises, whether it is a folder or a test's; and what the folder looks like."""

import grp
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from builders.certificates import new_key, version_files
from builders.effects import CHANGES, killed_before, recorded
from builders.fakestaples import FakeStaples
from builders.fakestore import FakeStore
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.ownership import resolve
from certkeeper.adapters.staples import Staples
from certkeeper.adapters.store import Store
from certkeeper.apply import ports
from certkeeper.base.access import Access
from certkeeper.base.errors import CertkeeperError
from certkeeper.base.times import from_epoch
from certkeeper.lineage.model import VersionFiles
from certkeeper.lineage.retention import Retention
from contract.store.folders import ALIAS, NOW_STAMP, OLD_STAMP, dehydrated_folder, issue, link, plain_folder

FIRST = new_key()
Arrange = Callable[[Path, VersionFiles], object]
AT = NOW_STAMP + 5


class Pair:
    """A store and the staples beside it."""

    def __init__(self, store: ports.Store, staples: ports.Staples) -> None:
        self.store, self.staples = store, staples

    @property
    def cert(self) -> bytes:
        found = self.staples.read(ALIAS)
        assert found is not None
        return found.cert

    @property
    def staple(self) -> bytes | None:
        found = self.staples.read(ALIAS)
        assert found is not None
        return found.staple

    def stage(self, now: int = NOW_STAMP) -> tuple[int, VersionFiles]:
        draft = self.store.begin(ALIAS, now)
        key = new_key()
        self.store.save_key(draft, key)
        files = version_files(key)
        self.store.stage(draft, files)
        return draft.stamp, files


@pytest.fixture(params=["fake", "real"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    if request.param == "fake":
        fake = FakeStore()
        return Pair(fake, FakeStaples(fake))
    store = Store(str(tmp_path))
    return Pair(store, Staples(store.folders))


def live(pair: Pair) -> VersionFiles:
    stamp, files = pair.stage()
    pair.store.activate(ALIAS, stamp)
    return files


def test_nothing_is_read_where_there_is_no_certificate(pair: Pair) -> None:
    assert pair.staples.read(ALIAS) is None
    pair.stage()
    assert pair.staples.read(ALIAS) is None


def test_what_is_saved_is_read_with_its_certificate(pair: Pair) -> None:
    files = live(pair)
    assert pair.staples.read(ALIAS) == ports.StapledFiles(files.cert, files.chain)
    assert pair.staples.save(ALIAS, files.cert, b"one", AT) == AT
    assert pair.staples.read(ALIAS) == ports.StapledFiles(files.cert, files.chain, b"one")
    assert pair.staples.save(ALIAS, files.cert, b"two", AT) == AT + 1
    assert pair.staple == b"two"


def test_the_same_response_has_the_same_stamp(pair: Pair) -> None:
    files = live(pair)
    pair.staples.save(ALIAS, files.cert, b"one", AT)
    stamp = pair.staples.save(ALIAS, files.cert, b"two", AT + 3)
    assert pair.staples.save(ALIAS, files.cert, b"two", AT + 9) == stamp
    assert pair.staples.save(ALIAS, files.cert, b"one", AT + 9) != stamp


def test_a_response_is_about_one_certificate(pair: Pair) -> None:
    before = live(pair)
    pair.staples.save(ALIAS, before.cert, b"one", AT)
    stamp, coming = pair.stage(AT)
    pair.staples.save(ALIAS, coming.cert, b"two", AT)
    assert pair.staple == b"one"
    pair.store.activate(ALIAS, stamp)
    assert (pair.cert, pair.staple) == (coming.cert, b"two")


def test_another_version_has_no_response_until_it_gets_one(pair: Pair) -> None:
    before = live(pair)
    pair.staples.save(ALIAS, before.cert, b"one", AT)
    stamp, coming = pair.stage(AT)
    pair.store.activate(ALIAS, stamp)
    assert (pair.cert, pair.staple) == (coming.cert, None)


def test_nothing_is_saved_for_a_certificate_that_is_not_there(pair: Pair) -> None:
    live(pair)
    with pytest.raises(CertkeeperError):
        pair.staples.save(ALIAS, version_files(new_key()).cert, b"one", AT)
    assert pair.staple is None


def test_both_are_the_port(tmp_path: Path) -> None:
    fake: ports.Staples = FakeStaples(FakeStore())
    real: ports.Staples = Staples(Store(str(tmp_path)).folders)
    assert fake is not real


# From here on, the folder.

OLD = version_files(FIRST)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ALIAS.text


def real(folder: Path) -> Pair:
    store = Store(str(folder.parent))
    return Pair(store, Staples(store.folders))


def stamped(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("ocsp-*"))


def test_in_a_folder_of_dehydrateds_it_is_as_dehydrated_does_it(folder: Path) -> None:
    dehydrated_folder(folder, OLD)
    pair = real(folder)
    assert pair.staples.save(ALIAS, OLD.cert, b"one", AT) == AT
    assert (folder / "ocsp.der").readlink() == Path(f"ocsp-{AT}.der")
    assert pair.staples.save(ALIAS, OLD.cert, b"two", AT) == AT + 1
    assert (folder / "ocsp.der").readlink() == Path(f"ocsp-{AT + 1}.der")
    assert pair.staples.save(ALIAS, OLD.cert, b"two", AT + 9) == AT + 1
    # dehydrated leaves the former one to its cleanup
    assert (folder / f"ocsp-{AT}.der").read_bytes() == b"one"
    assert (folder / "ocsp.der").stat().st_mode & 0o777 == 0o600


def test_in_a_folder_of_ours_it_is_a_file_of_the_version(folder: Path) -> None:
    pair = real(folder)
    stamp = issue(Store(str(folder.parent)), FIRST)
    cert = pair.cert
    pair.staples.save(ALIAS, cert, b"one", AT)
    pair.staples.save(ALIAS, cert, b"two", AT + 1)
    pair.staples.save(ALIAS, cert, b"two", AT + 9)
    assert (folder / "ocsp.der").readlink() == Path(".live/ocsp.der")
    assert stamped(folder) == [f"ocsp-{AT + 1}.der"]
    assert (folder / f"ocsp-{AT + 1}.der").samefile(folder / f".versions/{stamp}/ocsp.der")


def test_after_dehydrated_wrote_it_its_folder_is_dehydrateds(folder: Path) -> None:
    pair = real(folder)
    issue(Store(str(folder.parent)), FIRST)
    pair.staples.save(ALIAS, pair.cert, b"one", AT)
    dehydrated_folder(folder, OLD, stamp=AT)
    pair.staples.save(ALIAS, OLD.cert, b"two", AT)
    assert pair.staple == b"two"
    assert (folder / "ocsp.der").readlink() == Path(f"ocsp-{AT + 1}.der")


def test_the_switch_takes_the_link_to_dehydrateds_response_away_where_there_is_no_other(folder: Path) -> None:
    dehydrated_folder(folder, OLD)
    link(folder / "ocsp.der", f"ocsp-{OLD_STAMP}.der")
    (folder / f"ocsp-{OLD_STAMP}.der").write_bytes(b"old")
    pair = real(folder)
    stamp, coming = pair.stage(AT)
    pair.store.activate(ALIAS, stamp)
    assert (pair.cert, pair.staple) == (coming.cert, None)
    assert not (folder / "ocsp.der").is_symlink()
    assert (folder / f"ocsp-{OLD_STAMP}.der").read_bytes() == b"old"


def test_the_switch_leads_away_from_dehydrateds_response_where_there_is_another(folder: Path) -> None:
    dehydrated_folder(folder, OLD)
    link(folder / "ocsp.der", f"ocsp-{OLD_STAMP}.der")
    (folder / f"ocsp-{OLD_STAMP}.der").write_bytes(b"old")
    pair = real(folder)
    stamp, coming = pair.stage(AT)
    pair.staples.save(ALIAS, coming.cert, b"new", AT)
    assert pair.staple == b"old"
    pair.store.activate(ALIAS, stamp)
    assert (pair.cert, pair.staple) == (coming.cert, b"new")
    assert (folder / f"ocsp-{stamp}.der").read_bytes() == b"new"


def test_a_response_that_goes_live_with_its_version_has_one_stamped_name(folder: Path) -> None:
    pair = real(folder)
    stamp, coming = pair.stage()
    pair.staples.save(ALIAS, coming.cert, b"first", NOW_STAMP)
    pair.store.activate(ALIAS, stamp)
    assert stamped(folder) == [f"ocsp-{stamp}.der"]
    pair.staples.save(ALIAS, coming.cert, b"second", AT)
    pair.store.activate(ALIAS, stamp)
    assert stamped(folder) == [f"ocsp-{AT}.der"]


def test_a_file_that_a_person_put_there_keeps_its_content(folder: Path) -> None:
    plain_folder(folder, OLD)
    (folder / "ocsp.der").write_bytes(b"by hand")
    os.utime(folder / "ocsp.der", (OLD_STAMP, OLD_STAMP))
    real(folder).staples.save(ALIAS, OLD.cert, b"one", AT)
    assert (folder / f"ocsp-{OLD_STAMP}.der").read_bytes() == b"by hand"
    assert (folder / "ocsp.der").read_bytes() == b"one"


def test_a_link_of_the_operators_stays(folder: Path, tmp_path: Path) -> None:
    plain_folder(folder, OLD)
    link(folder / "ocsp.der", str(tmp_path / "elsewhere"))
    with pytest.raises(FileTrouble, match="leads elsewhere"):
        real(folder).staples.save(ALIAS, OLD.cert, b"one", AT)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("arrange", [dehydrated_folder, lambda folder, _: issue(Store(str(folder.parent)), FIRST)])
def test_services_may_read_it_from_its_first_moment(folder: Path, arrange: Arrange) -> None:
    arrange(folder, OLD)
    folder.chmod(0o700)
    owned = resolve(Access(group=grp.getgrgid(os.getegid()).gr_name))
    store = Store(str(folder.parent), owned={ALIAS: owned})
    pair = Pair(store, Staples(store.folders))
    pair.staples.save(ALIAS, pair.cert, b"first", AT)
    turn = 0
    while killed_before(turn, partial(pair.staples.save, ALIAS, pair.cert, b"%d" % turn, AT + turn)):
        turn += 1
        assert (folder / "ocsp.der").stat().st_mode & 0o777 == 0o644
    assert turn > 4
    assert (folder / "ocsp.der").stat().st_mode & 0o777 == 0o644
    stamp, coming = pair.stage(AT)
    pair.staples.save(ALIAS, coming.cert, b"staged", AT)
    assert (folder / f".versions/{stamp}/ocsp.der").stat().st_mode & 0o777 == 0o644


def test_what_is_pruned_takes_the_names_of_its_response_along(folder: Path) -> None:
    store = Store(str(folder.parent))
    issue(store, FIRST)
    pair = real(folder)
    pair.staples.save(ALIAS, pair.cert, b"one", AT)
    for turn in (1, 2, 3):
        issue(store, new_key(), NOW_STAMP + 100 * turn)
    pair.staples.save(ALIAS, pair.cert, b"newest", AT)
    found = store.removable(ALIAS, Retention(0, 0), from_epoch(2 * NOW_STAMP))
    assert found
    for removal in found:
        store.remove(ALIAS, removal)
    assert pair.staple == b"newest"
    assert len(stamped(folder)) == 1


@pytest.mark.parametrize("ours", [False, True], ids=["dehydrateds", "ours"])
def test_a_kill_anywhere_leaves_the_old_response_or_the_new_one(tmp_path: Path, *, ours: bool) -> None:
    def arranged(name: str) -> Pair:
        folder = tmp_path / name / ALIAS.text
        if ours:
            folder.parent.mkdir()
            issue(Store(str(folder.parent)), FIRST)
        else:
            dehydrated_folder(folder, OLD)
        found = real(folder)
        found.staples.save(ALIAS, found.cert, b"old", AT)
        return found

    counted = arranged("counted")
    cert = counted.cert
    effects = recorded(lambda: counted.staples.save(ALIAS, cert, b"new", AT + 9))
    total = len([name for name in effects if name in CHANGES])
    assert total >= 4
    for turn in range(total):
        pair = arranged(str(turn))
        assert killed_before(turn, partial(pair.staples.save, ALIAS, pair.cert, b"new", AT + 9))
        assert pair.staple in {b"old", b"new"}
        pair.staples.save(ALIAS, pair.cert, b"new", AT + 9)
        assert pair.staple == b"new"
        assert not list((tmp_path / str(turn)).rglob("*certkeeper-tmp"))


def test_a_kill_anywhere_in_the_switch_leaves_the_response_with_its_certificate(tmp_path: Path) -> None:
    def arranged(name: str) -> tuple[Pair, int, bytes]:
        folder = tmp_path / name / ALIAS.text
        folder.parent.mkdir()
        issue(Store(str(folder.parent)), FIRST)
        found = real(folder)
        found.staples.save(ALIAS, found.cert, b"old", AT)
        stamp, coming = found.stage(NOW_STAMP + 100)
        found.staples.save(ALIAS, coming.cert, b"new", AT + 100)
        return found, stamp, coming.cert

    counted, stamp, _ = arranged("counted")
    total = len([name for name in recorded(lambda: counted.store.activate(ALIAS, stamp)) if name in CHANGES])
    assert total >= 4
    for turn in range(total):
        pair, stamp, cert = arranged(str(turn))
        assert killed_before(turn, partial(pair.store.activate, ALIAS, stamp))
        assert pair.staple == (b"new" if pair.cert == cert else b"old")
        pair.store.activate(ALIAS, stamp)
        assert (pair.cert, pair.staple) == (cert, b"new")
        assert stamped(tmp_path / str(turn) / ALIAS.text) == [f"ocsp-{AT}.der", f"ocsp-{stamp}.der"]
