"""Torn folders are mended from a whole version, nothing is lost, and nobody sees a worse set on the way."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache, partial
from pathlib import Path

import pytest

from builders.certificates import NOW, Wish, new_key, version_files
from builders.effects import killed_before, watched
from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.keys import parse_own
from certkeeper.adapters.store import Store
from certkeeper.lineage import layout
from certkeeper.lineage.leaf import parse_leaf
from certkeeper.lineage.mending import LeftToRun, Mended, NothingWhole
from certkeeper.lineage.model import VersionFiles
from certkeeper.lineage.pem import disagreement
from contract.store.folders import ALIAS, Pair, dehydrated_folder, link, look, pair_of, plain_folder, private_file

DAY = 86400
STAMPS = (1_700_000_000, 1_705_000_000, 1_710_000_000)
KEYS = [new_key() for _ in range(4)]
STRANGE = new_key()


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


def files(number: int, key: int | None = None, valid: int = 60) -> VersionFiles:
    """What was issued the nth time; the first began 60 days ago, each later one 20 days after the one before."""
    return made(number, number if key is None else key, valid)


@cache
def made(number: int, key: int, valid: int) -> VersionFiles:
    began = NOW - timedelta(days=60 - 20 * number)
    wish = Wish(not_before=began, not_after=NOW + timedelta(days=valid))
    return version_files(KEYS[key], wish)


def issued(store: Store, number: int, key: int | None = None, valid: int = 60) -> int:
    stage(store, number, key, valid)
    store.activate(ALIAS, STAMPS[number])
    return STAMPS[number]


def stage(store: Store, number: int, key: int | None = None, valid: int = 60) -> None:
    store.stage(store.begin(ALIAS, STAMPS[number]), files(number, key, valid))


def mended(store: Store) -> Mended:
    found = store.mend(ALIAS, NOW)
    assert isinstance(found, Mended)
    assert store.mend(ALIAS, NOW) is None, "mending twice is mending once"
    lineage = store.lineage(ALIAS)
    assert lineage.leaf is not None
    assert (lineage.torn, lineage.leaf.key_id, lineage.stamp) == (False, lineage.key_id, found.stamp)
    return found


def left(store: Store, folder: Path) -> LeftToRun:
    before = everything(folder)
    found = store.mend(ALIAS, NOW)
    assert isinstance(found, LeftToRun)
    assert everything(folder) == before
    return found


def everything(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
    }


def contents(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


def test_what_is_whole_is_not_touched(store: Store, folder: Path) -> None:
    assert store.mend(ALIAS, NOW) is None
    folder.mkdir()
    assert store.mend(ALIAS, NOW) is None
    private_file(folder / "privkey.pem", KEYS[3].pem)
    assert store.mend(ALIAS, NOW) is None
    stage(store, 0)
    assert store.mend(ALIAS, NOW) is None, "a version that never was live is no business of mending"
    dehydrated_folder(folder, files(0), STAMPS[0])
    before = everything(folder)
    assert store.mend(ALIAS, NOW) is None
    assert everything(folder) == before


def test_a_key_that_dehydrated_switched_alone_is_switched_back(store: Store, folder: Path) -> None:
    """Killed between its links: privkey.pem is new, the certificate is old."""
    dehydrated_folder(folder, files(0), STAMPS[0])
    dehydrated_folder(folder, files(1), STAMPS[1])
    for name in ("cert.pem", "chain.pem", "fullchain.pem"):
        link(folder / name, layout.stamped_name(name, STAMPS[0]))
    before = contents(folder)
    found = mended(store)
    assert found == Mended(STAMPS[0], "privkey.pem did not belong to cert.pem")
    assert look(folder) == pair_of(files(0))
    assert before <= contents(folder)


def test_a_chain_that_dehydrated_did_not_switch_yet_is_mended_by_cert_pem(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, files(0), STAMPS[0])
    dehydrated_folder(folder, files(1), STAMPS[1])
    link(folder / "cert.pem", layout.stamped_name("cert.pem", STAMPS[0]))
    assert mended(store).stamp == STAMPS[0]
    assert look(folder) == pair_of(files(0))


def test_a_version_of_ours_is_live_again(store: Store, folder: Path) -> None:
    issued(store, 0)
    issued(store, 1)
    link(folder / "privkey.pem", layout.stamped_name("privkey.pem", STAMPS[0]))
    assert mended(store) == Mended(STAMPS[1], "privkey.pem did not belong to cert.pem")
    assert look(folder) == pair_of(files(1))


def test_a_dangling_live_link_leads_to_the_newest_valid_version(store: Store, folder: Path) -> None:
    issued(store, 0)
    issued(store, 1)
    issued(store, 2, valid=-1)
    link(folder / ".live", ".versions/99")
    found = mended(store)
    assert found == Mended(STAMPS[1], "privkey.pem was a link to nothing (.live/privkey.pem)")


def test_a_missing_live_link_is_made_again(store: Store, folder: Path) -> None:
    stamp = issued(store, 0)
    (folder / ".live").unlink()
    assert mended(store).stamp == stamp


def test_a_switch_that_never_came_about_is_made(store: Store, folder: Path) -> None:
    """Killed during the first activation: the names lead through a link that is not there yet."""
    stage(store, 0)
    for name in layout.NAMES:
        link(folder / name, layout.live_target(name))
    assert mended(store).stamp == STAMPS[0]


@pytest.mark.parametrize("name", ["privkey.pem", "cert.pem", "chain.pem", "fullchain.pem"])
def test_a_name_that_somebody_removed_comes_back(store: Store, folder: Path, name: str) -> None:
    issued(store, 0)
    stamp = issued(store, 1)
    (folder / name).unlink()
    assert mended(store) == Mended(stamp, f"{name} was missing")
    assert look(folder) == pair_of(files(1))


@pytest.mark.parametrize("name", ["cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"])
def test_a_damaged_live_version_gives_way_to_its_other_names(store: Store, folder: Path, name: str) -> None:
    issued(store, 0)
    issued(store, 1)
    private_file(folder / ".versions" / str(STAMPS[1]) / name, b"rubbish\n")
    mended(store)
    # dehydrated's names still have the very certificate.
    assert look(folder) == pair_of(files(1))


def test_a_damaged_live_version_without_other_names_gives_way_to_an_older_one(store: Store, folder: Path) -> None:
    issued(store, 0)
    issued(store, 1)
    cert = folder / ".versions" / str(STAMPS[1]) / "cert.pem"
    private_file(cert, b"rubbish\n")
    for name in layout.NAMES:
        (folder / layout.stamped_name(name, STAMPS[1])).unlink()
    assert mended(store).stamp == STAMPS[0]
    assert look(folder) == pair_of(files(0))
    assert cert.read_bytes() == b"rubbish\n"


def test_a_key_of_an_older_stamp_completes_dehydrateds_set(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, files(0), STAMPS[0])
    dehydrated_folder(folder, files(1, key=0), STAMPS[1])
    (folder / f"privkey-{STAMPS[1]}.pem").unlink()
    link(folder / "privkey.pem", f"privkey-{STAMPS[0]}.pem")
    (folder / "chain.pem").unlink()
    assert mended(store).stamp == STAMPS[1]
    assert look(folder) == pair_of(files(1, key=0))


def test_a_plain_key_that_is_still_right_stays_the_very_file(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, files(0), STAMPS[0])
    (folder / f"privkey-{STAMPS[0]}.pem").unlink()
    private_file(folder / "privkey.pem", KEYS[0].pem)
    (folder / "chain.pem").unlink()
    before = (folder / "privkey.pem").lstat()
    assert mended(store).stamp == STAMPS[0]
    assert (folder / "privkey.pem").lstat().st_ino == before.st_ino
    assert look(folder) == pair_of(files(0))


def test_an_empty_certificate_of_a_failed_order_is_no_set(store: Store, folder: Path) -> None:
    dehydrated_folder(folder, files(0), STAMPS[0])
    for name in ("privkey.pem", "cert.csr"):
        private_file(folder / layout.stamped_name(name, STAMPS[1]), layout.by_name(files(1))[name])
    private_file(folder / f"cert-{STAMPS[1]}.pem", b"")
    link(folder / "cert.pem", f"cert-{STAMPS[1]}.pem")
    assert mended(store) == Mended(STAMPS[0], "cert.pem held no certificate")


def test_a_key_that_a_person_put_there_is_left_to_the_next_run(store: Store, folder: Path, certs: Path) -> None:
    issued(store, 0)
    private_file(folder / "privkey.pem", STRANGE.pem)
    assert left(store, folder) == LeftToRun("privkey.pem is a key that no version has")
    private_file(certs / "elsewhere.pem", STRANGE.pem)
    link(folder / "privkey.pem", "../elsewhere.pem")
    assert left(store, folder) == LeftToRun("privkey.pem is a key that no version has")


def test_a_persons_key_of_an_older_version_is_kept_and_gives_way(store: Store, folder: Path) -> None:
    issued(store, 0)
    issued(store, 1)
    private_file(folder / "privkey.pem", KEYS[0].pem)
    assert mended(store).stamp == STAMPS[1]
    assert KEYS[0].pem in [path.read_bytes() for path in folder.glob("privkey-*.pem")]


def test_a_persons_key_that_a_newer_version_was_made_for_brings_that_version(store: Store, folder: Path) -> None:
    """Killed between staging and switching, with PRIVATE_KEY_RENEW=no."""
    issued(store, 0)
    stage(store, 1)
    private_file(folder / "privkey.pem", KEYS[1].pem)
    assert mended(store).stamp == STAMPS[1]
    assert not (folder / "privkey.pem").is_symlink()


def test_a_key_file_without_a_key_is_replaced_and_kept(store: Store, folder: Path) -> None:
    stamp = issued(store, 0)
    private_file(folder / "privkey.pem", b"half a k")
    assert mended(store) == Mended(stamp, "privkey.pem held no usable key")
    assert b"half a k" in contents(folder)


def test_a_revoked_certificate_never_comes_back(store: Store, folder: Path) -> None:
    """dehydrated renames it so that the next run issues another one."""
    issued(store, 0)
    issued(store, 1)
    cert = folder / ".versions" / str(STAMPS[1]) / "cert.pem"
    cert.rename(cert.with_name("cert.pem-revoked"))
    assert left(store, folder) == LeftToRun("the certificate was revoked")
    (folder / "fullchain.pem").unlink()
    assert left(store, folder) == LeftToRun("the certificate was revoked")
    link(folder / "cert.pem", f"cert-{STAMPS[0]}.pem")
    assert mended(store).stamp == STAMPS[0]
    link(folder / ".live", ".versions/99")
    (folder / ".versions" / str(STAMPS[0]) / "cert.pem").write_bytes(b"rubbish\n")
    (folder / f"cert-{STAMPS[0]}.pem").unlink()
    with pytest.raises(NothingWhole):
        store.mend(ALIAS, NOW)


def test_a_revoked_certificate_is_known_by_the_chain_that_is_left(store: Store, folder: Path) -> None:
    """dehydrated's cleanup takes the link to nothing away."""
    issued(store, 0)
    issued(store, 1)
    cert = folder / ".versions" / str(STAMPS[1]) / "cert.pem"
    cert.rename(cert.with_name("cert.pem-revoked"))
    (folder / "cert.pem").unlink()
    assert left(store, folder) == LeftToRun("the certificate was revoked")


