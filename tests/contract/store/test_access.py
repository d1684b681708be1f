"""Whose files are whose: from the first byte, after every kill, and put right where somebody changed it."""

import grp
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from builders.certificates import version_files
from builders.effects import in_child, killed_before, watched
from certkeeper.adapters.files import FileTrouble, Folder
from certkeeper.adapters.ownership import NoSuchOwner, Ownership, resolve
from certkeeper.adapters.store import Store
from certkeeper.base.access import Access
from certkeeper.lineage import layout
from certkeeper.lineage.access import READ
from certkeeper.lineage.model import VersionFiles
from contract.store.folders import ALIAS, NOW_STAMP, dehydrated_folder, issue, link, plain_folder, private_file
from contract.store.scenes import NEW_KEY, OLD, OLD_KEY, SCENES, Scene, renew

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to a group that it is not in")

GROUP = "www-data"
GID = grp.getgrnam(GROUP).gr_gid
OWNED = resolve(Access(group=GROUP))
Arrange = Callable[[Path, VersionFiles], None]
QUICK = {"nothing-new_key", "dehydrateds-new_key"}
# A link of the operator's that stays is not followed.
SWEPT = [
    pytest.param(scene, marks=() if scene.name in QUICK else pytest.mark.long, id=scene.name)
    for scene in SCENES
    if scene.name != "key_elsewhere-same_key"
]


@pytest.fixture
def certs() -> Iterator[Path]:
    """CERTDIR in memory where there is such a place."""
    memory = Path("/dev/shm")
    before = os.umask(0o077)
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)
    os.umask(before)


def shared(certs: Path, owned: Ownership = OWNED) -> Store:
    return Store(str(certs), owned={ALIAS: owned}, entered=owned)


def mode(path: Path) -> str:
    status = path.stat()
    return f"{stat.S_IMODE(status.st_mode):04o} {status.st_uid}:{status.st_gid}"


def assert_shared(certs: Path) -> None:
    """The group reads what services read, through folders that let in nobody else."""
    folder = certs / ALIAS.text
    assert mode(folder / "privkey.pem") == f"0640 0:{GID}"
    assert {mode(folder / name) for name in (layout.CERT, layout.CHAIN, layout.FULLCHAIN)} == {f"0644 0:{GID}"}
    inner = [certs, folder]
    if (folder / layout.LIVE).exists():
        inner += [folder / layout.VERSIONS, (folder / layout.LIVE).resolve()]
    assert {mode(path) for path in inner} == {f"0750 0:{GID}"}


def assert_no_key_open(certs: Path) -> None:
    """No private key can be read by anybody but its owner and the group that is named."""
    for path in (path for path in certs.rglob("*") if path.is_file() and not path.is_symlink()):
        if b"PRIVATE KEY" in path.read_bytes():
            status = path.stat()
            assert not status.st_mode & 0o137, f"{path}: {mode(path)}"
            assert not (status.st_mode & 0o040 and status.st_gid != GID), f"{path}: {mode(path)}"


def test_without_a_setting_everything_stays_private(certs: Path) -> None:
    store = Store(str(certs / "new"))
    issue(store, NEW_KEY)
    assert store.folders.put_right(ALIAS) == ()
    paths = [certs / "new", *(certs / "new").rglob("*")]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in paths}
    assert modes == {0o700, 0o600}


def test_a_new_certificate_is_readable_for_the_group(certs: Path) -> None:
    issue(shared(certs), NEW_KEY)
    assert_shared(certs)
    folder = certs / ALIAS.text
    assert mode(folder / "cert.csr") == "0600 0:0"
    stamped = next(folder.glob("privkey-*.pem"))
    assert stamped.samefile(folder / "privkey.pem")
    assert shared(certs).folders.put_right(ALIAS) == ()


def test_the_key_of_the_next_certificate_stays_private(certs: Path) -> None:
    store = shared(certs)
    issue(store, NEW_KEY)
    store.save_next_key(ALIAS, OLD_KEY)
    store.folders.put_right(ALIAS)
    assert mode(certs / ALIAS.text / layout.NEXT_KEY) == "0600 0:0"


