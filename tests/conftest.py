import os
import tempfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is the machine's matter, and no test's.
settings.register_profile("certkeeper", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("certkeeper")

pytest_plugins = ["bed.fixtures"]

# Each checkout has its folder of temporary folders: a session that starts closes the one above its own (0700), and the
# servers of another session that do not run as root could no longer reach their files. Short, for sockets' paths.
_OF_CHECKOUT = Path(tempfile.gettempdir()) / f"ck{zlib.crc32(os.fsencode(Path(__file__).parent)) & 0xFFFF:04x}"
_OF_CHECKOUT.mkdir(exist_ok=True)
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_OF_CHECKOUT))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked long waits for scripts/test --long."""
    if not os.environ.get("CERTKEEPER_LONG"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: runs with scripts/test --long"))
