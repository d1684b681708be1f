from pathlib import Path

import pytest

from certkeeper.adapters.page import read_page
from certkeeper.config.errors import ConfigError
from unit.config.pages import only

CONFIG = "CHALLENGETYPE=dns-01\nPDNS_HOST=localhost\nPDNS_KEY_FILE={}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "domains.txt").write_text("example.org\n")
    (tmp_path / "config").write_text(CONFIG.format(tmp_path / "key"))
    return tmp_path / "config"


@pytest.mark.parametrize(("mode", "codes"), [(0o600, []), (0o640, []), (0o644, ["open-key-file"])])
def test_a_key_file_is_read_and_its_mode_looked_at(config: Path, mode: int, codes: list[str]) -> None:
    key = config.parent / "key"
    key.write_text("the key\n")
    key.chmod(mode)
    configuration = read_page(str(config), "/", {})
    found = only(configuration)
    assert found is not None
    assert found.api_key.reveal() == "the key"
    assert [finding.code for finding in configuration.findings] == codes


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "no such file"), (b"\xff", "line 1 is not UTF-8"), (b"", "no key")]
)
def test_a_key_file_that_is_of_no_use_is_an_error_at_its_line(config: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (config.parent / "key").write_bytes(content)
    with pytest.raises(ConfigError, match=f"config:3: PDNS_KEY_FILE: .*{reason}"):
        read_page(str(config), "/", {})


def test_a_key_file_without_an_end_is_not_read_to_it(config: Path) -> None:
    (config.parent / "key").symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="larger than"):
        read_page(str(config), "/", {})