def test_nothing_to_mend_from_is_an_error_and_nothing_is_touched(store: Store, folder: Path) -> None:
    plain_folder(folder, files(0))
    private_file(folder / "cert.pem", files(1).cert)
    (folder / "privkey.pem").unlink()
    before = everything(folder)
    with pytest.raises(NothingWhole, match=r"privkey\.pem is missing, and there is no whole version to mend it from"):
        store.mend(ALIAS, NOW)
    assert everything(folder) == before


def test_an_expired_version_of_another_key_is_nothing_to_mend_from(store: Store, folder: Path) -> None:
    issued(store, 0, valid=-1)
    link(folder / ".live", ".versions/99")
    with pytest.raises(NothingWhole):
        store.mend(ALIAS, NOW)


def test_what_is_in_the_way_is_named(store: Store, folder: Path) -> None:
    issued(store, 0)
    (folder / "chain.pem").unlink()
    (folder / "chain.pem").mkdir()
    with pytest.raises(FileTrouble, match=r"chain\.pem: neither a file nor a link"):
        store.mend(ALIAS, NOW)


def torn_by_dehydrated(folder: Path) -> None:
    dehydrated_folder(folder, files(0), STAMPS[0])
    dehydrated_folder(folder, files(1), STAMPS[1])
    for name in ("cert.pem", "chain.pem", "fullchain.pem", "cert.csr"):
        link(folder / name, layout.stamped_name(name, STAMPS[0]))