def test_an_owner_gets_the_files_and_a_way_to_them_and_no_folder(certs: Path) -> None:
    owned = resolve(Access(owner="www-data"))
    issue(shared(certs, owned), NEW_KEY)
    folder = certs / ALIAS.text
    assert mode(folder / "privkey.pem").startswith(f"0600 {owned.uid}:")
    assert {mode(certs), mode(folder)} == {f"0750 0:{GID}"}


@pytest.mark.parametrize("arrange", [dehydrated_folder, plain_folder])
def test_files_that_dehydrated_or_a_person_made_are_put_right(
    certs: Path, arrange: Callable[[Path, VersionFiles], None]
) -> None:
    folder = certs / ALIAS.text
    arrange(folder, OLD)
    changed = shared(certs).folders.put_right(ALIAS)
    assert {layout.PRIVKEY, layout.CERT, str(folder)} <= set(changed)
    assert_shared(certs)
    assert shared(certs).folders.put_right(ALIAS) == ()


def test_what_somebody_changed_is_put_right(certs: Path) -> None:
    store = shared(certs)
    issue(store, NEW_KEY)
    folder = certs / ALIAS.text
    (folder / "privkey.pem").chmod(0o644)
    os.chown(folder / "fullchain.pem", 0, 0)
    (folder / layout.VERSIONS).chmod(0o700)
    assert store.folders.put_right(ALIAS) == (layout.PRIVKEY, layout.FULLCHAIN, str(folder / layout.VERSIONS))
    assert_shared(certs)


def test_folders_that_let_everybody_through_stay_as_they_are(certs: Path) -> None:
    issue(shared(certs), NEW_KEY)
    os.chown(certs, 0, 0)
    certs.chmod(0o755)
    assert shared(certs).folders.put_right(ALIAS) == ()
    assert mode(certs) == "0755 0:0"


@pytest.mark.parametrize("name", READ)
def test_no_link_is_followed(certs: Path, name: str, tmp_path: Path) -> None:
    secret = tmp_path / "shadow"
    private_file(secret, b"secret")
    store = shared(certs)
    issue(store, NEW_KEY)
    folder = certs / ALIAS.text
    link(folder / name, str(secret))
    store.folders.put_right(ALIAS)
    assert mode(secret) == "0600 0:0"
    # Nor where the link is where one of our own files was.
    link(folder / name, layout.live_target(name))
    link((folder / layout.LIVE).resolve() / name, str(secret))
    store.folders.put_right(ALIAS)
    assert mode(secret) == "0600 0:0"


def test_a_link_that_comes_in_between_is_no_way_out(certs: Path, tmp_path: Path) -> None:
    secret = tmp_path / "shadow"
    private_file(secret, b"secret")
    link(certs / layout.PRIVKEY, str(secret))
    with Folder.open(str(certs)) as folder, pytest.raises(FileTrouble, match="symbolic links"):
        folder.give(layout.PRIVKEY, OWNED, layout.PRIVKEY)
    assert mode(secret) == "0600 0:0"


def test_who_comes_new_to_a_file_never_finds_it_open_too_far(certs: Path) -> None:
    key = certs / layout.PRIVKEY
    private_file(key, b"PRIVATE KEY")
    key.chmod(0o666)
    met: list[str] = []
    with Folder.open(str(certs)) as folder, watched(lambda *_: met.append(mode(key)), frozenset({"fchown"})):
        assert folder.give(layout.PRIVKEY, OWNED, layout.PRIVKEY)
    assert met == ["0640 0:0"]
    assert mode(key) == f"0640 0:{GID}"


