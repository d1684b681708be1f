"""Where a certificate may be written that somebody names a file for."""

import os
import stat
from pathlib import Path

import pytest

from certkeeper.adapters.files import FileTrouble
from certkeeper.adapters.handed import HandedFiles


def test_a_file_may_be_new_or_be_replaced(tmp_path: Path) -> None:
    file = tmp_path / "out.pem"
    assert not HandedFiles().is_there(str(file))
    assert list(tmp_path.iterdir()) == []
    HandedFiles().write(str(file), b"one")
    assert HandedFiles().is_there(str(file))
    HandedFiles().write(str(file), b"two")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"two", 0o600)


@pytest.mark.parametrize("kind", ["folder", "symbolic link", "named pipe", "device"])
def test_what_is_no_file_is_never_replaced(tmp_path: Path, kind: str) -> None:
    path, kept = tmp_path / "out.pem", tmp_path / "kept.pem"
    match kind:
        case "folder":
            path.mkdir()
        case "symbolic link":
            kept.write_bytes(b"kept")
            path.symlink_to(kept)
        case "named pipe":
            os.mkfifo(path)
        case _:
            try:
                # A device of the test's own: it must not be the machine's that is replaced where this fails.
                os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
            except PermissionError:
                pytest.skip("needs root, to make a device")
    before = path.lstat()
    for look in (HandedFiles().is_there, lambda named: HandedFiles().write(named, b"chain")):
        with pytest.raises(FileTrouble, match=f"out.pem: a {kind}"):
            look(str(path))
    assert os.path.samestat(path.lstat(), before)


def test_what_is_kept_beside_a_file_replaces_nothing(tmp_path: Path) -> None:
    request = tmp_path / "x.csr"
    request.write_bytes(b"request")
    kept = [HandedFiles().keep_beside(str(request), content, 1700000000) for content in (b"one", b"two")]
    assert kept == [f"{request}.pem.1700000000", f"{request}.pem.1700000001"]
    assert [Path(path).read_bytes() for path in kept] == [b"one", b"two"]
    assert stat.S_IMODE(Path(kept[0]).stat().st_mode) == 0o600
    with pytest.raises(FileTrouble, match="no regular file"):
        HandedFiles().keep_beside("/dev/stdin", b"one", 1700000000)
    assert HandedFiles().keep_in(str(tmp_path), "/dev/stdin", b"one", 17) == f"{tmp_path}/stdin.pem.17"


def test_a_name_that_ends_in_a_slash_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileTrouble, match="a folder"):
        HandedFiles().is_there(f"{tmp_path}/")


def test_a_folder_that_cannot_be_written_to_is_told_before(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        folder = Path("/proc")
    else:
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o500)
    with pytest.raises(FileTrouble, match=r"out.pem: cannot write: (permission denied|no such file)"):
        HandedFiles().is_there(str(folder / "out.pem"))
    with pytest.raises(FileTrouble, match="no such file or folder"):
        HandedFiles().is_there(str(tmp_path / "missing" / "out.pem"))
