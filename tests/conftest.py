import os

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is the machine's matter, and no test's.
settings.register_profile("certkeeper", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("certkeeper")

pytest_plugins = ["bed.fixtures"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked long waits for scripts/test --long."""
    if not os.environ.get("CERTKEEPER_LONG"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: runs with scripts/test --long"))
