"""Small pages on a disk, and what is read of them."""

import os
from pathlib import Path

import pytest

from certkeeper.adapters.page import read_page
from certkeeper.config.settings import Configuration

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to others, which only root can")

CONFIG = "CHALLENGETYPE=dns-01\nPDNS_HOST=localhost\nPDNS_KEY_FILE={}\n"
PLAIN = "CHALLENGETYPE=dns-01\nPDNS_HOST=localhost\nPDNS_KEY=secret\n"
NOBODY = 65534


def reading(config: Path) -> Configuration:
    return read_page(str(config), "/", {})
