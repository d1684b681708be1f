"""An installation for each test, at a CA that believes everything."""

from pathlib import Path

import pytest

from bed.world import World
from integration.compat.installation import Installation, Make


@pytest.fixture
def make(tmp_path: Path, believer: World) -> Make:
    return lambda *lines, **settings: Installation(tmp_path / "one", believer, *lines, **settings)
