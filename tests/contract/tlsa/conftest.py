"""The tree of signed zones, one for each worker process."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from contract.tlsa.signedtree import Tree


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    with ExitStack() as stack:
        yield Tree(tmp_path_factory.mktemp("tree"), stack)
