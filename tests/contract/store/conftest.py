"""The store and the folder of its one certificate, where a file of tests has none of its own."""

from pathlib import Path

import pytest

from certkeeper.adapters.store import Store
from contract.store.folders import ALIAS


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "certs"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "certs" / ALIAS.text
