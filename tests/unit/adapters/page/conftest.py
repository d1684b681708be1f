from pathlib import Path

import pytest

from unit.adapters.page.pages import CONFIG, PLAIN


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "domains.txt").write_text("example.org\n")
    (tmp_path / "config").write_text(CONFIG.format(tmp_path / "key"))
    return tmp_path / "config"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page without secrets; the path of its main file."""
    (tmp_path / "domains.txt").write_text("example.org\nother.org\n")
    (tmp_path / "certs/example.org").mkdir(parents=True)
    (tmp_path / "config").write_text(PLAIN)
    (tmp_path / "config").chmod(0o600)
    return tmp_path / "config"