@pytest.mark.parametrize("where", ["", layout.VERSIONS, layout.LIVE])
@pytest.mark.parametrize("theirs", [True, False])
def test_nothing_is_given_away_where_somebody_else_can_write(certs: Path, where: str, *, theirs: bool) -> None:
    store = shared(certs)
    issue(store, NEW_KEY)
    folder = certs / ALIAS.text
    (folder / "privkey.pem").chmod(0o600)
    place = (folder / where).resolve()
    if theirs:
        os.chown(place, 65534, -1)
    else:
        place.chmod(0o770)
    for look in (store.folders.put_right, store.folders.check):
        with pytest.raises(FileTrouble) as caught:
            look(ALIAS)
        assert Path(str(caught.value).partition(": ")[0]).resolve() == place
        assert caught.value.hint
    assert mode(folder / "privkey.pem") == f"0600 0:{GID}"
    # Nor is that found only once there is something to give.
    (folder / "privkey.pem").chmod(0o640)
    with pytest.raises(FileTrouble):
        store.folders.put_right(ALIAS)


def test_a_renewal_gives_nothing_away_there_either(certs: Path) -> None:
    issue(shared(certs), NEW_KEY)
    folder = certs / ALIAS.text
    folder.chmod(0o777)
    before = (folder / layout.LIVE).readlink()
    with pytest.raises(FileTrouble, match="others can write in the folder"):
        issue(shared(certs), OLD_KEY, NOW_STAMP + 100)
    assert (folder / layout.LIVE).readlink() == before


@pytest.mark.parametrize("access", [Access(group="no-such-group"), Access(owner="no-such-user")])
def test_an_unknown_user_or_group_is_an_error(access: Access) -> None:
    with pytest.raises(NoSuchOwner, match="there is no") as caught:
        resolve(access)
    assert caught.value.hint


def test_who_is_not_root_gives_files_to_groups_of_their_own_only() -> None:
    def as_nobody() -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        resolve(Access(group="nogroup"))
        for access in (Access(group=GROUP), Access(owner="root")):
            with pytest.raises(NoSuchOwner):
                resolve(access)

    assert in_child(as_nobody) == 0


def arranged(certs: Path, scene: Scene) -> Store:
    for left in certs.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    scene.arrange(certs / ALIAS.text)
    return shared(certs)


@pytest.mark.parametrize("scene", SWEPT)
def test_no_kill_leaves_a_key_open_and_the_next_run_puts_it_right(certs: Path, scene: Scene) -> None:
    for number in range(1000):
        store = arranged(certs, scene)
        if not killed_before(number, partial(renew, scene, store)):
            break
        assert_no_key_open(certs)
        store.folders.put_right(ALIAS)
        assert_no_key_open(certs)
        renew(scene, store)
        store.folders.put_right(ALIAS)
        assert_shared(certs)
    assert number > 20


def test_a_kill_while_files_are_put_right_leaves_no_key_open(certs: Path) -> None:
    folder = certs / ALIAS.text
    for number in range(1000):
        for left in certs.iterdir():
            shutil.rmtree(left)
        issue(Store(str(certs)), NEW_KEY)
        (folder / "privkey.pem").chmod(0o640)
        os.chown(folder / "privkey.pem", 0, GID)
        (folder / "cert.pem").chmod(0o666)
        store = shared(certs)
        if not killed_before(number, partial(store.folders.put_right, ALIAS)):
            break
        assert_no_key_open(certs)
        store.folders.put_right(ALIAS)
        assert_shared(certs)
    assert number > 5


def reads(folder: Path) -> bool:
    """Whether a user who is in the group, and nobody else's friend, gets at key and certificate."""

    def as_member() -> None:
        os.setgroups([GID])
        os.setgid(65534)
        os.setuid(65534)
        for name in (layout.PRIVKEY, layout.FULLCHAIN):
            assert (folder / name).read_bytes()

    return in_child(as_member) == 0


@pytest.mark.parametrize("arrange", [dehydrated_folder, pytest.param(plain_folder, marks=pytest.mark.long)])
def test_a_kill_of_a_renewal_takes_nothing_from_the_group(
    certs: Path, arrange: Callable[[Path, VersionFiles], None]
) -> None:
    scene = Scene("shared", lambda folder: arrange(folder, OLD), NEW_KEY, version_files(NEW_KEY))
    for number in range(1000):
        store = arranged(certs, scene)
        store.folders.put_right(ALIAS)
        assert reads(certs / ALIAS.text)
        if not killed_before(number, partial(renew, scene, store)):
            break
        assert reads(certs / ALIAS.text)
    assert number > 20