def torn_by_a_person(folder: Path) -> None:
    store = Store(str(folder.parent))
    issued(store, 0)
    issued(store, 1)
    private_file(folder / "privkey.pem", KEYS[0].pem)


def without_live(folder: Path) -> None:
    issued(Store(str(folder.parent)), 0)
    (folder / ".live").unlink()


def without_a_name(folder: Path) -> None:
    issued(Store(str(folder.parent)), 0)
    (folder / "chain.pem").unlink()


ARRANGEMENTS = (torn_by_dehydrated, torn_by_a_person, without_live, without_a_name)


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_a_kill_before_any_change_is_no_worse_and_the_next_mending_finishes(
    certs: Path, arrange: Callable[[Path], None]
) -> None:
    for number in range(1000):
        store, folder, before = arranged(certs, arrange)
        kept = contents(folder)
        alive = not killed_before(number, partial(store.mend, ALIAS, NOW))
        assert_no_worse(folder, before, f"after a kill before change {number}")
        store.mend(ALIAS, NOW)
        assert is_whole(view(folder)), f"after a kill before change {number}"
        assert kept <= contents(folder), f"after a kill before change {number}"
        names = [path.name for path in folder.rglob("*")]
        assert not [name for name in names if name.endswith((".certkeeper-tmp", ".adopting"))]
        if alive:
            assert number > 1, "the sweep saw next to nothing"
            return
    pytest.fail("mending has more than 1000 effects")


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_a_reader_sees_what_was_there_or_the_whole_set(certs: Path, arrange: Callable[[Path], None]) -> None:
    store, folder, before = arranged(certs, arrange)
    with watched(lambda name, _: assert_no_worse(folder, before, f"before a {name}"), frozenset({"rename", "unlink"})):
        store.mend(ALIAS, NOW)
    assert is_whole(view(folder))


def arranged(certs: Path, arrange: Callable[[Path], None]) -> tuple[Store, Path, dict[str, bytes | None]]:
    for found in certs.iterdir():
        shutil.rmtree(found)
    folder = certs / ALIAS.text
    arrange(folder)
    return Store(str(certs)), folder, view(folder)


def view(folder: Path) -> dict[str, bytes | None]:
    def read(path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    return {name: read(folder / name) for name in layout.NAMES if name != layout.CSR}


def is_whole(shown: dict[str, bytes | None]) -> bool:
    if any(content is None for content in shown.values()):
        return False
    pair = Pair(*(shown[name] or b"" for name in ("privkey.pem", "fullchain.pem", "cert.pem", "chain.pem")))
    fits = parse_own(pair.key, "privkey.pem").key_id == parse_leaf(pair.cert).key_id
    return fits and not disagreement(pair.cert, pair.chain, pair.fullchain)


def assert_no_worse(folder: Path, before: dict[str, bytes | None], when: str) -> None:
    now = view(folder)
    assert now == before or is_whole(now), when
