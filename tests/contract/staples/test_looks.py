"""Looks at responses: what was proven counts until a file changes, or its time is over."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from builders.certificates import NOW, Wish, intermediate, new_key
from builders.responder import LIFE, answer
from certkeeper.adapters.folders import Folders
from certkeeper.adapters.index import Index
from certkeeper.adapters.staplelooks import StapleLooks
from certkeeper.adapters.staples import Staples
from certkeeper.base.names import Alias
from certkeeper.lineage.model import VersionFiles
from certkeeper.ocsp.request import issued
from contract.store.folders import dehydrated_folder

ALIAS = Alias("example.org")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    key, authority = new_key(), intermediate()
    cert = authority.leaf(key, Wish(ocsp_url="http://ocsp.example"))
    found = tmp_path / "certs" / ALIAS.text
    dehydrated_folder(found, VersionFiles(key.pem, b"", cert, authority.pem, cert + authority.pem))
    (found / "ocsp.der").write_bytes(answer(issued(cert, authority.pem)))
    return found


def looks(folder: Path) -> tuple[StapleLooks, Index]:
    """As a new process has them, some seconds later."""
    folders = Folders(str(folder.parent))
    state = folder.parent.parent / "state"
    index = Index(str(state), lambda: time.time_ns() + 10**10)
    return StapleLooks(folders, index, Staples(folders).read), index


def test_what_was_proven_need_not_be_proven_again(folder: Path) -> None:
    first, index = looks(folder)
    assert first.is_there(ALIAS)
    assert first.known(ALIAS, NOW) is None
    found = first.look(ALIAS, NOW)
    index.keep()
    known = looks(folder)[0].known(ALIAS, NOW)
    assert known is not None
    assert found.held is not None
    assert known[0] == found.issued.subject
    held = found.held
    assert (known[1].this_update, known[1].until, known[1].signer) == (held.this_update, held.until, held.signer)


def test_its_time_still_counts(folder: Path) -> None:
    first, index = looks(folder)
    first.look(ALIAS, NOW)
    index.keep()
    for now in (NOW + LIFE, NOW - timedelta(days=1)):
        assert looks(folder)[0].known(ALIAS, now) is None


@pytest.mark.parametrize("name", ["cert.pem", "chain.pem", "ocsp.der"])
def test_a_file_that_changed_is_looked_at(folder: Path, name: str) -> None:
    first, index = looks(folder)
    first.look(ALIAS, NOW)
    index.keep()
    content = (folder / name).read_bytes()
    (folder / name).resolve().unlink()
    (folder / name).resolve().write_bytes(content)
    assert looks(folder)[0].known(ALIAS, NOW) is None


def test_one_that_does_not_count_is_not_learned(folder: Path) -> None:
    (folder / "ocsp.der").write_bytes(b"nonsense")
    first, index = looks(folder)
    assert first.look(ALIAS, NOW).held is None
    index.keep()
    assert looks(folder)[0].known(ALIAS, NOW) is None
    (folder / "ocsp.der").unlink()
    assert not looks(folder)[0].is_there(ALIAS)
